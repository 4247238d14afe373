#include "tests/sim/oracle.h"

#include <string.h>

#include "protocol/consult/consult.h"
#include "protocol/core/streams.h"
#include "tests/sim/clinic.h"
#include "tests/sim/hospital.h"

static const struct sim_case *oracle_case(const struct world *world, const struct scope *scope)
{
    for (uint32_t i = 0; i < world->case_count; i++) {
        if (memcmp(world->cases[i].id.bytes, scope->id, HASH_SIZE) == 0)
            return &world->cases[i];
    }
    return NULL;
}

static struct hospital *oracle_hospital(struct world *world, const struct node_id *node)
{
    for (uint32_t i = 0; i < world->count; i++) {
        if (ID_EQUAL(world->hospitals[i].node, *node))
            return &world->hospitals[i];
    }
    return NULL;
}

/* What the requester has granted, as its own core knows it: the others can only know less. */
static const struct consult *oracle_consult(const struct world *world, const struct scope *scope)
{
    const struct sim_case *asked = oracle_case(world, scope);
    if (asked == NULL)
        return NULL;
    return core_case(world->hospitals[asked->requester].core, &asked->id);
}

static bool oracle_case_entitles(const struct hospital *from, const struct node_id *reader,
                                 const struct record_claim *claim)
{
    const struct consult *consult = oracle_consult(from->world, &claim->header.stream.scope);
    if (consult == NULL)
        return false;
    if (ID_EQUAL(consult->requester, *reader))
        return true;
    const struct consult_participant *part = consult_participant_of(consult, reader);
    if (part == NULL || (part->is_ended && ID_EQUAL(from->node, consult->requester)))
        return false;
    const struct consult_taken *taken = consult_taken_of(consult, &claim->id);
    return claim->header.audience != AUDIENCE_REQUESTER || (taken != NULL && taken->is_revealed);
}

static bool oracle_board_entitles(const struct hospital *from, const struct node_id *reader,
                                  const struct record_claim *claim)
{
    const struct roster_entry *entry = roster_find(&from->roster, reader);
    const struct chain_link *head = chain_find(&from->roster.chain, &claim->header.head);
    const struct chain_link *admission;
    if (entry == NULL || head == NULL || head->epoch < entry->admitted_epoch)
        return false;
    admission = chain_since(&from->roster.chain, entry->admitted_epoch);
    return entry->admitted_epoch <= from->roster.self_admitted_epoch ||
           hospital_wall(from).ms >= admission->received.ms + 72 * HOUR_MS;
}

static bool oracle_entitles(const struct hospital *from, const struct hospital *to,
                            const struct record_claim *claim)
{
    const struct roster_entry *entry = roster_find(&from->roster, &to->node);
    if (ID_EQUAL(to->node, claim->header.stream.writer))
        return true;
    if (entry == NULL || entry->state != MEMBER_ADMITTED)
        return false;
    switch (claim->header.stream.scope.kind) {
    case SCOPE_FEDERATION:
        return true;
    case SCOPE_BOARD:
        return oracle_board_entitles(from, &to->node, claim);
    case SCOPE_CASE:
        return oracle_case_entitles(from, &to->node, claim);
    case SCOPE_MAIL:
        return memcmp(claim->header.stream.scope.id, to->node.bytes, NODE_ID_SIZE) == 0;
    }
    return false;
}

void oracle_frame(const struct hospital *from, const struct hospital *to, struct bytes frame)
{
    struct reader reader;
    struct frame_record record;
    struct record_claim claim;
    uint16_t count;
    if (frame.data[0] != FRAME_RECORDS || frame_records_open(frame, &reader, &count) != OK)
        return;
    for (uint16_t i = 0; i < count; i++) {
        WORLD_CHECK(from->world, frame_record_read(&reader, &record) == OK);
        WORLD_CHECK(from->world, record_parse(record.record, &claim) == OK);
        if (record.has_key && !oracle_entitles(from, to, &claim))
            world_fail(from->world, "a key for a stranger", to->name);
    }
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
    for (size_t i = 0; i < batch->record_count; i++)
        hospital->acknowledged_count += (batch->records[i].flags & RECORD_OWN) != 0 ? 1 : 0;
}

void oracle_acked(struct hospital *hospital, const struct effect *effect)
{
    const struct hospital *peer = oracle_hospital(hospital->world, &effect->acked.peer);
    const struct disk_stream *stream = disk_find(&peer->disk, &effect->acked.stream);
    if (peer->is_puppet)
        return;
    if (stream == NULL || stream->tail < effect->acked.had)
        world_fail(hospital->world, "reported and not durable", peer->name);
}

