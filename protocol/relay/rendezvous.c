/* One event is taken in whole; what follows from it waits in `traffic`, `presence` and the links'
 * own flags until rendezvous_next comes by:
 *
 *     frame ── rendezvous_on_frame ──┬─ FORWARD ───────── traffic ──┐
 *                                    ├─ WATCH, UNWATCH ── presence ─┼─ control ── rendezvous_next
 *                                    ├─ HELLO, OFFER, WHERE ─ link ─┘
 *                                    └─ PUBLISH ── upload ── VERIFY ── rendezvous_set_list */
#include "protocol/relay/rendezvous.h"

#include <assert.h>
#include <string.h>

#include "protocol/relay/rendezvous_control.h"
#include "protocol/relay/rendezvous_heard.h"
#include "protocol/relay/rendezvous_state.h"

enum { RENDEZVOUS_SWEEP_MS = 1000 };

/* ---- making ---- */

static void rendezvous_cut(struct rendezvous *relay, const struct rendezvous_config *config,
                           struct slab *slab)
{
    const struct traffic_limits limits = {
        .member_count = config->link_count,
        .pair_units = config->limits.pair_units,
        .member_units = config->limits.member_units,
        .session_count = config->limits.session_count,
    };
    size_t links = (size_t)config->link_count + 1;
    relay->links = slab_take(slab, links, sizeof *relay->links);
    slab_places_init(&relay->places, slab, config->link_count);
    finder_init(&relay->by_id, slab, config->link_count);
    finder_init(&relay->by_key, slab, config->link_count);
    relay->stashes = slab_take(slab, links, RENDEZVOUS_CONTROL_SIZE);
    relay->control_node = slab_take(slab, links, sizeof *relay->control_node);
    traffic_init(&relay->traffic, &limits, config->secret, slab);
    presence_init(&relay->presence, config->link_count, config->limits.watch_count, config->secret,
                  slab);
    relay->upload.memory = slab_take(slab, config->limits.publish_size, 1);
    relay->list = slab_take(slab, TRANSPORT_LIST_SIZE_MAX, 1);
    relay->out = slab_take(slab, RELAY_FORWARD_SIZE_MAX, 1);
}

size_t rendezvous_size(const struct rendezvous_config *config)
{
    struct slab slab = {.memory = NULL, .used = 0};
    struct rendezvous measured = {.config = *config};
    (void)slab_take(&slab, 1, sizeof(struct rendezvous));
    rendezvous_cut(&measured, config, &slab);
    return slab.used;
}

struct rendezvous *rendezvous_init(const struct rendezvous_config *config, void *memory)
{
    struct slab slab = {.memory = memory, .used = 0};
    assert((uintptr_t)memory % SLAB_ALIGNMENT == 0);
    struct rendezvous *relay = slab_take(&slab, 1, sizeof(struct rendezvous));
    *relay = (struct rendezvous){.config = *config};
    rendezvous_cut(relay, config, &slab);
    return relay;
}

struct bytes rendezvous_list(const struct rendezvous *relay)
{
    return (struct bytes){relay->list, relay->list_size};
}

struct relay_head rendezvous_head(const struct rendezvous *relay)
{
    return relay->head;
}

static void rendezvous_take_list(struct rendezvous *relay, const struct relay_head *head,
                                 struct bytes list, struct mono now)
{
    bool publisher;
    assert(list.size <= TRANSPORT_LIST_SIZE_MAX);
    if (list.size > 0)
        memmove(relay->list, list.data, list.size);
    relay->list_size = list.size;
    relay->head = *head;
    for (uint32_t link = 1; link <= relay->places.touched; link++) {
        struct rendezvous_link *known = &relay->links[link];
        if (known->state == RENDEZVOUS_UNUSED || known->state == RENDEZVOUS_LEAVING)
            continue;
        if (!rendezvous_state_admits(relay, &known->key, &publisher)) {
            rendezvous_state_refuse(relay, link, RELAY_REFUSED_UNLISTED, now);
        } else if (known->state == RENDEZVOUS_GREETED) {
            known->head = true;
            rendezvous_state_tell(relay, link);
        }
    }
}

/* ---- events ---- */

static void rendezvous_on_verified(struct rendezvous *relay, const struct rendezvous_event *event)
{
    uint32_t publisher = rendezvous_state_by_id(relay, relay->upload.link);
    assert(relay->upload.verifying);
    relay->upload.link = 0;
    relay->upload.ready = relay->upload.verifying = false;
    if (event->result == OK) {
        rendezvous_take_list(relay, &event->head, event->bytes, event->now);
        relay->counts.published++;
    }
    if (publisher != 0 && relay->links[publisher].state == RENDEZVOUS_GREETED)
        rendezvous_state_published(relay, publisher, event->result);
}

