#include "protocol/core/ingest.h"

#include <string.h>

#include "protocol/core/casework.h"
#include "protocol/core/catchup.h"
#include "protocol/core/entitlement.h"
#include "protocol/core/equivocation.h"
#include "protocol/core/generation.h"
#include "protocol/core/gossip.h"
#include "protocol/record/kind.h"
#include "protocol/record/statement.h"

/* A frame's records, sorted into runs, on their way to the check. */
struct intake {
    struct core *core;
    struct peer *peer;
    struct step *step;
    struct step_batch batch;
    bool asked_heads;
    bool asked_tail;
};

static struct case_id ingest_case(const struct record_header *header)
{
    struct case_id case_id;
    memcpy(case_id.bytes, header->stream.scope.id, HASH_SIZE);
    return case_id;
}

/* Takes the record into the batch; bodies that will not be kept are left out already here. */
static struct step_record *ingest_add(struct intake *intake, const struct frame_record *frame,
                                      const struct record_claim *claim)
{
    const struct record_header *header = &claim->header;
    struct step_record *record = &intake->batch.records[intake->batch.record_count++];
    *record = (struct step_record){.record = frame->record,
                                   .id = claim->id,
                                   .has_key = frame->has_key,
                                   .key = frame->key,
                                   .charge = (uint32_t)frame->record.size};
    bool is_clear = header->audience == AUDIENCE_CLEAR;
    /* what a certificate or a case says does not lapse: all must see the same, whenever they come
     */
    bool lapses =
        header->stream.scope.kind == SCOPE_BOARD || header->stream.scope.kind == SCOPE_MAIL;
    bool is_expired =
        lapses && header->expires.ms != 0 && header->expires.ms <= intake->core->wall.ms;
    struct case_id case_id = ingest_case(header);
    bool is_erased = header->stream.scope.kind == SCOPE_CASE && !is_clear &&
                     casework_is_erased(intake->core, &case_id);
    if (is_expired)
        record->flags |= RECORD_EXPIRED;
    if (is_erased)
        record->flags |= RECORD_DESTROYED;
    if (is_expired || is_erased)
        record->record.size = RECORD_BARE_SIZE;
    if (claim->is_bare || is_expired || is_erased) {
        record->flags |= RECORD_BARE;
        record->has_key = false;
    } else if (!is_clear && !frame->has_key) {
        record->flags |= RECORD_KEYLESS;
    }
    return record;
}

static struct step_run *ingest_run(struct intake *intake, uint32_t slot, uint64_t first,
                                   const struct sign_key *key)
{
    struct step_run *run = &intake->batch.runs[intake->batch.run_count++];
    *run = (struct step_run){.stream = slot,
                             .speculation = intake->core->streams.all[slot].speculation,
                             .first = first,
                             .count = 1,
                             .key = *key};
    return run;
}

/* The record continues its stream. */
static void ingest_extend(struct intake *intake, uint32_t slot, const struct frame_record *frame,
                          const struct record_claim *claim, const struct sign_key *key)
{
    struct stream *stream = &intake->core->streams.all[slot];
    struct step_batch *batch = &intake->batch;
    struct step_run *last = batch->run_count == 0 ? NULL : &batch->runs[batch->run_count - 1];
    bool continues = last != NULL && last->stream == slot && !last->is_fill && !last->is_conflict &&
                     !last->is_apart && last->count < RUN_COUNT_MAX &&
                     last->first + last->count == claim->header.sequence;
    (void)ingest_add(intake, frame, claim);
    if (continues)
        last->count++;
    else
        (void)ingest_run(intake, slot, claim->header.sequence, key);
    stream->next = claim->header.sequence;
    stream->next_id = claim->id;
    stream->next_epoch = chain_find(&intake->core->roster->chain, &claim->header.head)->epoch;
}

/* The position is known: does the record bring a body or key that is missing, or stand against
 * what is here? */
