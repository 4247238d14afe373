#include "tests/sim/garbage.h"

#include <string.h>

#include "protocol/consult/consult.h"
#include "protocol/contents/case_record.h"
#include "protocol/record/statement.h"
#include "tests/sim/clinic.h"
#include "tests/sim/forge.h"
#include "tests/sim/hospital.h"
#include "tests/sim/line.h"

enum { GARBAGE_STREAMS_MAX = 24, GARBAGE_BODY_SIZE_MAX = 4096, GARBAGE_FLOOD = 60 };

struct garbage {
    struct hospital *puppet;
    struct forge *forges[GARBAGE_STREAMS_MAX];
    uint32_t count;
    uint8_t body[GARBAGE_BODY_SIZE_MAX];
};

struct garbage *garbage_new(struct hospital *puppet)
{
    struct garbage *garbage = calloc(1, sizeof *garbage);
    if (garbage == NULL)
        abort();
    garbage->puppet = puppet;
    puppet->is_puppet = true;
    return garbage;
}

void garbage_free(struct garbage *garbage)
{
    for (uint32_t i = 0; i < garbage->count; i++)
        free(garbage->forges[i]);
    free(garbage);
}

/* The stream in that scope, from where the puppet's own core left it; NULL when it has enough. */
static struct forge *garbage_forge(struct garbage *garbage, const struct scope *scope)
{
    struct hospital *puppet = garbage->puppet;
    struct stream_id stream = {*scope, puppet->node, 1};
    const struct disk_stream *kept = disk_find(&puppet->disk, &stream);
    for (uint32_t i = 0; i < garbage->count; i++) {
        if (scope_equal(&garbage->forges[i]->header.stream.scope, scope))
            return garbage->forges[i];
    }
    if (garbage->count == GARBAGE_STREAMS_MAX)
        return NULL;
    struct forge *forge = calloc(1, sizeof *forge);
    if (forge == NULL)
        abort();
    garbage->forges[garbage->count++] = forge;
    forge_begin(forge, puppet, scope);
    if (kept != NULL) {
        forge->header.sequence = kept->tail + 1;
        forge->header.previous = kept->tail_id;
    }
    return forge;
}

/* To some of those that it is connected with; the others hear it from these. */
static void garbage_send(struct garbage *garbage, struct forge *forge)
{
    struct world *world = garbage->puppet->world;
    frame_records_end(&forge->frame, forge->count);
    for (uint32_t i = 0; i < world->count; i++) {
        if (i != garbage->puppet->index && prng_of(&world->prng, 60))
            (void)line_forge(garbage->puppet, &world->hospitals[i], buffer_bytes(&forge->frame));
    }
    forge_restart(forge);
}

static struct scope garbage_scope(struct world *world)
{
    const struct hospital *to = &world->hospitals[prng_below(&world->prng, world->count)];
    switch (prng_below(&world->prng, 6)) {
    case 0:
        return scope_federation();
    case 1:
        return clinic_board(world);
    case 2:
        return scope_mail(&to->node);
    default:
        break;
    }
    if (world->case_count == 0)
        return clinic_board(world);
    uint32_t alive = world->case_count < 6 ? world->case_count : 6;
    return clinic_case(world, world->case_count - 1 - (uint32_t)prng_below(&world->prng, alive));
}

/* An opinion of somebody else, to be signed again in this one's name. */
static bool garbage_steal(struct garbage *garbage, const struct scope *scope,
                          struct statement *ret_statement)
{
    static uint8_t memory[RECORD_SIZE_MAX];
    struct world *world = garbage->puppet->world;
    const struct disk *disk = &world->hospitals[prng_below(&world->prng, world->count)].disk;
    for (size_t i = 0; i < disk->count; i++) {
        const struct disk_stream *stream = &disk->streams[i];
        if (!scope_equal(&stream->id.scope, scope))
            continue;
        for (uint64_t j = 0; j < stream->tail; j++) {
            const struct disk_record *record = &stream->records[j];
            struct buffer opened = buffer_over(memory, sizeof memory);
            struct record_claim claim;
            if (record->has_key && (record->flags & RECORD_BARE) == 0 &&
                record_parse((struct bytes){record->bytes, record->size}, &claim) == OK &&
                record_open(&claim, &record->key, &opened) == OK &&
                statement_read(buffer_bytes(&opened), ret_statement) == OK &&
                ret_statement->kind == KIND_OPINION)
                return true;
        }
    }
    return false;
}

