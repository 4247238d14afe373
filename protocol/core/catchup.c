#include "protocol/core/catchup.h"

#include <string.h>

#include "protocol/core/casework.h"
#include "protocol/core/entitlement.h"
#include "protocol/core/equivocation.h"
#include "protocol/core/generation.h"
#include "protocol/core/gossip.h"
#include "protocol/hash.h"

enum {
    CATCHUP_WANTS_A_PUMP = 64,
    CATCHUP_FRAME_RECORDS_SIZE = FRAME_SIZE_MAX - 64,
    CATCHUP_CONFLICTS_A_PAGE = 16,
};

/* Where a writer's stream ends for everyone: that of who is suspended or equivocated is frozen
 * wherever each holds it, a removed one counts up to its cut. False when there is nothing to
 * compare. */
static bool catchup_end(const struct core *core, const struct stream *stream, uint64_t *ret_tail,
                        struct record_id *ret_id)
{
    const struct roster_entry *writer = roster_find(core->roster, &stream->id.writer);
    struct cut cut;
    *ret_tail = stream->tail;
    *ret_id = stream->tail_id;
    if (writer == NULL || writer->state == MEMBER_SUSPENDED ||
        equivocation_is_frozen(core, &stream->id.writer))
        return false;
    if (writer->state != MEMBER_REMOVED)
        return true;
    if (!roster_cut(core->roster, &stream->id, &cut))
        return false;
    if (stream->tail > cut.sequence) {
        *ret_tail = cut.sequence;
        *ret_id = cut.record;
    }
    return true;
}

/* A stream that has something to compare: forked ones are left out, as are streams without a
 * record. */
static bool catchup_lists(const struct core *core, const struct peer *peer, uint32_t slot)
{
    const struct stream *stream = &core->streams.all[slot];
    uint64_t tail;
    struct record_id tail_id;
    return stream->tail > 0 && (stream->flags & STREAM_FORKED) == 0 &&
           catchup_end(core, stream, &tail, &tail_id) &&
           entitlement_shares(core, &peer->node, &stream->id) &&
           entitlement_shares(core, &core->config.self, &stream->id);
}

static struct hash catchup_stream_hash(const struct core *core, const struct stream *stream)
{
    uint64_t tail;
    struct record_id tail_id;
    (void)catchup_end(core, stream, &tail, &tail_id);
    uint8_t memory[STREAM_ID_SIZE + 8 + HASH_SIZE];
    struct buffer buffer = buffer_over(memory, sizeof memory);
    stream_id_write(&buffer, &stream->id);
    buffer_u64(&buffer, tail);
    buffer_put(&buffer, tail_id.bytes, HASH_SIZE);
    return hash_one(CONTEXT_SUMMARY, buffer_bytes(&buffer));
}

static struct frame_summary catchup_digest(const struct core *core, const struct peer *peer)
{
    struct frame_summary summary = {.stream_count = 0};
    for (uint32_t slot = 0; slot < core->streams.count; slot++) {
        if (!catchup_lists(core, peer, slot))
            continue;
        struct hash hash = catchup_stream_hash(core, &core->streams.all[slot]);
        for (size_t i = 0; i < HASH_SIZE; i++)
            summary.digest.bytes[i] ^= hash.bytes[i];
        summary.stream_count++;
    }
    return summary;
}

static void catchup_send_summary(struct core *core, struct peer *peer, struct step *step)
{
    struct frame_summary summary = catchup_digest(core, peer);
    struct buffer frame = core_frame(step, 64);
    frame_summary_write(&frame, &summary);
    core_send(step, peer->link, &frame);
    peer->summary_at.ms = core->now.ms + SUMMARY_INTERVAL_MS;
}