static void rendezvous_on_up(struct rendezvous *relay, const struct rendezvous_event *event)
{
    bool publisher;
    uint32_t other = rendezvous_state_by_key(relay, &event->key);
    if (other != 0)
        rendezvous_state_refuse(relay, other, RELAY_REFUSED_REPLACED, event->now);
    uint32_t link = rendezvous_state_join(relay, event->link, &event->key);
    if (link == 0)
        return; /* the caller let in more than it said: what this one says is passed over */
    relay->links[link].budget = (uint64_t)relay->config.limits.control_count * 60 * 1000;
    relay->links[link].budget_at = event->now;
    if (!rendezvous_state_admits(relay, &event->key, &publisher))
        rendezvous_state_refuse(relay, link, RELAY_REFUSED_UNLISTED, event->now);
}

static void rendezvous_on_down(struct rendezvous *relay, uint32_t link, struct mono now)
{
    rendezvous_state_leave(relay, link, now);
    rendezvous_state_free(relay, link);
}

static void rendezvous_on_drained(struct rendezvous *relay, uint32_t link)
{
    relay->blocked_count -= relay->links[link].blocked;
    relay->links[link].blocked = false;
    if (relay->links[link].state == RENDEZVOUS_GREETED)
        traffic_unblock(&relay->traffic, link);
    rendezvous_state_tell(relay, link);
}

/* Once a second: who takes nothing for too long, and what nobody goes on with. */
static void rendezvous_sweep(struct rendezvous *relay, struct mono now)
{
    if (now.ms - relay->swept_at.ms < RENDEZVOUS_SWEEP_MS)
        return;
    relay->swept_at = now;
    for (uint32_t link = 1; link <= relay->places.touched; link++) {
        const struct rendezvous_link *slow = &relay->links[link];
        if (slow->state != RENDEZVOUS_UNUSED && slow->blocked &&
            now.ms - slow->blocked_since.ms >= RENDEZVOUS_STALL_MS)
            rendezvous_state_refuse(relay, link, RELAY_REFUSED_STALLED, now);
    }
}

static void rendezvous_on_time(struct rendezvous *relay, struct mono now)
{
    traffic_on_time(&relay->traffic, now);
    presence_on_time(&relay->presence, now);
    rendezvous_sweep(relay, now);
}

static void rendezvous_on_drain(struct rendezvous *relay, uint32_t until_ms, struct mono now)
{
    relay->drains = true;
    relay->drain_at.ms = now.ms + until_ms;
    for (uint32_t link = 1; link <= relay->places.touched; link++) {
        if (relay->links[link].state != RENDEZVOUS_GREETED)
            continue;
        relay->links[link].draining = true;
        rendezvous_state_tell(relay, link);
    }
}

/* The SEND given last was taken. */
static void rendezvous_commit(struct rendezvous *relay, struct mono now)
{
    enum rendezvous_sending sent = relay->sending;
    relay->sending = RENDEZVOUS_NOTHING;
    if (sent != RENDEZVOUS_DATA)
        return;
    traffic_taken(&relay->traffic, &relay->data, now);
    relay->counts.frames_forwarded++;
    relay->counts.bytes_forwarded += relay->data.size;
}

void rendezvous_on_event(struct rendezvous *relay, const struct rendezvous_event *event)
{
    uint32_t link = rendezvous_state_by_id(relay, event->link);
    bool known = link != 0 && relay->links[link].state != RENDEZVOUS_UNUSED;
    rendezvous_commit(relay, event->now);
    switch (event->kind) {
    case RENDEZVOUS_LINK_UP:
        if (!known)
            rendezvous_on_up(relay, event);
        return;
    case RENDEZVOUS_LINK_DOWN:
        if (known)
            rendezvous_on_down(relay, link, event->now);
        return;
    case RENDEZVOUS_FRAME:
        if (known && relay->links[link].state != RENDEZVOUS_LEAVING)
            rendezvous_heard_frame(relay, link, event->bytes, event->now);
        return;
    case RENDEZVOUS_DRAINED:
        if (known)
            rendezvous_on_drained(relay, link);
        return;
    case RENDEZVOUS_TIME:
        rendezvous_on_time(relay, event->now);
        return;
    case RENDEZVOUS_VERIFIED:
        rendezvous_on_verified(relay, event);
        return;
    case RENDEZVOUS_DRAIN:
        rendezvous_on_drain(relay, event->until_ms, event->now);
        return;
    }
}

void rendezvous_set_list(struct rendezvous *relay, const struct relay_head *head, struct bytes list,
                         struct mono now)
{
    rendezvous_commit(relay, now);
    rendezvous_take_list(relay, head, list, now);
}

/* ---- effects ---- */

static bool rendezvous_give(struct rendezvous *relay, uint32_t link,
                            enum rendezvous_effect_kind kind, struct rendezvous_effect *effect)
{
    *effect = (struct rendezvous_effect){.kind = kind, .link = relay->links[link].id};
    if (kind == RENDEZVOUS_SEND)
        effect->bytes = (struct bytes){relay->out, relay->out_size};
    return true;
}

