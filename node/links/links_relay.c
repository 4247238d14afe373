#include "node/links/links_relay.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "node/links/links_route.h"
#include "node/os/log.h"

static uint32_t links_relay_index(const struct links *links, const struct links_relay_state *relay)
{
    return (uint32_t)(relay - links->relays);
}

struct links_relay_state *links_relay_of_link(struct links *links, struct hub_link link)
{
    for (size_t i = 0; link.id != 0 && i < LINKS_RELAY_MAX; i++) {
        if (links->relays[i].link.id == link.id)
            return &links->relays[i];
    }
    return NULL;
}

/* ---- frames to the relay ---- */

static void links_relay_clear(struct links_relay_state *relay)
{
    while (relay->waiting_first != NULL) {
        struct links_waiting *waiting = relay->waiting_first;
        relay->waiting_first = waiting->next;
        free(waiting);
    }
    relay->waiting_last = NULL;
}

/* Sends now, or behind what waits already. A frame that cannot wait is lost, and with it the
 * sessions through this relay, which the peers notice. */
static void links_relay_put(struct links *links, struct links_relay_state *relay,
                            struct bytes frame)
{
    if (relay->waiting_first == NULL && hub_send(links->hub, relay->link, frame) != ERR_BUSY)
        return;
    struct links_waiting *waiting = malloc(sizeof *waiting + frame.size);
    if (waiting == NULL)
        return;
    waiting->next = NULL;
    waiting->size = frame.size;
    memcpy(waiting->data, frame.data, frame.size);
    if (relay->waiting_last == NULL)
        relay->waiting_first = waiting;
    else
        relay->waiting_last->next = waiting;
    relay->waiting_last = waiting;
}

void links_relay_drained(struct links *links, struct links_relay_state *relay)
{
    while (relay->waiting_first != NULL) {
        struct links_waiting *waiting = relay->waiting_first;
        if (hub_send(links->hub, relay->link, (struct bytes){waiting->data, waiting->size}) ==
            ERR_BUSY)
            return;
        relay->waiting_first = waiting->next;
        if (relay->waiting_first == NULL)
            relay->waiting_last = NULL;
        free(waiting);
    }
    for (size_t i = 0; i < LINK_COUNT_MAX; i++) {
        struct links_member *member = &links->members[i];
        if (member->route == LINKS_BOXED && member->way_relay == links_relay_index(links, relay))
            runtime_link_drained(links->runtime, member->link);
    }
}

static void links_relay_write(struct links *links, struct links_relay_state *relay,
                              const struct relay_frame *frame)
{
    struct buffer buffer = buffer_over(links->frame_memory, sizeof links->frame_memory);
    relay_frame_write(frame, &buffer);
    if (!buffer.failed)
        links_relay_put(links, relay, buffer_bytes(&buffer));
}

/* ---- boxes ---- */

static struct tunnel *links_relay_boxed(struct links *links, struct links_member *member,
                                        uint32_t relay)
{
    if (member->at[relay].tunnel == NULL) {
        member->at[relay].tunnel = calloc(1, sizeof *member->at[relay].tunnel);
        if (member->at[relay].tunnel != NULL)
            tunnel_init(member->at[relay].tunnel, &links->identity, &links->relays[relay].key,
                        &member->key);
    }
    return member->at[relay].tunnel;
}

/* Gives one event to a session and carries out what it left. */
static void links_relay_box(struct links *links, struct links_member *member, uint32_t index,
                            struct tunnel_event *event)
{
    struct links_relay_state *relay = &links->relays[index];
    struct tunnel *tunnel = links_relay_boxed(links, member, index);
    uint8_t secret[KEY_SIZE];
    if (tunnel == NULL)
        return;
    event->now = runtime_mono();
    if (tunnel_needs_secret(tunnel, event)) {
        randombytes_buf(secret, sizeof secret);
        event->secret = secret;
    }
    tunnel_on_event(tunnel, event, &links->box_step);
    sodium_memzero(secret, sizeof secret);
    const struct tunnel_step *step = &links->box_step;
    if (step->send.size > 0 && relay->is_welcome) {
        struct relay_frame forward = {
            .type = RELAY_FORWARD, .key = member->key, .body = step->send};
        /* data was charged before it was sealed; handshakes and the like are charged here */
        if (event->kind == TUNNEL_EVENT_SEND ||
            relay_credit_take(&relay->credit, &member->key, step->send.size))
            links_relay_write(links, relay, &forward);
    }
    relay_choice_note(&member->at[index].choice, step, event->now);
    enum tunnel_change change = step->change;
    if (change == TUNNEL_DOWN && member->route == LINKS_BOXED && member->way_relay == index)
        links_route_lose(links, member, "the session through the relay ended");
    if (change != TUNNEL_SAME)
        links_route_choose(links, member);
    if (step->opened.size > 0) {
        struct bytes opened = step->opened;
        uint8_t *copy = malloc(opened.size); /* what it sets off may use the step again */
        if (copy == NULL)
            return;
        memcpy(copy, opened.data, opened.size);
        links_route_heard(links, member, (struct bytes){copy, opened.size});
        free(copy);
    }
}