/* Names any record that somebody holds in the scope, or none at all. */
static struct record_id garbage_record(struct world *world, const struct scope *scope)
{
    struct record_id id;
    const struct disk *disk = &world->hospitals[prng_below(&world->prng, world->count)].disk;
    prng_bytes(&world->prng, id.bytes, HASH_SIZE);
    for (size_t i = 0; i < disk->count; i++) {
        const struct disk_stream *stream = &disk->streams[i];
        if (scope_equal(&stream->id.scope, scope) && stream->tail > 0 && prng_of(&world->prng, 60))
            id = stream->records[prng_below(&world->prng, stream->tail)].id;
    }
    return id;
}

/* A content that is well formed and that it may not say, or that names what it should not. */
static uint16_t garbage_content(struct garbage *garbage, const struct scope *scope,
                                struct buffer *out)
{
    struct world *world = garbage->puppet->world;
    const struct hospital *other = &world->hospitals[prng_below(&world->prng, world->count)];
    struct record_id record = garbage_record(world, scope);
    struct case_record_grant grant = {.participant = garbage->puppet->node};
    struct case_record_grant_end end = {.participant = other->node};
    struct case_record_reveal reveal = {.records = {record}, .record_count = 1};
    struct case_record_release release = {record};
    struct case_record_erase erase = {.requester = other->node};
    struct case_record_erased erased = {.erase = record, .backups_until = {1}};
    struct case_record_take_in take_in = {.taken = {{other->node, record, KIND_OPINION}},
                                          .taken_count = 1};
    struct case_record_close closing = {.note = BYTES_NONE};
    err failure = OK;
    uint16_t kind = KIND_NONE;
    switch (prng_below(&world->prng, 8)) {
    case 0:
        failure = case_record_grant_write(&grant, out);
        kind = KIND_GRANT;
        break;
    case 1:
        failure = case_record_grant_end_write(&end, out);
        kind = KIND_GRANT_END;
        break;
    case 2:
        failure = case_record_reveal_write(&reveal, out);
        kind = KIND_REVEAL;
        break;
    case 3:
        failure = case_record_release_write(&release, out);
        kind = KIND_RELEASE;
        break;
    case 4:
        failure = case_record_erase_write(&erase, out);
        kind = KIND_ERASE;
        break;
    case 5:
        failure = case_record_erased_write(&erased, out);
        kind = KIND_ERASED;
        break;
    case 6:
        failure = case_record_take_in_write(&take_in, out);
        kind = KIND_TAKE_IN;
        break;
    default:
        failure = case_record_close_write(&closing, out);
        kind = KIND_CLOSE;
        break;
    }
    if (failure != OK)
        out->size = 0;
    return kind;
}

/* A body, as it may be said by somebody who means no good. */
static struct bytes garbage_body(struct garbage *garbage, const struct scope *scope)
{
    static uint8_t memory[2048];
    struct hospital *puppet = garbage->puppet;
    struct prng *prng = &puppet->world->prng;
    struct buffer out = buffer_over(garbage->body, sizeof garbage->body);
    struct buffer content = buffer_over(memory, sizeof memory);
    struct statement statement = {.kind = (uint16_t)prng_next(prng)};
    uint64_t what = prng_below(prng, 6);
    size_t size = 1 + prng_below(prng, 600);
    if (what == 0) {
        prng_bytes(prng, garbage->body, size);
        return (struct bytes){garbage->body, size};
    }
    if (what <= 2) { /* a known or unknown kind, its content made up */
        size_t rules;
        const struct kind_rule *rule = kind_rules(&rules);
        if (what == 2)
            statement.kind = (uint16_t)rule[prng_below(prng, rules)].kind;
        prng_bytes(prng, memory, size);
        if (prng_of(prng, 50))
            memory[0] = 0x80 + (uint8_t)prng_below(prng, 16);
        statement.content = (struct bytes){memory, size};
    } else if (what != 3 || !garbage_steal(garbage, scope, &statement)) {
        statement.kind = garbage_content(garbage, scope, &content);
        statement.content = buffer_bytes(&content);
    }
    statement.is_signed = false;
    if (prng_of(prng, 70)) {
        struct statement_place place = {puppet->config.federation, *scope, puppet->node};
        struct statement_author author = {.cert_id = puppet->cert_id,
                                          .time = hospital_wall(puppet)};
        statement_sign(&statement, &place, &author, puppet->clinician_secret);
    }
    if (statement_write(&statement, &out) != OK)
        return bytes_of_text("nothing");
    return buffer_bytes(&out);
}