void catchup_summary(struct core *core, struct peer *peer, struct bytes frame, struct step *step)
{
    struct frame_summary theirs;
    err failure = frame_summary_read(frame, &theirs);
    if (failure != OK) {
        core_refuse(core, peer, step, "summary-malformed", failure);
        return;
    }
    struct frame_summary ours = catchup_digest(core, peer);
    bool is_same = theirs.stream_count == ours.stream_count && ID_EQUAL(theirs.digest, ours.digest);
    bool is_first = !peer->is_heard;
    peer->is_heard = true;
    if (is_same)
        generation_heard(core, peer);
    if (!is_same && (peer->listing == STREAM_NONE || peer->is_listing_its_own)) {
        peer->listing = 0;
        peer->is_listing_its_own = false;
    } else if (is_same && is_first && peer->listing == STREAM_NONE) {
        /* (W-30) what others handed on to us, its writer does not know that we have */
        peer->listing = 0;
        peer->is_listing_its_own = true;
    }
}

/* One page of positions; the listing goes on in a later step. */
static void catchup_list(struct core *core, struct peer *peer, struct step *step)
{
    size_t room = 3 + (size_t)FRAME_POSITION_COUNT_MAX * FRAME_POSITION_SIZE;
    struct buffer frame = core_frame(step, room);
    uint16_t count = 0;
    frame_positions_begin(&frame, FRAME_STREAMS, 0);
    while (peer->listing < core->streams.count && count < FRAME_POSITION_COUNT_MAX) {
        uint32_t slot = peer->listing++;
        if (!catchup_lists(core, peer, slot) ||
            (peer->is_listing_its_own && !ID_EQUAL(core->streams.all[slot].id.writer, peer->node)))
            continue;
        struct frame_position position = gossip_position(core, slot);
        frame_position_write(&frame, &position);
        count++;
    }
    frame.data[1] = (uint8_t)(count >> 8);
    frame.data[2] = (uint8_t)count;
    if (peer->listing >= core->streams.count)
        peer->listing = STREAM_NONE;
    if (count > 0)
        core_send(step, peer->link, &frame);
}

/* Members times scopes times generations bound the table, not what a peer makes up. A stream of our
 * own in a case that is not here can only be one that we lost. */
static bool catchup_is_plausible(const struct core *core, const struct stream_id *id)
{
    struct stream_id before = *id;
    before.generation--;
    uint32_t slot = streams_find(&core->streams, &before);
    bool follows = slot != STREAM_NONE && core->streams.all[slot].tail > 0;
    return (id->generation == 1 || (follows && id->generation <= GENERATION_COUNT_MAX)) &&
           entitlement_has_place(core, &id->scope, &id->writer);
}

static bool catchup_is_lost(const struct core *core, const struct stream_id *id)
{
    struct case_id case_id;
    memcpy(case_id.bytes, id->scope.id, HASH_SIZE);
    return id->scope.kind == SCOPE_CASE && !casework_is_known(core, &case_id);
}

uint32_t catchup_slot(struct core *core, const struct stream_id *id)
{
    uint32_t slot = streams_find(&core->streams, id);
    if (slot != STREAM_NONE || !catchup_is_plausible(core, id))
        return slot;
    bool is_lost = catchup_is_lost(core, id);
    if (is_lost && core->lost_count >= LOST_COUNT_MAX)
        return STREAM_NONE;
    slot = streams_add(&core->streams, id);
    if (slot != STREAM_NONE && is_lost)
        core->lost_count++;
    return slot;
}

static uint16_t catchup_place(const struct core *core, const struct peer *peer)
{
    return (uint16_t)(peer - core->peers);
}

void catchup_claimed(struct core *core, const struct peer *peer, uint32_t slot, uint64_t to)
{
    streams_want(&core->streams, slot, to, catchup_place(core, peer));
}

/* Both end at one position, and not in one record: get the other one, to see both. */
static bool catchup_conflicts(const struct core *core, uint32_t slot,
                              const struct frame_position *position)
{
    const struct stream *stream = &core->streams.all[slot];
    return position->tail > 0 && position->tail == stream->tail && stream->kept == stream->tail &&
           (stream->flags & STREAM_FORKED) == 0 &&
           position->tail_hint != gossip_position(core, slot).tail_hint;
}

