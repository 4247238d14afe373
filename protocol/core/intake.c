#include "protocol/core/intake.h"

#include <string.h>

#include "protocol/core/casework.h"
#include "protocol/core/catchup.h"
#include "protocol/core/entitlement.h"
#include "protocol/core/generation.h"
#include "protocol/record/kind.h"
#include "protocol/record/statement.h"

/* A frame's records, sorted into runs, on their way to the check. */
struct intake {
    struct core *core;
    struct peer *peer; /* NULL: it came out of an envelope, and nobody is asked for more */
    struct link_id link;
    struct step *step;
    struct step_batch batch;
    bool asked_heads;
    bool asked_tail;
    uint32_t beside; /* the stream whose last record in the batch is another copy; STREAM_NONE */
    uint64_t beside_next;
    struct record_id beside_id;
    uint64_t beside_epoch;
};

static struct case_id intake_case(const struct record_header *header)
{
    struct case_id case_id;
    memcpy(case_id.bytes, header->stream.scope.id, HASH_SIZE);
    return case_id;
}

/* Takes the record into the batch; bodies that will not be kept are left out already here. */
static struct step_record *intake_add(struct intake *intake, const struct frame_record *frame,
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
    struct case_id case_id = intake_case(header);
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

static struct step_run *intake_run(struct intake *intake, uint32_t slot, uint64_t first,
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

/* Adds the record to the last run of the batch, or begins another that is like `model`. */
static void intake_append(struct intake *intake, uint32_t slot, const struct frame_record *frame,
                          const struct record_claim *claim, const struct step_run *model)
{
    struct step_batch *batch = &intake->batch;
    struct step_run *last = batch->run_count == 0 ? NULL : &batch->runs[batch->run_count - 1];
    bool continues = last != NULL && last->stream == slot && !last->is_fill && !last->is_conflict &&
                     !last->is_apart && !last->is_seeking && last->is_beside == model->is_beside &&
                     last->count < RUN_COUNT_MAX &&
                     last->first + last->count == claim->header.sequence;
    (void)intake_add(intake, frame, claim);
    if (continues)
        last->count++;
    else
        intake_run(intake, slot, claim->header.sequence, &model->key)->is_beside = model->is_beside;
}

static uint64_t intake_epoch(const struct intake *intake, const struct record_claim *claim)
{
    return chain_find(&intake->core->roster->chain, &claim->header.head)->epoch;
}

/* The record continues its stream. */
static void intake_extend(struct intake *intake, uint32_t slot, const struct frame_record *frame,
                          const struct record_claim *claim, const struct sign_key *key)
{
    struct stream *stream = &intake->core->streams.all[slot];
    struct link_id link = intake->link;
    intake_append(intake, slot, frame, claim, &(struct step_run){.key = *key});
    if (stream->next == stream->kept)
        stream->pending = link;
    else if (stream->pending.value != link.value)
        stream->pending.value = 0;
    stream->next = claim->header.sequence;
    stream->next_id = claim->id;
    stream->next_epoch = intake_epoch(intake, claim);
}

/* Somebody else's copy of what is being checked already may be the good one: where a forgery came
 * lately, it is checked beside it. True when it was taken. */
static bool intake_beside(struct intake *intake, uint32_t slot, const struct frame_record *frame,
                          const struct record_claim *claim, const struct sign_key *key)
{
    const struct record_header *header = &claim->header;
    struct stream *stream = &intake->core->streams.all[slot];
    bool is_doubtful = stream->spoiled_until.ms > intake->core->now.ms &&
                       stream->next > stream->kept && stream->pending.value != intake->link.value;
    bool goes_on = intake->beside == slot && header->sequence == intake->beside_next &&
                   ID_EQUAL(header->previous, intake->beside_id);
    bool begins = header->sequence == stream->kept + 1 &&
                  (stream->kept == 0 || ID_EQUAL(header->previous, stream->kept_id));
    uint64_t epoch = intake_epoch(intake, claim);
    if (!is_doubtful || (!goes_on && !begins) ||
        epoch < (goes_on ? intake->beside_epoch : stream->kept_epoch))
        return false;
    intake_append(intake, slot, frame, claim, &(struct step_run){.key = *key, .is_beside = true});
    stream->beside = intake->link;
    intake->beside = slot;
    intake->beside_next = header->sequence + 1;
    intake->beside_id = claim->id;
    intake->beside_epoch = epoch;
    return true;
}

/* The position is known: does the record bring a body or key that is missing, or stand against
 * what is here? */
static void intake_again(struct intake *intake, uint32_t slot, const struct frame_record *frame,
                         const struct record_claim *claim, const struct sign_key *key)
{
    struct core *core = intake->core;
    struct stream *stream = &core->streams.all[slot];
    uint64_t sequence = claim->header.sequence;
    struct lack *lack = streams_lack_find(&core->streams, slot, sequence);
    bool is_clear = claim->header.audience == AUDIENCE_CLEAR;
    if (lack != NULL && ID_EQUAL(lack->record, claim->id)) {
        if (lack->is_lost) { /* whatever there is of it; the rest is asked for again */
            (void)intake_add(intake, frame, claim);
            struct step_run *run = intake_run(intake, slot, sequence, key);
            run->is_fill = run->is_mend = true;
            return;
        }
        if (claim->is_bare || (!is_clear && !frame->has_key))
            return;
        if ((intake_add(intake, frame, claim)->flags & RECORD_BARE) != 0) {
            intake->batch.record_count--; /* expired or erased meanwhile: not lacked any more */
            streams_lack_remove(&core->streams, slot, sequence);
            return;
        }
        intake_run(intake, slot, sequence, key)->is_fill = true;
        return;
    }
    if (sequence == stream->tail && sequence == stream->kept &&
        !ID_EQUAL(stream->tail_id, claim->id)) {
        (void)intake_add(intake, frame, claim);
        intake_run(intake, slot, sequence, key)->is_conflict = true;
    }
}

/* (T-21) Whoever wrote so much that it has to wait. What it wrote is asked for again. */
static bool intake_is_spent(const struct core *core, const struct node_id *writer)
{
    const struct roster_entry *member = roster_find(core->roster, writer);
    const struct chain_link *admitted =
        member == NULL ? NULL : chain_since(&core->roster->chain, member->admitted_epoch);
    return admitted != NULL && !ID_EQUAL(*writer, core->config.self) &&
           writers_is_spent(&core->writers, writer, admitted->received, core->wall);
}

/* What must hold before the record's place is looked at. OK, or the reason to pass it over. */
static err intake_admit(struct intake *intake, const struct record_claim *claim,
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
    if (intake_is_spent(core, &header->stream.writer))
        return ERR_OVER_BUDGET;
    /* (T-3) held by whoever has it until its time has come: neither lost nor forked */
    if (header->time.ms > core->wall.ms + CLOCK_SKEW_MS_MAX)
        return ERR_FUTURE;
    if (chain_find(&core->roster->chain, &header->head) == NULL) {
        if (!intake->asked_heads && intake->peer != NULL)
            catchup_want_heads(core, intake->peer, intake->step);
        intake->asked_heads = true;
        return ERR_UNKNOWN_HEAD;
    }
    return OK;
}

/* A stream that is not here yet: its generation is the first, or follows one that is here. */
static bool intake_may_open(const struct core *core, const struct record_claim *claim)
{
    struct stream_id before = claim->header.stream;
    before.generation--;
    return before.generation == 0 || streams_find(&core->streams, &before) != STREAM_NONE;
}

/* A later generation begins. (T-16) Nothing is looked for on the word of somebody who may have made
 * it up. */
static err intake_follow(struct intake *intake, const struct frame_record *frame,
                         const struct record_claim *claim, const struct sign_key *key)
{
    struct stream_id before = claim->header.stream;
    err failure = generation_follows(intake->core, claim);
    if (failure != ERR_NOT_FOUND)
        return failure;
    before.generation--;
    uint32_t slot = streams_find(&intake->core->streams, &before);
    intake_add(intake, frame, claim)->record.size = RECORD_BARE_SIZE;
    intake_run(intake, slot, claim->header.sequence, key)->is_seeking = true;
    return ERR_NOT_FOUND;
}

bool intake_takes_erase(const struct core *core, const struct record_claim *claim)
{
    const struct record_header *header = &claim->header;
    const struct roster_entry *writer = roster_find(core->roster, &header->stream.writer);
    struct statement statement;
    struct case_id case_id = intake_case(header);
    return header->stream.scope.kind == SCOPE_CASE && header->audience == AUDIENCE_CLEAR &&
           !claim->is_bare && ID_EQUAL(header->federation, core->config.federation) &&
           writer != NULL && writer->state != MEMBER_REMOVED &&
           entitlement_shares(core, &core->config.self, &header->stream) &&
           !casework_is_erased(core, &case_id) && statement_read(claim->body, &statement) == OK &&
           statement.kind == KIND_ERASE;
}

/* A record beyond what was handed to the store. */
static err intake_go_on(struct intake *intake, uint32_t slot, const struct frame_record *frame,
                        const struct record_claim *claim, const struct sign_key *key)
{
    struct core *core = intake->core;
    const struct record_header *header = &claim->header;
    struct stream *stream = &core->streams.all[slot];
    bool is_next = header->sequence == stream->next + 1;
    bool fits = is_next && (stream->next == 0 || ID_EQUAL(header->previous, stream->next_id));
    /* what comes before it is not here, or is another's word that is being checked */
    if (!is_next || (!fits && stream->next != stream->kept)) {
        if (intake->peer == NULL)
            return ERR_OUT_OF_ORDER;
        catchup_claimed(core, intake->peer, slot, header->sequence);
        return intake_takes_erase(core, claim) ? ERR_OUT_OF_ORDER : OK;
    }
    if (intake_epoch(intake, claim) < stream->next_epoch) /* (T-9) */
        return ERR_OUT_OF_ORDER;
    if (!fits) {
        /* whoever sent this holds another record where ours ends: get it, to see both */
        if (stream->next == stream->tail && !intake->asked_tail && intake->peer != NULL)
            catchup_want_one(core, intake->peer, slot, stream->tail, intake->step);
        intake->asked_tail = true;
        return ERR_OUT_OF_ORDER;
    }
    intake_extend(intake, slot, frame, claim, key);
    return OK;
}

static err intake_place(struct intake *intake, const struct frame_record *frame,
                        const struct record_claim *claim)
{
    struct core *core = intake->core;
    const struct record_header *header = &claim->header;
    struct sign_key key;
    err failure = intake_admit(intake, claim, &key);
    if (failure != OK)
        return failure;
    uint32_t slot = streams_find(&core->streams, &header->stream);
    if (slot == STREAM_NONE && !intake_may_open(core, claim))
        return ERR_OUT_OF_ORDER;
    bool is_opening = header->stream.generation > 1 && header->sequence == 1 &&
                      (slot == STREAM_NONE || core->streams.all[slot].kept == 0);
    failure = is_opening ? intake_follow(intake, frame, claim, &key) : OK;
    if (failure != OK)
        return failure == ERR_NOT_FOUND ? OK : failure;
    if (slot == STREAM_NONE)
        slot = catchup_slot(core, &header->stream);
    if (slot == STREAM_NONE)
        return ERR_FULL;
    struct stream *stream = &core->streams.all[slot];
    if ((stream->flags & STREAM_FORKED) != 0)
        return ERR_FORKED;
    if (intake->peer != NULL && stream->spoiler.value == intake->link.value &&
        stream->spoiled_until.ms > core->now.ms)
        return ERR_OVER_BUDGET;
    if (header->sequence <= stream->kept)
        intake_again(intake, slot, frame, claim, &key);
    else if (!intake_beside(intake, slot, frame, claim, &key))
        return intake_go_on(intake, slot, frame, claim, &key);
    return OK;
}

static bool intake_erase(struct intake *intake, const struct frame_record *frame,
                         const struct record_claim *claim)
{
    struct core *core = intake->core;
    if (!intake_takes_erase(core, claim))
        return false;
    uint32_t slot = catchup_slot(core, &claim->header.stream);
    if (slot == STREAM_NONE)
        return false;
    const struct roster_entry *writer = roster_find(core->roster, &claim->header.stream.writer);
    (void)intake_add(intake, frame, claim);
    intake_run(intake, slot, claim->header.sequence, &writer->sign_key)->is_apart = true;
    return true;
}

void intake_charge(struct peer *peer, const struct step_batch *batch)
{
    peer->checking += (uint32_t)batch->record_count;
    for (size_t i = 0; i < batch->record_count; i++)
        peer->checking_size += batch->records[i].charge;
}

void intake_discharge(struct peer *peer, const struct step_batch *batch)
{
    peer->checking -= (uint32_t)batch->record_count;
    for (size_t i = 0; i < batch->record_count; i++)
        peer->checking_size -= batch->records[i].charge;
}

void intake_frame(struct core *core, struct peer *peer, struct bytes frame, struct step *step)
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
    struct intake intake = {
        .core = core, .peer = peer, .link = peer->link, .step = step, .beside = STREAM_NONE};
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
        catchup_answered(core, peer, &claim.header.stream, claim.header.sequence);
        failure = intake_place(&intake, &record, &claim);
        if (failure == OK)
            continue;
        bool is_stopped = failure == ERR_FORKED || failure == ERR_UNKNOWN_MEMBER ||
                          failure == ERR_OUT_OF_ORDER || failure == ERR_OVER_BUDGET;
        if (is_stopped && intake_erase(&intake, &record, &claim))
            continue;
        core_refuse(core, peer, step, "record-passed-over", failure);
        uint32_t slot = streams_find(&core->streams, &claim.header.stream);
        if (slot != STREAM_NONE) /* asking again at once would bring the same */
            catchup_pass_over(core, peer, slot);
    }
    if (intake.batch.run_count == 0)
        return;
    intake_charge(peer, &intake.batch);
    struct effect *effect = step_effect(step, EFFECT_CHECK);
    effect->link = peer->link;
    effect->batch = intake.batch;
}

err intake_enclosed(struct core *core, const struct frame_record *record, struct step *step)
{
    struct intake intake = {.core = core, .step = step, .beside = STREAM_NONE};
    struct record_claim claim;
    intake.batch.records = step_reserve(step, sizeof *intake.batch.records);
    intake.batch.runs = step_reserve(step, sizeof *intake.batch.runs);
    err failure = record_parse(record->record, &claim);
    if (failure != OK)
        return ERR_MALFORMED;
    failure = intake_place(&intake, record, &claim);
    bool is_stopped =
        failure == ERR_FORKED || failure == ERR_UNKNOWN_MEMBER || failure == ERR_OUT_OF_ORDER;
    if (is_stopped && intake_erase(&intake, record, &claim))
        failure = OK;
    if (failure != OK)
        return failure;
    if (intake.batch.run_count > 0) {
        step_effect(step, EFFECT_CHECK)->batch = intake.batch;
        return ERR_BUSY;
    }
    uint32_t slot = streams_find(&core->streams, &claim.header.stream);
    return slot != STREAM_NONE && core->streams.all[slot].tail >= claim.header.sequence
               ? OK
               : ERR_OUT_OF_ORDER;
}
