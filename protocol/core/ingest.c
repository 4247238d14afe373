#include "protocol/core/ingest.h"

#include <string.h>

#include "protocol/core/casework.h"
#include "protocol/core/catchup.h"
#include "protocol/core/entitlement.h"
#include "protocol/core/equivocation.h"
#include "protocol/core/generation.h"
#include "protocol/core/gossip.h"
#include "protocol/core/intake.h"

/* What the check found of a body becomes flags; a body that is not what was promised is left out,
 * to be asked for elsewhere. */
static void ingest_judge(struct step_record *record)
{
    if (record->verdict == OK)
        return;
    if (record->verdict == ERR_BAD_HASH) {
        record->flags = (record->flags & ~(uint32_t)RECORD_KEYLESS) | RECORD_BARE;
        record->has_key = false;
        record->record.size = RECORD_BARE_SIZE;
    } else if (record->verdict == ERR_BAD_KEY) {
        record->flags |= RECORD_KEYLESS;
        record->has_key = false;
    } else { /* the writer's own doing: kept, never shown */
        record->flags |= RECORD_MALFORMED;
    }
}

/* Does what was checked go on from where the store's part ends? What of it is there already,
 * another copy brought meanwhile. */
static bool ingest_holds(struct core *core, const struct step_run *run,
                         const struct step_record *records, uint16_t *ret_known)
{
    const struct stream *stream = &core->streams.all[run->stream];
    struct record_claim claim;
    *ret_known = 0;
    if (run->is_fill)
        return true;
    if (equivocation_is_frozen(core, &stream->id.writer))
        return false; /* since it was sent to be checked */
    if (run->verdict != OK || (stream->flags & STREAM_FORKED) != 0 || run->first > stream->kept + 1)
        return false;
    uint64_t known = stream->kept + 1 - run->first;
    *ret_known = known < run->count ? (uint16_t)known : run->count;
    if (known >= run->count || stream->kept == 0)
        return true;
    return record_parse_again(records[known].record, &records[known].id, &claim) == OK &&
           ID_EQUAL(claim.header.previous, stream->kept_id);
}

static bool ingest_is_erased(const struct core *core, const struct step_run *run)
{
    const struct scope *scope = &core->streams.all[run->stream].id.scope;
    struct case_id case_id;
    memcpy(case_id.bytes, scope->id, HASH_SIZE);
    return scope->kind == SCOPE_CASE && casework_is_erased(core, &case_id);
}

/* The case was erased while this record was being checked: its body is not kept. */
static void ingest_spare(struct step_record *record)
{
    struct record_claim claim;
    if (record_parse(record->record, &claim) != OK || claim.header.audience == AUDIENCE_CLEAR)
        return;
    record->flags = (record->flags & ~(uint32_t)RECORD_KEYLESS) | RECORD_BARE | RECORD_DESTROYED;
    record->has_key = false;
    record->record.size = RECORD_BARE_SIZE;
    record->plaintext = BYTES_NONE;
}

/* What was not signed by its writer held the stream's end for a moment. Whoever sent it could go on
 * and shut out everybody else: it is not heard about this stream for a while. */
static void ingest_spoiled(struct core *core, uint32_t slot, struct link_id link)
{
    struct stream *stream = &core->streams.all[slot];
    stream->spoiler = link;
    stream->spoiled_until.ms = core->now.ms + SPOILED_MS;
}

/* What stands on a board before our own admission to it, nobody may ever give us. */
static void ingest_withhold(const struct core *core, struct step_record *record)
{
    struct record_claim claim;
    if ((record->flags & (RECORD_BARE | RECORD_KEYLESS)) != 0 &&
        record_parse_again(record->record, &record->id, &claim) == OK &&
        claim.header.stream.scope.kind == SCOPE_BOARD &&
        entitlement_read(core, &core->config.self, &claim) == ERR_NOT_ENTITLED)
        record->flags |= RECORD_WITHHELD;
}

/* The stream goes to the store up to this record. */
static void ingest_reach(struct core *core, uint32_t slot, const struct step_record *last)
{
    struct record_claim claim;
    if (record_parse_again(last->record, &last->id, &claim) != OK)
        return; /* it parsed before it was checked */
    const struct chain_link *head = chain_find(&core->roster->chain, &claim.header.head);
    uint64_t epoch = head == NULL ? core->streams.all[slot].kept_epoch : head->epoch;
    streams_keep(&core->streams, slot, claim.header.sequence, &claim.id, epoch);
}