err links_relay_send(struct links *links, struct links_member *member, struct bytes frame)
{
    struct links_relay_state *relay = &links->relays[member->way_relay];
    struct tunnel_event event = {.kind = TUNNEL_EVENT_SEND, .bytes = frame};
    if (relay->waiting_first != NULL ||
        !relay_credit_take_frame(&relay->credit, &member->key, frame.size + TUNNEL_WRAP_SIZE))
        return ERR_BUSY;
    links_relay_box(links, member, member->way_relay, &event);
    return OK;
}

void links_relay_hang_up(struct links *links, struct links_member *member)
{
    for (uint32_t i = 0; i < LINKS_RELAY_MAX; i++) {
        struct tunnel_event event = {.kind = TUNNEL_EVENT_HANG_UP};
        if (member->at[i].tunnel != NULL && links->relays[i].is_welcome)
            links_relay_box(links, member, i, &event);
    }
}

void links_relay_forget(struct links_member *member)
{
    for (size_t i = 0; i < LINKS_RELAY_MAX; i++) {
        if (member->at[i].tunnel != NULL)
            tunnel_clear(member->at[i].tunnel);
        free(member->at[i].tunnel);
        member->at[i].tunnel = NULL;
        member->at[i].is_present = false;
        member->at[i].choice = (struct relay_choice){0};
    }
}

/* A session is wanted with whoever is there and has no direct way. The smaller key dials; the
 * larger one only when that came to nothing. */
static void links_relay_want(struct links *links, struct links_member *member, uint32_t index)
{
    struct tunnel *tunnel = links_relay_boxed(links, member, index);
    uint64_t now = runtime_mono().ms;
    bool is_smaller = memcmp(links->identity.local.bytes, member->key.bytes, KEY_SIZE) < 0;
    uint64_t patience = is_smaller ? 0 : LINKS_SECOND_DIAL_MS;
    if (tunnel == NULL || !member->is_listed || !member->at[index].is_present ||
        tunnel->state != TUNNEL_IDLE || member->quiet_until.ms > now ||
        member->route != LINKS_NONE || member->at[index].present_since.ms + patience > now)
        return;
    struct tunnel_event event = {.kind = TUNNEL_EVENT_DIAL};
    member->at[index].present_since.ms = now; /* the next dial waits its turn again */
    links_relay_box(links, member, index, &event);
}

/* ---- frames from the relay ---- */

static void links_relay_on_welcome(struct links *links, struct links_relay_state *relay,
                                   const struct relay_frame *frame)
{
    if (!ID_EQUAL(frame->federation, links->identity.federation))
        return;
    relay->is_welcome = true;
    relay->epoch = frame->head.epoch;
    relay_credit_init(&relay->credit, &frame->limits);
    log_info("relay-up", log_hex("relay", ID_BYTES(relay->key)),
             log_count("epoch", frame->head.epoch));
    if (frame->head.epoch > 0)
        driver_relay_head(links->driver, frame->head.epoch, &frame->head.id);
    links_relay_watch(links, relay);
}

void links_relay_watch(struct links *links, struct links_relay_state *relay)
{
    struct relay_entry entries[LINK_COUNT_MAX];
    uint16_t count = 0;
    for (size_t i = 0; i < LINK_COUNT_MAX; i++) {
        if (links->members[i].is_listed && !links->members[i].is_publisher)
            entries[count++] = (struct relay_entry){.key = links->members[i].key};
    }
    _Static_assert((int)LINK_COUNT_MAX <= (int)RELAY_KEY_COUNT_MAX, "all members fit one frame");
    if (count == 0 || !relay->is_welcome)
        return;
    struct buffer buffer = buffer_over(links->frame_memory, sizeof links->frame_memory);
    relay_frame_write_list(RELAY_WATCH, entries, count, &buffer);
    links_relay_put(links, relay, buffer_bytes(&buffer));
}

