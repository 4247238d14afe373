/* One event is handled completely. Its consequences wait in `forward_queue`, in `presence` and in
 * the links' own flags until relay_engine_next takes them:
 *
 *     FORWARD         -> forward_queue -> relay_engine_next
 *     WATCH, UNWATCH  -> presence      -> relay_output_write -> relay_engine_next
 *     HELLO, OFFER, WHERE -> the link  -> relay_output_write -> relay_engine_next
 *     PUBLISH         -> upload        -> VERIFY, then VERIFIED sets the list */
#include "protocol/relay/relay_engine.h"

#include <assert.h>
#include <string.h>

#include "protocol/relay/relay_input.h"
#include "protocol/relay/relay_links.h"
#include "protocol/relay/relay_output.h"

enum { RELAY_ENGINE_SWEEP_MS = 1000 };

/* ---- making ---- */

static void relay_engine_cut(struct relay_engine *relay, const struct relay_engine_config *config,
                             struct arena *arena)
{
    const struct forward_queue_limits limits = {
        .member_count = config->link_count,
        .pair_units = config->limits.pair_units,
        .member_units = config->limits.member_units,
        .session_count = config->limits.session_count,
    };
    size_t links = (size_t)config->link_count + 1;
    relay->links = arena_take(arena, links, sizeof *relay->links);
    arena_places_init(&relay->places, arena, config->link_count);
    hash_index_init(&relay->by_id, arena, config->link_count);
    hash_index_init(&relay->by_key, arena, config->link_count);
    relay->stashes = arena_take(arena, links, RELAY_ENGINE_CONTROL_SIZE);
    relay->control_node = arena_take(arena, links, sizeof *relay->control_node);
    forward_queue_init(&relay->forward_queue, &limits, config->secret, arena);
    presence_init(&relay->presence, config->link_count, config->limits.watch_count, config->secret,
                  arena);
    relay->upload.memory = arena_take(arena, config->limits.publish_size, 1);
    relay->list = arena_take(arena, TRANSPORT_LIST_SIZE_MAX, 1);
    relay->out = arena_take(arena, RELAY_FORWARD_SIZE_MAX, 1);
}

size_t relay_engine_size(const struct relay_engine_config *config)
{
    struct arena arena = {.memory = NULL, .used = 0};
    struct relay_engine measured = {.config = *config};
    (void)arena_take(&arena, 1, sizeof(struct relay_engine));
    relay_engine_cut(&measured, config, &arena);
    return arena.used;
}

struct relay_engine *relay_engine_init(const struct relay_engine_config *config, void *memory)
{
    struct arena arena = {.memory = memory, .used = 0};
    assert((uintptr_t)memory % ARENA_ALIGNMENT == 0);
    struct relay_engine *relay = arena_take(&arena, 1, sizeof(struct relay_engine));
    *relay = (struct relay_engine){.config = *config};
    relay_engine_cut(relay, config, &arena);
    return relay;
}

struct bytes relay_engine_list(const struct relay_engine *relay)
{
    return (struct bytes){relay->list, relay->list_size};
}

struct relay_head relay_engine_head(const struct relay_engine *relay)
{
    return relay->head;
}

static void relay_engine_take_list(struct relay_engine *relay, const struct relay_head *head,
                                   struct bytes list, struct mono now)
{
    bool publisher;
    assert(list.size <= TRANSPORT_LIST_SIZE_MAX);
    if (list.size > 0)
        memmove(relay->list, list.data, list.size);
    relay->list_size = list.size;
    relay->head = *head;
    for (uint32_t link = 1; link <= relay->places.touched; link++) {
        struct relay_engine_link *known = &relay->links[link];
        if (known->state == RELAY_ENGINE_UNUSED || known->state == RELAY_ENGINE_LEAVING)
            continue;
        if (!relay_links_admits(relay, &known->key, &publisher)) {
            relay_links_refuse(relay, link, RELAY_REFUSED_UNLISTED, now);
        } else if (known->state == RELAY_ENGINE_GREETED) {
            known->head = true;
            relay_links_mark(relay, link);
        }
    }
}

/* ---- events ---- */

static void relay_engine_on_verified(struct relay_engine *relay,
                                     const struct relay_engine_event *event)
{
    uint32_t publisher = relay_links_by_id(relay, relay->upload.link);
    assert(relay->upload.verifying);
    relay->upload.link = 0;
    relay->upload.ready = relay->upload.verifying = false;
    if (event->result == OK) {
        relay_engine_take_list(relay, &event->head, event->bytes, event->now);
        relay->counts.published++;
    }
    if (publisher != 0 && relay->links[publisher].state == RELAY_ENGINE_GREETED)
        relay_links_published(relay, publisher, event->result);
}

