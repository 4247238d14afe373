#include "protocol/replication/sync.h"

#include <string.h>

#include "protocol/base/hash.h"
#include "protocol/base/planted.h"
#include "protocol/replication/generation.h"
#include "protocol/replication/push.h"
#include "protocol/state/access.h"
#include "protocol/state/equivocation.h"

enum {
    MISSING_LOOK_MS = 1000,
    MISSING_RETRY_MS = 1000, /* and twice as long each time */
    MISSING_RETRY_MS_MAX = 30 * 1000,
    SYNC_WANTS_A_PUMP = 64,
    SYNC_FRAME_RECORDS_SIZE = FRAME_SIZE_MAX - 64,
    SYNC_CONFLICTS_A_PAGE = 16,
};

/* Where a writer's stream ends for everyone: that of who is suspended or equivocated is frozen
 * wherever each holds it, a removed one counts up to its cut. False when there is nothing to
 * compare. */
static bool sync_end(const struct engine *engine, const struct stream *stream, uint64_t *ret_tail,
                     struct record_id *ret_id)
{
    const struct roster_entry *writer = roster_find(engine->roster, &stream->id.writer);
    struct cut cut;
    *ret_tail = stream->tail;
    *ret_id = stream->tail_id;
    if (writer == NULL || writer->state == MEMBER_SUSPENDED ||
        equivocation_is_frozen(engine, &stream->id.writer))
        return false;
    if (writer->state != MEMBER_REMOVED)
        return true;
    if (!roster_cut(engine->roster, &stream->id, &cut))
        return false;
    if (stream->tail > cut.sequence) {
        *ret_tail = cut.sequence;
        *ret_id = cut.record;
    }
    return true;
}

/* A stream that has something to compare: forked ones are left out, as are streams without a
 * record. */
static bool sync_lists(const struct engine *engine, const struct peer *peer, uint32_t slot)
{
    const struct stream *stream = &engine->streams.all[slot];
    uint64_t tail;
    struct record_id tail_id;
    return stream->tail > 0 && (stream->flags & STREAM_FORKED) == 0 &&
           sync_end(engine, stream, &tail, &tail_id) &&
           access_shares(engine, &peer->node, &stream->id) &&
           access_shares(engine, &engine->config.self, &stream->id);
}

static struct hash sync_stream_hash(const struct engine *engine, const struct stream *stream)
{
    uint64_t tail;
    struct record_id tail_id;
    (void)sync_end(engine, stream, &tail, &tail_id);
    uint8_t memory[STREAM_ID_SIZE + 8 + HASH_SIZE];
    struct buffer buffer = buffer_over(memory, sizeof memory);
    stream_id_write(&buffer, &stream->id);
    buffer_u64(&buffer, tail);
    buffer_put(&buffer, tail_id.bytes, HASH_SIZE);
    return hash_one(CONTEXT_SUMMARY, buffer_bytes(&buffer));
}

static struct frame_summary sync_digest(const struct engine *engine, const struct peer *peer)
{
    struct frame_summary summary = {.stream_count = 0};
    for (uint32_t slot = 0; slot < engine->streams.count; slot++) {
        if (!sync_lists(engine, peer, slot))
            continue;
        struct hash hash = sync_stream_hash(engine, &engine->streams.all[slot]);
        for (size_t i = 0; i < HASH_SIZE; i++)
            summary.digest.bytes[i] ^= hash.bytes[i];
        summary.stream_count++;
    }
    return summary;
}

static void sync_send_summary(struct engine *engine, struct peer *peer, struct step *step)
{
    struct frame_summary summary = sync_digest(engine, peer);
    struct buffer frame = peers_frame(step, 64);
    frame_summary_write(&frame, &summary);
    peers_send(step, peer->link, &frame);
    peer->summary_at.ms = engine->now.ms + SUMMARY_INTERVAL_MS;
}

