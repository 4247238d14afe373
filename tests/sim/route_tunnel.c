/* As node/links/links_relay.c: hello to relays, who is there, boxes to those who have no direct
 * line. */
#include <string.h>

#include "tests/sim/hospital.h"
#include "tests/sim/relay.h"
#include "tests/sim/route.h"
#include "tests/sim/society.h"
#include "tests/sim/tunnels.h"

static struct mono route_now(const struct hospital *hospital)
{
    return hospital_event(hospital, EVENT_TICK).now;
}

static uint32_t route_of_key(const struct hospital *hospital, const struct transport_key *key)
{
    for (uint32_t i = 0; i < hospital->world->count; i++) {
        if (i != hospital->index && ID_EQUAL(hospital->world->hospitals[i].transport_key, *key))
            return i;
    }
    return ROUTE_NOBODY;
}

static struct route_hop *route_hop(struct hospital *hospital, uint32_t peer, uint32_t relay)
{
    struct route_hop **hop = &hospital->ways[peer].hops[relay];
    if (*hop == NULL) {
        *hop = calloc(1, sizeof **hop);
        if (*hop == NULL)
            abort();
        tunnel_init(&(*hop)->tunnel, &hospital->identity, &hospital->world->relays[relay].key,
                    &hospital->world->hospitals[peer].transport_key);
    }
    return *hop;
}

static void route_write(struct hospital *hospital, uint32_t relay, const struct relay_frame *frame)
{
    static uint8_t memory[FRAME_SIZE_MAX + RELAY_WRAP_SIZE];
    struct buffer buffer = buffer_over(memory, sizeof memory);
    relay_frame_write(frame, &buffer);
    if (!buffer.failed)
        relay_send(hospital, relay, buffer_bytes(&buffer));
}

/* Gives one event to a session and carries out what it left. */
static void route_tunnel(struct hospital *hospital, uint32_t peer, uint32_t relay,
                         struct tunnel_event *event)
{
    struct world *world = hospital->world;
    struct tunnel_step *step = &world->box_step;
    struct route *route = &hospital->ways[peer];
    struct route_hop *hop = route_hop(hospital, peer, relay);
    struct wire *wire = &hospital->wires[relay];
    struct transport_key key = world->hospitals[peer].transport_key;
    uint8_t secret[KEY_SIZE];
    event->now = route_now(hospital);
    if (tunnel_needs_secret(&hop->tunnel, event)) {
        prng_bytes(&world->prng, secret, sizeof secret);
        event->secret = secret;
    }
    tunnel_on_event(&hop->tunnel, event, step);
    if (step->send.size > 0 && wire->is_welcome) {
        struct relay_frame forward = {.type = RELAY_FORWARD, .key = key, .body = step->send};
        if (event->kind == TUNNEL_EVENT_SEND)
            tunnels_sealed(hospital, &world->hospitals[peer], relay, event->bytes, step->send);
        if (event->kind == TUNNEL_EVENT_SEND ||
            relay_credit_take(&wire->credit, &key, step->send.size))
            route_write(hospital, relay, &forward);
    }
    relay_choice_note(&hop->choice, step, event->now);
    enum tunnel_change change = step->change;
    if (change != TUNNEL_SAME)
        world_note(world, hospital, change == TUNNEL_UP ? "box up" : "box down", step->reason);
    if (change == TUNNEL_DOWN && route->kind == ROUTE_BOXED && route->relay == relay)
        route->is_broken = true;
    uint8_t *opened = step->opened.size > 0 ? malloc(step->opened.size) : NULL;
    size_t opened_size = step->opened.size;
    if (opened != NULL) /* what it sets off may use the step again */
        memcpy(opened, step->opened.data, opened_size);
    if (change != TUNNEL_SAME)
        route_choose(hospital, peer);
    if (opened != NULL) {
        struct bytes frame = {opened, opened_size};
        tunnels_opened(hospital, &world->hospitals[peer], relay, frame);
        route_heard(hospital, peer, frame);
        free(opened);
    }
}

int route_box_session(const struct hospital *hospital, uint32_t peer)
{
    struct relay_choice all[ROUTE_RELAYS_MAX] = {{0}};
    const struct route *route = &hospital->ways[peer];
    for (uint32_t i = 0; i < hospital->world->relay_count; i++) {
        if (route->hops[i] != NULL)
            all[i] = route->hops[i]->choice;
        all[i].is_up = all[i].is_up && hospital->wires[i].is_welcome;
    }
    return relay_choice_best(all, ROUTE_RELAYS_MAX,
                             route->kind == ROUTE_BOXED ? (int)route->relay : -1);
}