static void garbage_write(struct garbage *garbage, struct forge *forge, struct bytes body)
{
    struct hospital *puppet = garbage->puppet;
    struct prng *prng = &puppet->world->prng;
    enum scope_kind kind = forge->header.stream.scope.kind;
    forge->header.head = puppet->world->heads[puppet->epoch - 1].id;
    forge->header.time = hospital_wall(puppet);
    forge->header.expires.ms =
        prng_of(prng, 20) ? hospital_wall(puppet).ms + prng_below(prng, DAY_MS) : 0;
    forge->header.audience = kind == SCOPE_FEDERATION || prng_of(prng, 15) ? AUDIENCE_CLEAR
                             : kind == SCOPE_CASE && prng_of(prng, 30)     ? AUDIENCE_REQUESTER
                                                                           : AUDIENCE_SCOPE;
    (void)forge_record(forge, body, false);
}

/* Asks to take part, as an honest one would. */
static void garbage_join(struct garbage *garbage)
{
    struct world *world = garbage->puppet->world;
    uint8_t memory[2048];
    if (world->case_count == 0)
        return;
    uint32_t number = world->case_count - 1;
    const struct hospital *requester = &world->hospitals[world->cases[number].requester];
    struct scope scope = scope_mail(&requester->node);
    struct forge *forge = garbage_forge(garbage, &scope);
    struct buffer out = buffer_over(memory, sizeof memory);
    if (forge == NULL)
        return;
    clinic_join_body(garbage->puppet, number, &out);
    garbage_write(garbage, forge, buffer_bytes(&out));
    forge->header.expires.ms = 0;
    garbage_send(garbage, forge);
}

/* The same frame again and again, whole and in pieces. */
static void garbage_flood(struct garbage *garbage)
{
    struct hospital *puppet = garbage->puppet;
    struct world *world = puppet->world;
    struct scope scope = garbage_scope(world);
    struct forge *forge = garbage_forge(garbage, &scope);
    struct hospital *victim = &world->hospitals[prng_below(&world->prng, world->count)];
    if (forge == NULL || victim == puppet)
        return;
    garbage_write(garbage, forge, garbage_body(garbage, &scope));
    frame_records_end(&forge->frame, forge->count);
    for (int i = 0; i < GARBAGE_FLOOD; i++) {
        static uint8_t memory[FRAME_SIZE_MAX];
        size_t size = forge->frame.size;
        memcpy(memory, forge->frame.data, size);
        if (prng_of(&world->prng, 30))
            size = 1 + prng_below(&world->prng, size);
        if (prng_of(&world->prng, 50))
            memory[prng_below(&world->prng, size)] ^= (uint8_t)(1u << prng_below(&world->prng, 8));
        (void)line_forge(puppet, victim, (struct bytes){memory, size});
    }
    garbage_send(garbage, forge);
}

void garbage_act(struct garbage *garbage)
{
    struct world *world = garbage->puppet->world;
    struct scope scope = garbage_scope(world);
    uint64_t what = prng_below(&world->prng, 10);
    if (what < 2) {
        garbage_join(garbage);
        return;
    }
    if (what == 2) {
        garbage_flood(garbage);
        return;
    }
    struct forge *forge = garbage_forge(garbage, &scope);
    if (forge == NULL)
        return;
    for (uint64_t i = 0; i <= prng_below(&world->prng, 3); i++)
        garbage_write(garbage, forge, garbage_body(garbage, &scope));
    garbage_send(garbage, forge);
}
