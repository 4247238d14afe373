#include "bootstrap/society/head_delivery.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/roster/roster_snapshot.h"
#include "protocol/wire/frame.h"

enum { DELIVERY_TRIES_MAX = 3, DELIVERY_AT_ONCE_MAX = 32, DELIVERY_AGAIN_MS = 2000 };

enum delivery_stage {
    DELIVERY_ABSENT,  /* not seen at a relay */
    DELIVERY_WAITING, /* seen; not connected yet */
    DELIVERY_DIALLED, /* a session is being opened, or is open and silent */
    DELIVERY_SENDING, /* heads, then content */
    DELIVERY_SENT,    /* all sent; the member will ask once more */
    DELIVERY_REACHED,
    DELIVERY_GIVEN_UP,
};

struct delivery_member {
    struct transport_key key;
    enum delivery_stage stage;
    uint32_t relay;
    uint32_t tries;
    struct mono not_before;
    struct tunnel *tunnel;               /* NULL without a session */
    uint8_t owed[TUNNEL_HANDSHAKE_SIZE]; /* a small box that waits for credit */
    size_t owed_size;
    uint32_t head_next; /* index into epochs */
    bool by_delta;      /* the content goes as the last delta */
    bool content_done;
    struct roster_cursor cursor;
    size_t delta_offset;
    uint32_t delta_part;
};

struct head_delivery {
    struct head_delivery_config config;
    struct delivery_member *members;
    uint32_t member_count;
    struct head_id tip;
    struct head_id before_tip; /* base of the last delta */
    uint8_t *delta;            /* its items */
    size_t delta_size;
    struct tunnel_step step;
    uint8_t frame[FRAME_SIZE_MAX];
    uint8_t part[DELTA_PART_SIZE_MAX];
};

static struct mono delivery_now(const struct head_delivery *delivery)
{
    return delivery->config.now(delivery->config.arg);
}

/* ---- life ---- */

static bool delivery_list_members(struct head_delivery *delivery)
{
    const struct roster *roster = &delivery->config.society->roster;
    delivery->members = calloc(roster_count(roster) + 1, sizeof *delivery->members);
    if (delivery->members == NULL)
        return false;
    for (uint32_t i = 0; i < roster_count(roster); i++) {
        const struct roster_entry *entry = roster_at(roster, i);
        if (entry->state == MEMBER_ADMITTED)
            delivery->members[delivery->member_count++].key = entry->transport_key;
    }
    return true;
}

struct head_delivery *head_delivery_new(const struct head_delivery_config *config)
{
    struct head_delivery *delivery = calloc(1, sizeof *delivery);
    if (delivery == NULL)
        return NULL;
    const struct roster *roster = &config->society->roster;
    delivery->config = *config;
    delivery->tip = roster_current_id(roster);
    if (roster_current_head(roster)->heal_count == 0) /* a healing comes with a snapshot */
        delivery->before_tip = roster_current_head(roster)->previous;
    if (delivery_list_members(delivery) &&
        society_directory_read_delta(config->society, roster_current_head(roster)->epoch,
                                     &delivery->delta, &delivery->delta_size))
        return delivery;
    head_delivery_free(delivery);
    return NULL;
}

static void delivery_end_session(struct delivery_member *member)
{
    if (member->tunnel != NULL)
        tunnel_clear(member->tunnel);
    free(member->tunnel);
    member->tunnel = NULL;
    member->owed_size = 0;
}

void head_delivery_free(struct head_delivery *delivery)
{
    if (delivery == NULL)
        return;
    for (uint32_t i = 0; i < delivery->member_count; i++)
        delivery_end_session(&delivery->members[i]);
    sodium_memzero(&delivery->step, sizeof delivery->step);
    free(delivery->members);
    free(delivery->delta);
    free(delivery);
}

static struct delivery_member *delivery_find(struct head_delivery *delivery,
                                             const struct transport_key *key)
{
    for (uint32_t i = 0; i < delivery->member_count; i++) {
        if (ID_EQUAL(delivery->members[i].key, *key))
            return &delivery->members[i];
    }
    return NULL;
}

/* ---- the session ---- */

/* The session ended before the member had everything: tries again later, a few times. */
static void delivery_failed(const struct head_delivery *delivery, struct delivery_member *member)
{
    delivery_end_session(member);
    if (member->stage == DELIVERY_REACHED || member->stage == DELIVERY_GIVEN_UP ||
        member->stage == DELIVERY_ABSENT)
        return;
    member->stage = ++member->tries < DELIVERY_TRIES_MAX ? DELIVERY_WAITING : DELIVERY_GIVEN_UP;
    member->not_before.ms = delivery_now(delivery).ms + DELIVERY_AGAIN_MS;
}

static void delivery_heard(struct head_delivery *delivery, struct delivery_member *member,
                           struct bytes frame);

/* Sends a small box, or owes it until there is credit: boxes open in order only, so no other goes
 * before it. */