void catchup_positions(struct core *core, struct peer *peer, struct bytes frame, struct step *step)
{
    int conflicts = 0;
    struct reader reader;
    uint16_t count;
    struct frame_position position;
    err failure = frame_positions_open(frame, &reader, &count);
    for (uint16_t i = 0; failure == OK && i < count; i++) {
        failure = frame_position_read(&reader, &position);
        if (failure != OK)
            break;
        uint32_t slot = streams_find(&core->streams, &position.stream);
        if (slot != STREAM_NONE)
            gossip_hear(core, peer, slot, &position, step);
        if (frame.data[0] == FRAME_ACK || position.tail == 0 ||
            !entitlement_shares(core, &core->config.self, &position.stream) ||
            equivocation_is_frozen(core, &position.stream.writer))
            continue;
        if (slot == STREAM_NONE)
            slot = catchup_slot(core, &position.stream);
        if (slot == STREAM_NONE)
            continue;
        if (catchup_conflicts(core, slot, &position) && conflicts++ < CATCHUP_CONFLICTS_A_PAGE)
            catchup_want_one(core, peer, slot, position.tail, step);
        catchup_claimed(core, peer, slot, position.tail);
    }
    if (failure != OK)
        core_refuse(core, peer, step, "positions-malformed", failure);
    else if (frame.data[0] == FRAME_STREAMS && peer->is_heard && count < FRAME_POSITION_COUNT_MAX)
        generation_heard(core, peer); /* the last page */
}

static void catchup_send_want(struct peer *peer, const struct stream_id *id, uint64_t from,
                              uint16_t count, struct step *step)
{
    struct frame_want want = {*id, from, count};
    struct buffer frame = core_frame(step, 1 + STREAM_ID_SIZE + 10);
    frame_want_write(&frame, &want);
    core_send(step, peer->link, &frame);
}

void catchup_want_one(struct core *core, struct peer *peer, uint32_t slot, uint64_t sequence,
                      struct step *step)
{
    catchup_send_want(peer, &core->streams.all[slot].id, sequence, 1, step);
}

void catchup_want_heads(struct core *core, const struct peer *peer, struct step *step)
{
    const struct chain_link *last = chain_last(&core->roster->chain);
    const struct roster_head *current = roster_current_head(core->roster);
    struct frame_heads_want want = {.epoch = last == NULL ? 0 : last->epoch};
    if (current != NULL)
        want.base = roster_current_id(core->roster);
    struct buffer frame = core_frame(step, 64);
    frame_heads_want_write(&frame, &want);
    core_send(step, peer->link, &frame);
}

void catchup_want_proof(const struct peer *peer, struct step *step)
{
    struct frame_heads_want want = {.epoch = peer->epoch > 0 ? peer->epoch - 1 : 0,
                                    .base = peer->head};
    struct buffer frame = core_frame(step, 64);
    frame_heads_want_write(&frame, &want);
    core_send(step, peer->link, &frame);
}

/* Nobody owes an answer about the stream any more. */
static void catchup_unask(struct core *core, uint32_t slot)
{
    struct stream *stream = &core->streams.all[slot];
    struct peer *peer = core_peer_of_link(core, stream->asked);
    if (stream->want_until.ms != 0 && peer != NULL && peer->wanting > 0)
        peer->wanting--;
    stream->want_until = (struct mono){0};
    stream->asked = (struct link_id){0};
}

/* Who was asked does not have what it claimed: others are asked before it. */
static void catchup_give_up(struct core *core, uint32_t slot)
{
    streams_be_late(&core->streams, slot, core->streams.all[slot].asked_place);
    catchup_unask(core, slot);
    streams_settle(&core->streams, slot);
}

void catchup_pass_over(struct core *core, const struct peer *peer, uint32_t slot)
{
    streams_disclaim(&core->streams, slot, catchup_place(core, peer));
    if (core->streams.all[slot].asked.value == peer->link.value)
        catchup_unask(core, slot);
    streams_settle(&core->streams, slot);
}