bool route_box_send(struct hospital *hospital, uint32_t peer, struct bytes frame)
{
    uint32_t relay = hospital->ways[peer].relay;
    struct wire *wire = &hospital->wires[relay];
    struct transport_key key = hospital->world->hospitals[peer].transport_key;
    struct tunnel_event event = {.kind = TUNNEL_EVENT_SEND, .bytes = frame};
    if (!relay_credit_take_frame(&wire->credit, &key, frame.size + TUNNEL_WRAP_SIZE))
        return false;
    route_tunnel(hospital, peer, relay, &event);
    return true;
}

void route_box_hang_up(struct hospital *hospital, uint32_t peer)
{
    for (uint32_t i = 0; i < hospital->world->relay_count; i++) {
        struct tunnel_event event = {.kind = TUNNEL_EVENT_HANG_UP};
        if (hospital->ways[peer].hops[i] != NULL && hospital->wires[i].is_welcome)
            route_tunnel(hospital, peer, i, &event);
    }
}

/* A session is wanted with whoever is there and has no other way. */
static void route_want(struct hospital *hospital, uint32_t peer, uint32_t relay)
{
    struct world *world = hospital->world;
    struct route *route = &hospital->ways[peer];
    struct route_hop *hop = route_hop(hospital, peer, relay);
    bool is_smaller = memcmp(hospital->transport_key.bytes,
                             world->hospitals[peer].transport_key.bytes, KEY_SIZE) < 0;
    uint64_t patience = is_smaller ? 0 : ROUTE_SECOND_DIAL_MS;
    if (!route_is_listed(hospital, peer) || !hop->is_present || hop->tunnel.state != TUNNEL_IDLE ||
        route->quiet_until > world->now || route->kind != ROUTE_NONE ||
        hop->present_since + patience > world->now)
        return;
    struct tunnel_event event = {.kind = TUNNEL_EVENT_DIAL};
    hop->present_since = world->now;
    route_tunnel(hospital, peer, relay, &event);
}

void route_box_tick(struct hospital *hospital)
{
    struct world *world = hospital->world;
    for (uint32_t i = 0; i < world->count; i++) {
        for (uint32_t j = 0; i != hospital->index && j < world->relay_count; j++) {
            const struct route_hop *hop = hospital->ways[i].hops[j];
            struct tunnel_event event = {.kind = TUNNEL_EVENT_TIME};
            if (hop != NULL && tunnel_deadline(&hop->tunnel).ms <= route_now(hospital).ms)
                route_tunnel(hospital, i, j, &event);
            if (hospital->wires[j].is_welcome)
                route_want(hospital, i, j);
        }
    }
}

/* ---- frames from the relay ---- */

static void route_on_welcome(struct hospital *hospital, uint32_t relay,
                             const struct relay_frame *frame)
{
    static uint8_t memory[RELAY_CONTROL_SIZE_MAX];
    struct world *world = hospital->world;
    struct relay_entry entries[WORLD_HOSPITALS_MAX];
    struct buffer buffer = buffer_over(memory, sizeof memory);
    struct wire *wire = &hospital->wires[relay];
    uint16_t count = 0;
    if (!ID_EQUAL(frame->federation, hospital->identity.federation))
        return;
    wire->is_welcome = true;
    relay_credit_init(&wire->credit, &frame->limits);
    for (uint32_t i = 0; i < world->count; i++) {
        if (i != hospital->index)
            entries[count++] = (struct relay_entry){.key = world->hospitals[i].transport_key};
    }
    relay_frame_write_list(RELAY_WATCH, entries, count, &buffer);
    relay_send(hospital, relay, buffer_bytes(&buffer));
}

static void route_on_head(struct hospital *hospital, const struct relay_frame *frame)
{
    struct event event = hospital_event(hospital, EVENT_RELAY_HEAD);
    event.relay_head.epoch = frame->head.epoch;
    event.relay_head.head = frame->head.id;
    hospital->is_relay_told = true;
    if (frame->head.epoch > 0)
        hospital_step(hospital, &event);
}