static void links_relay_on_presence(struct links *links, struct links_relay_state *relay,
                                    const struct relay_frame *frame)
{
    uint32_t index = links_relay_index(links, relay);
    for (uint16_t i = 0; i < frame->count; i++) {
        struct relay_entry entry = relay_frame_entry(frame, i);
        struct links_member *member = links_route_member(links, &entry.key);
        if (member == NULL || member->is_publisher)
            continue;
        bool was_present = member->at[index].is_present;
        member->at[index].is_present = entry.value != 0;
        if (entry.value != 0 && !was_present)
            member->at[index].present_since = runtime_mono();
        if (entry.value == 0) {
            struct tunnel_event event = {.kind = TUNNEL_EVENT_LOST};
            if (member->at[index].tunnel != NULL)
                links_relay_box(links, member, index, &event);
        } else {
            links_relay_want(links, member, index);
        }
    }
}

static void links_relay_on_deliver(struct links *links, struct links_relay_state *relay,
                                   const struct relay_frame *frame)
{
    struct links_member *member = links_route_member(links, &frame->key);
    struct tunnel_event event = {.kind = TUNNEL_EVENT_FRAME, .bytes = frame->body};
    if (member != NULL && member->is_listed && member->quiet_until.ms <= runtime_mono().ms)
        links_relay_box(links, member, links_relay_index(links, relay), &event);
}

static void links_relay_on_credit(struct links *links, struct links_relay_state *relay,
                                  const struct relay_frame *frame)
{
    for (uint16_t i = 0; i < frame->count; i++) {
        struct relay_entry entry = relay_frame_entry(frame, i);
        relay_credit_give(&relay->credit, &entry.key, entry.value);
        struct links_member *member = links_route_member(links, &entry.key);
        if (member != NULL && member->route == LINKS_BOXED && member->link.value != 0)
            runtime_link_drained(links->runtime, member->link);
    }
}

static void links_relay_on_status(struct links *links, struct links_relay_state *relay,
                                  const struct relay_frame *frame)
{
    struct links_member *member = links_route_member(links, &frame->key);
    struct tunnel_event event = {.kind = TUNNEL_EVENT_LOST};
    uint32_t index = links_relay_index(links, relay);
    if (frame->code == RELAY_REFUSED) {
        log_error("relay-refused", log_hex("relay", ID_BYTES(relay->key)),
                  log_count("reason", frame->value),
                  log_text("do", "ask the society whether this node is in its list"));
        return;
    }
    if (frame->code == RELAY_DRAINING) {
        log_warn("relay-draining", log_hex("relay", ID_BYTES(relay->key)),
                 log_count("ms", frame->value));
        return;
    }
    relay_credit_give(&relay->credit, &frame->key, frame->units);
    if (member != NULL && member->at[index].tunnel != NULL)
        links_relay_box(links, member, index, &event);
}

void links_relay_frame(struct links *links, struct links_relay_state *relay, struct bytes bytes)
{
    struct relay_frame frame;
    err failure = relay_frame_parse(bytes, &frame);
    if (failure != OK) {
        log_warn("relay-frame-malformed", log_err("why", failure));
        return;
    }
    if (frame.type == RELAY_WELCOME)
        links_relay_on_welcome(links, relay, &frame);
    else if (!relay->is_welcome)
        return;
    else if (frame.type == RELAY_PRESENCE)
        links_relay_on_presence(links, relay, &frame);
    else if (frame.type == RELAY_DELIVER)
        links_relay_on_deliver(links, relay, &frame);
    else if (frame.type == RELAY_CREDIT)
        links_relay_on_credit(links, relay, &frame);
    else if (frame.type == RELAY_STATUS)
        links_relay_on_status(links, relay, &frame);
    else if (frame.type == RELAY_HEAD) {
        relay->epoch = frame.head.epoch;
        driver_relay_head(links->driver, frame.head.epoch, &frame.head.id);
    }
}

/* ---- up and down ---- */

