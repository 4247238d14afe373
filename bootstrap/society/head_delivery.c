#include "bootstrap/society/head_delivery.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/roster/roster_snapshot.h"
#include "protocol/wire/frame.h"

enum { COURIER_TRIES_MAX = 3, COURIER_AT_ONCE_MAX = 32, COURIER_AGAIN_MS = 2000 };

enum courier_stage {
    COURIER_ABSENT,  /* not seen at a relay */
    COURIER_WAITING, /* seen; to be dialled */
    COURIER_DIALLED, /* a session is on its way, or up and silent */
    COURIER_SENDING, /* heads, then content */
    COURIER_SENT,    /* all sent; it will ask once more */
    COURIER_REACHED,
    COURIER_GIVEN_UP,
};

struct courier_member {
    struct transport_key key;
    enum courier_stage stage;
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
    struct courier_member *members;
    uint32_t member_count;
    struct head_id tip;
    struct head_id before_tip; /* base of the last delta */
    uint8_t *delta;            /* its items */
    size_t delta_size;
    struct tunnel_step step;
    uint8_t frame[FRAME_SIZE_MAX];
    uint8_t part[DELTA_PART_SIZE_MAX];
};

static struct mono courier_now(const struct head_delivery *courier)
{
    return courier->config.now(courier->config.arg);
}

/* ---- life ---- */

static bool courier_list_members(struct head_delivery *courier)
{
    const struct roster *roster = &courier->config.society->roster;
    courier->members = calloc(roster_count(roster) + 1, sizeof *courier->members);
    if (courier->members == NULL)
        return false;
    for (uint32_t i = 0; i < roster_count(roster); i++) {
        const struct roster_entry *entry = roster_at(roster, i);
        if (entry->state == MEMBER_ADMITTED)
            courier->members[courier->member_count++].key = entry->transport_key;
    }
    return true;
}

struct head_delivery *head_delivery_new(const struct head_delivery_config *config)
{
    struct head_delivery *courier = calloc(1, sizeof *courier);
    if (courier == NULL)
        return NULL;
    const struct roster *roster = &config->society->roster;
    courier->config = *config;
    courier->tip = roster_current_id(roster);
    if (roster_current_head(roster)->heal_count == 0) /* a healing comes with a snapshot */
        courier->before_tip = roster_current_head(roster)->previous;
    if (courier_list_members(courier) &&
        society_folder_read_delta(config->society, roster_current_head(roster)->epoch,
                                  &courier->delta, &courier->delta_size))
        return courier;
    head_delivery_free(courier);
    return NULL;
}

static void courier_end_session(struct courier_member *member)
{
    if (member->tunnel != NULL)
        tunnel_clear(member->tunnel);
    free(member->tunnel);
    member->tunnel = NULL;
    member->owed_size = 0;
}

void head_delivery_free(struct head_delivery *courier)
{
    if (courier == NULL)
        return;
    for (uint32_t i = 0; i < courier->member_count; i++)
        courier_end_session(&courier->members[i]);
    sodium_memzero(&courier->step, sizeof courier->step);
    free(courier->members);
    free(courier->delta);
    free(courier);
}

static struct courier_member *courier_find(struct head_delivery *courier,
                                           const struct transport_key *key)
{
    for (uint32_t i = 0; i < courier->member_count; i++) {
        if (ID_EQUAL(courier->members[i].key, *key))
            return &courier->members[i];
    }
    return NULL;
}

/* ---- the session ---- */

/* It ended before the member had everything: again later, a few times. */
static void courier_failed(const struct head_delivery *courier, struct courier_member *member)
{
    courier_end_session(member);
    if (member->stage == COURIER_REACHED || member->stage == COURIER_GIVEN_UP ||
        member->stage == COURIER_ABSENT)
        return;
    member->stage = ++member->tries < COURIER_TRIES_MAX ? COURIER_WAITING : COURIER_GIVEN_UP;
    member->not_before.ms = courier_now(courier).ms + COURIER_AGAIN_MS;
}

static void courier_heard(struct head_delivery *courier, struct courier_member *member,
                          struct bytes frame);

/* Sends a small box, or owes it until there is credit: boxes open in order only, so no other goes
 * before it. */
