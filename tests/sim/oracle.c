#include "tests/sim/oracle.h"

#include <string.h>

#include "protocol/consult/consult.h"
#include "protocol/roster/roster_entitled.h"
#include "protocol/state/streams.h"
#include "protocol/wire/frame_custody.h"
#include "protocol/wire/sealed_message.h"
#include "tests/sim/acceptance.h"
#include "tests/sim/clinic.h"
#include "tests/sim/held_mail.h"
#include "tests/sim/hospital.h"
#include "tests/sim/ledger.h"
#include "tests/sim/resends.h"

static const char *const oracle_scopes[] = {"federation", "board", "case", "mail"};

static const struct sim_case *oracle_case(const struct world *world, const struct scope *scope)
{
    for (uint32_t i = 0; i < world->case_count; i++) {
        if (memcmp(world->cases[i].id.bytes, scope->id, HASH_SIZE) == 0)
            return &world->cases[i];
    }
    return NULL;
}

/* What the requester has granted, as its own core knows it: the others can only know less. */
static const struct consult *oracle_consult(const struct world *world, const struct scope *scope)
{
    const struct sim_case *asked = oracle_case(world, scope);
    if (asked == NULL)
        return NULL;
    return hospital_case(&world->hospitals[asked->requester], &asked->id);
}

/* What leaves is durable here: a crash now would not take it back. */
static void oracle_durable(const struct hospital *from, const struct record_claim *claim)
{
    const struct disk_record *record =
        disk_at(&from->disk, &claim->header.stream, claim->header.sequence);
    if (record == NULL || !ID_EQUAL(record->id, claim->id))
        world_fail(from->world, "sent before it is durable", from->name);
}

_Noreturn static void oracle_stranger(const struct hospital *from, const struct hospital *to,
                                      const struct record_claim *claim, const char *why)
{
    char text[240];
    const struct stream_id *stream = &claim->header.stream;
    const struct hospital *writer = hospital_of(from->world, &stream->writer);
    (void)snprintf(text, sizeof text, "%s to %s, %s of %s (%02x) generation %u at %llu: %s",
                   from->name, to->name, oracle_scopes[(stream->scope.kind - SCOPE_FEDERATION) & 3],
                   writer->name, stream->scope.id[0], (unsigned)stream->generation,
                   (unsigned long long)claim->header.sequence, why);
    world_fail(from->world, "a key for a stranger", text);
}

static void oracle_records(const struct hospital *from, const struct hospital *to,
                           struct bytes frame)
{
    struct reader reader;
    struct frame_record record;
    struct record_claim claim;
    uint16_t count;
    if (frame_records_open(frame, &reader, &count) != OK)
        return;
    for (uint16_t i = 0; i < count; i++) {
        WORLD_CHECK(from->world, frame_record_read(&reader, &record) == OK);
        WORLD_CHECK(from->world, record_parse(record.record, &claim) == OK);
        oracle_durable(from, &claim);
        resends_count(from, to, &claim);
        if (record.has_key && !acceptance_is_of_one_chain(from, to))
            world_fail(from->world, "a key left for another chain of heads", from->name);
        if (record.has_key && !acceptance_has_compared(from))
            world_fail(from->world, "a key left before heads were compared", from->name);
        const char *why = record.has_key ? ledger_refuses(from, to, &claim) : NULL;
        if (why != NULL)
            oracle_stranger(from, to, &claim, why);
    }
}

/* Whoever says that it holds a stream to a position, does so durably. */
static void oracle_reported(const struct hospital *from, struct reader reader, uint16_t count)
{
    struct frame_position position;
    while (count-- > 0 && frame_position_read(&reader, &position) == OK) {
        const struct disk_stream *stream = disk_find(&from->disk, &position.stream);
        uint64_t tail = stream == NULL ? 0 : stream->tail;
        if (position.tail > tail || position.had > tail)
            world_fail(from->world, "reported before it is durable", from->name);
    }
}