void links_relay_up(struct links *links, struct links_relay_state *relay)
{
    const struct roster *roster = runtime_roster(links->runtime);
    const struct chain_link *last = chain_last(&roster->chain);
    struct relay_frame hello = {.type = RELAY_HELLO,
                                .version_min = RELAY_VERSION,
                                .version_max = RELAY_VERSION,
                                .federation = links->identity.federation};
    if (last != NULL)
        hello.head = (struct relay_head){last->epoch, last->id};
    relay->is_up = true;
    relay->told.is_told = false;
    links_relay_write(links, relay, &hello);
}

void links_relay_down(struct links *links, struct links_relay_state *relay)
{
    uint32_t index = links_relay_index(links, relay);
    relay->is_up = false;
    relay->is_welcome = false;
    links_relay_clear(relay);
    for (size_t i = 0; i < LINK_COUNT_MAX; i++) {
        struct links_member *member = &links->members[i];
        struct tunnel_event event = {.kind = TUNNEL_EVENT_LOST};
        member->at[index].is_present = false;
        if (member->at[index].tunnel != NULL)
            links_relay_box(links, member, index, &event);
    }
}

static struct links_relay_state *links_relay_of_key(struct links *links,
                                                    const struct transport_key *key)
{
    for (size_t i = 0; i < LINKS_RELAY_MAX; i++) {
        if (ID_EQUAL(links->relays[i].key, *key))
            return &links->relays[i];
    }
    return NULL;
}

static void links_relay_drop(struct links *links, struct links_relay_state *relay)
{
    uint32_t index = links_relay_index(links, relay);
    hub_close(links->hub, relay->link);
    links_relay_down(links, relay);
    for (size_t i = 0; i < LINK_COUNT_MAX; i++) {
        struct tunnel *tunnel = links->members[i].at[index].tunnel;
        if (tunnel != NULL)
            tunnel_clear(tunnel); /* its prologue names the relay that was here */
        free(tunnel);
        links->members[i].at[index].tunnel = NULL;
        links->members[i].at[index].choice = (struct relay_choice){0};
    }
    memset(relay, 0, sizeof *relay);
}

void links_relay_refresh(struct links *links)
{
    const struct roster *roster = runtime_roster(links->runtime);
    if (roster_current_head(roster) == NULL)
        return;
    const struct settings *settings = roster_settings(roster);
    for (size_t i = 0; i < LINKS_RELAY_MAX; i++) {
        struct links_relay_state *relay = &links->relays[i];
        if (!ID_IS_ZERO(relay->key) && roster_relay(roster, &relay->key) == NULL)
            links_relay_drop(links, relay);
    }
    for (uint32_t i = 0; i < settings->relay_count; i++) {
        const struct settings_relay *listed = &settings->relays[i];
        struct links_relay_state *place = links->relays;
        struct address endpoint;
        while (place < links->relays + LINKS_RELAY_MAX && !ID_IS_ZERO(place->key))
            place++;
        if (address_parse(listed->endpoint, &endpoint) != OK)
            continue;
        struct links_relay_state *known = links_relay_of_key(links, &listed->key);
        if (known != NULL && hub_redirect(links->hub, known->link, &endpoint, 1) != OK)
            log_error("relay-undialable", log_hex("relay", ID_BYTES(listed->key)),
                      log_text("do", "tell the society that its endpoint cannot be dialed"));
        if (known != NULL || place == links->relays + LINKS_RELAY_MAX)
            continue;
        place->key = listed->key;
        if (hub_dial(links->hub, &endpoint, &listed->key, &place->link) != OK)
            memset(place, 0, sizeof *place);
    }
    for (size_t i = 0; i < LINKS_RELAY_MAX; i++)
        links_relay_watch(links, &links->relays[i]);
}

void links_relay_tick(struct links *links)
{
    uint64_t now = runtime_mono().ms;
    for (size_t i = 0; i < LINK_COUNT_MAX; i++) {
        struct links_member *member = &links->members[i];
        for (uint32_t j = 0; member->is_listed && j < LINKS_RELAY_MAX; j++) {
            struct tunnel *tunnel = member->at[j].tunnel;
            struct tunnel_event event = {.kind = TUNNEL_EVENT_TIME};
            if (tunnel != NULL && tunnel_deadline(tunnel).ms <= now)
                links_relay_box(links, member, j, &event);
            if (links->relays[j].is_welcome)
                links_relay_want(links, member, j);
        }
    }
}