static void delivery_put(struct head_delivery *delivery, struct delivery_member *member,
                         struct bytes box)
{
    const struct head_delivery_config *config = &delivery->config;
    if (member->owed_size == 0 &&
        config->may_send(config->arg, member->relay, &member->key, box.size)) {
        config->send(config->arg, member->relay, &member->key, box);
        return;
    }
    if (member->owed_size == 0 && box.size <= sizeof member->owed) {
        memcpy(member->owed, box.data, box.size);
        member->owed_size = box.size;
    }
}

static void delivery_pay(struct head_delivery *delivery, struct delivery_member *member)
{
    uint8_t owed[sizeof member->owed];
    size_t size = member->owed_size;
    if (size == 0)
        return;
    memcpy(owed, member->owed, size);
    member->owed_size = 0;
    delivery_put(delivery, member, (struct bytes){owed, size});
}

/* A box of data was charged before it was sealed; others are charged here. */
static void delivery_event(struct head_delivery *delivery, struct delivery_member *member,
                           struct tunnel_event *event)
{
    const struct head_delivery_config *config = &delivery->config;
    uint8_t secret[KEY_SIZE];
    event->now = delivery_now(delivery);
    if (tunnel_needs_secret(member->tunnel, event)) {
        randombytes_buf(secret, sizeof secret);
        event->secret = secret;
    }
    tunnel_on_event(member->tunnel, event, &delivery->step);
    sodium_memzero(secret, sizeof secret);
    const struct tunnel_step *step = &delivery->step;
    if (step->send.size > 0 && event->kind == TUNNEL_EVENT_SEND)
        config->send(config->arg, member->relay, &member->key, step->send);
    else if (step->send.size > 0)
        delivery_put(delivery, member, step->send);
    bool is_down = step->change == TUNNEL_DOWN;
    if (step->opened.size > 0)
        delivery_heard(delivery, member, step->opened);
    if (is_down)
        delivery_failed(delivery, member);
}

static void delivery_dial(struct head_delivery *delivery, struct delivery_member *member)
{
    struct tunnel_event event = {.kind = TUNNEL_EVENT_DIAL};
    member->tunnel = calloc(1, sizeof *member->tunnel);
    if (member->tunnel == NULL)
        return;
    tunnel_init(member->tunnel, &delivery->config.identity, &delivery->config.relays[member->relay],
                &member->key);
    member->stage = DELIVERY_DIALLED;
    delivery_event(delivery, member, &event);
}

/* ---- what a member gets: ROSTER-46 ---- */

/* The next frame of heads from `*index` on, which moves behind what it took. */
static bool delivery_heads_frame(struct head_delivery *delivery, uint32_t *index,
                                 struct buffer *frame)
{
    const struct head_delivery_config *config = &delivery->config;
    bool room = true;
    frame_heads_begin(frame);
    while (room && *index < config->epoch_count) {
        uint8_t *data;
        size_t size;
        if (!society_directory_read_head(config->society, config->epochs[*index], &data, &size))
            return false;
        room = frame_head_write(frame, (struct bytes){data, size});
        free(data);
        if (room)
            ++*index;
    }
    return true;
}

static bool delivery_content_frame(struct head_delivery *delivery, struct delivery_member *next,
                                   struct buffer *frame)
{
    struct buffer part = buffer_over(delivery->part, sizeof delivery->part);
    if (next->by_delta) {
        struct delta delta = {
            delivery->tip, delivery->before_tip, {delivery->delta, delivery->delta_size}};
        next->content_done =
            delta_part_write(&delta, next->delta_part++, &next->delta_offset, &part);
    } else {
        next->content_done =
            roster_snapshot_part(&delivery->config.society->roster, &next->cursor, &part);
    }
    frame_roster_part_write(frame, buffer_bytes(&part));
    return !frame->failed;
}

/* Sends one more frame; false when there is no credit, or nothing more to send. */
static bool delivery_send_next(struct head_delivery *delivery, struct delivery_member *member)
{
    const struct head_delivery_config *config = &delivery->config;
    struct delivery_member next = *member;
    struct buffer frame = buffer_over(delivery->frame, sizeof delivery->frame);
    bool made = next.head_next < config->epoch_count
                    ? delivery_heads_frame(delivery, &next.head_next, &frame)
                    : delivery_content_frame(delivery, &next, &frame);
    if (!made) {
        member->stage = DELIVERY_GIVEN_UP;
        return false;
    }
    delivery_pay(delivery, member);
    if (member->owed_size > 0 ||
        !config->may_send(config->arg, member->relay, &member->key, frame.size + TUNNEL_WRAP_SIZE))
        return false;
    next.owed_size = 0;
    if (next.content_done)
        next.stage = DELIVERY_SENT;
    *member = next;
    struct tunnel_event event = {.kind = TUNNEL_EVENT_SEND, .bytes = buffer_bytes(&frame)};
    delivery_event(delivery, member, &event);
    return member->stage == DELIVERY_SENDING;
}

static void delivery_send(struct head_delivery *delivery, struct delivery_member *member)
{
    while (member->stage == DELIVERY_SENDING && delivery_send_next(delivery, member))
        continue;
}

