#include "protocol/replication/push.h"

#include "protocol/base/planted.h"
#include "protocol/state/access.h"

/* The record as one peer may have it: with key, or header and signature alone. */
static struct buffer push_frame(const struct record_claim *claim, const struct step_record *record,
                                bool is_entitled, struct step *step)
{
    struct frame_record out = {
        .has_key = is_entitled && record->has_key, .key = record->key, .record = record->record};
    if (!is_entitled && claim->header.audience != AUDIENCE_CLEAR)
        out.record.size = RECORD_BARE_SIZE;
    struct buffer frame = peers_frame(step, 3 + FRAME_RECORD_OVERHEAD + out.record.size);
    frame_records_begin(&frame);
    frame_record_write(&frame, &out);
    frame_records_end(&frame, 1);
    return frame;
}

struct frame_position push_position(const struct engine *engine, uint32_t slot)
{
    const struct stream *stream = &engine->streams.all[slot];
    struct reader hint = reader_of(ID_BYTES(stream->tail_id));
    uint64_t tail = PLANTED(REPORTED_BEFORE_COMMIT) ? stream->kept : stream->tail;
    return (struct frame_position){stream->id, tail, streams_had(&engine->streams, slot),
                                   reader_u64(&hint)};
}

static void push_notice(struct engine *engine, const struct peer *peer, uint32_t slot,
                        struct step *step)
{
    struct frame_position position = push_position(engine, slot);
    struct buffer frame = peers_frame(step, 3 + FRAME_POSITION_SIZE);
    frame_positions_begin(&frame, FRAME_STREAMS, 1);
    frame_position_write(&frame, &position);
    peers_send(step, peer->link, &frame);
}

struct push_links {
    struct link_id *links;
    size_t count;
};

static void push_send(const struct push_links *to, const struct buffer *frame, struct step *step)
{
    if (to->count == 0)
        return;
    struct effect *effect = step_effect(step, EFFECT_SEND);
    effect->send.links = to->links;
    effect->send.link_count = to->count;
    effect->send.frame = buffer_bytes(frame);
}

static void push_acked(const struct peer *peer, const struct stream_id *stream, uint64_t had,
                       struct step *step)
{
    struct effect *effect = step_effect(step, EFFECT_ACKED);
    effect->acked.peer = peer->node;
    effect->acked.stream = *stream;
    effect->acked.had = had;
}

void push_push(struct engine *engine, uint32_t slot, const struct record_claim *claim,
               const struct step_record *record, struct step *step)
{
    size_t links_size = LINK_COUNT_MAX * sizeof(struct link_id);
    struct push_links whole = {step_reserve(step, links_size), 0};
    struct push_links header_only = {step_reserve(step, links_size), 0};
    uint64_t sequence = claim->header.sequence;
    for (size_t i = 0; i < LINK_COUNT_MAX; i++) {
        struct peer *peer = &engine->peers[i];
        if (!peer->is_greeted || !access_shares(engine, &peer->node, &claim->header.stream))
            continue;
        struct mark *mark = peer_progress_add(&engine->marks, peer->session, slot);
        bool in_step = mark != NULL && mark->sent + 1 == sequence;
        if (!in_step || !peers_may_release_keys(engine)) {
            push_notice(engine, peer, slot, step);
            continue;
        }
        mark->sent = sequence;
        if (PLANTED(SENT_IS_RECEIVED))
            push_acked(peer, &claim->header.stream, sequence, step);
        if (peers_may_release_to(engine, peer) && access_read(engine, &peer->node, claim) == OK)
            whole.links[whole.count++] = peer->link;
        else
            header_only.links[header_only.count++] = peer->link;
    }
    if (whole.count > 0) {
        struct buffer frame = push_frame(claim, record, true, step);
        push_send(&whole, &frame, step);
    }
    if (header_only.count > 0) {
        struct buffer frame = push_frame(claim, record, false, step);
        push_send(&header_only, &frame, step);
    }
}

/* One FRAME_ACK with all positions that are `writer`'s, or all when `writer` is NULL. */
static void push_ack(struct engine *engine, const struct peer *peer, const uint32_t *slots,
                     size_t slot_count, struct step *step)
{
    struct buffer frame = peers_frame(step, 3 + slot_count * FRAME_POSITION_SIZE);
    frame_positions_begin(&frame, FRAME_ACK, (uint16_t)slot_count);
    for (size_t i = 0; i < slot_count; i++) {
        struct frame_position position = push_position(engine, slots[i]);
        frame_position_write(&frame, &position);
    }
    peers_send(step, peer->link, &frame);
}

/* (W-6) called when the batch is durable, and never else */
void push_acknowledge(struct engine *engine, struct link_id link, const uint32_t *slots,
                      size_t slot_count, struct step *step)
{
    const struct peer *peer = peers_of_link(engine, link);
    if (slot_count == 0)
        return;
    if (peer != NULL && peer->is_greeted)
        push_ack(engine, peer, slots, slot_count, step);
    for (size_t i = 0; i < slot_count; i++) {
        const struct stream *stream = &engine->streams.all[slots[i]];
        const struct peer *writer = peers_of_node(engine, &stream->id.writer);
        if (writer != NULL && writer != peer && step_has_room(step, 8, FRAME_SIZE_MAX))
            push_ack(engine, writer, &slots[i], 1, step);
    }
}

void push_hear(struct engine *engine, struct peer *peer, uint32_t slot,
               const struct frame_position *position, struct step *step)
{
    const struct stream *stream = &engine->streams.all[slot];
    if (!ID_EQUAL(stream->id.writer, engine->config.self))
        return;
    struct mark *mark = peer_progress_add(&engine->marks, peer->session, slot);
    if (mark == NULL)
        return;
    if (position->tail > mark->sent)
        mark->sent = position->tail < stream->tail ? position->tail : stream->tail;
    if (position->had <= mark->had || position->had > stream->tail)
        return;
    mark->had = position->had;
    push_acked(peer, &stream->id, position->had, step);
}
