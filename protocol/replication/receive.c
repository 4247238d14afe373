#include "protocol/replication/receive.h"

#include <string.h>

#include "protocol/base/planted.h"
#include "protocol/record/kind.h"
#include "protocol/record/statement.h"
#include "protocol/replication/generation.h"
#include "protocol/replication/sync.h"
#include "protocol/state/access.h"

/* A frame's records, sorted into runs, on their way to the check. */
struct receive {
    struct engine *engine;
    struct peer *peer; /* NULL: it came out of an envelope, and nobody is asked for more */
    struct link_id link;
    struct step *step;
    struct step_batch batch;
    bool asked_heads;
    bool asked_tail;
    uint32_t alternate; /* the stream whose last record in the batch is another copy; STREAM_NONE */
    uint64_t alternate_next;
    struct record_id alternate_id;
    uint64_t alternate_epoch;
};

/* Takes the record into the batch; bodies that will not be kept are left out already here. */
static struct step_record *receive_add(struct receive *receive, const struct frame_record *frame,
                                       const struct record_claim *claim)
{
    const struct record_header *header = &claim->header;
    struct step_record *record = &receive->batch.records[receive->batch.record_count++];
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
    bool is_expired = !PLANTED(EXPIRED_IS_KEPT) && lapses && header->expires.ms != 0 &&
                      header->expires.ms <= receive->engine->wall.ms;
    struct case_id case_id = scope_case_id(&header->stream.scope);
    bool is_erased = header->stream.scope.kind == SCOPE_CASE && !is_clear &&
                     case_table_is_erased(receive->engine, &case_id);
    if (header->time.ms > receive->engine->wall.ms + CLOCK_SKEW_MS_MAX &&
        !receive->engine->clock.view.stops_posting) /* then it may be ours that is behind */
        record->flags |= RECORD_AHEAD;
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

static struct step_run *receive_run(struct receive *receive, uint32_t slot, uint64_t first,
                                    const struct sign_key *key)
{
    struct step_run *run = &receive->batch.runs[receive->batch.run_count++];
    *run = (struct step_run){.stream = slot,
                             .speculation = receive->engine->streams.all[slot].speculation,
                             .first = first,
                             .count = 1,
                             .key = *key};
    return run;
}

/* Adds the record to the last run of the batch, or begins another that is like `model`. */
static void receive_append(struct receive *receive, uint32_t slot, const struct frame_record *frame,
                           const struct record_claim *claim, const struct step_run *model)
{
    struct step_batch *batch = &receive->batch;
    struct step_run *last = batch->run_count == 0 ? NULL : &batch->runs[batch->run_count - 1];
    bool continues = last != NULL && last->stream == slot && last->purpose == model->purpose &&
                     last->count < RUN_COUNT_MAX &&
                     last->first + last->count == claim->header.sequence;
    (void)receive_add(receive, frame, claim);
    if (continues) {
        last->count++;
    } else {
        last = receive_run(receive, slot, claim->header.sequence, &model->key);
        last->purpose = model->purpose;
        last->is_from_writer = model->is_from_writer;
    }
    last->is_vouched = receive->peer != NULL;
}

/* The frame holds more of this stream: the signatures before that need not have been checked by who
 * sent it. */
static void receive_is_inside(struct receive *receive, const struct stream_id *stream)
{
    uint32_t slot = streams_find(&receive->engine->streams, stream);
    for (size_t i = 0; i < receive->batch.run_count && !PLANTED(PASSER_ON_IS_BLAMED); i++) {
        if (receive->batch.runs[i].stream == slot)
            receive->batch.runs[i].is_vouched = false;
    }
}

static uint64_t receive_epoch(const struct receive *receive, const struct record_claim *claim)
{
    return chain_find(&receive->engine->roster->chain, &claim->header.head)->epoch;
}

/* The record continues its stream. */
static void receive_extend(struct receive *receive, uint32_t slot, const struct frame_record *frame,
                           const struct record_claim *claim, const struct sign_key *key)
{
    struct stream *stream = &receive->engine->streams.all[slot];
    struct link_id link = receive->link;
    bool is_from_writer =
        receive->peer != NULL && (ID_EQUAL(receive->peer->node, claim->header.stream.writer) ||
                                  PLANTED(PASSED_ON_IS_JOINED));
    receive_append(receive, slot, frame, claim,
                   &(struct step_run){.key = *key, .is_from_writer = is_from_writer});
    if (stream->next == stream->kept)
        stream->pending = link;
    else if (stream->pending.value != link.value)
        stream->pending.value = 0;
    stream->next = claim->header.sequence;
    stream->next_id = claim->id;
    stream->next_epoch = receive_epoch(receive, claim);
}

/* Somebody else's copy of what is being checked already may be the good one: where a forgery came
 * lately, it is checked as well. True when it was taken. */
static bool receive_alternate(struct receive *receive, uint32_t slot,
                              const struct frame_record *frame, const struct record_claim *claim,
                              const struct sign_key *key)
{
    const struct record_header *header = &claim->header;
    struct stream *stream = &receive->engine->streams.all[slot];
    bool is_doubtful = stream->forged_until.ms > receive->engine->now.ms &&
                       stream->next > stream->kept && stream->pending.value != receive->link.value;
    bool goes_on = receive->alternate == slot && header->sequence == receive->alternate_next &&
                   ID_EQUAL(header->previous, receive->alternate_id);
    bool begins = header->sequence == stream->kept + 1 &&
                  (stream->kept == 0 || ID_EQUAL(header->previous, stream->kept_id));
    uint64_t epoch = receive_epoch(receive, claim);
    if (!is_doubtful || (!goes_on && !begins) ||
        epoch < (goes_on ? receive->alternate_epoch : stream->kept_epoch))
        return false;
    receive_append(receive, slot, frame, claim,
                   &(struct step_run){.key = *key, .purpose = RUN_ALTERNATE});
    stream->alternate = receive->link;
    receive->alternate = slot;
    receive->alternate_next = header->sequence + 1;
    receive->alternate_id = claim->id;
    receive->alternate_epoch = epoch;
    return true;
}

/* The position is known: does the record bring a body or key that is missing, or stand against
 * what is here? */
static void receive_again(struct receive *receive, uint32_t slot, const struct frame_record *frame,
                          const struct record_claim *claim, const struct sign_key *key)
{
    struct engine *engine = receive->engine;
    struct stream *stream = &engine->streams.all[slot];
    uint64_t sequence = claim->header.sequence;
    struct missing *missing = streams_missing_find(&engine->streams, slot, sequence);
    bool is_clear = claim->header.audience == AUDIENCE_CLEAR;
    if (missing != NULL && ID_EQUAL(missing->record, claim->id)) {
        if (missing->is_lost) { /* whatever there is of it; the rest is asked for again */
            (void)receive_add(receive, frame, claim);
            receive_run(receive, slot, sequence, key)->purpose = RUN_REPAIR;
            return;
        }
        if (claim->is_bare || (!is_clear && !frame->has_key))
            return;
        if ((receive_add(receive, frame, claim)->flags & RECORD_BARE) != 0) {
            receive->batch.record_count--; /* expired or erased meanwhile: not missing any more */
            streams_missing_remove(&engine->streams, slot, sequence);
            return;
        }
        receive_run(receive, slot, sequence, key)->purpose = RUN_FILL;
        return;
    }
    if (sequence == stream->tail && sequence == stream->kept &&
        !ID_EQUAL(stream->tail_id, claim->id) && !PLANTED(DUPLICATE_BY_SEQUENCE)) {
        (void)receive_add(receive, frame, claim);
        receive_run(receive, slot, sequence, key)->purpose = RUN_CONFLICT;
    }
}

/* (T-21) Whoever wrote so much that it has to wait. What it wrote is asked for again. */
static bool receive_is_spent(const struct engine *engine, const struct node_id *writer)
{
    const struct roster_entry *member = roster_find(engine->roster, writer);
    const struct chain_link *admitted =
        member == NULL ? NULL : chain_since(&engine->roster->chain, member->admitted_epoch);
    return admitted != NULL && !ID_EQUAL(*writer, engine->config.self) &&
           writer_quota_is_spent(&engine->writer_quota, writer, admitted->received, engine->wall);
}

/* What must hold before the record's place is looked at. OK, or the reason to pass it over. */
static err receive_admit(struct receive *receive, const struct record_claim *claim,
                         struct sign_key *ret_key)
{
    struct engine *engine = receive->engine;
    const struct record_header *header = &claim->header;
    if (!ID_EQUAL(header->federation, engine->config.federation))
        return ERR_MALFORMED;
    if (!access_shares(engine, &engine->config.self, &header->stream))
        return ERR_NOT_ENTITLED;
    err failure = access_write(engine, header, ret_key);
    if (failure != OK)
        return failure;
    if (receive_is_spent(engine, &header->stream.writer))
        return ERR_OVER_BUDGET;
    /* (T-3) its time is its writer's word, and decides nothing here */
    if (PLANTED(FUTURE_HOLDS_STREAM) && header->time.ms > engine->wall.ms + CLOCK_SKEW_MS_MAX)
        return ERR_FUTURE;
    if (chain_find(&engine->roster->chain, &header->head) == NULL) {
        if (!receive->asked_heads && receive->peer != NULL)
            sync_want_heads(engine, receive->peer, receive->step);
        receive->asked_heads = true;
        return ERR_UNKNOWN_HEAD;
    }
    return OK;
}

/* A stream that is not here yet: its generation is the first, or follows one that is here. */
static bool receive_may_open(const struct engine *engine, const struct record_claim *claim)
{
    struct stream_id before = claim->header.stream;
    before.generation--;
    return before.generation == 0 || streams_find(&engine->streams, &before) != STREAM_NONE ||
           generation_is_after_fork(engine, &claim->header.stream);
}

/* A later generation begins. (T-16) Nothing is looked for on the word of somebody who may have made
 * it up. */
static err receive_follow(struct receive *receive, const struct frame_record *frame,
                          const struct record_claim *claim, const struct sign_key *key)
{
    struct stream_id before = claim->header.stream;
    err failure = generation_follows(receive->engine, claim);
    if (failure != ERR_NOT_FOUND)
        return failure;
    before.generation--;
    uint32_t slot = streams_find(&receive->engine->streams, &before);
    receive_add(receive, frame, claim)->record.size = RECORD_BARE_SIZE;
    receive_run(receive, slot, claim->header.sequence, key)->purpose = RUN_LOOKUP;
    return ERR_NOT_FOUND;
}

bool receive_takes_erase(const struct engine *engine, const struct record_claim *claim)
{
    const struct record_header *header = &claim->header;
    const struct roster_entry *writer = roster_find(engine->roster, &header->stream.writer);
    struct statement statement;
    struct case_id case_id = scope_case_id(&header->stream.scope);
    return header->stream.scope.kind == SCOPE_CASE && header->audience == AUDIENCE_CLEAR &&
           !claim->is_bare && ID_EQUAL(header->federation, engine->config.federation) &&
           writer != NULL && writer->state != MEMBER_REMOVED &&
           access_shares(engine, &engine->config.self, &header->stream) &&
           !case_table_is_erased(engine, &case_id) &&
           statement_read(claim->body, &statement) == OK && statement.kind == KIND_ERASE;
}

/* A record beyond what was handed to the store. */
static err receive_go_on(struct receive *receive, uint32_t slot, const struct frame_record *frame,
                         const struct record_claim *claim, const struct sign_key *key)
{
    struct engine *engine = receive->engine;
    const struct record_header *header = &claim->header;
    struct stream *stream = &engine->streams.all[slot];
    bool is_next = header->sequence == stream->next + 1;
    bool fits = is_next && (stream->next == 0 || ID_EQUAL(header->previous, stream->next_id));
    /* what comes before it is not here, or is another's word that is being checked */
    if (!is_next || (!fits && stream->next != stream->kept)) {
        if (receive->peer == NULL)
            return ERR_OUT_OF_ORDER;
        sync_claimed(engine, receive->peer, slot, header->sequence);
        return receive_takes_erase(engine, claim) ? ERR_OUT_OF_ORDER : OK;
    }
    if (receive_epoch(receive, claim) < stream->next_epoch && !PLANTED(HEADS_FALL)) /* (T-9) */
        return ERR_OUT_OF_ORDER;
    if (!fits) {
        /* whoever sent this holds another record where ours ends: get it, to see both */
        if (stream->next == stream->tail && !receive->asked_tail && receive->peer != NULL)
            sync_want_one(engine, receive->peer, slot, stream->tail, receive->step);
        receive->asked_tail = true;
        return ERR_OUT_OF_ORDER;
    }
    receive_extend(receive, slot, frame, claim, key);
    return OK;
}

static err receive_place(struct receive *receive, const struct frame_record *frame,
                         const struct record_claim *claim)
{
    struct engine *engine = receive->engine;
    const struct record_header *header = &claim->header;
    struct sign_key key;
    err failure = receive_admit(receive, claim, &key);
    if (failure != OK)
        return failure;
    uint32_t slot = streams_find(&engine->streams, &header->stream);
    if (slot == STREAM_NONE && !receive_may_open(engine, claim))
        return ERR_OUT_OF_ORDER;
    bool is_opening = header->stream.generation > 1 && header->sequence == 1 &&
                      (slot == STREAM_NONE || engine->streams.all[slot].kept == 0);
    failure = is_opening ? receive_follow(receive, frame, claim, &key) : OK;
    if (failure != OK)
        return failure == ERR_NOT_FOUND ? OK : failure;
    if (slot == STREAM_NONE)
        slot = sync_slot(engine, &header->stream);
    if (slot == STREAM_NONE)
        return ERR_FULL;
    struct stream *stream = &engine->streams.all[slot];
    if ((stream->flags & STREAM_FORKED) != 0)
        return ERR_FORKED;
    if (receive->peer != NULL && stream->forger.value == receive->link.value &&
        stream->forged_until.ms > engine->now.ms)
        return ERR_OVER_BUDGET;
    if (header->sequence <= stream->kept)
        receive_again(receive, slot, frame, claim, &key);
    else if (!receive_alternate(receive, slot, frame, claim, &key))
        return receive_go_on(receive, slot, frame, claim, &key);
    return OK;
}

static bool receive_erase(struct receive *receive, const struct frame_record *frame,
                          const struct record_claim *claim)
{
    struct engine *engine = receive->engine;
    if (!receive_takes_erase(engine, claim))
        return false;
    uint32_t slot = sync_slot(engine, &claim->header.stream);
    if (slot == STREAM_NONE)
        return false;
    const struct roster_entry *writer = roster_find(engine->roster, &claim->header.stream.writer);
    (void)receive_add(receive, frame, claim);
    receive_run(receive, slot, claim->header.sequence, &writer->sign_key)->purpose = RUN_DETACHED;
    return true;
}

void receive_charge(struct peer *peer, const struct step_batch *batch)
{
    peer->checking += (uint32_t)batch->record_count;
    for (size_t i = 0; i < batch->record_count; i++)
        peer->checking_size += batch->records[i].charge;
}

void receive_discharge(struct peer *peer, const struct step_batch *batch)
{
    peer->checking -= (uint32_t)batch->record_count;
    for (size_t i = 0; i < batch->record_count; i++)
        peer->checking_size -= batch->records[i].charge;
}

void receive_frame(struct engine *engine, struct peer *peer, struct bytes frame, struct step *step)
{
    struct reader reader;
    uint16_t count;
    err failure = frame_records_open(frame, &reader, &count);
    if (failure == OK && count > STEP_RECORD_COUNT_MAX)
        failure = ERR_TOO_LARGE;
    if (failure == OK && (peer->checking + count > PEER_CHECKING_MAX ||
                          peer->checking_size + frame.size > PEER_CHECKING_SIZE_MAX ||
                          !forgers_may_check(&engine->forgers, &peer->node, engine->now)))
        failure = ERR_OVER_BUDGET;
    if (failure != OK) {
        peers_refuse(engine, peer, step, "records-refused", failure);
        return;
    }
    struct receive receive = {
        .engine = engine, .peer = peer, .link = peer->link, .step = step, .alternate = STREAM_NONE};
    receive.batch.records = step_reserve(step, count * sizeof *receive.batch.records);
    receive.batch.runs = step_reserve(step, count * sizeof *receive.batch.runs);
    for (uint16_t i = 0; i < count; i++) {
        struct frame_record record;
        struct record_claim claim;
        failure = frame_record_read(&reader, &record);
        if (failure == OK)
            failure = record_parse(record.record, &claim);
        if (failure != OK) {
            peers_refuse(engine, peer, step, "records-malformed", failure);
            break;
        }
        sync_answered(engine, peer, &claim.header.stream, claim.header.sequence);
        receive_is_inside(&receive, &claim.header.stream);
        failure = receive_place(&receive, &record, &claim);
        if (failure == OK)
            continue;
        bool is_stopped = failure == ERR_FORKED || failure == ERR_UNKNOWN_MEMBER ||
                          failure == ERR_OUT_OF_ORDER || failure == ERR_OVER_BUDGET;
        if (is_stopped && receive_erase(&receive, &record, &claim))
            continue;
        peers_refuse(engine, peer, step, "record-passed-over", failure);
        uint32_t slot = streams_find(&engine->streams, &claim.header.stream);
        if (slot != STREAM_NONE) /* asking again at once would bring the same */
            sync_pass_over(engine, peer, slot, failure);
    }
    if (receive.batch.run_count == 0)
        return;
    receive_charge(peer, &receive.batch);
    forgers_checks(&engine->forgers, &peer->node, (uint32_t)receive.batch.run_count);
    struct effect *effect = step_effect(step, EFFECT_CHECK);
    effect->link = peer->link;
    effect->batch = receive.batch;
}

err receive_enclosed(struct engine *engine, const struct frame_record *record, struct step *step)
{
    struct receive receive = {.engine = engine, .step = step, .alternate = STREAM_NONE};
    struct record_claim claim;
    receive.batch.records = step_reserve(step, sizeof *receive.batch.records);
    receive.batch.runs = step_reserve(step, sizeof *receive.batch.runs);
    err failure = record_parse(record->record, &claim);
    if (failure != OK)
        return ERR_MALFORMED;
    failure = receive_place(&receive, record, &claim);
    bool is_stopped =
        failure == ERR_FORKED || failure == ERR_UNKNOWN_MEMBER || failure == ERR_OUT_OF_ORDER;
    if (is_stopped && receive_erase(&receive, record, &claim))
        failure = OK;
    if (failure != OK)
        return failure;
    if (receive.batch.run_count > 0) {
        step_effect(step, EFFECT_CHECK)->batch = receive.batch;
        return ERR_BUSY;
    }
    uint32_t slot = streams_find(&engine->streams, &claim.header.stream);
    return slot != STREAM_NONE && engine->streams.all[slot].tail >= claim.header.sequence
               ? OK
               : ERR_OUT_OF_ORDER;
}