void catchup_answered(struct core *core, struct peer *peer, const struct stream_id *id,
                      uint64_t from)
{
    uint32_t slot = streams_find(&core->streams, id);
    if (slot == STREAM_NONE || core->streams.all[slot].want_until.ms == 0 ||
        core->streams.all[slot].asked.value != peer->link.value ||
        core->streams.all[slot].asked_from != from)
        return;
    catchup_unask(core, slot);
    streams_settle(&core->streams, slot);
}

/* The next one in turn who says that it has more, and can be asked now. */
static struct peer *catchup_giver(struct core *core, uint32_t slot)
{
    uint16_t first = LINK_COUNT_MAX, place = core->streams.all[slot].asked_place;
    for (;;) {
        place = streams_next_claim(&core->streams, slot, place);
        if (place == LINK_COUNT_MAX || place == first)
            return NULL;
        struct peer *peer = &core->peers[place];
        bool is_busy = peer->wanting >= PEER_WANTING_MAX || peer->checking > PEER_CHECKING_MAX / 2;
        if (peer->is_greeted && !is_busy)
            return peer;
        if (!peer->is_greeted)
            streams_disclaim(&core->streams, slot, place); /* it left */
        else if (first == LINK_COUNT_MAX)
            first = place;
    }
}

/* From where a peer is asked: behind what is being checked, unless that may be somebody's forgery.
 */
static uint64_t catchup_from(const struct core *core, const struct stream *stream,
                             const struct peer *peer)
{
    bool is_doubtful = stream->spoiled_until.ms > core->now.ms && stream->next > stream->kept &&
                       stream->pending.value != peer->link.value;
    return (is_doubtful ? stream->kept : stream->next) + 1;
}

/* Asks for the next range of one stream that is behind. False when it cannot be asked now. */
static bool catchup_pump_stream(struct core *core, uint32_t slot, struct step *step)
{
    struct stream *stream = &core->streams.all[slot];
    if (stream->want_until.ms != 0 && stream->want_until.ms <= core->now.ms)
        catchup_give_up(core, slot);
    else if (stream->want_until.ms != 0 && core_peer_of_link(core, stream->asked) == NULL)
        catchup_unask(core, slot);
    if (stream->want_until.ms != 0)
        return false;
    struct peer *peer = catchup_giver(core, slot);
    streams_settle(&core->streams, slot);
    if (peer == NULL || !stream->is_behind || stream->beside.value == peer->link.value)
        return false;
    uint64_t from = catchup_from(core, stream, peer);
    if (from > stream->want_to)
        return false; /* it is being checked */
    uint64_t missing = stream->want_to - from + 1;
    uint16_t count = missing > STEP_RECORD_COUNT_MAX ? STEP_RECORD_COUNT_MAX : (uint16_t)missing;
    catchup_send_want(peer, &stream->id, from, count, step);
    stream->want_until.ms = core->now.ms + WANT_TIMEOUT_MS;
    stream->asked = peer->link;
    stream->asked_place = catchup_place(core, peer);
    stream->asked_from = from;
    peer->wanting++;
    return true;
}

void catchup_pump(struct core *core, struct step *step)
{
    if (core->is_full || !core->is_started)
        return;
    int budget = CATCHUP_WANTS_A_PUMP;
    uint32_t slot = core->streams.behind_first, last = core->streams.behind_last;
    for (int looked = 0; slot != STREAM_NONE && budget > 0 && looked < 4 * CATCHUP_WANTS_A_PUMP;
         looked++) {
        uint32_t after = slot == last ? STREAM_NONE : core->streams.all[slot].behind_next;
        if (catchup_pump_stream(core, slot, step))
            budget--;
        streams_put_back(&core->streams, slot);
        slot = after;
    }
}

/* The next peer in turn that shares the stream, so that one that cannot or will not give what fits
 * holds up nothing. */
static struct peer *catchup_next_helper(struct core *core, struct lack *lack)
{
    for (size_t i = 1; i <= LINK_COUNT_MAX; i++) {
        struct peer *peer = &core->peers[(lack->asked + i) % LINK_COUNT_MAX];
        if (!peer->is_greeted ||
            !entitlement_shares(core, &peer->node, &core->streams.all[lack->stream].id))
            continue;
        lack->asked = (uint16_t)(peer - core->peers);
        return peer;
    }
    return NULL;
}

