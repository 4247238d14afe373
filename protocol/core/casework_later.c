/* What has to wait in cases: records whose clinician is not certified here yet, and receipts of
 * erasure that could not be written at once. Nothing of it is kept: a start finds it again. */
#include <string.h>

#include "protocol/core/casework_state.h"
#include "protocol/core/core_state.h"
#include "protocol/core/equivocation.h"

enum { CASEWORK_RECEIPT_SIZE_MAX = 512 };

bool casework_is_for_later(err failure)
{
    return failure == ERR_BUSY || failure == ERR_FULL || failure == ERR_FUTURE ||
           failure == ERR_EXPIRED;
}

/* A stream that is being written is free again soon; disks, clocks and rosters take longer. */
void casework_delay(struct core *core, err failure)
{
    uint64_t ms = failure == ERR_BUSY ? CASEWORK_RETRY_MS : CASEWORK_RETRY_LATE_MS;
    core->casework->review_after.ms = core->now.ms + ms;
}

/* ---- what waits for a certificate ---- */

/* Certificates come by another stream, perhaps later. */
void casework_wait(struct core *core, const struct record_claim *claim, uint16_t kind)
{
    struct casework *casework = core->casework;
    uint32_t of_writer = 0;
    for (uint32_t i = 0; i < casework->waiting_count; i++) {
        if (ID_EQUAL(casework->waiting[i].record, claim->id))
            return;
        of_writer +=
            ID_EQUAL(casework->waiting[i].stream.writer, claim->header.stream.writer) ? 1 : 0;
    }
    if (casework->waiting_count == CASEWORK_WAITING_COUNT || of_writer == CASEWORK_WAITING_EACH) {
        casework_miss(core, claim);
        return;
    }
    casework->waiting[casework->waiting_count++] =
        (struct casework_review){claim->header.stream, claim->header.sequence, claim->id, kind};
}

bool casework_waits(const struct core *core, const struct case_id *case_id)
{
    const struct casework *casework = core->casework;
    struct scope scope = scope_case(case_id);
    for (uint32_t i = 0; i < casework->waiting_count; i++) {
        if (scope_equal(&casework->waiting[i].stream.scope, &scope))
            return true;
    }
    return false;
}

void casework_certified(struct core *core, const struct node_id *node)
{
    struct casework *casework = core->casework;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < casework->waiting_count; i++) {
        const struct casework_review *waiting = &casework->waiting[i];
        if (!ID_EQUAL(waiting->stream.writer, *node)) {
            casework->waiting[kept++] = *waiting;
            continue;
        }
        struct record_claim claim = {.id = waiting->record};
        claim.header.stream = waiting->stream;
        claim.header.sequence = waiting->sequence;
        casework_review(core, &claim, waiting->kind);
    }
    casework->waiting_count = kept;
}

/* ---- receipts of erasure ---- */

bool casework_has_erased(const struct core *core, const struct casework_case *entry)
{
    const struct consult_participant *part =
        consult_participant_of(&entry->consult, &core->config.self);
    return part != NULL && part->erased_at.ms != 0;
}

/* Says what was destroyed; when that cannot be written now, it stays owed. */
static void casework_write_receipt(struct core *core, struct casework_case *entry,
                                   struct step *step)
{
    uint8_t memory[CASEWORK_RECEIPT_SIZE_MAX];
    struct buffer content = buffer_over(memory, sizeof memory);
    struct scope scope = scope_case(&entry->consult.case_id);
    err failure = caserecord_erased_write(&entry->receipt, &content);
    if (failure == OK && !casework_has_erased(core, entry))
        failure = casework_post(core, &scope, KIND_ERASED, buffer_bytes(&content), step);
    if (casework_is_for_later(failure)) {
        casework_delay(core, failure);
        return;
    }
    entry->owes_receipt = false;
    core->casework->receipts_owed--;
}