static void oracle_positions(const struct hospital *from, struct bytes frame)
{
    struct reader reader;
    uint16_t count;
    if (frame_positions_open(frame, &reader, &count) == OK)
        oracle_reported(from, reader, count);
}

/* (CU-8) */
static void oracle_envelope(const struct hospital *from, const struct hospital *to,
                            struct bytes frame)
{
    struct frame_custody_envelope envelope;
    if (frame_custody_envelope_read(frame, &envelope) != OK)
        return;
    const struct step_held *held = held_mail_held(from, envelope.number);
    if (held != NULL && !ID_EQUAL(held->recipient, to->node))
        world_fail(from->world, "an envelope for another", to->name);
}

void oracle_letter(const struct hospital *from, const struct hospital *to, struct bytes bytes,
                   struct scope *ret_scope, bool *ret_has_key)
{
    struct sealed_message letter;
    struct record_claim claim;
    *ret_has_key = false;
    WORLD_CHECK(from->world, sealed_message_read(bytes, &letter) == OK);
    if (letter.kind == SEALED_MESSAGE_REPORT) {
        oracle_reported(from, letter.report.positions, letter.report.count);
        return;
    }
    WORLD_CHECK(from->world, record_parse(letter.record.record, &claim) == OK);
    oracle_durable(from, &claim);
    const char *why = letter.record.has_key ? ledger_refuses(from, to, &claim) : NULL; /* (CU-4) */
    if (why != NULL)
        oracle_stranger(from, to, &claim, why);
    *ret_scope = claim.header.stream.scope;
    *ret_has_key = letter.record.has_key;
}

/* (CU-5) A depositor that is on withdrew what it left of a case that it knows to be erased. */
static bool oracle_is_withdrawn(struct world *world, const struct step_held *held,
                                const uint8_t *envelope)
{
    struct scope scope;
    struct case_id case_id;
    const struct hospital *depositor = hospital_of(world, &held->depositor);
    if (!depositor->is_running || depositor->is_puppet || !world->allows_custody ||
        world->heads[world->epoch - 1].members[depositor->index].state != MEMBER_ADMITTED ||
        !held_mail_has_key(depositor, envelope, &scope) || scope.kind != SCOPE_CASE)
        return true;
    memcpy(case_id.bytes, scope.id, HASH_SIZE);
    const struct consult *consult = hospital_case(depositor, &case_id);
    return consult == NULL || consult->state != CASE_ERASED;
}

static void oracle_custodian(struct world *world, const struct hospital *hospital)
{
    const struct step_held *held;
    const uint8_t *envelope;
    uint64_t now = hospital_wall(hospital).ms;
    bool is_member =
        world->heads[world->epoch - 1].members[hospital->index].state == MEMBER_ADMITTED;
    for (size_t i = 0; (held = held_mail_row_at(hospital, i, &envelope)) != NULL; i++) {
        size_t count = 0, size = 0;
        const struct step_held *other;
        const uint8_t *unused;
        for (size_t j = 0; (other = held_mail_row_at(hospital, j, &unused)) != NULL; j++) {
            bool is_pair = ID_EQUAL(other->depositor, held->depositor) &&
                           ID_EQUAL(other->recipient, held->recipient);
            count += is_pair ? 1 : 0;
            size += is_pair ? other->size : 0;
        }
        if (count > CUSTODY_PAIR_COUNT_MAX || size > CUSTODY_PAIR_SIZE_MAX)
            world_fail(world, "a custodian holds too much", hospital->name);
        if (held->until.ms + HOUR_MS < now ||
            held->until.ms > now + CUSTODY_DAY_MAX * DAY_MS + HOUR_MS)
            world_fail(world, "a custodian holds for too long", hospital->name);
        if (is_member && !world->allows_custody)
            world_fail(world, "held though custody is not allowed", hospital->name);
        if (is_member && !oracle_is_withdrawn(world, held, envelope))
            world_fail(world, "a key of an erased case is held", hospital->name);
    }
}