static void courier_put(struct head_delivery *courier, struct courier_member *member,
                        struct bytes box)
{
    const struct head_delivery_config *config = &courier->config;
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

static void courier_pay(struct head_delivery *courier, struct courier_member *member)
{
    uint8_t owed[sizeof member->owed];
    size_t size = member->owed_size;
    if (size == 0)
        return;
    memcpy(owed, member->owed, size);
    member->owed_size = 0;
    courier_put(courier, member, (struct bytes){owed, size});
}

/* A box of data was charged before it was sealed; others are charged here. */
static void courier_event(struct head_delivery *courier, struct courier_member *member,
                          struct tunnel_event *event)
{
    const struct head_delivery_config *config = &courier->config;
    uint8_t secret[KEY_SIZE];
    event->now = courier_now(courier);
    if (tunnel_needs_secret(member->tunnel, event)) {
        randombytes_buf(secret, sizeof secret);
        event->secret = secret;
    }
    tunnel_on_event(member->tunnel, event, &courier->step);
    sodium_memzero(secret, sizeof secret);
    const struct tunnel_step *step = &courier->step;
    if (step->send.size > 0 && event->kind == TUNNEL_EVENT_SEND)
        config->send(config->arg, member->relay, &member->key, step->send);
    else if (step->send.size > 0)
        courier_put(courier, member, step->send);
    bool is_down = step->change == TUNNEL_DOWN;
    if (step->opened.size > 0)
        courier_heard(courier, member, step->opened);
    if (is_down)
        courier_failed(courier, member);
}

static void courier_dial(struct head_delivery *courier, struct courier_member *member)
{
    struct tunnel_event event = {.kind = TUNNEL_EVENT_DIAL};
    member->tunnel = calloc(1, sizeof *member->tunnel);
    if (member->tunnel == NULL)
        return;
    tunnel_init(member->tunnel, &courier->config.identity, &courier->config.relays[member->relay],
                &member->key);
    member->stage = COURIER_DIALLED;
    courier_event(courier, member, &event);
}

/* ---- what a member gets: ROSTER-46 ---- */

/* The next frame of heads from `*index` on, which moves behind what it took. */
static bool courier_heads_frame(struct head_delivery *courier, uint32_t *index,
                                struct buffer *frame)
{
    const struct head_delivery_config *config = &courier->config;
    bool room = true;
    frame_heads_begin(frame);
    while (room && *index < config->epoch_count) {
        uint8_t *data;
        size_t size;
        if (!society_folder_read_head(config->society, config->epochs[*index], &data, &size))
            return false;
        room = frame_head_write(frame, (struct bytes){data, size});
        free(data);
        if (room)
            ++*index;
    }
    return true;
}

static bool courier_content_frame(struct head_delivery *courier, struct courier_member *next,
                                  struct buffer *frame)
{
    struct buffer part = buffer_over(courier->part, sizeof courier->part);
    if (next->by_delta) {
        struct delta delta = {
            courier->tip, courier->before_tip, {courier->delta, courier->delta_size}};
        next->content_done =
            delta_part_write(&delta, next->delta_part++, &next->delta_offset, &part);
    } else {
        next->content_done =
            roster_snapshot_part(&courier->config.society->roster, &next->cursor, &part);
    }
    frame_roster_part_write(frame, buffer_bytes(&part));
    return !frame->failed;
}

/* Sends one more frame; false when there is no credit, or nothing more to send. */
static bool courier_send_next(struct head_delivery *courier, struct courier_member *member)
{
    const struct head_delivery_config *config = &courier->config;
    struct courier_member next = *member;
    struct buffer frame = buffer_over(courier->frame, sizeof courier->frame);
    bool made = next.head_next < config->epoch_count
                    ? courier_heads_frame(courier, &next.head_next, &frame)
                    : courier_content_frame(courier, &next, &frame);
    if (!made) {
        member->stage = COURIER_GIVEN_UP;
        return false;
    }
    courier_pay(courier, member);
    if (member->owed_size > 0 ||
        !config->may_send(config->arg, member->relay, &member->key, frame.size + TUNNEL_WRAP_SIZE))
        return false;
    next.owed_size = 0;
    if (next.content_done)
        next.stage = COURIER_SENT;
    *member = next;
    struct tunnel_event event = {.kind = TUNNEL_EVENT_SEND, .bytes = buffer_bytes(&frame)};
    courier_event(courier, member, &event);
    return member->stage == COURIER_SENDING;
}

static void courier_send(struct head_delivery *courier, struct courier_member *member)
{
    while (member->stage == COURIER_SENDING && courier_send_next(courier, member))
        continue;
}

static void courier_begin(struct head_delivery *courier, struct courier_member *member,
                          const struct frame_heads_want *want)
{
    const struct head_delivery_config *config = &courier->config;
    member->head_next = 0;
    while (member->head_next < config->epoch_count &&
           config->epochs[member->head_next] <= want->epoch)
        member->head_next++;
    member->by_delta = !ID_IS_ZERO(want->base) && ID_EQUAL(want->base, courier->before_tip);
    member->content_done = false;
    member->cursor = (struct roster_cursor){0};
    member->delta_offset = 0;
    member->delta_part = 0;
    member->stage = COURIER_SENDING;
}

/* Asking ends with the answer that nothing is newer. */
static void courier_heard(struct head_delivery *courier, struct courier_member *member,
                          struct bytes frame)
{
    struct frame_heads_want want;
    if (frame.data[0] != FRAME_HEADS_WANT || frame_heads_want_read(frame, &want) != OK)
        return;
    if (ID_EQUAL(want.base, courier->tip)) {
        member->stage = COURIER_REACHED;
        return; /* hung up in the next turn: the step is still in use */
    }
    if (member->stage == COURIER_DIALLED || member->stage == COURIER_SENT)
        courier_begin(courier, member, &want);
}

/* ---- what a relay said ---- */

void head_delivery_present(struct head_delivery *courier, uint32_t relay,
                           const struct transport_key *key, bool connected)
{
    struct courier_member *member = courier_find(courier, key);
    if (member == NULL)
        return;
    if (!connected) {
        head_delivery_lost(courier, relay, key);
        return;
    }
    if (member->stage == COURIER_ABSENT) {
        member->stage = COURIER_WAITING;
        member->relay = relay;
    } else if (member->stage == COURIER_WAITING) {
        member->relay = relay; /* the last one failed: try this one */
    }
}

void head_delivery_box(struct head_delivery *courier, uint32_t relay,
                       const struct transport_key *from, struct bytes box)
{
    struct courier_member *member = courier_find(courier, from);
    struct tunnel_event event = {.kind = TUNNEL_EVENT_FRAME, .bytes = box};
    if (member != NULL && member->tunnel != NULL && member->relay == relay)
        courier_event(courier, member, &event);
}

void head_delivery_lost(struct head_delivery *courier, uint32_t relay,
                        const struct transport_key *key)
{
    struct courier_member *member = courier_find(courier, key);
    if (member != NULL && member->tunnel != NULL && member->relay == relay)
        courier_failed(courier, member);
}

void head_delivery_relay_down(struct head_delivery *courier, uint32_t relay)
{
    for (uint32_t i = 0; i < courier->member_count; i++) {
        struct courier_member *member = &courier->members[i];
        if (member->tunnel != NULL && member->relay == relay)
            courier_failed(courier, member);
    }
}

/* ---- going on ---- */

static uint32_t courier_sessions(const struct head_delivery *courier)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < courier->member_count; i++)
        count += courier->members[i].tunnel != NULL;
    return count;
}