static void relay_engine_on_up(struct relay_engine *relay, const struct relay_engine_event *event)
{
    bool publisher;
    uint32_t other = relay_links_by_key(relay, &event->key);
    if (other != 0)
        relay_links_refuse(relay, other, RELAY_REFUSED_REPLACED, event->now);
    uint32_t link = relay_links_join(relay, event->link, &event->key);
    if (link == 0)
        return; /* the caller accepted more links than configured: this one is ignored */
    relay->links[link].budget = (uint64_t)relay->config.limits.control_count * 60 * 1000;
    relay->links[link].budget_at = event->now;
    if (!relay_links_admits(relay, &event->key, &publisher))
        relay_links_refuse(relay, link, RELAY_REFUSED_UNLISTED, event->now);
}

static void relay_engine_on_down(struct relay_engine *relay, uint32_t link, struct mono now)
{
    relay_links_leave(relay, link, now);
    relay_links_free(relay, link);
}

static void relay_engine_on_drained(struct relay_engine *relay, uint32_t link)
{
    relay->blocked_count -= relay->links[link].blocked;
    relay->links[link].blocked = false;
    if (relay->links[link].state == RELAY_ENGINE_GREETED)
        forward_queue_unblock(&relay->forward_queue, link);
    relay_links_mark(relay, link);
}

/* Once a second: closes links that accept nothing for too long, and drops stalled uploads. */
static void relay_engine_sweep(struct relay_engine *relay, struct mono now)
{
    if (now.ms - relay->swept_at.ms < RELAY_ENGINE_SWEEP_MS)
        return;
    relay->swept_at = now;
    for (uint32_t link = 1; link <= relay->places.touched; link++) {
        const struct relay_engine_link *slow = &relay->links[link];
        if (slow->state != RELAY_ENGINE_UNUSED && slow->blocked &&
            now.ms - slow->blocked_since.ms >= RELAY_ENGINE_STALL_MS)
            relay_links_refuse(relay, link, RELAY_REFUSED_STALLED, now);
    }
}

static void relay_engine_on_time(struct relay_engine *relay, struct mono now)
{
    forward_queue_on_time(&relay->forward_queue, now);
    presence_on_time(&relay->presence, now);
    relay_engine_sweep(relay, now);
}

static void relay_engine_on_drain(struct relay_engine *relay, uint32_t until_ms, struct mono now)
{
    relay->drains = true;
    relay->drain_at.ms = now.ms + until_ms;
    for (uint32_t link = 1; link <= relay->places.touched; link++) {
        if (relay->links[link].state != RELAY_ENGINE_GREETED)
            continue;
        relay->links[link].draining = true;
        relay_links_mark(relay, link);
    }
}

/* The last SEND was taken. */
static void relay_engine_commit(struct relay_engine *relay, struct mono now)
{
    enum relay_engine_sending sent = relay->sending;
    relay->sending = RELAY_ENGINE_NOTHING;
    if (sent != RELAY_ENGINE_DATA)
        return;
    forward_queue_taken(&relay->forward_queue, &relay->data, now);
    relay->counts.frames_forwarded++;
    relay->counts.bytes_forwarded += relay->data.size;
}

void relay_engine_on_event(struct relay_engine *relay, const struct relay_engine_event *event)
{
    uint32_t link = relay_links_by_id(relay, event->link);
    bool known = link != 0 && relay->links[link].state != RELAY_ENGINE_UNUSED;
    relay_engine_commit(relay, event->now);
    switch (event->kind) {
    case RELAY_ENGINE_LINK_UP:
        if (!known)
            relay_engine_on_up(relay, event);
        return;
    case RELAY_ENGINE_LINK_DOWN:
        if (known)
            relay_engine_on_down(relay, link, event->now);
        return;
    case RELAY_ENGINE_FRAME:
        if (known && relay->links[link].state != RELAY_ENGINE_LEAVING)
            relay_input_frame(relay, link, event->bytes, event->now);
        return;
    case RELAY_ENGINE_DRAINED:
        if (known)
            relay_engine_on_drained(relay, link);
        return;
    case RELAY_ENGINE_TIME:
        relay_engine_on_time(relay, event->now);
        return;
    case RELAY_ENGINE_VERIFIED:
        relay_engine_on_verified(relay, event);
        return;
    case RELAY_ENGINE_DRAIN:
        relay_engine_on_drain(relay, event->until_ms, event->now);
        return;
    }
}

void relay_engine_set_list(struct relay_engine *relay, const struct relay_head *head,
                           struct bytes list, struct mono now)
{
    relay_engine_commit(relay, now);
    relay_engine_take_list(relay, head, list, now);
}

/* ---- effects ---- */

static bool relay_engine_give(struct relay_engine *relay, uint32_t link,
                              enum relay_engine_effect_kind kind,
                              struct relay_engine_effect *effect)
{
    *effect = (struct relay_engine_effect){.kind = kind, .link = relay->links[link].id};
    if (kind == RELAY_ENGINE_SEND)
        effect->bytes = (struct bytes){relay->out, relay->out_size};
    return true;
}

static uint8_t *relay_engine_stash(const struct relay_engine *relay, uint32_t link)
{
    return relay->stashes + (size_t)link * RELAY_ENGINE_CONTROL_SIZE;
}