/* (T-23) */
static uint64_t catchup_lack_pause(struct lack *lack)
{
    uint64_t pause = (uint64_t)LACK_RETRY_MS << lack->tries;
    if (pause >= LACK_RETRY_MS_MAX)
        return LACK_RETRY_MS_MAX;
    lack->tries++;
    return pause;
}

/* Asks for positions whose body or key we lack. */
static void catchup_want_lacks(struct core *core, struct step *step)
{
    int budget = CATCHUP_WANTS_A_PUMP;
    if (core->lacks_at.ms > core->now.ms || core->is_full)
        return;
    core->lacks_at.ms = core->now.ms + LACK_LOOK_MS;
    for (uint32_t i = 0; i < core->streams.lack_count && budget > 0; i++) {
        struct lack *lack = &core->streams.lacks[i];
        if (lack->stream == STREAM_NONE || lack->is_sealed || lack->retry_at.ms > core->now.ms)
            continue;
        struct peer *peer = catchup_next_helper(core, lack);
        if (peer == NULL)
            continue;
        lack->retry_at.ms = core->now.ms + catchup_lack_pause(lack);
        catchup_want_one(core, peer, lack->stream, lack->sequence, step);
        budget--;
    }
}

void catchup_retry(struct core *core)
{
    core->lacks_at = (struct mono){0};
    for (uint32_t i = 0; i < core->streams.lack_count; i++) {
        struct lack *lack = &core->streams.lacks[i];
        lack->retry_at = (struct mono){0};
        lack->tries = 0;
    }
    for (size_t i = 0; i < LINK_COUNT_MAX; i++)
        core->peers[i].summary_at = (struct mono){0};
}

void catchup_offer(struct core *core)
{
    for (size_t i = 0; i < LINK_COUNT_MAX; i++) {
        if (core->peers[i].is_greeted) {
            core->peers[i].listing = 0;
            core->peers[i].is_listing_its_own = false;
        }
    }
}

void catchup_tick(struct core *core, struct step *step)
{
    for (size_t i = 0; i < LINK_COUNT_MAX; i++) {
        struct peer *peer = &core->peers[i];
        if (!peer->is_greeted || !step_has_room(step, 256, 2 * FRAME_SIZE_MAX))
            continue;
        if (peer->summary_at.ms <= core->now.ms) {
            catchup_send_summary(core, peer, step);
            casework_spread(core, peer, step);
        }
        if (peer->listing != STREAM_NONE)
            catchup_list(core, peer, step);
    }
    if (step_has_room(step, 256, FRAME_SIZE_MAX))
        catchup_want_lacks(core, step);
}

bool catchup_busy(const struct core *core)
{
    for (size_t i = 0; i < LINK_COUNT_MAX; i++) {
        const struct peer *peer = &core->peers[i];
        if (peer->is_greeted &&
            (peer->listing != STREAM_NONE || peer->summary_at.ms <= core->now.ms))
            return true;
    }
    return false;
}

/* ---- answering ---- */

static void catchup_answer(const struct peer *peer, const struct core *core,
                           const struct frame_want *want, enum frame_answer answer,
                           struct step *step)
{
    struct frame_status status = {want->stream, want->from, answer,
                                  roster_current_id(core->roster)};
    struct buffer frame = core_frame(step, 1 + STREAM_ID_SIZE + 8 + 1 + HASH_SIZE);
    frame_status_write(&frame, &status);
    core_send(step, peer->link, &frame);
}