void oracle_custody(struct world *world)
{
    for (uint32_t i = 0; i < world->count; i++) {
        if (world->hospitals[i].is_running && !world->hospitals[i].is_puppet)
            oracle_custodian(world, &world->hospitals[i]);
    }
}

void oracle_frame(const struct hospital *from, const struct hospital *to, struct bytes frame)
{
    if (frame.data[0] == FRAME_RECORDS)
        oracle_records(from, to, frame);
    if (frame.data[0] == FRAME_STREAMS || frame.data[0] == FRAME_ACK)
        oracle_positions(from, frame);
    if (frame.data[0] == FRAME_CUSTODY_ENVELOPE)
        oracle_envelope(from, to, frame);
}

void oracle_promise(struct hospital *hospital, const struct record_id *record)
{
    struct world *world = hospital->world;
    struct promise promise = {.hospital = hospital->index, .record = *record};
    for (size_t i = 0; i < hospital->disk.count; i++) {
        const struct disk_stream *stream = &hospital->disk.streams[i];
        for (uint64_t j = stream->tail; j > 0 && promise.sequence == 0; j--) {
            if (ID_EQUAL(stream->records[j - 1].id, *record)) {
                promise.stream = stream->id;
                promise.sequence = j;
            }
        }
    }
    if (promise.sequence == 0)
        world_fail(world, "acknowledged and not durable", hospital->name);
    if (world->promise_count == world->promise_capacity) {
        world->promise_capacity = 2 * world->promise_capacity + 64;
        world->promises =
            realloc(world->promises, world->promise_capacity * sizeof *world->promises);
        if (world->promises == NULL)
            abort();
    }
    world->promises[world->promise_count++] = promise;
}

void oracle_written(struct hospital *hospital, const struct step_batch *batch)
{
    acceptance_written(hospital, batch);
    for (size_t i = 0; i < batch->record_count; i++) {
        if ((batch->records[i].flags & RECORD_OWN) != 0)
            ledger_take(hospital, &batch->records[i]);
    }
}

/* A body or key that is still to come. What is sealed to the requester is not lacked by others, nor
 * what lapsed or was erased. */
static bool oracle_missing(const struct hospital *hospital, const struct stream_id *stream,
                           const struct disk_record *record)
{
    const uint32_t gone = RECORD_EXPIRED | RECORD_DESTROYED | RECORD_MALFORMED | RECORD_WITHHELD;
    bool lapses = stream->scope.kind == SCOPE_BOARD || stream->scope.kind == SCOPE_MAIL;
    struct record_claim claim;
    if ((record->flags & gone) != 0 || (record->flags & (RECORD_BARE | RECORD_KEYLESS)) == 0 ||
        record->audience == AUDIENCE_REQUESTER ||
        record_parse((struct bytes){record->bytes, record->size}, &claim) != OK)
        return false;
    for (size_t i = 0; i < hospital->disk.case_count; i++) {
        const struct disk_case *row = &hospital->disk.cases[i];
        if (row->is_remembered && scope_equal(&row->scope, &stream->scope))
            return false;
    }
    return !lapses || claim.header.expires.ms == 0 ||
           claim.header.expires.ms > hospital_wall(hospital).ms + 2 * HOUR_MS;
}

void oracle_acked(struct hospital *hospital, const struct effect *effect)
{
    const struct hospital *peer = hospital_of(hospital->world, &effect->acked.peer);
    const struct disk_stream *stream = disk_find(&peer->disk, &effect->acked.stream);
    if (peer->is_puppet)
        return;
    if (stream == NULL || stream->tail < effect->acked.had)
        world_fail(hospital->world, "reported and not durable", peer->name);
    for (uint64_t i = 0; i < effect->acked.had; i++) {
        if (oracle_missing(peer, &stream->id, &stream->records[i]))
            world_fail(hospital->world, "reported without body or key", peer->name);
    }
}