void sync_summary(struct engine *engine, struct peer *peer, struct bytes frame, struct step *step)
{
    struct frame_summary theirs;
    err failure = frame_summary_read(frame, &theirs);
    if (failure != OK) {
        peers_refuse(engine, peer, step, "summary-malformed", failure);
        return;
    }
    struct frame_summary ours = sync_digest(engine, peer);
    bool is_same = theirs.stream_count == ours.stream_count && ID_EQUAL(theirs.digest, ours.digest);
    bool is_first = !peer->is_heard;
    peer->is_heard = true;
    if (is_same)
        generation_heard(engine, peer);
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
static void sync_list(struct engine *engine, struct peer *peer, struct step *step)
{
    size_t room = 3 + (size_t)FRAME_POSITION_COUNT_MAX * FRAME_POSITION_SIZE;
    struct buffer frame = peers_frame(step, room);
    uint16_t count = 0;
    frame_positions_begin(&frame, FRAME_STREAMS, 0);
    while (peer->listing < engine->streams.count && count < FRAME_POSITION_COUNT_MAX) {
        uint32_t slot = peer->listing++;
        if (!sync_lists(engine, peer, slot) ||
            (peer->is_listing_its_own &&
             !ID_EQUAL(engine->streams.all[slot].id.writer, peer->node)))
            continue;
        struct frame_position position = push_position(engine, slot);
        frame_position_write(&frame, &position);
        count++;
    }
    frame.data[1] = (uint8_t)(count >> 8);
    frame.data[2] = (uint8_t)count;
    if (peer->listing >= engine->streams.count)
        peer->listing = STREAM_NONE;
    if (count > 0)
        peers_send(step, peer->link, &frame);
}

/* Members times scopes times generations bound the table, not what a peer makes up. A stream of our
 * own in a case that is not here can only be one that we lost. */
static bool sync_is_plausible(const struct engine *engine, const struct stream_id *id)
{
    struct stream_id before = *id;
    before.generation--;
    uint32_t slot = streams_find(&engine->streams, &before);
    bool follows = (slot != STREAM_NONE && engine->streams.all[slot].tail > 0) ||
                   generation_is_after_fork(engine, id);
    return (id->generation == 1 || (follows && id->generation <= GENERATION_COUNT_MAX)) &&
           access_has_place(engine, &id->scope, &id->writer);
}

static bool sync_is_lost(const struct engine *engine, const struct stream_id *id)
{
    struct case_id case_id = scope_case_id(&id->scope);
    return id->scope.kind == SCOPE_CASE && !case_table_is_known(engine, &case_id);
}

uint32_t sync_slot(struct engine *engine, const struct stream_id *id)
{
    uint32_t slot = streams_find(&engine->streams, id);
    if (slot != STREAM_NONE || !sync_is_plausible(engine, id))
        return slot;
    bool is_lost = sync_is_lost(engine, id);
    if (is_lost && engine->lost_count >= LOST_COUNT_MAX)
        return STREAM_NONE;
    slot = equivocation_add_stream(engine, id);
    if (slot != STREAM_NONE && is_lost)
        engine->lost_count++;
    return slot;
}

static uint16_t sync_place(const struct engine *engine, const struct peer *peer)
{
    return (uint16_t)(peer - engine->peers);
}

/* What was refused lately is not asked for now: while it matters, the next listing tells it again.
 */
void sync_claimed(struct engine *engine, const struct peer *peer, uint32_t slot, uint64_t to)
{
    if (!backoff_holds(&peer->backoffs, slot, engine->now))
        streams_want(&engine->streams, slot, to, sync_place(engine, peer));
}

/* Both end at one position, and not in one record: get the other one, to see both. */
static bool sync_conflicts(const struct engine *engine, uint32_t slot,
                           const struct frame_position *position)
{
    const struct stream *stream = &engine->streams.all[slot];
    return position->tail > 0 && position->tail == stream->tail && stream->kept == stream->tail &&
           (stream->flags & STREAM_FORKED) == 0 &&
           position->tail_hint != push_position(engine, slot).tail_hint;
}

void sync_positions(struct engine *engine, struct peer *peer, struct bytes frame, struct step *step)
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
        uint32_t slot = streams_find(&engine->streams, &position.stream);
        if (slot != STREAM_NONE)
            push_hear(engine, peer, slot, &position, step);
        if (frame.data[0] == FRAME_ACK || position.tail == 0 ||
            !access_shares(engine, &engine->config.self, &position.stream) ||
            equivocation_is_frozen(engine, &position.stream.writer))
            continue;
        if (slot == STREAM_NONE)
            slot = sync_slot(engine, &position.stream);
        if (slot == STREAM_NONE)
            continue;
        if (sync_conflicts(engine, slot, &position) && conflicts++ < SYNC_CONFLICTS_A_PAGE)
            sync_want_one(engine, peer, slot, position.tail, step);
        sync_claimed(engine, peer, slot, position.tail);
    }
    if (failure != OK)
        peers_refuse(engine, peer, step, "positions-malformed", failure);
    else if (frame.data[0] == FRAME_STREAMS && peer->is_heard && count < FRAME_POSITION_COUNT_MAX)
        generation_heard(engine, peer); /* the last page */
}