void oracle_promises(struct world *world)
{
    for (size_t i = 0; i < world->promise_count; i++) {
        const struct promise *promise = &world->promises[i];
        const struct disk_record *record =
            disk_at(&world->hospitals[promise->hospital].disk, &promise->stream, promise->sequence);
        if (record == NULL || !ID_EQUAL(record->id, promise->record))
            world_fail(world, "an acknowledged record is lost",
                       world->hospitals[promise->hospital].name);
    }
    for (uint32_t i = 0; i < world->count; i++) {
        const struct disk *disk = &world->hospitals[i].disk;
        for (size_t j = 0; j < disk->count; j++)
            for (uint64_t k = 0; k < disk->streams[j].tail; k++)
                if (disk->streams[j].records[k].put_count != 1)
                    world_fail(world, "a position is not written once", world->hospitals[i].name);
    }
}

/* ---- settled ---- */

static bool oracle_shares(const struct world *world, const struct hospital *hospital,
                          const struct stream_id *stream)
{
    const struct roster_entry *entry = roster_find(&world->society.roster, &hospital->node);
    const struct consult *consult;
    if (!hospital->is_running || hospital->is_puppet || entry == NULL ||
        entry->state != MEMBER_ADMITTED)
        return false;
    switch (stream->scope.kind) {
    case SCOPE_FEDERATION:
    case SCOPE_BOARD:
        return true;
    case SCOPE_CASE:
        consult = oracle_consult(world, &stream->scope);
        return consult != NULL && (ID_EQUAL(consult->requester, hospital->node) ||
                                   consult_participant_of(consult, &hospital->node) != NULL);
    case SCOPE_MAIL:
        return memcmp(stream->scope.id, hospital->node.bytes, NODE_ID_SIZE) == 0 ||
               ID_EQUAL(stream->writer, hospital->node);
    }
    return false;
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
        bool lacks =
            (record->flags & (RECORD_BARE | RECORD_KEYLESS)) != 0 && (record->flags & gone) == 0;
        bool holds = (stream->records[i].flags & (RECORD_BARE | RECORD_KEYLESS | gone)) == 0;
        if (!lacks || !holds)
            continue;
        if (record_parse((struct bytes){record->bytes, record->size}, &claim) != OK)
            return "a record does not parse";
        if (core_may_read(holder->core, &reader->node, &claim) == OK)
            return "a body or key is missing";
    }
    return NULL;
}

static const char *oracle_compare_cases(struct world *world)
{
    static uint8_t ours[CONSULT_EXPORT_SIZE_MAX], theirs[CONSULT_EXPORT_SIZE_MAX];
    for (uint32_t i = 0; i < world->case_count; i++) {
        const struct hospital *requester = &world->hospitals[world->cases[i].requester];
        const struct consult *consult = core_case(requester->core, &world->cases[i].id);
        struct buffer a = buffer_over(ours, sizeof ours);
        if (!requester->is_running || consult == NULL || consult_export(consult, &a) != OK)
            continue;
        for (size_t j = 0; j < consult->participant_count; j++) {
            const struct hospital *part = oracle_hospital(world, &consult->participants[j].node);
            struct buffer b = buffer_over(theirs, sizeof theirs);
            if (!oracle_shares(world, part, &(struct stream_id){.scope = clinic_case(world, i)}) ||
                consult->participants[j].is_ended)
                continue;
            const struct consult *other = core_case(part->core, &world->cases[i].id);
            if (other == NULL)
                return "a case is not known to a participant";
            if (consult_export(other, &b) != OK || !bytes_equal(buffer_bytes(&a), buffer_bytes(&b)))
                return other->cursor.sequence != consult->cursor.sequence
                           ? "a case stands elsewhere at a participant"
                           : "a case looks different to a participant";
        }
    }
    return NULL;
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
                oracle_hospital(world, &stream->id.writer)->is_puppet)
                continue;
            for (uint32_t k = 0; k < world->count; k++) {
                const struct hospital *reader = &world->hospitals[k];
                if (k == i || !oracle_shares(world, reader, &stream->id))
                    continue;
                *ret_why = oracle_compare(holder, reader, stream);
                if (*ret_why != NULL)
                    return false;
            }
        }
    }
    *ret_why = oracle_compare_cases(world);
    return *ret_why == NULL;
}