static void ingest_again(struct intake *intake, uint32_t slot, const struct frame_record *frame,
                         const struct record_claim *claim, const struct sign_key *key)
{
    struct core *core = intake->core;
    struct stream *stream = &core->streams.all[slot];
    uint64_t sequence = claim->header.sequence;
    struct lack *lack = streams_lack_find(&core->streams, slot, sequence);
    bool is_clear = claim->header.audience == AUDIENCE_CLEAR;
    if (lack != NULL && ID_EQUAL(lack->record, claim->id)) {
        if (claim->is_bare || (!is_clear && !frame->has_key))
            return;
        if ((ingest_add(intake, frame, claim)->flags & RECORD_BARE) != 0) {
            intake->batch.record_count--; /* expired or erased meanwhile: not lacked any more */
            streams_lack_remove(&core->streams, slot, sequence);
            return;
        }
        ingest_run(intake, slot, sequence, key)->is_fill = true;
        return;
    }
    if (sequence == stream->tail && sequence == stream->next &&
        !ID_EQUAL(stream->tail_id, claim->id)) {
        (void)ingest_add(intake, frame, claim);
        ingest_run(intake, slot, sequence, key)->is_conflict = true;
    }
}

/* What must hold before the record's place is looked at. OK, or the reason to pass it over. */
static err ingest_admit(struct intake *intake, const struct record_claim *claim,
                        struct sign_key *ret_key)
{
    struct core *core = intake->core;
    const struct record_header *header = &claim->header;
    if (!ID_EQUAL(header->federation, core->config.federation))
        return ERR_MALFORMED;
    if (!entitlement_shares(core, &core->config.self, &header->stream))
        return ERR_NOT_ENTITLED;
    err failure = entitlement_write(core, header, ret_key);
    if (failure != OK)
        return failure;
    /* (T-3) held by whoever has it until its time has come: neither lost nor forked */
    if (header->time.ms > core->wall.ms + CLOCK_SKEW_MS_MAX)
        return ERR_FUTURE;
    if (chain_find(&core->roster->chain, &header->head) == NULL) {
        if (!intake->asked_heads)
            catchup_want_heads(core, intake->peer, intake->step);
        intake->asked_heads = true;
        return ERR_UNKNOWN_HEAD;
    }
    return OK;
}

/* A stream that is not here yet: its generation is the first, or follows one that is here. */
static bool ingest_may_open(const struct core *core, const struct record_claim *claim)
{
    struct stream_id before = claim->header.stream;
    before.generation--;
    return before.generation == 0 || streams_find(&core->streams, &before) != STREAM_NONE;
}

static err ingest_place(struct intake *intake, const struct frame_record *frame,
                        const struct record_claim *claim)
{
    struct core *core = intake->core;
    const struct record_header *header = &claim->header;
    struct sign_key key;
    err failure = ingest_admit(intake, claim, &key);
    if (failure != OK)
        return failure;
    uint32_t slot = streams_find(&core->streams, &header->stream);
    if (slot == STREAM_NONE && !ingest_may_open(core, claim))
        return ERR_OUT_OF_ORDER;
    bool is_opening = header->stream.generation > 1 && header->sequence == 1 &&
                      (slot == STREAM_NONE || core->streams.all[slot].next == 0);
    failure = is_opening ? generation_follows(core, claim, intake->step) : OK;
    if (failure != OK)
        return failure;
    if (slot == STREAM_NONE)
        slot = catchup_slot(core, &header->stream);
    if (slot == STREAM_NONE)
        return ERR_FULL;
    struct stream *stream = &core->streams.all[slot];
    if ((stream->flags & STREAM_FORKED) != 0)
        return ERR_FORKED;
    if (stream->spoiler.value == intake->peer->link.value &&
        stream->spoiled_until.ms > core->now.ms)
        return ERR_OVER_BUDGET;
    if (header->sequence <= stream->next) {
        ingest_again(intake, slot, frame, claim, &key);
        return OK;
    }
    if (header->sequence > stream->next + 1) {
        streams_want(&core->streams, slot, header->sequence, intake->peer->link);
        return OK;
    }
    /* (T-9) heads named along a stream never fall */
    if (chain_find(&core->roster->chain, &header->head)->epoch < stream->next_epoch)
        return ERR_OUT_OF_ORDER;
    if (stream->next > 0 && !ID_EQUAL(header->previous, stream->next_id)) {
        /* whoever sent this holds another record where ours ends: get it, to see both */
        if (stream->next == stream->tail && !intake->asked_tail)
            catchup_want_one(core, intake->peer, slot, stream->tail, intake->step);
        intake->asked_tail = true;
        return ERR_OUT_OF_ORDER;
    }
    ingest_extend(intake, slot, frame, claim, &key);
    return OK;
}