static void sync_send_want(struct peer *peer, const struct stream_id *id, uint64_t from,
                           uint16_t count, struct step *step)
{
    struct frame_want want = {*id, from, count};
    struct buffer frame = peers_frame(step, 1 + STREAM_ID_SIZE + 10);
    frame_want_write(&frame, &want);
    peers_send(step, peer->link, &frame);
}

void sync_want_one(struct engine *engine, struct peer *peer, uint32_t slot, uint64_t sequence,
                   struct step *step)
{
    sync_send_want(peer, &engine->streams.all[slot].id, sequence, 1, step);
}

void sync_want_heads(struct engine *engine, const struct peer *peer, struct step *step)
{
    const struct chain_link *last = chain_last(&engine->roster->chain);
    const struct roster_head *current = roster_current_head(engine->roster);
    struct frame_heads_want want = {.epoch = last == NULL ? 0 : last->epoch};
    if (current != NULL)
        want.base = roster_current_id(engine->roster);
    struct buffer frame = peers_frame(step, 64);
    frame_heads_want_write(&frame, &want);
    peers_send(step, peer->link, &frame);
}

void sync_want_proof(const struct peer *peer, struct step *step)
{
    struct frame_heads_want want = {.epoch = peer->epoch > 0 ? peer->epoch - 1 : 0,
                                    .base = peer->head};
    struct buffer frame = peers_frame(step, 64);
    frame_heads_want_write(&frame, &want);
    peers_send(step, peer->link, &frame);
}

/* Nobody owes an answer about the stream any more. */
static void sync_unask(struct engine *engine, uint32_t slot)
{
    struct stream *stream = &engine->streams.all[slot];
    struct peer *peer = peers_of_link(engine, stream->asked);
    if (stream->want_until.ms != 0 && peer != NULL && peer->wanting > 0)
        peer->wanting--;
    stream->want_until = (struct mono){0};
    stream->asked = (struct link_id){0};
}

/* Who was asked does not have what it claimed: others are asked before it. */
static void sync_give_up(struct engine *engine, uint32_t slot)
{
    streams_be_late(&engine->streams, slot, engine->streams.all[slot].asked_place);
    sync_unask(engine, slot);
    streams_settle(&engine->streams, slot);
}

void sync_pass_over(struct engine *engine, struct peer *peer, uint32_t slot, err reason)
{
    backoff_refused(&peer->backoffs, slot, reason, engine->now);
    streams_disclaim(&engine->streams, slot, sync_place(engine, peer));
    if (engine->streams.all[slot].asked.value == peer->link.value)
        sync_unask(engine, slot);
    streams_settle(&engine->streams, slot);
}

void sync_answered(struct engine *engine, struct peer *peer, const struct stream_id *id,
                   uint64_t from)
{
    uint32_t slot = streams_find(&engine->streams, id);
    if (slot == STREAM_NONE || engine->streams.all[slot].want_until.ms == 0 ||
        engine->streams.all[slot].asked.value != peer->link.value ||
        engine->streams.all[slot].asked_from != from)
        return;
    sync_unask(engine, slot);
    streams_settle(&engine->streams, slot);
}

/* The next one in turn who says that it has more, and can be asked now. */
static struct peer *sync_giver(struct engine *engine, uint32_t slot)
{
    uint16_t first = LINK_COUNT_MAX, place = engine->streams.all[slot].asked_place;
    for (;;) {
        place = streams_next_claim(&engine->streams, slot, place);
        if (place == LINK_COUNT_MAX || place == first)
            return NULL;
        struct peer *peer = &engine->peers[place];
        bool is_busy = peer->wanting >= PEER_WANTING_MAX || peer->checking > PEER_CHECKING_MAX / 2;
        if (peer->is_greeted && !is_busy)
            return peer;
        if (!peer->is_greeted)
            streams_disclaim(&engine->streams, slot, place); /* it left */
        else if (first == LINK_COUNT_MAX)
            first = place;
    }
}