static uint8_t *rendezvous_stash(const struct rendezvous *relay, uint32_t link)
{
    return relay->stashes + (size_t)link * RENDEZVOUS_CONTROL_SIZE;
}

/* The next thing to tell or to close; links take turns. */
static bool rendezvous_next_control(struct rendezvous *relay, struct mono now,
                                    struct rendezvous_effect *effect)
{
    while (relay->control.first != 0) {
        uint32_t index = relay->control.first;
        struct rendezvous_link *link = &relay->links[index];
        struct buffer buffer = buffer_over(relay->out, RENDEZVOUS_CONTROL_SIZE);
        bool leaving = link->state == RENDEZVOUS_LEAVING;
        if (!link->blocked && link->stash_size > 0) {
            buffer_put(&buffer, rendezvous_stash(relay, index), link->stash_size);
            link->stash_size = 0;
        } else if (link->blocked || !rendezvous_control_write(relay, index, now, &buffer)) {
            queue_remove(&relay->control, relay->control_node, index);
            if (!leaving)
                continue;
            (void)rendezvous_give(relay, index, RENDEZVOUS_CLOSE, effect);
            rendezvous_state_free(relay, index);
            return true;
        }
        queue_rotate(&relay->control, relay->control_node);
        relay->sending = RENDEZVOUS_CONTROL;
        relay->control_link = index;
        relay->out_size = buffer.size;
        return rendezvous_give(relay, index, RENDEZVOUS_SEND, effect);
    }
    return false;
}

static bool rendezvous_next_data(struct rendezvous *relay, struct rendezvous_effect *effect)
{
    struct traffic_frame *data = &relay->data;
    if (!traffic_next(&relay->traffic, data))
        return false;
    struct buffer buffer = buffer_over(relay->out, RELAY_FORWARD_SIZE_MAX);
    buffer_u8(&buffer, RELAY_DELIVER);
    buffer_put(&buffer, relay->links[data->from].key.bytes, KEY_SIZE);
    uint8_t *box = buffer_reserve(&buffer, data->size);
    assert(box != NULL);
    traffic_copy(&relay->traffic, data, box);
    relay->sending = RENDEZVOUS_DATA;
    relay->out_size = buffer.size;
    return rendezvous_give(relay, data->to, RENDEZVOUS_SEND, effect);
}

bool rendezvous_next(struct rendezvous *relay, struct mono now,
                     struct rendezvous_effect *ret_effect)
{
    uint32_t link;
    rendezvous_commit(relay, now);
    while ((link = traffic_pop_notified(&relay->traffic)) != 0)
        rendezvous_state_tell(relay, link);
    while ((link = presence_pop_notified(&relay->presence)) != 0)
        rendezvous_state_tell(relay, link);
    if (relay->upload.ready && !relay->upload.verifying) {
        relay->upload.verifying = true;
        *ret_effect = (struct rendezvous_effect){
            .kind = RENDEZVOUS_VERIFY,
            .link = relay->upload.link,
            .bytes = {relay->upload.memory, relay->upload.size},
        };
        return true;
    }
    return rendezvous_next_control(relay, now, ret_effect) ||
           rendezvous_next_data(relay, ret_effect);
}

void rendezvous_blocked(struct rendezvous *relay, struct mono now)
{
    enum rendezvous_sending sending = relay->sending;
    assert(sending != RENDEZVOUS_NOTHING);
    uint32_t index = sending == RENDEZVOUS_DATA ? relay->data.to : relay->control_link;
    struct rendezvous_link *link = &relay->links[index];
    relay->sending = RENDEZVOUS_NOTHING;
    if (sending == RENDEZVOUS_CONTROL) {
        memcpy(rendezvous_stash(relay, index), relay->out, relay->out_size);
        link->stash_size = (uint16_t)relay->out_size;
    }
    if (!link->blocked) {
        link->blocked_since = now;
        relay->blocked_count++;
    }
    link->blocked = true;
    if (link->state == RENDEZVOUS_GREETED)
        traffic_block(&relay->traffic, index);
}

struct mono rendezvous_deadline(const struct rendezvous *relay)
{
    uint64_t credit = traffic_deadline(&relay->traffic).ms;
    uint64_t settled = presence_deadline(&relay->presence).ms;
    uint64_t sweep = relay->swept_at.ms + RENDEZVOUS_SWEEP_MS;
    uint64_t least = credit < settled ? credit : settled;
    return (struct mono){relay->blocked_count > 0 && sweep < least ? sweep : least};
}

bool rendezvous_is_idle(const struct rendezvous *relay)
{
    return relay->control.count == 0 && traffic_queued_units(&relay->traffic) == 0 &&
           !relay->upload.ready;
}

struct rendezvous_counts rendezvous_counts(const struct rendezvous *relay)
{
    struct rendezvous_counts counts = relay->counts;
    counts.sessions = traffic_pair_count(&relay->traffic);
    counts.queued_units = traffic_queued_units(&relay->traffic);
    return counts;
}