/* C-50: an ERASE proves itself. Its stream may be forked, have a gap, or be frozen by a suspension;
 * of a removed member only the successor's word counts, and that is written in a stream of its own.
 */
static bool ingest_takes_erase(const struct core *core, const struct record_claim *claim)
{
    const struct record_header *header = &claim->header;
    const struct roster_entry *writer = roster_find(core->roster, &header->stream.writer);
    struct statement statement;
    struct case_id case_id = ingest_case(header);
    return header->stream.scope.kind == SCOPE_CASE && header->audience == AUDIENCE_CLEAR &&
           !claim->is_bare && ID_EQUAL(header->federation, core->config.federation) &&
           writer != NULL && writer->state != MEMBER_REMOVED &&
           entitlement_shares(core, &core->config.self, &header->stream) &&
           !casework_is_erased(core, &case_id) && statement_read(claim->body, &statement) == OK &&
           statement.kind == KIND_ERASE;
}

static bool ingest_erase(struct intake *intake, const struct frame_record *frame,
                         const struct record_claim *claim)
{
    struct core *core = intake->core;
    if (!ingest_takes_erase(core, claim))
        return false;
    uint32_t slot = catchup_slot(core, &claim->header.stream);
    if (slot == STREAM_NONE)
        return false;
    const struct roster_entry *writer = roster_find(core->roster, &claim->header.stream.writer);
    (void)ingest_add(intake, frame, claim);
    ingest_run(intake, slot, claim->header.sequence, &writer->sign_key)->is_apart = true;
    return true;
}

static void ingest_charge(struct peer *peer, const struct step_batch *batch)
{
    peer->checking += (uint32_t)batch->record_count;
    for (size_t i = 0; i < batch->record_count; i++)
        peer->checking_size += batch->records[i].charge;
}

static void ingest_discharge(struct peer *peer, const struct step_batch *batch)
{
    peer->checking -= (uint32_t)batch->record_count;
    for (size_t i = 0; i < batch->record_count; i++)
        peer->checking_size -= batch->records[i].charge;
}

void ingest_frame(struct core *core, struct peer *peer, struct bytes frame, struct step *step)
{
    struct reader reader;
    uint16_t count;
    err failure = frame_records_open(frame, &reader, &count);
    if (failure == OK && count > STEP_RECORD_COUNT_MAX)
        failure = ERR_TOO_LARGE;
    if (failure == OK && (peer->checking + count > PEER_CHECKING_MAX ||
                          peer->checking_size + frame.size > PEER_CHECKING_SIZE_MAX))
        failure = ERR_OVER_BUDGET;
    if (failure != OK) {
        core_refuse(core, peer, step, "records-refused", failure);
        return;
    }
    struct intake intake = {.core = core, .peer = peer, .step = step};
    intake.batch.records = step_reserve(step, count * sizeof *intake.batch.records);
    intake.batch.runs = step_reserve(step, count * sizeof *intake.batch.runs);
    for (uint16_t i = 0; i < count; i++) {
        struct frame_record record;
        struct record_claim claim;
        failure = frame_record_read(&reader, &record);
        if (failure == OK)
            failure = record_parse(record.record, &claim);
        if (failure != OK) {
            core_refuse(core, peer, step, "records-malformed", failure);
            break;
        }
        catchup_answered(core, peer, &claim.header.stream);
        failure = ingest_place(&intake, &record, &claim);
        if (failure == OK)
            continue;
        bool is_stopped =
            failure == ERR_FORKED || failure == ERR_UNKNOWN_MEMBER || failure == ERR_OUT_OF_ORDER;
        if (is_stopped && ingest_erase(&intake, &record, &claim))
            continue;
        core_refuse(core, peer, step, "record-passed-over", failure);
        uint32_t slot = streams_find(&core->streams, &claim.header.stream);
        if (slot != STREAM_NONE) /* asking again at once would bring the same */
            catchup_pass_over(core, peer, slot);
    }
    if (intake.batch.run_count == 0)
        return;
    ingest_charge(peer, &intake.batch);
    struct effect *effect = step_effect(step, EFFECT_CHECK);
    effect->link = peer->link;
    effect->batch = intake.batch;
}

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