/* From where a peer is asked: behind what is being checked, unless that may be somebody's forgery.
 */
static uint64_t sync_from(const struct engine *engine, const struct stream *stream,
                          const struct peer *peer)
{
    bool is_doubtful = stream->forged_until.ms > engine->now.ms && stream->next > stream->kept &&
                       stream->pending.value != peer->link.value;
    return (is_doubtful ? stream->kept : stream->next) + 1;
}

/* Asks for the next range of one stream that is behind. False when it cannot be asked now. */
static bool sync_pump_stream(struct engine *engine, uint32_t slot, struct step *step)
{
    struct stream *stream = &engine->streams.all[slot];
    if (stream->want_until.ms != 0 && stream->want_until.ms <= engine->now.ms)
        sync_give_up(engine, slot);
    else if (stream->want_until.ms != 0 && peers_of_link(engine, stream->asked) == NULL)
        sync_unask(engine, slot);
    if (stream->want_until.ms != 0)
        return false;
    struct peer *peer = sync_giver(engine, slot);
    streams_settle(&engine->streams, slot);
    if (peer == NULL || !stream->is_behind || stream->alternate.value == peer->link.value)
        return false;
    uint64_t from = sync_from(engine, stream, peer);
    if (from > stream->want_to)
        return false; /* it is being checked */
    uint64_t missing = stream->want_to - from + 1;
    uint16_t count = missing > STEP_RECORD_COUNT_MAX ? STEP_RECORD_COUNT_MAX : (uint16_t)missing;
    sync_send_want(peer, &stream->id, from, count, step);
    stream->want_until.ms = engine->now.ms + WANT_TIMEOUT_MS;
    stream->asked = peer->link;
    stream->asked_place = sync_place(engine, peer);
    stream->asked_from = from;
    peer->wanting++;
    return true;
}

void sync_pump(struct engine *engine, struct step *step)
{
    if (engine->is_full || !engine->is_started)
        return;
    int budget = SYNC_WANTS_A_PUMP;
    uint32_t slot = engine->streams.behind_first, last = engine->streams.behind_last;
    for (int looked = 0; slot != STREAM_NONE && budget > 0 && looked < 4 * SYNC_WANTS_A_PUMP;
         looked++) {
        uint32_t after = slot == last ? STREAM_NONE : engine->streams.all[slot].behind_next;
        if (sync_pump_stream(engine, slot, step))
            budget--;
        streams_put_back(&engine->streams, slot);
        slot = after;
    }
}

/* The next peer in turn that shares the stream, so that one that cannot or will not give what fits
 * holds up nothing. */
static struct peer *sync_next_helper(struct engine *engine, struct missing *missing)
{
    for (size_t i = 1; i <= LINK_COUNT_MAX; i++) {
        struct peer *peer = &engine->peers[(missing->asked + i) % LINK_COUNT_MAX];
        if (!peer->is_greeted ||
            !access_shares(engine, &peer->node, &engine->streams.all[missing->stream].id))
            continue;
        missing->asked = (uint16_t)(peer - engine->peers);
        return peer;
    }
    return NULL;
}

/* (T-23) */
static uint64_t sync_missing_pause(struct missing *missing)
{
    uint64_t pause = (uint64_t)MISSING_RETRY_MS << missing->tries;
    if (PLANTED(LACK_ASKED_AT_ONCE))
        return 0;
    if (pause >= MISSING_RETRY_MS_MAX)
        return MISSING_RETRY_MS_MAX;
    missing->tries++;
    return pause;
}

/* Asks for positions whose body or key is missing. */
static void sync_want_missing(struct engine *engine, struct step *step)
{
    int budget = SYNC_WANTS_A_PUMP;
    if (engine->missing_at.ms > engine->now.ms || engine->is_full)
        return;
    engine->missing_at.ms = engine->now.ms + MISSING_LOOK_MS;
    for (uint32_t i = 0; i < engine->streams.missing_count && budget > 0; i++) {
        struct missing *missing = &engine->streams.missing[i];
        if (missing->stream == STREAM_NONE || missing->is_sealed ||
            missing->retry_at.ms > engine->now.ms)
            continue;
        struct peer *peer = sync_next_helper(engine, missing);
        if (peer == NULL)
            continue;
        missing->retry_at.ms = engine->now.ms + sync_missing_pause(missing);
        sync_want_one(engine, peer, missing->stream, missing->sequence, step);
        budget--;
    }
}