static void courier_go_on(struct head_delivery *courier, struct courier_member *member,
                          uint32_t *sessions)
{
    struct tunnel_event time = {.kind = TUNNEL_EVENT_TIME}, end = {.kind = TUNNEL_EVENT_HANG_UP};
    if (member->stage == COURIER_WAITING && *sessions < COURIER_AT_ONCE_MAX &&
        member->not_before.ms <= courier_now(courier).ms) {
        courier_dial(courier, member);
        ++*sessions;
    }
    if (member->tunnel == NULL)
        return;
    if (member->stage == COURIER_REACHED || member->stage == COURIER_GIVEN_UP) {
        courier_event(courier, member, &end);
        courier_end_session(member);
        return;
    }
    courier_pay(courier, member);
    courier_send(courier, member);
    if (member->tunnel != NULL && tunnel_deadline(member->tunnel).ms <= courier_now(courier).ms)
        courier_event(courier, member, &time);
}

void head_delivery_go_on(struct head_delivery *courier)
{
    uint32_t sessions = courier_sessions(courier);
    for (uint32_t i = 0; i < courier->member_count; i++)
        courier_go_on(courier, &courier->members[i], &sessions);
}

struct head_delivery_counts head_delivery_counts(const struct head_delivery *courier)
{
    struct head_delivery_counts counts = {0};
    for (uint32_t i = 0; i < courier->member_count; i++) {
        const struct courier_member *member = &courier->members[i];
        counts.connected += member->stage != COURIER_ABSENT;
        counts.reached += member->stage == COURIER_REACHED;
        counts.pending += (member->stage > COURIER_ABSENT && member->stage < COURIER_REACHED) ||
                          (member->stage == COURIER_REACHED && member->tunnel != NULL);
    }
    return counts;
}