static void delivery_begin(struct head_delivery *delivery, struct delivery_member *member,
                           const struct frame_heads_want *want)
{
    const struct head_delivery_config *config = &delivery->config;
    member->head_next = 0;
    while (member->head_next < config->epoch_count &&
           config->epochs[member->head_next] <= want->epoch)
        member->head_next++;
    member->by_delta = !ID_IS_ZERO(want->base) && ID_EQUAL(want->base, delivery->before_tip);
    member->content_done = false;
    member->cursor = (struct roster_cursor){0};
    member->delta_offset = 0;
    member->delta_part = 0;
    member->stage = DELIVERY_SENDING;
}

/* A member that asks from the last head on has everything. */
static void delivery_heard(struct head_delivery *delivery, struct delivery_member *member,
                           struct bytes frame)
{
    struct frame_heads_want want;
    if (frame.data[0] != FRAME_HEADS_WANT || frame_heads_want_read(frame, &want) != OK)
        return;
    if (ID_EQUAL(want.base, delivery->tip)) {
        member->stage = DELIVERY_REACHED;
        return; /* closed in the next turn: the step is still in use */
    }
    if (member->stage == DELIVERY_DIALLED || member->stage == DELIVERY_SENT)
        delivery_begin(delivery, member, &want);
}

/* ---- reports from a relay ---- */

void head_delivery_present(struct head_delivery *delivery, uint32_t relay,
                           const struct transport_key *key, bool connected)
{
    struct delivery_member *member = delivery_find(delivery, key);
    if (member == NULL)
        return;
    if (!connected) {
        head_delivery_lost(delivery, relay, key);
        return;
    }
    if (member->stage == DELIVERY_ABSENT) {
        member->stage = DELIVERY_WAITING;
        member->relay = relay;
    } else if (member->stage == DELIVERY_WAITING) {
        member->relay = relay; /* the last one failed: try this one */
    }
}

void head_delivery_box(struct head_delivery *delivery, uint32_t relay,
                       const struct transport_key *from, struct bytes box)
{
    struct delivery_member *member = delivery_find(delivery, from);
    struct tunnel_event event = {.kind = TUNNEL_EVENT_FRAME, .bytes = box};
    if (member != NULL && member->tunnel != NULL && member->relay == relay)
        delivery_event(delivery, member, &event);
}

void head_delivery_lost(struct head_delivery *delivery, uint32_t relay,
                        const struct transport_key *key)
{
    struct delivery_member *member = delivery_find(delivery, key);
    if (member != NULL && member->tunnel != NULL && member->relay == relay)
        delivery_failed(delivery, member);
}

void head_delivery_relay_down(struct head_delivery *delivery, uint32_t relay)
{
    for (uint32_t i = 0; i < delivery->member_count; i++) {
        struct delivery_member *member = &delivery->members[i];
        if (member->tunnel != NULL && member->relay == relay)
            delivery_failed(delivery, member);
    }
}

/* ---- continuing ---- */

static uint32_t delivery_sessions(const struct head_delivery *delivery)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < delivery->member_count; i++)
        count += delivery->members[i].tunnel != NULL;
    return count;
}

static void delivery_go_on(struct head_delivery *delivery, struct delivery_member *member,
                           uint32_t *sessions)
{
    struct tunnel_event time = {.kind = TUNNEL_EVENT_TIME}, end = {.kind = TUNNEL_EVENT_HANG_UP};
    if (member->stage == DELIVERY_WAITING && *sessions < DELIVERY_AT_ONCE_MAX &&
        member->not_before.ms <= delivery_now(delivery).ms) {
        delivery_dial(delivery, member);
        ++*sessions;
    }
    if (member->tunnel == NULL)
        return;
    if (member->stage == DELIVERY_REACHED || member->stage == DELIVERY_GIVEN_UP) {
        delivery_event(delivery, member, &end);
        delivery_end_session(member);
        return;
    }
    delivery_pay(delivery, member);
    delivery_send(delivery, member);
    if (member->tunnel != NULL && tunnel_deadline(member->tunnel).ms <= delivery_now(delivery).ms)
        delivery_event(delivery, member, &time);
}

void head_delivery_go_on(struct head_delivery *delivery)
{
    uint32_t sessions = delivery_sessions(delivery);
    for (uint32_t i = 0; i < delivery->member_count; i++)
        delivery_go_on(delivery, &delivery->members[i], &sessions);
}

struct head_delivery_counts head_delivery_counts(const struct head_delivery *delivery)
{
    struct head_delivery_counts counts = {0};
    for (uint32_t i = 0; i < delivery->member_count; i++) {
        const struct delivery_member *member = &delivery->members[i];
        counts.connected += member->stage != DELIVERY_ABSENT;
        counts.reached += member->stage == DELIVERY_REACHED;
        counts.pending += (member->stage > DELIVERY_ABSENT && member->stage < DELIVERY_REACHED) ||
                          (member->stage == DELIVERY_REACHED && member->tunnel != NULL);
    }
    return counts;
}
