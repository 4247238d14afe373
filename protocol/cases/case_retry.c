/* What has to wait in cases: records whose clinician is not certified here yet, and receipts of
 * erasure that could not be written at once. Nothing of it is kept: a start finds it again. */
#include <string.h>

#include "protocol/cases/cases_state.h"
#include "protocol/engine/engine_state.h"
#include "protocol/replication/equivocation.h"

enum { CASES_RECEIPT_SIZE_MAX = 512 };

bool case_retry_is_for_later(err failure)
{
    return failure == ERR_BUSY || failure == ERR_FULL || failure == ERR_FUTURE ||
           failure == ERR_EXPIRED;
}

/* A stream that is being written is free again soon; disks, clocks and rosters take longer. */
void case_retry_delay(struct engine *engine, err failure)
{
    uint64_t ms = failure == ERR_BUSY ? CASES_RETRY_MS : CASES_RETRY_LATE_MS;
    engine->cases->review_after.ms = engine->now.ms + ms;
}

/* ---- what waits for a certificate ---- */

/* Certificates come by another stream, perhaps later. */
void case_retry_wait(struct engine *engine, const struct record_claim *claim, uint16_t kind)
{
    struct cases *cases = engine->cases;
    uint32_t of_writer = 0;
    for (uint32_t i = 0; i < cases->waiting_count; i++) {
        if (ID_EQUAL(cases->waiting[i].record, claim->id))
            return;
        of_writer += ID_EQUAL(cases->waiting[i].stream.writer, claim->header.stream.writer) ? 1 : 0;
    }
    if (cases->waiting_count == CASES_WAITING_COUNT || of_writer == CASES_WAITING_EACH) {
        case_automation_miss(engine, claim);
        return;
    }
    cases->waiting[cases->waiting_count++] = (struct case_automation_review){
        claim->header.stream, claim->header.sequence, claim->id, kind};
}

bool case_retry_waits(const struct engine *engine, const struct case_id *case_id)
{
    const struct cases *cases = engine->cases;
    struct scope scope = scope_case(case_id);
    for (uint32_t i = 0; i < cases->waiting_count; i++) {
        if (scope_equal(&cases->waiting[i].stream.scope, &scope))
            return true;
    }
    return false;
}

void case_retry_certified(struct engine *engine, const struct node_id *node)
{
    struct cases *cases = engine->cases;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < cases->waiting_count; i++) {
        const struct case_automation_review *waiting = &cases->waiting[i];
        if (!ID_EQUAL(waiting->stream.writer, *node)) {
            cases->waiting[kept++] = *waiting;
            continue;
        }
        struct record_claim claim = {.id = waiting->record};
        claim.header.stream = waiting->stream;
        claim.header.sequence = waiting->sequence;
        case_automation_review(engine, &claim, waiting->kind);
    }
    cases->waiting_count = kept;
}

/* ---- receipts of erasure ---- */

bool case_retry_has_erased(const struct engine *engine, const struct cases_case *entry)
{
    const struct consult_participant *part =
        consult_participant_of(&entry->consult, &engine->config.self);
    return part != NULL && part->erased_at.ms != 0;
}

/* Says what was destroyed; when that cannot be written now, it stays owed. */
static void case_retry_write_receipt(struct engine *engine, struct cases_case *entry,
                                     struct step *step)
{
    uint8_t memory[CASES_RECEIPT_SIZE_MAX];
    struct buffer content = buffer_over(memory, sizeof memory);
    struct scope scope = scope_case(&entry->consult.case_id);
    err failure = case_record_erased_write(&entry->receipt, &content);
    if (failure == OK && !case_retry_has_erased(engine, entry))
        failure = case_automation_post(engine, &scope, KIND_ERASED, buffer_bytes(&content), step);
    if (case_retry_is_for_later(failure)) {
        case_retry_delay(engine, failure);
        return;
    }
    entry->owes_receipt = false;
    engine->cases->receipts_owed--;
}

bool case_retry_awaits_receipt(const struct engine *engine, const struct step_record *record)
{
    struct record_claim claim;
    struct statement statement;
    struct case_id case_id;
    if (record->plaintext.size == 0 || record->plaintext.size > CASES_RECEIPT_SIZE_MAX ||
        record_parse_again(record->record, &record->id, &claim) != OK ||
        claim.header.stream.scope.kind != SCOPE_CASE || claim.header.audience != AUDIENCE_CLEAR ||
        statement_read(record->plaintext, &statement) != OK || statement.kind != KIND_ERASED)
        return false;
    memcpy(case_id.bytes, claim.header.stream.scope.id, HASH_SIZE);
    struct cases_case *entry = case_table_entry(engine, &case_id);
    if (entry == NULL || entry->consult.state != CASE_ERASED ||
        !ID_EQUAL(entry->consult.requester, engine->config.self))
        return false;
    for (size_t i = 0; i < entry->consult.participant_count; i++) {
        const struct consult_participant *part = &entry->consult.participants[i];
        if (!ID_EQUAL(part->node, claim.header.stream.writer) || part->erased_at.ms != 0 ||
            (entry->awaited >> i & 1) != 0)
            continue;
        entry->awaited |= UINT64_C(1) << i;
        return true;
    }
    return false;
}