static bool ingest_holds(struct core *core, const struct step_run *run)
{
    const struct stream *stream = &core->streams.all[run->stream];
    if (run->is_fill)
        return true;
    if (equivocation_is_frozen(core, &stream->id.writer))
        return false; /* since it was sent to be checked */
    return run->verdict == OK && run->speculation == stream->speculation;
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

/* Moves the runs that hold into `keep`. */
static void ingest_sift(struct core *core, const struct event *event, struct step_batch *keep,
                        struct step *step)
{
    struct peer *peer = core_peer_of_link(core, event->link);
    size_t offset = 0;
    for (size_t i = 0; i < event->batch.run_count; i++) {
        const struct step_run *run = &event->batch.runs[i];
        const struct step_record *records = event->batch.records + offset;
        offset += run->count;
        if (run->is_conflict) {
            equivocation_found(core, run, records, step);
            continue;
        }
        if (run->is_apart) {
            ingest_obey(core, run, records, step);
            continue;
        }
        if (!ingest_holds(core, run)) {
            if (peer != NULL && run->verdict != OK)
                catchup_pass_over(core, peer, run->stream);
            if (run->speculation == core->streams.all[run->stream].speculation) {
                streams_fall_back(&core->streams, run->stream);
                if (run->verdict == ERR_BAD_SIGNATURE)
                    ingest_spoiled(core, run->stream, event->link);
            }
            core_refuse(core, peer, step, "run-refused",
                        run->verdict != OK ? run->verdict : ERR_OUT_OF_ORDER);
            continue;
        }
        /* what does not open under the right key is its writer's doing: kept, and never shown */
        bool is_bad = records->verdict != OK && records->verdict != ERR_MALFORMED;
        if (run->is_fill &&
            (is_bad || ingest_is_erased(core, run) || (records->flags & RECORD_DESTROYED) != 0))
            continue;
        keep->runs[keep->run_count++] = *run;
        if (!run->is_fill)
            ingest_reach(core, run->stream, &records[run->count - 1]);
        for (uint16_t j = 0; j < run->count; j++) {
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
        ingest_discharge(peer, &event->batch);
        ingest_charge(peer, &keep);
    }
    if (keep.run_count == 0)
        return;
    struct effect *effect = step_effect(step, EFFECT_KEEP);
    effect->link = event->link;
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
    if (run->is_fill) {
        streams_lack_remove(&core->streams, run->stream, run->first);
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

static void ingest_lost(struct core *core, const struct event *event, struct step *step)
{
    for (size_t i = 0; i < event->batch.run_count; i++) {
        const struct step_run *run = &event->batch.runs[i];
        /* what was given to the store before the last rewind was forgotten with it */
        if (!run->is_fill && run->speculation >= core->streams.all[run->stream].rewound)
            streams_rewind(&core->streams, run->stream);
    }
    core->is_full = event->verdict == ERR_FULL;
    core->full_until.ms = core->now.ms + FULL_RETRY_MS;
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
    if (peer != NULL)
        ingest_discharge(peer, &event->batch);
    if (event->verdict != OK) {
        ingest_lost(core, event, step);
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
}
