#include "protocol/core/gossip.h"

#include "protocol/core/entitlement.h"

/* The record as one peer may have it: with key, or header and signature alone. */
static struct buffer gossip_frame(const struct record_claim *claim,
                                  const struct step_record *record, bool is_entitled,
                                  struct step *step)
{
    struct frame_record out = {
        .has_key = is_entitled && record->has_key, .key = record->key, .record = record->record};
    if (!is_entitled && claim->header.audience != AUDIENCE_CLEAR)
        out.record.size = RECORD_BARE_SIZE;
    struct buffer frame = core_frame(step, 3 + FRAME_RECORD_OVERHEAD + out.record.size);
    frame_records_begin(&frame);
    frame_record_write(&frame, &out);
    frame_records_end(&frame, 1);
    return frame;
}

struct frame_position gossip_position(const struct core *core, uint32_t slot)
{
    const struct stream *stream = &core->streams.all[slot];
    struct reader hint = reader_of(ID_BYTES(stream->tail_id));
    return (struct frame_position){stream->id, stream->tail, streams_had(&core->streams, slot),
                                   reader_u64(&hint)};
}

static void gossip_notice(struct core *core, const struct peer *peer, uint32_t slot,
                          struct step *step)
{
    struct frame_position position = gossip_position(core, slot);
    struct buffer frame = core_frame(step, 3 + FRAME_POSITION_SIZE);
    frame_positions_begin(&frame, FRAME_STREAMS, 1);
    frame_position_write(&frame, &position);
    core_send(step, peer->link, &frame);
}

struct gossip_links {
    struct link_id *links;
    size_t count;
};

static void gossip_send(const struct gossip_links *to, const struct buffer *frame,
                        struct step *step)
{
    if (to->count == 0)
        return;
    struct effect *effect = step_effect(step, EFFECT_SEND);
    effect->send.links = to->links;
    effect->send.link_count = to->count;
    effect->send.frame = buffer_bytes(frame);
}

void gossip_push(struct core *core, uint32_t slot, const struct record_claim *claim,
                 const struct step_record *record, struct step *step)
{
    size_t links_size = LINK_COUNT_MAX * sizeof(struct link_id);
    struct gossip_links whole = {step_reserve(step, links_size), 0};
    struct gossip_links bare = {step_reserve(step, links_size), 0};
    uint64_t sequence = claim->header.sequence;
    for (size_t i = 0; i < LINK_COUNT_MAX; i++) {
        struct peer *peer = &core->peers[i];
        if (!peer->is_greeted || !entitlement_shares(core, &peer->node, &claim->header.stream))
            continue;
        struct mark *mark = marks_add(&core->marks, peer->session, slot);
        bool in_step = mark != NULL && mark->sent + 1 == sequence;
        if (!in_step || !core_may_hand_keys(core)) {
            gossip_notice(core, peer, slot, step);
            continue;
        }
        mark->sent = sequence;
        if (core_may_hand_to(core, peer) && entitlement_read(core, &peer->node, claim) == OK)
            whole.links[whole.count++] = peer->link;
        else
            bare.links[bare.count++] = peer->link;
    }
    if (whole.count > 0) {
        struct buffer frame = gossip_frame(claim, record, true, step);
        gossip_send(&whole, &frame, step);
    }
    if (bare.count > 0) {
        struct buffer frame = gossip_frame(claim, record, false, step);
        gossip_send(&bare, &frame, step);
    }
}

/* One FRAME_ACK with all positions that are `writer`'s, or all when `writer` is NULL. */
static void gossip_ack(struct core *core, const struct peer *peer, const uint32_t *slots,
                       size_t slot_count, struct step *step)
{
    struct buffer frame = core_frame(step, 3 + slot_count * FRAME_POSITION_SIZE);
    frame_positions_begin(&frame, FRAME_ACK, (uint16_t)slot_count);
    for (size_t i = 0; i < slot_count; i++) {
        struct frame_position position = gossip_position(core, slots[i]);
        frame_position_write(&frame, &position);
    }
    core_send(step, peer->link, &frame);
}

/* (W-6) called when the batch is durable, and never else */
void gossip_acknowledge(struct core *core, struct link_id link, const uint32_t *slots,
                        size_t slot_count, struct step *step)
{
    const struct peer *peer = core_peer_of_link(core, link);
    if (slot_count == 0)
        return;
    if (peer != NULL && peer->is_greeted)
        gossip_ack(core, peer, slots, slot_count, step);
    for (size_t i = 0; i < slot_count; i++) {
        const struct stream *stream = &core->streams.all[slots[i]];
        const struct peer *writer = core_peer_of_node(core, &stream->id.writer);
        if (writer != NULL && writer != peer && step_has_room(step, 8, FRAME_SIZE_MAX))
            gossip_ack(core, writer, &slots[i], 1, step);
    }
}

void gossip_hear(struct core *core, struct peer *peer, uint32_t slot,
                 const struct frame_position *position, struct step *step)
{
    const struct stream *stream = &core->streams.all[slot];
    if (!ID_EQUAL(stream->id.writer, core->config.self))
        return;
    deposits_heard(core, &peer->node, position);
    struct mark *mark = marks_add(&core->marks, peer->session, slot);
    if (mark == NULL)
        return;
    if (position->tail > mark->sent)
        mark->sent = position->tail < stream->tail ? position->tail : stream->tail;
    if (position->had <= mark->had || position->had > stream->tail)
        return;
    mark->had = position->had;
    struct effect *effect = step_effect(step, EFFECT_ACKED);
    effect->acked.peer = peer->node;
    effect->acked.stream = stream->id;
    effect->acked.had = position->had;
}