bool casework_awaits_receipt(const struct core *core, const struct step_record *record)
{
    struct record_claim claim;
    struct statement statement;
    struct case_id case_id;
    if (record->plaintext.size == 0 || record->plaintext.size > CASEWORK_RECEIPT_SIZE_MAX ||
        record_parse_again(record->record, &record->id, &claim) != OK ||
        claim.header.stream.scope.kind != SCOPE_CASE || claim.header.audience != AUDIENCE_CLEAR ||
        statement_read(record->plaintext, &statement) != OK || statement.kind != KIND_ERASED)
        return false;
    memcpy(case_id.bytes, claim.header.stream.scope.id, HASH_SIZE);
    struct casework_case *entry = casework_entry(core, &case_id);
    if (entry == NULL || entry->consult.state != CASE_ERASED ||
        !ID_EQUAL(entry->consult.requester, core->config.self))
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

void casework_write_receipts(struct core *core, struct step *step)
{
    struct casework *casework = core->casework;
    for (uint32_t i = 0; casework->receipts_owed > 0 && i < casework->awake_used; i++) {
        struct casework_case *entry = casework_place(core, i);
        if (entry != NULL && entry->owes_receipt && step_has_room(step, 64, FRAME_SIZE_MAX))
            casework_write_receipt(core, entry, step);
    }
}

/* Streams that are compared carry their ERASE themselves. */
static bool casework_stands_still(const struct core *core, const struct stream_id *stream)
{
    const struct roster_entry *writer = roster_find(core->roster, &stream->writer);
    uint32_t slot = streams_find(&core->streams, stream);
    if (writer == NULL || slot == STREAM_NONE)
        return false;
    return writer->state == MEMBER_SUSPENDED || equivocation_is_frozen(core, &stream->writer) ||
           (core->streams.all[slot].flags & STREAM_FORKED) != 0;
}

/* What rests is woken, and spread the next time. */
static void casework_spread_rows(struct core *core, const struct peer *peer, struct step *step)
{
    const struct casework *casework = core->casework;
    for (uint32_t i = 0; i < casework->count; i++) {
        const struct casework_row *row = &casework->rows[i];
        if (row->awake == CASEWORK_NONE && row->erase_slot != STREAM_NONE &&
            casework_stands_still(core, &core->streams.all[row->erase_slot].id) &&
            casework_includes(core, &row->case_id, &peer->node))
            casework_call(core, &row->case_id, step);
    }
}

void casework_spread(struct core *core, struct peer *peer, struct step *step)
{
    const struct casework *casework = core->casework;
    casework_spread_rows(core, peer, step);
    for (uint32_t i = 0; i < casework->awake_used && peer->loading < PEER_LOADING_MAX; i++) {
        const struct casework_case *entry = casework_place(core, i);
        if (entry == NULL || entry->erase_sequence == 0)
            continue;
        const struct consult_participant *part =
            consult_participant_of(&entry->consult, &peer->node);
        if (ID_EQUAL(entry->erase_stream.writer, peer->node) ||
            !consult_ever_entitled(&entry->consult, &peer->node) ||
            (part != NULL && part->erased_at.ms != 0) ||
            !casework_stands_still(core, &entry->erase_stream) || !step_has_room(step, 64, 0))
            continue;
        struct effect *effect = step_effect(step, EFFECT_LOAD);
        peer->loading++;
        effect->link = peer->link;
        effect->load.slot = streams_find(&core->streams, &entry->erase_stream);
        effect->load.stream = entry->erase_stream;
        effect->load.from = entry->erase_sequence;
        effect->load.count = 1;
        effect->load.size_max = RECORD_SIZE_MAX;
    }
}

/* What is destroyed is not lacked; but of what the disk lost the header is still to come. */
static void casework_forget_lacks(struct core *core, const struct scope *scope)
{
    for (uint32_t i = 0; i < core->streams.lack_count; i++) {
        const struct lack *lack = &core->streams.lacks[i];
        if (lack->stream != STREAM_NONE && !lack->is_lost &&
            scope_equal(&core->streams.all[lack->stream].id.scope, scope))
            streams_lack_remove(&core->streams, lack->stream, lack->sequence);
    }
}

void casework_destroyed(struct core *core, const struct event *event, struct step *step)
{
    struct case_id case_id;
    memcpy(case_id.bytes, event->destroyed.scope.id, HASH_SIZE);
    casework_forget_lacks(core, &event->destroyed.scope);
    struct casework_case *entry = casework_entry(core, &case_id);
    if (entry != NULL)
        entry->is_destroyed = true;
    if (entry == NULL || consult_participant_of(&entry->consult, &core->config.self) == NULL ||
        casework_has_erased(core, entry))
        return;
    if (!entry->owes_receipt)
        core->casework->receipts_owed++;
    entry->owes_receipt = true;
    entry->receipt = (struct caserecord_erased){
        .erase = event->destroyed.erase,
        .record_count = event->destroyed.record_count,
        .item_count = event->destroyed.item_count,
        .chunk_count = event->destroyed.chunk_count,
        .index_count = event->destroyed.index_count,
        .backups_until = event->destroyed.backups_until,
        .caveats = CASERECORD_CAVEATS_ALL,
    };
    casework_write_receipt(core, entry, step);
}