static void route_on_presence(struct hospital *hospital, uint32_t relay,
                              const struct relay_frame *frame)
{
    for (uint16_t i = 0; i < frame->count; i++) {
        struct relay_entry entry = relay_frame_entry(frame, i);
        uint32_t peer = route_of_key(hospital, &entry.key);
        if (peer == ROUTE_NOBODY)
            continue;
        struct route_hop *hop = route_hop(hospital, peer, relay);
        struct tunnel_event event = {.kind = TUNNEL_EVENT_LOST};
        if (entry.value != 0 && !hop->is_present)
            hop->present_since = hospital->world->now;
        hop->is_present = entry.value != 0;
        if (entry.value == 0)
            route_tunnel(hospital, peer, relay, &event);
        else
            route_want(hospital, peer, relay);
    }
}

static void route_on_deliver(struct hospital *hospital, uint32_t relay,
                             const struct relay_frame *frame)
{
    uint32_t peer = route_of_key(hospital, &frame->key);
    struct tunnel_event event = {.kind = TUNNEL_EVENT_FRAME, .bytes = frame->body};
    if (peer != ROUTE_NOBODY && route_is_listed(hospital, peer) &&
        hospital->ways[peer].quiet_until <= hospital->world->now)
        route_tunnel(hospital, peer, relay, &event);
}

static void route_on_credit(struct hospital *hospital, uint32_t relay,
                            const struct relay_frame *frame)
{
    for (uint16_t i = 0; i < frame->count; i++) {
        struct relay_entry entry = relay_frame_entry(frame, i);
        uint32_t peer = route_of_key(hospital, &entry.key);
        relay_credit_give(&hospital->wires[relay].credit, &entry.key, entry.value);
        if (peer != ROUTE_NOBODY && hospital->ways[peer].kind == ROUTE_BOXED)
            route_drain(hospital, peer);
    }
}

static void route_on_status(struct hospital *hospital, uint32_t relay,
                            const struct relay_frame *frame)
{
    uint32_t peer = route_of_key(hospital, &frame->key);
    struct tunnel_event event = {.kind = TUNNEL_EVENT_LOST};
    world_note(hospital->world, hospital, "relay status", frame->code);
    if (frame->code == RELAY_REFUSED || frame->code == RELAY_DRAINING)
        return;
    relay_credit_give(&hospital->wires[relay].credit, &frame->key, frame->units);
    if (peer != ROUTE_NOBODY && hospital->ways[peer].hops[relay] != NULL)
        route_tunnel(hospital, peer, relay, &event);
}

void route_box_frame(struct hospital *hospital, uint32_t relay, struct bytes bytes)
{
    struct relay_frame frame;
    if (!hospital->is_running || relay_frame_parse(bytes, &frame) != OK)
        return;
    if (frame.type == RELAY_WELCOME) {
        route_on_welcome(hospital, relay, &frame);
        route_on_head(hospital, &frame);
    } else if (!hospital->wires[relay].is_welcome) {
        return;
    } else if (frame.type == RELAY_PRESENCE) {
        route_on_presence(hospital, relay, &frame);
    } else if (frame.type == RELAY_DELIVER) {
        route_on_deliver(hospital, relay, &frame);
    } else if (frame.type == RELAY_CREDIT) {
        route_on_credit(hospital, relay, &frame);
    } else if (frame.type == RELAY_STATUS) {
        route_on_status(hospital, relay, &frame);
    } else if (frame.type == RELAY_HEAD) {
        route_on_head(hospital, &frame);
    }
}

/* ---- up and down ---- */

void route_box_up(struct hospital *hospital, uint32_t relay)
{
    const struct chain_link *last = chain_last(&hospital->roster.chain);
    struct relay_frame hello = {.type = RELAY_HELLO,
                                .version_min = RELAY_VERSION,
                                .version_max = RELAY_VERSION,
                                .federation = hospital->identity.federation};
    if (last != NULL)
        hello.head = (struct relay_head){last->epoch, last->id};
    route_write(hospital, relay, &hello);
}

void route_box_down(struct hospital *hospital, uint32_t relay)
{
    hospital->wires[relay].is_welcome = false;
    for (uint32_t i = 0; i < hospital->world->count; i++) {
        struct route_hop *hop = hospital->ways[i].hops[relay];
        struct tunnel_event event = {.kind = TUNNEL_EVENT_LOST};
        if (hop == NULL)
            continue;
        hop->is_present = false;
        route_tunnel(hospital, i, relay, &event);
    }
}