void catchup_want(struct core *core, struct peer *peer, struct bytes frame, struct step *step)
{
    struct frame_want want;
    err failure = frame_want_read(frame, &want);
    if (failure != OK) {
        core_refuse(core, peer, step, "want-malformed", failure);
        return;
    }
    uint32_t slot = streams_find(&core->streams, &want.stream);
    bool is_shared = entitlement_shares(core, &peer->node, &want.stream);
    if (slot == STREAM_NONE || !is_shared || core->streams.all[slot].tail < want.from) {
        catchup_answer(peer, core, &want, FRAME_NOT_HELD, step);
        return;
    }
    if (peer->loading >= PEER_LOADING_MAX || !core_may_hand_keys(core)) {
        catchup_answer(peer, core, &want, FRAME_BUSY, step);
        return;
    }
    peer->loading++;
    struct effect *effect = step_effect(step, EFFECT_LOAD);
    effect->link = peer->link;
    effect->load.slot = slot;
    effect->load.stream = want.stream;
    effect->load.from = want.from;
    effect->load.count = want.count < STEP_RECORD_COUNT_MAX ? want.count : STEP_RECORD_COUNT_MAX;
    if (want.count > 1 && want.count < RUN_COUNT_MAX)
        effect->load.count = RUN_COUNT_MAX; /* to where a checked signature stands */
    effect->load.size_max = CATCHUP_FRAME_RECORDS_SIZE;
}

/* Appends one loaded record as the peer may have it. False when the frame is full. */
static bool catchup_hand(struct core *core, const struct peer *peer,
                         const struct step_record *record, struct buffer *frame)
{
    struct record_claim claim;
    if (record_parse(record->record, &claim) != OK)
        return true; /* not ours to pass on */
    struct frame_record out = {
        .has_key = record->has_key, .key = record->key, .record = record->record};
    if (claim.header.audience != AUDIENCE_CLEAR &&
        (!core_may_hand_to(core, peer) || entitlement_read(core, &peer->node, &claim) != OK)) {
        out.has_key = false;
        out.record.size = RECORD_BARE_SIZE;
    }
    if (frame->size + FRAME_RECORD_OVERHEAD + out.record.size > frame->capacity)
        return false;
    frame_record_write(frame, &out);
    return true;
}

/* Positions that were here are not to be read any more: whoever asked need not wait for them. */
static void catchup_has_not(const struct core *core, const struct peer *peer,
                            const struct event *event, struct step *step)
{
    if (event->batch.run_count != 1 || event->batch.runs->stream >= core->streams.count)
        return;
    struct frame_want want = {.stream = core->streams.all[event->batch.runs->stream].id,
                              .from = event->batch.runs->first};
    catchup_answer(peer, core, &want, FRAME_NOT_HELD, step);
}

void catchup_loaded(struct core *core, const struct event *event, struct step *step)
{
    struct peer *peer = core_peer_of_link(core, event->link);
    if (peer == NULL)
        return;
    if (peer->loading > 0)
        peer->loading--;
    if (event->verdict != OK || event->batch.record_count == 0) {
        catchup_has_not(core, peer, event, step);
        return;
    }
    struct buffer frame = core_frame(step, FRAME_SIZE_MAX);
    uint16_t count = 0, signed_count = 0;
    size_t signed_size = 0;
    frame_records_begin(&frame);
    for (size_t i = 0; i < event->batch.record_count; i++) {
        if (!catchup_hand(core, peer, &event->batch.records[i], &frame))
            break;
        count++;
        if ((event->batch.records[i].flags & RECORD_UNSIGNED) == 0) {
            signed_count = count;
            signed_size = frame.size;
        }
    }
    if (signed_count > 0) { /* (W-12) an answer ends in a signature that was checked here */
        count = signed_count;
        frame.size = signed_size;
    }
    frame_records_end(&frame, count);
    if (count > 0)
        core_send(step, peer->link, &frame);
}

void catchup_status(struct core *core, struct peer *peer, struct bytes frame, struct step *step)
{
    struct frame_status status;
    err failure = frame_status_read(frame, &status);
    if (failure != OK) {
        core_refuse(core, peer, step, "status-malformed", failure);
        return;
    }
    uint32_t slot = streams_find(&core->streams, &status.stream);
    if (slot == STREAM_NONE || core->streams.all[slot].want_until.ms == 0 ||
        core->streams.all[slot].asked.value != peer->link.value)
        return;
    catchup_give_up(core, slot);
}