static bool sync_is_in(const struct engine *engine, uint32_t slot, const struct scope *scope)
{
    return scope == NULL || scope_equal(&engine->streams.all[slot].id.scope, scope);
}

void sync_retry(struct engine *engine, const struct scope *scope)
{
    engine->missing_at = (struct mono){0};
    for (uint32_t i = 0; i < engine->streams.missing_count; i++) {
        struct missing *missing = &engine->streams.missing[i];
        if (missing->stream == STREAM_NONE || !sync_is_in(engine, missing->stream, scope))
            continue;
        missing->retry_at = (struct mono){0};
        missing->tries = 0;
    }
    for (size_t i = 0; i < LINK_COUNT_MAX; i++) {
        struct peer *peer = &engine->peers[i];
        peer->summary_at = (struct mono){0};
        for (int j = 0; j < BACKOFF_COUNT; j++) {
            struct backoff *backoff = &peer->backoffs.all[j];
            if (backoff->reason != OK && sync_is_in(engine, backoff->slot, scope))
                backoff_end(backoff);
        }
    }
}

void sync_offer(struct engine *engine)
{
    for (size_t i = 0; i < LINK_COUNT_MAX; i++) {
        if (engine->peers[i].is_greeted) {
            engine->peers[i].listing = 0;
            engine->peers[i].is_listing_its_own = false;
        }
    }
}

void sync_tick(struct engine *engine, struct step *step)
{
    for (size_t i = 0; i < LINK_COUNT_MAX; i++) {
        struct peer *peer = &engine->peers[i];
        if (!peer->is_greeted || !step_has_room(step, 256, 2 * FRAME_SIZE_MAX))
            continue;
        if (peer->summary_at.ms <= engine->now.ms) {
            sync_send_summary(engine, peer, step);
            notice_put(&engine->notices,
                       &(struct notice){.kind = NOTICE_SUMMARY_SENT, .link = peer->link});
        }
        if (peer->listing != STREAM_NONE)
            sync_list(engine, peer, step);
    }
    if (step_has_room(step, 256, FRAME_SIZE_MAX))
        sync_want_missing(engine, step);
}

bool sync_busy(const struct engine *engine)
{
    for (size_t i = 0; i < LINK_COUNT_MAX; i++) {
        const struct peer *peer = &engine->peers[i];
        if (peer->is_greeted &&
            (peer->listing != STREAM_NONE || peer->summary_at.ms <= engine->now.ms))
            return true;
    }
    return false;
}

/* ---- answering ---- */

static void sync_answer(const struct peer *peer, const struct engine *engine,
                        const struct frame_want *want, enum frame_answer answer, struct step *step)
{
    struct frame_status status = {want->stream, want->from, answer,
                                  roster_current_id(engine->roster)};
    struct buffer frame = peers_frame(step, 1 + STREAM_ID_SIZE + 8 + 1 + HASH_SIZE);
    frame_status_write(&frame, &status);
    peers_send(step, peer->link, &frame);
}