/* By one who will give it back. */
static bool oracle_is_held(const struct world *world, const struct promise *promise)
{
    for (uint32_t i = 0; i < world->count; i++) {
        if (world->hospitals[i].is_puppet ||
            world->heads[world->epoch - 1].members[i].state != MEMBER_ADMITTED)
            continue;
        const struct disk_record *record =
            disk_at(&world->hospitals[i].disk, &promise->stream, promise->sequence);
        if (record != NULL && ID_EQUAL(record->id, promise->record))
            return true;
    }
    return false;
}

void oracle_forgive(struct hospital *hospital)
{
    hospital->is_returning = true;
    struct world *world = hospital->world;
    size_t kept = 0;
    for (size_t i = 0; i < world->promise_count; i++) {
        if (oracle_is_held(world, &world->promises[i]))
            world->promises[kept++] = world->promises[i];
    }
    world->promise_count = kept;
}

static bool oracle_is_kept(const struct world *world, const struct promise *promise)
{
    const struct disk_record *record =
        disk_at(&world->hospitals[promise->hospital].disk, &promise->stream, promise->sequence);
    return record != NULL && ID_EQUAL(record->id, promise->record);
}

bool oracle_has_returned(struct world *world, const char **ret_why)
{
    for (size_t i = 0; i < world->promise_count; i++) {
        const struct promise *promise = &world->promises[i];
        if (!world->hospitals[promise->hospital].is_returning || oracle_is_kept(world, promise))
            continue;
        *ret_why = "what was put back does not get back its own";
        return false;
    }
    for (uint32_t i = 0; i < world->count; i++)
        world->hospitals[i].is_returning = false;
    return true;
}

void oracle_promises(struct world *world)
{
    for (size_t i = 0; i < world->promise_count; i++) {
        if (!oracle_is_kept(world, &world->promises[i]))
            world_fail(world, "an acknowledged record is lost",
                       world->hospitals[world->promises[i].hospital].name);
    }
    for (uint32_t i = 0; i < world->count; i++) {
        const struct disk *disk = &world->hospitals[i].disk;
        for (size_t j = 0; j < disk->count; j++)
            for (uint64_t k = 0; k < disk->streams[j].tail; k++)
                if (disk->streams[j].records[k].put_count != 1)
                    world_fail(world, "a position is not written once", world->hospitals[i].name);
    }
}

void oracle_agreed(struct world *world)
{
    for (uint32_t i = 0; i < world->count; i++) {
        const struct hospital *one = &world->hospitals[i];
        for (size_t j = 0; j < one->disk.count; j++) {
            const struct disk_stream *stream = &one->disk.streams[j];
            uint32_t writer = hospital_of(world, &stream->id.writer)->index;
            for (uint32_t k = 0; k < i; k++) {
                const struct hospital *other = &world->hospitals[k];
                const struct disk_stream *theirs = disk_find(&other->disk, &stream->id);
                uint64_t both = theirs == NULL                ? 0
                                : theirs->tail < stream->tail ? theirs->tail
                                                              : stream->tail;
                bool is_known = theirs == NULL || one->is_puppet || other->is_puppet ||
                                (one->forked_at[writer] != 0 && other->forked_at[writer] != 0);
                if (!is_known && both > 0 &&
                    !ID_EQUAL(stream->records[both - 1].id, theirs->records[both - 1].id))
                    world_fail(world, "two records at one position, and not both know of it",
                               one->name);
            }
        }
    }
}

/* ---- settled ---- */

/* Of a case whose requester is not a member any more, nobody learns who takes part; nor of one that
 * was erased before its grants were read. */
static bool oracle_is_frozen(const struct world *world, const struct consult *consult,
                             const struct stream_id *stream)
{
    const struct roster_entry *requester = roster_find(&world->society.roster, &consult->requester);
    return requester == NULL || requester->state != MEMBER_ADMITTED ||
           (consult->state == CASE_ERASED && !ID_EQUAL(stream->writer, consult->requester));
}

