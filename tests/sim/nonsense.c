#include "tests/sim/nonsense.h"

#include <string.h>

#include "protocol/consult/caserecord.h"
#include "protocol/consult/consult.h"
#include "protocol/record/statement.h"
#include "tests/sim/clinic.h"
#include "tests/sim/forge.h"
#include "tests/sim/hospital.h"
#include "tests/sim/line.h"

enum { NONSENSE_STREAMS_MAX = 24, NONSENSE_BODY_SIZE_MAX = 4096, NONSENSE_FLOOD = 60 };

struct nonsense {
    struct hospital *puppet;
    struct forge *forges[NONSENSE_STREAMS_MAX];
    uint32_t count;
    uint8_t body[NONSENSE_BODY_SIZE_MAX];
};

struct nonsense *nonsense_new(struct hospital *puppet)
{
    struct nonsense *nonsense = calloc(1, sizeof *nonsense);
    if (nonsense == NULL)
        abort();
    nonsense->puppet = puppet;
    puppet->is_puppet = true;
    return nonsense;
}

void nonsense_free(struct nonsense *nonsense)
{
    for (uint32_t i = 0; i < nonsense->count; i++)
        free(nonsense->forges[i]);
    free(nonsense);
}

/* The stream in that scope, from where the puppet's own core left it; NULL when it has enough. */
static struct forge *nonsense_forge(struct nonsense *nonsense, const struct scope *scope)
{
    struct hospital *puppet = nonsense->puppet;
    struct stream_id stream = {*scope, puppet->node, 1};
    const struct disk_stream *kept = disk_find(&puppet->disk, &stream);
    for (uint32_t i = 0; i < nonsense->count; i++) {
        if (scope_equal(&nonsense->forges[i]->header.stream.scope, scope))
            return nonsense->forges[i];
    }
    if (nonsense->count == NONSENSE_STREAMS_MAX)
        return NULL;
    struct forge *forge = calloc(1, sizeof *forge);
    if (forge == NULL)
        abort();
    nonsense->forges[nonsense->count++] = forge;
    forge_begin(forge, puppet, scope);
    if (kept != NULL) {
        forge->header.sequence = kept->tail + 1;
        forge->header.previous = kept->tail_id;
    }
    return forge;
}

/* To some of those that it is connected with; the others hear it from these. */
static void nonsense_send(struct nonsense *nonsense, struct forge *forge)
{
    struct world *world = nonsense->puppet->world;
    frame_records_end(&forge->frame, forge->count);
    for (uint32_t i = 0; i < world->count; i++) {
        if (i != nonsense->puppet->index && chance_of(&world->chance, 60))
            (void)line_forge(nonsense->puppet, &world->hospitals[i], buffer_bytes(&forge->frame));
    }
    forge_restart(forge);
}