void sync_want(struct engine *engine, struct peer *peer, struct bytes frame, struct step *step)
{
    struct frame_want want;
    err failure = frame_want_read(frame, &want);
    if (failure != OK) {
        peers_refuse(engine, peer, step, "want-malformed", failure);
        return;
    }
    uint32_t slot = streams_find(&engine->streams, &want.stream);
    bool is_shared = access_shares(engine, &peer->node, &want.stream);
    const struct mark *mark = PLANTED(PEER_POSITION_TRUSTED)
                                  ? peer_progress_find(&engine->marks, peer->session, slot)
                                  : NULL;
    bool has_it = mark != NULL && mark->had >= want.from;
    if (slot == STREAM_NONE || !is_shared || engine->streams.all[slot].tail < want.from || has_it) {
        sync_answer(peer, engine, &want, FRAME_NOT_HELD, step);
        return;
    }
    if (peer->loading >= PEER_LOADING_MAX || !peers_may_release_keys(engine)) {
        sync_answer(peer, engine, &want, FRAME_BUSY, step);
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
    effect->load.size_max = SYNC_FRAME_RECORDS_SIZE;
    const struct roster_entry *writer = roster_find(engine->roster, &want.stream.writer);
    effect->load.has_signer = writer != NULL;
    if (writer != NULL)
        effect->load.signer = writer->sign_key;
}

/* (T-28) The signature was checked when the record was read, and is not its writer's. */
static bool sync_is_spoiled(const struct engine *engine, const struct step_record *record)
{
    struct record_claim claim;
    return (record->flags & RECORD_UNSIGNED) != 0 && !PLANTED(SPOILED_IS_SENT) &&
           record_parse(record->record, &claim) == OK &&
           roster_signer(engine->roster, &claim.header.stream.writer, &claim.header.head) != NULL;
}

/* Appends one loaded record as the peer may have it. False when the frame is full. */
static bool sync_hand(struct engine *engine, const struct peer *peer,
                      const struct step_record *record, struct buffer *frame)
{
    struct record_claim claim;
    if (record_parse(record->record, &claim) != OK)
        return true; /* not ours to pass on */
    struct frame_record out = {
        .has_key = record->has_key, .key = record->key, .record = record->record};
    if (claim.header.audience != AUDIENCE_CLEAR &&
        (!peers_may_release_to(engine, peer) || access_read(engine, &peer->node, &claim) != OK)) {
        out.has_key = false;
        out.record.size = RECORD_BARE_SIZE;
    }
    if (frame->size + FRAME_RECORD_OVERHEAD + out.record.size > frame->capacity)
        return false;
    frame_record_write(frame, &out);
    return true;
}

/* Positions that were here are not to be read any more: whoever asked need not wait for them. */
static void sync_has_not(const struct engine *engine, const struct peer *peer,
                         const struct event *event, struct step *step)
{
    if (event->batch.run_count != 1 || event->batch.runs->stream >= engine->streams.count)
        return;
    struct frame_want want = {.stream = engine->streams.all[event->batch.runs->stream].id,
                              .from = event->batch.runs->first};
    sync_answer(peer, engine, &want, FRAME_NOT_HELD, step);
}

void sync_generation_loaded(struct engine *engine, const struct event *event)
{
    struct stream_id next;
    struct link_id link;
    if (!generation_loaded(engine, event, &next, &link))
        return;
    const struct peer *peer = peers_of_link(engine, link);
    uint32_t slot = sync_slot(engine, &next);
    if (slot != STREAM_NONE && peer != NULL) /* whoever sent its first record sends it again */
        sync_claimed(engine, peer, slot, 1);
}

void sync_loaded(struct engine *engine, const struct event *event, struct step *step)
{
    struct peer *peer = peers_of_link(engine, event->link);
    if (peer == NULL)
        return;
    if (peer->loading > 0)
        peer->loading--;
    if (event->verdict != OK || event->batch.record_count == 0) {
        sync_has_not(engine, peer, event, step);
        return;
    }
    const struct step_record *last = NULL;
    struct buffer frame = peers_frame(step, FRAME_SIZE_MAX);
    uint16_t count = 0, signed_count = 0;
    size_t signed_size = 0;
    frame_records_begin(&frame);
    for (size_t i = 0; i < event->batch.record_count; i++) {
        if (!sync_hand(engine, peer, &event->batch.records[i], &frame))
            break;
        last = &event->batch.records[i];
        count++;
        if ((event->batch.records[i].flags & RECORD_UNSIGNED) == 0) {
            signed_count = count;
            signed_size = frame.size;
        }
    }
    if (signed_count > 0) { /* (W-12) an answer ends in a signature that was checked here */
        count = signed_count;
        frame.size = signed_size;
    } else if (last != NULL && sync_is_spoiled(engine, last)) {
        sync_has_not(engine, peer, event, step);
        return;
    }
    frame_records_end(&frame, count);
    if (count > 0)
        peers_send(step, peer->link, &frame);
}

void sync_status(struct engine *engine, struct peer *peer, struct bytes frame, struct step *step)
{
    struct frame_status status;
    err failure = frame_status_read(frame, &status);
    if (failure != OK) {
        peers_refuse(engine, peer, step, "status-malformed", failure);
        return;
    }
    uint32_t slot = streams_find(&engine->streams, &status.stream);
    if (slot == STREAM_NONE || engine->streams.all[slot].want_until.ms == 0 ||
        engine->streams.all[slot].asked.value != peer->link.value)
        return;
    sync_give_up(engine, slot);
}