static bool oracle_shares(const struct world *world, const struct hospital *hospital,
                          const struct stream_id *stream)
{
    const struct roster_entry *entry = roster_find(&world->society.roster, &hospital->node);
    const struct consult *consult;
    const struct consult_participant *part;
    if (!hospital->is_running || hospital->is_puppet || entry == NULL ||
        entry->state != MEMBER_ADMITTED)
        return false;
    switch (stream->scope.kind) {
    case SCOPE_FEDERATION:
        return true;
    case SCOPE_BOARD:
        return world->heads[world->epoch - 1].members[hospital->index].board_since > 0;
    case SCOPE_CASE:
        consult = oracle_consult(world, &stream->scope);
        if (consult == NULL || oracle_is_frozen(world, consult, stream))
            return false;
        if (ID_EQUAL(consult->requester, hospital->node))
            return true;
        part = consult_participant_of(consult, &hospital->node);
        return part != NULL && !part->is_ended; /* one that is ended is told of ERASE alone */
    case SCOPE_MAIL:
        return memcmp(stream->scope.id, hospital->node.bytes, NODE_ID_SIZE) == 0 ||
               ID_EQUAL(stream->writer, hospital->node);
    }
    return false;
}

/* A member in its cooling-off is told of no case yet, and gets no mail. A participant of a case
 * that was erased before its GRANT_NOTICE could be written never hears of it (spec/consult.md, 7).
 */
static bool oracle_is_told(const struct hospital *holder, const struct hospital *reader,
                           const struct scope *scope)
{
    const struct sim_case *asked = oracle_case(holder->world, scope);
    if (scope->kind == SCOPE_FEDERATION || scope->kind == SCOPE_BOARD)
        return true;
    if (asked != NULL) {
        const struct hospital *requester = &holder->world->hospitals[asked->requester];
        const struct consult *consult = hospital_case(requester, &asked->id);
        if (!ledger_admits(requester, reader) ||
            (reader != requester && consult != NULL && consult->state == CASE_ERASED &&
             !ledger_noticed(requester, reader, scope)))
            return false;
    }
    return ledger_admits(holder, reader);
}

static bool oracle_may_read(const struct hospital *holder, const struct hospital *reader,
                            const struct record_claim *claim)
{
    struct case_id case_id;
    memcpy(case_id.bytes, claim->header.stream.scope.id, HASH_SIZE);
    if (claim->header.stream.scope.kind != SCOPE_CASE ||
        !engine_case_rests(holder->engine, &case_id))
        return engine_may_read(holder->engine, &reader->node, claim) == OK;
    struct consult_record record = consult_record_of(&claim->header, &claim->id, NULL);
    return roster_entitled_member(&holder->roster, &reader->node, hospital_wall(holder)) == OK &&
           consult_entitled(hospital_case(holder, &case_id), &reader->node, &record,
                            hospital_wall(holder));
}

/* Does `reader` have all of the stream that the holder's core says it may read? */
static const char *oracle_compare(const struct hospital *holder, const struct hospital *reader,
                                  const struct disk_stream *stream)
{
    const struct disk_stream *other = disk_find(&reader->disk, &stream->id);
    uint32_t gone = RECORD_EXPIRED | RECORD_DESTROYED | RECORD_MALFORMED | RECORD_WITHHELD;
    if (other == NULL)
        return "a stream is missing";
    if (((stream->flags | other->flags) & STREAM_FORKED) != 0)
        return NULL;
    if (other->tail != stream->tail || !ID_EQUAL(other->tail_id, stream->tail_id))
        return "a stream ends elsewhere";
    for (uint64_t i = 0; i < stream->tail; i++) {
        const struct disk_record *record = &other->records[i];
        struct record_claim claim;
        if (!ID_EQUAL(record->id, stream->records[i].id))
            return "two records at one position";
        bool missing =
            (record->flags & (RECORD_BARE | RECORD_KEYLESS)) != 0 && (record->flags & gone) == 0;
        bool holds = (stream->records[i].flags & (RECORD_BARE | RECORD_KEYLESS | gone)) == 0;
        if (!missing || !holds)
            continue;
        if (record_parse((struct bytes){record->bytes, record->size}, &claim) != OK)
            return "a record does not parse";
        bool lapses = stream->id.scope.kind == SCOPE_BOARD || stream->id.scope.kind == SCOPE_MAIL;
        if (lapses && claim.header.expires.ms != 0 &&
            claim.header.expires.ms <= hospital_wall(reader).ms)
            continue;
        if (oracle_may_read(holder, reader, &claim))
            return "a body or key is missing";
    }
    return NULL;
}