/* The next control frame or close; links take turns. */
static bool relay_engine_next_control(struct relay_engine *relay, struct mono now,
                                      struct relay_engine_effect *effect)
{
    while (relay->control.first != 0) {
        uint32_t index = relay->control.first;
        struct relay_engine_link *link = &relay->links[index];
        struct buffer buffer = buffer_over(relay->out, RELAY_ENGINE_CONTROL_SIZE);
        bool leaving = link->state == RELAY_ENGINE_LEAVING;
        if (!link->blocked && link->stash_size > 0) {
            buffer_put(&buffer, relay_engine_stash(relay, index), link->stash_size);
            link->stash_size = 0;
        } else if (link->blocked || !relay_output_write(relay, index, now, &buffer)) {
            queue_remove(&relay->control, relay->control_node, index);
            if (!leaving)
                continue;
            (void)relay_engine_give(relay, index, RELAY_ENGINE_CLOSE, effect);
            relay_links_free(relay, index);
            return true;
        }
        queue_rotate(&relay->control, relay->control_node);
        relay->sending = RELAY_ENGINE_CONTROL;
        relay->control_link = index;
        relay->out_size = buffer.size;
        return relay_engine_give(relay, index, RELAY_ENGINE_SEND, effect);
    }
    return false;
}

static bool relay_engine_next_data(struct relay_engine *relay, struct relay_engine_effect *effect)
{
    struct forward_queue_frame *data = &relay->data;
    if (!forward_queue_next(&relay->forward_queue, data))
        return false;
    struct buffer buffer = buffer_over(relay->out, RELAY_FORWARD_SIZE_MAX);
    buffer_u8(&buffer, RELAY_DELIVER);
    buffer_put(&buffer, relay->links[data->from].key.bytes, KEY_SIZE);
    uint8_t *box = buffer_reserve(&buffer, data->size);
    assert(box != NULL);
    forward_queue_copy(&relay->forward_queue, data, box);
    relay->sending = RELAY_ENGINE_DATA;
    relay->out_size = buffer.size;
    return relay_engine_give(relay, data->to, RELAY_ENGINE_SEND, effect);
}

bool relay_engine_next(struct relay_engine *relay, struct mono now,
                       struct relay_engine_effect *ret_effect)
{
    uint32_t link;
    relay_engine_commit(relay, now);
    while ((link = forward_queue_pop_notified(&relay->forward_queue)) != 0)
        relay_links_mark(relay, link);
    while ((link = presence_pop_notified(&relay->presence)) != 0)
        relay_links_mark(relay, link);
    if (relay->upload.ready && !relay->upload.verifying) {
        relay->upload.verifying = true;
        *ret_effect = (struct relay_engine_effect){
            .kind = RELAY_ENGINE_VERIFY,
            .link = relay->upload.link,
            .bytes = {relay->upload.memory, relay->upload.size},
        };
        return true;
    }
    return relay_engine_next_control(relay, now, ret_effect) ||
           relay_engine_next_data(relay, ret_effect);
}

void relay_engine_blocked(struct relay_engine *relay, struct mono now)
{
    enum relay_engine_sending sending = relay->sending;
    assert(sending != RELAY_ENGINE_NOTHING);
    uint32_t index = sending == RELAY_ENGINE_DATA ? relay->data.to : relay->control_link;
    struct relay_engine_link *link = &relay->links[index];
    relay->sending = RELAY_ENGINE_NOTHING;
    if (sending == RELAY_ENGINE_CONTROL) {
        memcpy(relay_engine_stash(relay, index), relay->out, relay->out_size);
        link->stash_size = (uint16_t)relay->out_size;
    }
    if (!link->blocked) {
        link->blocked_since = now;
        relay->blocked_count++;
    }
    link->blocked = true;
    if (link->state == RELAY_ENGINE_GREETED)
        forward_queue_block(&relay->forward_queue, index);
}

struct mono relay_engine_deadline(const struct relay_engine *relay)
{
    uint64_t credit = forward_queue_deadline(&relay->forward_queue).ms;
    uint64_t settled = presence_deadline(&relay->presence).ms;
    uint64_t sweep = relay->swept_at.ms + RELAY_ENGINE_SWEEP_MS;
    uint64_t least = credit < settled ? credit : settled;
    return (struct mono){relay->blocked_count > 0 && sweep < least ? sweep : least};
}

bool relay_engine_is_idle(const struct relay_engine *relay)
{
    return relay->control.count == 0 && forward_queue_queued_units(&relay->forward_queue) == 0 &&
           !relay->upload.ready;
}

struct relay_engine_counts relay_engine_counts(const struct relay_engine *relay)
{
    struct relay_engine_counts counts = relay->counts;
    counts.sessions = forward_queue_pair_count(&relay->forward_queue);
    counts.queued_units = forward_queue_queued_units(&relay->forward_queue);
    return counts;
}