void case_retry_write_receipts(struct engine *engine, struct step *step)
{
    struct cases *cases = engine->cases;
    for (uint32_t i = 0; cases->receipts_owed > 0 && i < cases->awake_used; i++) {
        struct cases_case *entry = case_table_place(engine, i);
        if (entry != NULL && entry->owes_receipt && step_has_room(step, 64, FRAME_SIZE_MAX))
            case_retry_write_receipt(engine, entry, step);
    }
}

/* Streams that are compared carry their ERASE themselves. */
static bool case_retry_stands_still(const struct engine *engine, const struct stream_id *stream)
{
    const struct roster_entry *writer = roster_find(engine->roster, &stream->writer);
    uint32_t slot = streams_find(&engine->streams, stream);
    if (writer == NULL || slot == STREAM_NONE)
        return false;
    return writer->state == MEMBER_SUSPENDED || equivocation_is_frozen(engine, &stream->writer) ||
           (engine->streams.all[slot].flags & STREAM_FORKED) != 0;
}

/* What rests is woken, and spread the next time. */
static void case_retry_spread_rows(struct engine *engine, const struct peer *peer,
                                   struct step *step)
{
    const struct cases *cases = engine->cases;
    for (uint32_t i = 0; i < cases->count; i++) {
        const struct case_table_row *row = &cases->rows[i];
        if (row->awake == CASES_NONE && row->erase_slot != STREAM_NONE &&
            case_retry_stands_still(engine, &engine->streams.all[row->erase_slot].id) &&
            cases_includes(engine, &row->case_id, &peer->node))
            case_paging_call(engine, &row->case_id, step);
    }
}

void case_retry_push_erasure(struct engine *engine, struct peer *peer, struct step *step)
{
    const struct cases *cases = engine->cases;
    case_retry_spread_rows(engine, peer, step);
    for (uint32_t i = 0; i < cases->awake_used && peer->loading < PEER_LOADING_MAX; i++) {
        const struct cases_case *entry = case_table_place(engine, i);
        if (entry == NULL || entry->erase_sequence == 0)
            continue;
        const struct consult_participant *part =
            consult_participant_of(&entry->consult, &peer->node);
        if (ID_EQUAL(entry->erase_stream.writer, peer->node) ||
            !consult_ever_entitled(&entry->consult, &peer->node) ||
            (part != NULL && part->erased_at.ms != 0) ||
            !case_retry_stands_still(engine, &entry->erase_stream) || !step_has_room(step, 64, 0))
            continue;
        struct effect *effect = step_effect(step, EFFECT_LOAD);
        peer->loading++;
        effect->link = peer->link;
        effect->load.slot = streams_find(&engine->streams, &entry->erase_stream);
        effect->load.stream = entry->erase_stream;
        effect->load.from = entry->erase_sequence;
        effect->load.count = 1;
        effect->load.size_max = RECORD_SIZE_MAX;
    }
}

/* What is destroyed is not lacked; but of what the disk lost the header is still to come. */
static void case_retry_forget_missing(struct engine *engine, const struct scope *scope)
{
    for (uint32_t i = 0; i < engine->streams.missing_count; i++) {
        const struct missing *missing = &engine->streams.missing[i];
        if (missing->stream != STREAM_NONE && !missing->is_lost &&
            scope_equal(&engine->streams.all[missing->stream].id.scope, scope))
            streams_missing_remove(&engine->streams, missing->stream, missing->sequence);
    }
}

void case_retry_destroyed(struct engine *engine, const struct event *event, struct step *step)
{
    struct case_id case_id;
    memcpy(case_id.bytes, event->destroyed.scope.id, HASH_SIZE);
    case_retry_forget_missing(engine, &event->destroyed.scope);
    struct cases_case *entry = case_table_entry(engine, &case_id);
    if (entry != NULL)
        entry->is_destroyed = true;
    if (entry == NULL || consult_participant_of(&entry->consult, &engine->config.self) == NULL ||
        case_retry_has_erased(engine, entry))
        return;
    if (!entry->owes_receipt)
        engine->cases->receipts_owed++;
    entry->owes_receipt = true;
    entry->receipt = (struct case_record_erased){
        .erase = event->destroyed.erase,
        .record_count = event->destroyed.record_count,
        .item_count = event->destroyed.item_count,
        .chunk_count = event->destroyed.chunk_count,
        .index_count = event->destroyed.index_count,
        .backups_until = event->destroyed.backups_until,
        .caveats = CASE_RECORD_CAVEATS_ALL,
    };
    case_retry_write_receipt(engine, entry, step);
}