/* The ERASE is not kept here: that the case is erased is, before anything is destroyed. */
static void ingest_obey(struct core *core, const struct step_run *run,
                        const struct step_record *record, struct step *step)
{
    struct record_claim claim;
    if (run->verdict == OK && record->verdict == OK && record->plaintext.size > 0 &&
        record_parse_again(record->record, &record->id, &claim) == OK) {
        core->is_obeying = true;
        casework_take(core, &claim, record->plaintext, step);
        core->is_obeying = false;
    }
}

/* What only tells something, if it is signed. True when it was such a run. */
static bool ingest_heard(struct core *core, const struct event *event, const struct step_run *run,
                         const struct step_record *record, struct step *step)
{
    struct record_claim claim;
    if (run->is_conflict)
        equivocation_found(core, run, record, step);
    else if (run->is_apart)
        ingest_obey(core, run, record, step);
    else if (run->is_seeking && run->verdict == OK &&
             record_parse_again(record->record, &record->id, &claim) == OK)
        generation_seek(core, run, &claim, event->link, step);
    return run->is_conflict || run->is_apart || run->is_seeking;
}

/* What does not go on from where the store's part ends, or was not signed. */
static void ingest_turn_down(struct core *core, const struct event *event,
                             const struct step_run *run, struct step *step)
{
    struct peer *peer = core_peer_of_link(core, event->link);
    if (peer != NULL && run->verdict != OK)
        catchup_pass_over(core, peer, run->stream);
    if (!run->is_beside && run->speculation == core->streams.all[run->stream].speculation)
        streams_fall_back(&core->streams, run->stream);
    if (run->verdict == ERR_BAD_SIGNATURE && event->link.value != 0)
        ingest_spoiled(core, run->stream, event->link);
    core_refuse(core, peer, step, "run-refused",
                run->verdict != OK ? run->verdict : ERR_OUT_OF_ORDER);
}

/* The store gets the stream up to the last of these. What is being checked beyond, if it does not
 * go on from there, is forgotten. */
static void ingest_go_on(struct core *core, struct step_run *run, const struct step_record *last)
{
    struct stream *stream = &core->streams.all[run->stream];
    ingest_reach(core, run->stream, last);
    if (run->is_beside || stream->next < stream->kept ||
        (stream->next == stream->kept && !ID_EQUAL(stream->next_id, stream->kept_id)))
        streams_fall_back(&core->streams, run->stream);
    run->speculation = stream->speculation;
}

/* What the disk lost comes back by its name. Its own signature is good as well, unless its writer
 * has another key by now and a later record vouches for it. One copy at a time. */
static bool ingest_mends(struct core *core, const struct step_run *run,
                         const struct step_record *record)
{
    struct record_claim claim;
    struct lack *lack = streams_lack_find(&core->streams, run->stream, run->first);
    if (lack == NULL || !lack->is_lost || lack->is_mending ||
        record_parse_again(record->record, &record->id, &claim) != OK ||
        !ID_EQUAL(lack->record, claim.id))
        return false;
    const struct roster_entry *writer = roster_find(core->roster, &claim.header.stream.writer);
    const struct chain_link *head = chain_find(&core->roster->chain, &claim.header.head);
    bool is_of_another_key =
        writer != NULL && head != NULL && head->epoch < writer->keys_since_epoch;
    if ((record->flags & RECORD_UNSIGNED) != 0 &&
        (!is_of_another_key || run->first == core->streams.all[run->stream].tail))
        return false;
    lack->is_mending = true;
    return true;
}

/* What is filled in is all that was missing; and of an erased case nothing is. */
static bool ingest_fills(const struct core *core, const struct step_run *run,
                         const struct step_record *record)
{
    /* what does not open under the right key is its writer's doing: kept, and never shown */
    bool is_bad = record->verdict != OK && record->verdict != ERR_MALFORMED;
    return !is_bad && !ingest_is_erased(core, run) && (record->flags & RECORD_DESTROYED) == 0;
}

static void ingest_sift_run(struct core *core, const struct step_run *run, uint16_t known,
                            const struct step_record *records, struct step_batch *keep)
{
    if (run->is_fill &&
        !(run->is_mend ? ingest_mends(core, run, records) : ingest_fills(core, run, records)))
        return;
    struct step_run *kept = &keep->runs[keep->run_count++];
    *kept = *run;
    kept->first += known;
    kept->count = (uint16_t)(run->count - known);
    if (!run->is_fill)
        ingest_go_on(core, kept, &records[run->count - 1]);
    for (uint16_t j = known; j < run->count; j++) {
        struct step_record *record = &keep->records[keep->record_count++];
        *record = records[j];
        if (!run->is_fill && j + 1 < run->count)
            record->flags |= RECORD_UNSIGNED; /* (T-4) */
        ingest_judge(record);
        ingest_withhold(core, record);
        if (ingest_is_erased(core, run))
            ingest_spare(record);
    }
}