/* C-45: the requester was put back, and has of its next word no more than the header, as has
 * everyone who would give it back: it is lost, and its case stands still there. */
static bool oracle_is_lost(const struct world *world, const struct hospital *requester,
                           const struct consult *consult)
{
    struct stream_id stream = {scope_case(&consult->case_id), requester->node,
                               consult->cursor.generation};
    uint64_t sequence = consult->cursor.sequence + 1;
    const uint32_t less = RECORD_BARE | RECORD_KEYLESS;
    const struct disk_record *ours = disk_at(&requester->disk, &stream, sequence);
    if (ours == NULL || (ours->flags & less) == 0)
        return false;
    for (uint32_t i = 0; i < world->count; i++) {
        const struct hospital *other = &world->hospitals[i];
        const struct disk_record *theirs = disk_at(&other->disk, &stream, sequence);
        if (theirs != NULL && (theirs->flags & less) == 0 && !other->is_puppet &&
            world->heads[world->epoch - 1].members[i].state == MEMBER_ADMITTED)
            return false;
    }
    return true;
}

/* Names the two that differ. */
static const char *oracle_case_why(const char *why, const struct consult *ours,
                                   const struct consult *theirs, const struct hospital *part)
{
    static char text[240];
    const struct hospital *requester = hospital_of(part->world, &ours->requester);
    (void)snprintf(text, sizeof text, "%s: of %s (%02x) at %u.%llu, %s at %u.%llu", why,
                   requester->name, ours->case_id.bytes[0], (unsigned)ours->cursor.generation,
                   (unsigned long long)ours->cursor.sequence, part->name,
                   theirs == NULL ? 0 : (unsigned)theirs->cursor.generation,
                   theirs == NULL ? 0 : (unsigned long long)theirs->cursor.sequence);
    return text;
}

/* The case without what stands in no stream that everyone gets: what a participant tells of itself,
 * while it is not a member or the story speaks for it. */
static err oracle_export(struct world *world, const struct consult *consult, struct buffer *out)
{
    static struct consult copy;
    copy = *consult;
    for (size_t i = 0; i < copy.participant_count; i++) {
        struct consult_participant *part = &copy.participants[i];
        const struct hospital *hospital = hospital_of(world, &part->node);
        const struct world_member *row = &world->heads[world->epoch - 1].members[hospital->index];
        if (row->state == MEMBER_ADMITTED && !hospital->is_puppet)
            continue;
        part->released_count = 0;
        part->erased_at = part->backups_until = (struct wall){0};
    }
    return consult_export(&copy, out);
}