static struct scope nonsense_scope(struct world *world)
{
    const struct hospital *to = &world->hospitals[chance_below(&world->chance, world->count)];
    switch (chance_below(&world->chance, 6)) {
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
    return clinic_case(world,
                       world->case_count - 1 - (uint32_t)chance_below(&world->chance, alive));
}

/* An opinion of somebody else, to be signed again in this one's name. */
static bool nonsense_steal(struct nonsense *nonsense, const struct scope *scope,
                           struct statement *ret_statement)
{
    static uint8_t memory[RECORD_SIZE_MAX];
    struct world *world = nonsense->puppet->world;
    const struct disk *disk = &world->hospitals[chance_below(&world->chance, world->count)].disk;
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
static struct record_id nonsense_record(struct world *world, const struct scope *scope)
{
    struct record_id id;
    const struct disk *disk = &world->hospitals[chance_below(&world->chance, world->count)].disk;
    chance_bytes(&world->chance, id.bytes, HASH_SIZE);
    for (size_t i = 0; i < disk->count; i++) {
        const struct disk_stream *stream = &disk->streams[i];
        if (scope_equal(&stream->id.scope, scope) && stream->tail > 0 &&
            chance_of(&world->chance, 60))
            id = stream->records[chance_below(&world->chance, stream->tail)].id;
    }
    return id;
}

/* A content that is well formed and that it may not say, or that names what it should not. */
static uint16_t nonsense_content(struct nonsense *nonsense, const struct scope *scope,
                                 struct buffer *out)
{
    struct world *world = nonsense->puppet->world;
    const struct hospital *other = &world->hospitals[chance_below(&world->chance, world->count)];
    struct record_id record = nonsense_record(world, scope);
    struct caserecord_grant grant = {.participant = nonsense->puppet->node};
    struct caserecord_grant_end end = {.participant = other->node};
    struct caserecord_reveal reveal = {.records = {record}, .record_count = 1};
    struct caserecord_release release = {record};
    struct caserecord_erase erase = {.requester = other->node};
    struct caserecord_erased erased = {.erase = record, .backups_until = {1}};
    struct caserecord_take_in take_in = {.taken = {{other->node, record, KIND_OPINION}},
                                         .taken_count = 1};
    struct caserecord_close closing = {.note = BYTES_NONE};
    err failure = OK;
    uint16_t kind = KIND_NONE;
    switch (chance_below(&world->chance, 8)) {
    case 0:
        failure = caserecord_grant_write(&grant, out);
        kind = KIND_GRANT;
        break;
    case 1:
        failure = caserecord_grant_end_write(&end, out);
        kind = KIND_GRANT_END;
        break;
    case 2:
        failure = caserecord_reveal_write(&reveal, out);
        kind = KIND_REVEAL;
        break;
    case 3:
        failure = caserecord_release_write(&release, out);
        kind = KIND_RELEASE;
        break;
    case 4:
        failure = caserecord_erase_write(&erase, out);
        kind = KIND_ERASE;
        break;
    case 5:
        failure = caserecord_erased_write(&erased, out);
        kind = KIND_ERASED;
        break;
    case 6:
        failure = caserecord_take_in_write(&take_in, out);
        kind = KIND_TAKE_IN;
        break;
    default:
        failure = caserecord_close_write(&closing, out);
        kind = KIND_CLOSE;
        break;
    }
    if (failure != OK)
        out->size = 0;
    return kind;
}

/* A body, as it may be said by somebody who means no good. */
static struct bytes nonsense_body(struct nonsense *nonsense, const struct scope *scope)
{
    static uint8_t memory[2048];
    struct hospital *puppet = nonsense->puppet;
    struct chance *chance = &puppet->world->chance;
    struct buffer out = buffer_over(nonsense->body, sizeof nonsense->body);
    struct buffer content = buffer_over(memory, sizeof memory);
    struct statement statement = {.kind = (uint16_t)chance_next(chance)};
    uint64_t what = chance_below(chance, 6);
    size_t size = 1 + chance_below(chance, 600);
    if (what == 0) {
        chance_bytes(chance, nonsense->body, size);
        return (struct bytes){nonsense->body, size};
    }
    if (what <= 2) { /* a known or unknown kind, its content made up */
        size_t rules;
        const struct kind_rule *rule = kind_rules(&rules);
        if (what == 2)
            statement.kind = (uint16_t)rule[chance_below(chance, rules)].kind;
        chance_bytes(chance, memory, size);
        if (chance_of(chance, 50))
            memory[0] = 0x80 + (uint8_t)chance_below(chance, 16);
        statement.content = (struct bytes){memory, size};
    } else if (what != 3 || !nonsense_steal(nonsense, scope, &statement)) {
        statement.kind = nonsense_content(nonsense, scope, &content);
        statement.content = buffer_bytes(&content);
    }
    statement.is_signed = false;
    if (chance_of(chance, 70)) {
        struct statement_place place = {puppet->config.federation, *scope, puppet->node};
        struct statement_author author = {.cert_id = puppet->cert_id,
                                          .time = hospital_wall(puppet)};
        statement_sign(&statement, &place, &author, puppet->clinician_secret);
    }
    if (statement_write(&statement, &out) != OK)
        return bytes_of_text("nothing");
    return buffer_bytes(&out);
}

static void nonsense_write(struct nonsense *nonsense, struct forge *forge, struct bytes body)
{
    struct hospital *puppet = nonsense->puppet;
    struct chance *chance = &puppet->world->chance;
    enum scope_kind kind = forge->header.stream.scope.kind;
    forge->header.head = puppet->world->heads[puppet->epoch - 1].id;
    forge->header.time = hospital_wall(puppet);
    forge->header.expires.ms =
        chance_of(chance, 20) ? hospital_wall(puppet).ms + chance_below(chance, DAY_MS) : 0;
    forge->header.audience = kind == SCOPE_FEDERATION || chance_of(chance, 15) ? AUDIENCE_CLEAR
                             : kind == SCOPE_CASE && chance_of(chance, 30)     ? AUDIENCE_REQUESTER
                                                                               : AUDIENCE_SCOPE;
    (void)forge_record(forge, body, false);
}

/* Asks to take part, as an honest one would. */
static void nonsense_join(struct nonsense *nonsense)
{
    struct world *world = nonsense->puppet->world;
    uint8_t memory[2048];
    if (world->case_count == 0)
        return;
    uint32_t number = world->case_count - 1;
    const struct hospital *requester = &world->hospitals[world->cases[number].requester];
    struct scope scope = scope_mail(&requester->node);
    struct forge *forge = nonsense_forge(nonsense, &scope);
    struct buffer out = buffer_over(memory, sizeof memory);
    if (forge == NULL)
        return;
    clinic_join_body(nonsense->puppet, number, &out);
    nonsense_write(nonsense, forge, buffer_bytes(&out));
    forge->header.expires.ms = 0;
    nonsense_send(nonsense, forge);
}

/* The same frame again and again, whole and in pieces. */
static void nonsense_flood(struct nonsense *nonsense)
{
    struct hospital *puppet = nonsense->puppet;
    struct world *world = puppet->world;
    struct scope scope = nonsense_scope(world);
    struct forge *forge = nonsense_forge(nonsense, &scope);
    struct hospital *victim = &world->hospitals[chance_below(&world->chance, world->count)];
    if (forge == NULL || victim == puppet)
        return;
    nonsense_write(nonsense, forge, nonsense_body(nonsense, &scope));
    frame_records_end(&forge->frame, forge->count);
    for (int i = 0; i < NONSENSE_FLOOD; i++) {
        static uint8_t memory[FRAME_SIZE_MAX];
        size_t size = forge->frame.size;
        memcpy(memory, forge->frame.data, size);
        if (chance_of(&world->chance, 30))
            size = 1 + chance_below(&world->chance, size);
        if (chance_of(&world->chance, 50))
            memory[chance_below(&world->chance, size)] ^=
                (uint8_t)(1u << chance_below(&world->chance, 8));
        (void)line_forge(puppet, victim, (struct bytes){memory, size});
    }
    nonsense_send(nonsense, forge);
}

void nonsense_act(struct nonsense *nonsense)
{
    struct world *world = nonsense->puppet->world;
    struct scope scope = nonsense_scope(world);
    uint64_t what = chance_below(&world->chance, 10);
    if (what < 2) {
        nonsense_join(nonsense);
        return;
    }
    if (what == 2) {
        nonsense_flood(nonsense);
        return;
    }
    struct forge *forge = nonsense_forge(nonsense, &scope);
    if (forge == NULL)
        return;
    for (uint64_t i = 0; i <= chance_below(&world->chance, 3); i++)
        nonsense_write(nonsense, forge, nonsense_body(nonsense, &scope));
    nonsense_send(nonsense, forge);
}