/* Moves the runs that hold into `keep`. */
static void ingest_sift(struct core *core, const struct event *event, struct step_batch *keep,
                        struct step *step)
{
    size_t offset = 0;
    for (size_t i = 0; i < event->batch.run_count; i++) {
        const struct step_run *run = &event->batch.runs[i];
        const struct step_record *records = event->batch.records + offset;
        struct stream *stream = &core->streams.all[run->stream];
        uint16_t known;
        offset += run->count;
        if (run->is_beside && stream->beside.value == event->link.value)
            stream->beside.value = 0;
        if (ingest_heard(core, event, run, records, step))
            continue;
        if (!ingest_holds(core, run, records, &known))
            ingest_turn_down(core, event, run, step);
        else if (known < run->count)
            ingest_sift_run(core, run, known, records, keep);
    }
}

/* Nothing is to be kept of what an envelope held: it was obeyed, is a proof against its writer, or
 * is worth nothing; unless another took its place, or its time may come. */
static void ingest_unkept(struct core *core, const struct event *event, struct step *step)
{
    const struct step_run *run = event->batch.runs;
    if (event->link.value != 0 || event->batch.run_count != 1)
        return;
    bool is_late = run->is_seeking ||
                   (run->verdict == OK && !run->is_fill && !run->is_conflict && !run->is_apart);
    collection_settled(core, is_late ? ERR_OUT_OF_ORDER : ERR_INVALID, step);
}

void ingest_checked(struct core *core, const struct event *event, struct step *step)
{
    struct peer *peer = core_peer_of_link(core, event->link);
    struct step_batch keep = {
        .runs = step_reserve(step, event->batch.run_count * sizeof *keep.runs),
        .records = step_reserve(step, event->batch.record_count * sizeof *keep.records),
    };
    ingest_sift(core, event, &keep, step);
    if (peer != NULL) { /* what is kept stays charged: a slow disk must not fill the memory */
        intake_discharge(peer, &event->batch);
        intake_charge(peer, &keep);
    }
    if (keep.run_count == 0) {
        ingest_unkept(core, event, step);
        return;
    }
    struct effect *effect = step_effect(step, EFFECT_KEEP);
    effect->link = event->link;
    effect->is_releasing = keep.record_count == 1 && !keep.runs->is_fill &&
                           casework_awaits_receipt(core, keep.records);
    effect->batch = keep;
}

static void ingest_tell(const struct record_claim *claim, const struct step_record *record,
                        struct step *step)
{
    struct reader reader = reader_of(record->plaintext);
    struct effect *effect = step_effect(step, EFFECT_TOLD);
    effect->told.scope = claim->header.stream.scope;
    effect->told.record = claim->id;
    effect->told.writer = claim->header.stream.writer;
    effect->told.kind = record->plaintext.size >= 2 ? reader_u16(&reader) : 0;
}

/* (T-5) the position is taken; what is missing goes on a list */
static void ingest_note_lack(struct core *core, uint32_t slot, const struct record_claim *claim,
                             uint32_t flags)
{
    uint32_t gone = RECORD_EXPIRED | RECORD_DESTROYED | RECORD_MALFORMED | RECORD_WITHHELD;
    if ((flags & gone) != 0 || (flags & (RECORD_BARE | RECORD_KEYLESS)) == 0)
        return;
    bool is_sealed = claim->header.audience == AUDIENCE_REQUESTER &&
                     entitlement_read(core, &core->config.self, claim) != OK;
    (void)streams_lack_add(&core->streams, slot, claim->header.sequence, &claim->id, is_sealed);
}

static void ingest_advance(struct core *core, uint32_t slot, const struct record_claim *claim)
{
    struct stream *stream = &core->streams.all[slot];
    stream->tail = claim->header.sequence;
    stream->tail_id = claim->id;
    const struct chain_link *head = chain_find(&core->roster->chain, &claim->header.head);
    if (head != NULL) /* a healing head may have taken it away meanwhile */
        stream->tail_epoch = head->epoch;
    if (stream->kept < stream->tail)
        streams_keep(&core->streams, slot, stream->tail, &stream->tail_id, stream->tail_epoch);
    if (stream->next < stream->tail) {
        stream->next = stream->tail;
        stream->next_id = stream->tail_id;
        stream->next_epoch = stream->tail_epoch;
    }
}