static const char *oracle_compare_case(struct world *world, uint32_t number,
                                       const struct consult *consult)
{
    static uint8_t ours[CONSULT_EXPORT_SIZE_MAX], theirs[CONSULT_EXPORT_SIZE_MAX];
    const struct hospital *requester = &world->hospitals[world->cases[number].requester];
    struct scope scope = clinic_case(world, number);
    struct buffer a = buffer_over(ours, sizeof ours);
    if (oracle_export(world, consult, &a) != OK)
        return NULL;
    for (size_t j = 0; j < consult->participant_count; j++) {
        const struct hospital *part = hospital_of(world, &consult->participants[j].node);
        struct buffer b = buffer_over(theirs, sizeof theirs);
        if (!oracle_shares(world, part, &(struct stream_id){.scope = scope}) ||
            !oracle_is_told(requester, part, &scope) || consult->participants[j].is_ended)
            continue;
        const struct consult *other = hospital_case(part, &world->cases[number].id);
        if (other == NULL)
            return oracle_case_why("a case is not known to a participant", consult, NULL, part);
        if (consult->state == CASE_ERASED && other->state == CASE_ERASED)
            continue; /* what was destroyed cannot be read to its end */
        if (oracle_export(world, other, &b) == OK &&
            bytes_equal(buffer_bytes(&a), buffer_bytes(&b)))
            continue;
        bool is_elsewhere = other->cursor.sequence != consult->cursor.sequence ||
                            other->cursor.generation != consult->cursor.generation;
        return oracle_case_why(is_elsewhere ? "a case stands elsewhere at a participant"
                                            : "a case looks different to a participant",
                               consult, other, part);
    }
    return NULL;
}

static const char *oracle_compare_cases(struct world *world)
{
    static struct consult lent; /* hospital_case lends it for a few calls */
    for (uint32_t i = 0; i < world->case_count; i++) {
        const struct hospital *requester = &world->hospitals[world->cases[i].requester];
        const struct consult *consult = hospital_case(requester, &world->cases[i].id);
        const struct world_member *row = &world->heads[world->epoch - 1].members[requester->index];
        if (!requester->is_running || consult == NULL || row->state != MEMBER_ADMITTED ||
            oracle_is_lost(world, requester, consult))
            continue; /* of a requester that is suspended, nobody hears */
        lent = *consult;
        const char *why = oracle_compare_case(world, i, &lent);
        if (why != NULL)
            return why;
    }
    return NULL;
}

/* Says who lacks what, too. */
static void oracle_name(const char **why, const struct hospital *holder,
                        const struct hospital *reader, const struct disk_stream *stream)
{
    static char text[200];
    const struct disk_stream *other = disk_find(&reader->disk, &stream->id);
    const struct hospital *writer = hospital_of(holder->world, &stream->id.writer);
    (void)snprintf(text, sizeof text, "%s: %s of %s (%02x) to %llu at %s, %llu at %s", *why,
                   oracle_scopes[(stream->id.scope.kind - SCOPE_FEDERATION) & 3], writer->name,
                   stream->id.scope.id[0], (unsigned long long)stream->tail, holder->name,
                   (unsigned long long)(other == NULL ? 0 : other->tail), reader->name);
    *why = text;
}

bool oracle_is_settled(struct world *world, const char **ret_why)
{
    for (uint32_t i = 0; i < world->count; i++) {
        const struct hospital *holder = &world->hospitals[i];
        for (size_t j = 0; j < holder->disk.count; j++) {
            const struct disk_stream *stream = &holder->disk.streams[j];
            const struct roster_entry *writer =
                roster_find(&world->society.roster, &stream->id.writer);
            if (!oracle_shares(world, holder, &stream->id) || writer == NULL ||
                writer->state != MEMBER_ADMITTED ||
                hospital_of(world, &stream->id.writer)->is_puppet)
                continue;
            for (uint32_t k = 0; k < world->count; k++) {
                const struct hospital *reader = &world->hospitals[k];
                if (k == i || !oracle_shares(world, reader, &stream->id) ||
                    !oracle_is_told(holder, reader, &stream->id.scope))
                    continue;
                *ret_why = oracle_compare(holder, reader, stream);
                if (*ret_why != NULL) {
                    oracle_name(ret_why, holder, reader, stream);
                    return false;
                }
            }
        }
    }
    *ret_why = oracle_compare_cases(world);
    return *ret_why == NULL;
}
