#include "protocol/cases/case_erase.h"

#include <string.h>

#include "protocol/cases/case_automation.h"
#include "protocol/cases/case_paging.h"
#include "protocol/cases/case_retry.h"
#include "protocol/record/kind.h"
#include "protocol/state/engine_state.h"
#include "protocol/state/equivocation.h"

enum { CASE_ERASE_RECEIPT_SIZE_MAX = 512 };

/* ---- receipts ---- */

/* Says what was destroyed; when that cannot be written now, it stays owed. */
static void case_erase_write_receipt(struct engine *engine, struct case_table_entry *entry,
                                     struct step *step)
{
    uint8_t memory[CASE_ERASE_RECEIPT_SIZE_MAX];
    struct buffer content = buffer_over(memory, sizeof memory);
    struct scope scope = scope_case(&entry->consult.case_id);
    err failure = case_record_erased_write(&entry->receipt, &content);
    if (failure == OK && !case_table_has_erased(engine, entry))
        failure = case_automation_post(engine, &scope, KIND_ERASED, buffer_bytes(&content), step);
    if (case_retry_is_for_later(failure)) {
        case_retry_delay(engine, failure);
        return;
    }
    entry->owes_receipt = false;
    engine->case_retry->receipts_owed--;
}

bool case_erase_awaits_receipt(const struct engine *engine, const struct step_record *record)
{
    struct record_claim claim;
    struct statement statement;
    struct case_id case_id;
    if (record->plaintext.size == 0 || record->plaintext.size > CASE_ERASE_RECEIPT_SIZE_MAX ||
        record_parse_again(record->record, &record->id, &claim) != OK ||
        claim.header.stream.scope.kind != SCOPE_CASE || claim.header.audience != AUDIENCE_CLEAR ||
        statement_read(record->plaintext, &statement) != OK || statement.kind != KIND_ERASED)
        return false;
    case_id = scope_case_id(&claim.header.stream.scope);
    struct case_table_entry *entry = case_table_entry(engine, &case_id);
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

void case_erase_write_receipts(struct engine *engine, struct step *step)
{
    struct case_table *table = engine->case_table;
    struct case_retry *retry = engine->case_retry;
    for (uint32_t i = 0; retry->receipts_owed > 0 && i < table->awake_used; i++) {
        struct case_table_entry *entry = case_table_place(engine, i);
        if (entry != NULL && entry->owes_receipt && step_has_room(step, 64, FRAME_SIZE_MAX))
            case_erase_write_receipt(engine, entry, step);
    }
}

/* ---- erasures that no comparison of streams brings ---- */

/* Streams that are compared carry their ERASE themselves. */
static bool case_erase_stands_still(const struct engine *engine, const struct stream_id *stream)
{
    const struct roster_entry *writer = roster_find(engine->roster, &stream->writer);
    uint32_t slot = streams_find(&engine->streams, stream);
    if (writer == NULL || slot == STREAM_NONE)
        return false;
    return writer->state == MEMBER_SUSPENDED || equivocation_is_frozen(engine, &stream->writer) ||
           (engine->streams.all[slot].flags & STREAM_FORKED) != 0;
}

/* What rests is woken, and spread the next time. */
static void case_erase_spread_rows(struct engine *engine, const struct peer *peer,
                                   struct step *step)
{
    const struct case_table *table = engine->case_table;
    for (uint32_t i = 0; i < table->count; i++) {
        const struct case_table_row *row = &table->rows[i];
        if (row->awake == CASE_TABLE_NONE && row->erase_slot != STREAM_NONE &&
            case_erase_stands_still(engine, &engine->streams.all[row->erase_slot].id) &&
            case_table_includes(engine, &row->case_id, &peer->node))
            case_paging_call(engine, &row->case_id, step);
    }
}

void case_erase_push(struct engine *engine, struct peer *peer, struct step *step)
{
    const struct case_table *table = engine->case_table;
    case_erase_spread_rows(engine, peer, step);
    for (uint32_t i = 0; i < table->awake_used && peer->loading < PEER_LOADING_MAX; i++) {
        const struct case_table_entry *entry = case_table_place(engine, i);
        if (entry == NULL || entry->erase_sequence == 0)
            continue;
        const struct consult_participant *part =
            consult_participant_of(&entry->consult, &peer->node);
        if (ID_EQUAL(entry->erase_stream.writer, peer->node) ||
            !consult_ever_entitled(&entry->consult, &peer->node) ||
            (part != NULL && part->erased_at.ms != 0) ||
            !case_erase_stands_still(engine, &entry->erase_stream) || !step_has_room(step, 64, 0))
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

/* ---- destroyed ---- */

/* What is destroyed is not missing; but of what the disk lost the header is still to come. */
static void case_erase_forget_missing(struct engine *engine, const struct scope *scope)
{
    for (uint32_t i = 0; i < engine->streams.missing_count; i++) {
        const struct missing *missing = &engine->streams.missing[i];
        if (missing->stream != STREAM_NONE && !missing->is_lost &&
            scope_equal(&engine->streams.all[missing->stream].id.scope, scope))
            streams_missing_remove(&engine->streams, missing->stream, missing->sequence);
    }
}

void case_erase_destroyed(struct engine *engine, const struct event *event, struct step *step)
{
    struct case_id case_id = scope_case_id(&event->destroyed.scope);
    case_erase_forget_missing(engine, &event->destroyed.scope);
    struct case_table_entry *entry = case_table_entry(engine, &case_id);
    if (entry != NULL)
        entry->is_destroyed = true;
    if (entry == NULL || consult_participant_of(&entry->consult, &engine->config.self) == NULL ||
        case_table_has_erased(engine, entry))
        return;
    if (!entry->owes_receipt)
        engine->case_retry->receipts_owed++;
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
    case_erase_write_receipt(engine, entry, step);
}