/* One durable record: its place, its lack, its meaning, its news. */
static void ingest_known(struct core *core, const struct step_run *run,
                         const struct step_record *record, struct step *step)
{
    struct record_claim claim;
    if (record_parse_again(record->record, &record->id, &claim) != OK)
        return; /* it parsed before it was checked */
    if ((record->flags & RECORD_OWN) == 0)
        writers_charge(&core->writers, &claim.header.stream.writer, record->record.size);
    if (run->is_fill) {
        streams_lack_remove(&core->streams, run->stream, run->first);
        if (run->is_mend)
            ingest_note_lack(core, run->stream, &claim, record->flags);
    } else {
        ingest_advance(core, run->stream, &claim);
        generation_opened(core, run->stream, &claim, step);
        if ((record->flags & RECORD_OWN) == 0 &&
            ID_EQUAL(claim.header.stream.writer, core->config.self))
            generation_returned(core, run->stream, step);
        ingest_note_lack(core, run->stream, &claim, record->flags);
    }
    if (record->plaintext.size > 0 && record->verdict == OK)
        casework_take(core, &claim, record->plaintext, step);
    if ((record->flags & RECORD_OWN) != 0)
        gossip_push(core, run->stream, &claim, record, step);
    ingest_tell(&claim, record, step);
}

/* C-55: what has no room is not kept, and an ERASE among it is obeyed. */
static void ingest_obey_all(struct core *core, const struct step_batch *batch, struct step *step)
{
    const struct step_record *record = batch->records;
    for (size_t i = 0; i < batch->run_count; i++) {
        for (uint16_t j = 0; j < batch->runs[i].count; j++, record++) {
            struct record_claim claim;
            bool is_theirs = (record->flags & RECORD_OWN) == 0 && !batch->runs[i].is_fill;
            if (is_theirs && record_parse_again(record->record, &record->id, &claim) == OK &&
                intake_takes_erase(core, &claim))
                ingest_obey(core, &batch->runs[i], record, step);
        }
    }
}

static void ingest_lost(struct core *core, const struct event *event, struct step *step)
{
    for (size_t i = 0; i < event->batch.run_count; i++) {
        const struct step_run *run = &event->batch.runs[i];
        struct lack *lack =
            run->is_mend ? streams_lack_find(&core->streams, run->stream, run->first) : NULL;
        if (lack != NULL)
            lack->is_mending = false;
        /* what was given to the store before the last rewind was forgotten with it */
        if (!run->is_fill && run->speculation >= core->streams.all[run->stream].rewound)
            streams_rewind(&core->streams, run->stream);
    }
    core->is_full = event->verdict == ERR_FULL;
    core->full_until.ms = core->now.ms + FULL_RETRY_MS;
    if (core->is_full)
        ingest_obey_all(core, &event->batch, step);
    core_refuse(core, core_peer_of_link(core, event->link), step, "keep-failed", event->verdict);
    const struct step_record *first = event->batch.records;
    struct record_claim claim;
    if (event->batch.record_count == 1 && (first->flags & RECORD_OWN) != 0 &&
        event->token.value == 0 && record_parse_again(first->record, &first->id, &claim) == OK)
        casework_unkept(core, &claim.header, first->plaintext);
}

/* (T-8) what a record does, it does from here on */
void ingest_kept(struct core *core, const struct event *event, struct step *step)
{
    struct peer *peer = core_peer_of_link(core, event->link);
    bool is_enclosed = event->link.value == 0 && event->batch.record_count == 1 &&
                       (event->batch.records->flags & RECORD_OWN) == 0;
    if (peer != NULL)
        intake_discharge(peer, &event->batch);
    if (event->verdict != OK) {
        ingest_lost(core, event, step);
        if (is_enclosed)
            collection_settled(core, event->verdict, step);
        return;
    }
    core->is_full = false;
    const struct step_record *record = event->batch.records;
    uint32_t *slots = step_reserve(step, event->batch.run_count * sizeof *slots);
    for (size_t i = 0; i < event->batch.run_count; i++) {
        const struct step_run *run = &event->batch.runs[i];
        slots[i] = run->stream;
        for (uint16_t j = 0; j < run->count; j++)
            ingest_known(core, run, record++, step);
        streams_settle(&core->streams, run->stream);
    }
    if (event->link.value != 0)
        gossip_acknowledge(core, event->link, slots, event->batch.run_count, step);
    else if (is_enclosed)
        collection_settled(core, OK, step);
}
