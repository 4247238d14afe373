/* As node/links/links_relay.c: hello to relays, who is there, boxes to those who have no direct
 * line. */
#include <string.h>

#include "tests/sim/boxes.h"
#include "tests/sim/hospital.h"
#include "tests/sim/relay.h"
#include "tests/sim/society.h"
#include "tests/sim/way.h"

static struct mono way_now(const struct hospital *hospital)
{
    return hospital_event(hospital, EVENT_TICK).now;
}

static uint32_t way_of_key(const struct hospital *hospital, const struct transport_key *key)
{
    for (uint32_t i = 0; i < hospital->world->count; i++) {
        if (i != hospital->index && ID_EQUAL(hospital->world->hospitals[i].transport_key, *key))
            return i;
    }
    return WAY_NOBODY;
}

static struct way_hop *way_hop(struct hospital *hospital, uint32_t peer, uint32_t relay)
{
    struct way_hop **hop = &hospital->ways[peer].hops[relay];
    if (*hop == NULL) {
        *hop = calloc(1, sizeof **hop);
        if (*hop == NULL)
            abort();
        boxed_init(&(*hop)->boxed, &hospital->identity, &hospital->world->relays[relay].key,
                   &hospital->world->hospitals[peer].transport_key);
    }
    return *hop;
}

static void way_write(struct hospital *hospital, uint32_t relay, const struct relay_frame *frame)
{
    static uint8_t memory[FRAME_SIZE_MAX + RELAY_WRAP_SIZE];
    struct buffer buffer = buffer_over(memory, sizeof memory);
    relay_frame_write(frame, &buffer);
    if (!buffer.failed)
        relay_send(hospital, relay, buffer_bytes(&buffer));
}

/* Gives one event to a session and carries out what it left. */
static void way_box(struct hospital *hospital, uint32_t peer, uint32_t relay,
                    struct boxed_event *event)
{
    struct world *world = hospital->world;
    struct boxed_step *step = &world->box_step;
    struct way *way = &hospital->ways[peer];
    struct way_hop *hop = way_hop(hospital, peer, relay);
    struct wire *wire = &hospital->wires[relay];
    struct transport_key key = world->hospitals[peer].transport_key;
    uint8_t secret[KEY_SIZE];
    event->now = way_now(hospital);
    if (boxed_needs_secret(&hop->boxed, event)) {
        chance_bytes(&world->chance, secret, sizeof secret);
        event->secret = secret;
    }
    boxed_on_event(&hop->boxed, event, step);
    if (step->send.size > 0 && wire->is_welcome) {
        struct relay_frame forward = {.type = RELAY_FORWARD, .key = key, .body = step->send};
        if (event->kind == BOXED_EVENT_SEND)
            boxes_sealed(hospital, &world->hospitals[peer], relay, event->bytes, step->send);
        if (event->kind == BOXED_EVENT_SEND ||
            relay_credit_take(&wire->credit, &key, step->send.size))
            way_write(hospital, relay, &forward);
    }
    relay_choice_note(&hop->choice, step, event->now);
    enum boxed_change change = step->change;
    if (change != BOXED_SAME)
        world_note(world, hospital, change == BOXED_UP ? "box up" : "box down", step->reason);
    if (change == BOXED_DOWN && way->kind == WAY_BOXED && way->relay == relay)
        way->is_broken = true;
    uint8_t *opened = step->opened.size > 0 ? malloc(step->opened.size) : NULL;
    size_t opened_size = step->opened.size;
    if (opened != NULL) /* what it sets off may use the step again */
        memcpy(opened, step->opened.data, opened_size);
    if (change != BOXED_SAME)
        way_choose(hospital, peer);
    if (opened != NULL) {
        struct bytes frame = {opened, opened_size};
        boxes_opened(hospital, &world->hospitals[peer], relay, frame);
        way_heard(hospital, peer, frame);
        free(opened);
    }
}

int way_box_session(const struct hospital *hospital, uint32_t peer)
{
    struct relay_choice all[WAY_RELAYS_MAX] = {{0}};
    const struct way *way = &hospital->ways[peer];
    for (uint32_t i = 0; i < hospital->world->relay_count; i++) {
        if (way->hops[i] != NULL)
            all[i] = way->hops[i]->choice;
        all[i].is_up = all[i].is_up && hospital->wires[i].is_welcome;
    }
    return relay_choice_best(all, WAY_RELAYS_MAX, way->kind == WAY_BOXED ? (int)way->relay : -1);
}

bool way_box_send(struct hospital *hospital, uint32_t peer, struct bytes frame)
{
    uint32_t relay = hospital->ways[peer].relay;
    struct wire *wire = &hospital->wires[relay];
    struct transport_key key = hospital->world->hospitals[peer].transport_key;
    struct boxed_event event = {.kind = BOXED_EVENT_SEND, .bytes = frame};
    if (!relay_credit_take_frame(&wire->credit, &key, frame.size + BOXED_WRAP_SIZE))
        return false;
    way_box(hospital, peer, relay, &event);
    return true;
}

void way_box_hang_up(struct hospital *hospital, uint32_t peer)
{
    for (uint32_t i = 0; i < hospital->world->relay_count; i++) {
        struct boxed_event event = {.kind = BOXED_EVENT_HANG_UP};
        if (hospital->ways[peer].hops[i] != NULL && hospital->wires[i].is_welcome)
            way_box(hospital, peer, i, &event);
    }
}

/* A session is wanted with whoever is there and has no other way. */
static void way_want(struct hospital *hospital, uint32_t peer, uint32_t relay)
{
    struct world *world = hospital->world;
    struct way *way = &hospital->ways[peer];
    struct way_hop *hop = way_hop(hospital, peer, relay);
    bool is_smaller = memcmp(hospital->transport_key.bytes,
                             world->hospitals[peer].transport_key.bytes, KEY_SIZE) < 0;
    uint64_t patience = is_smaller ? 0 : WAY_SECOND_DIAL_MS;
    if (!way_is_listed(hospital, peer) || !hop->is_present || hop->boxed.state != BOXED_IDLE ||
        way->quiet_until > world->now || way->kind != WAY_NONE ||
        hop->present_since + patience > world->now)
        return;
    struct boxed_event event = {.kind = BOXED_EVENT_DIAL};
    hop->present_since = world->now;
    way_box(hospital, peer, relay, &event);
}

void way_box_tick(struct hospital *hospital)
{
    struct world *world = hospital->world;
    for (uint32_t i = 0; i < world->count; i++) {
        for (uint32_t j = 0; i != hospital->index && j < world->relay_count; j++) {
            const struct way_hop *hop = hospital->ways[i].hops[j];
            struct boxed_event event = {.kind = BOXED_EVENT_TIME};
            if (hop != NULL && boxed_deadline(&hop->boxed).ms <= way_now(hospital).ms)
                way_box(hospital, i, j, &event);
            if (hospital->wires[j].is_welcome)
                way_want(hospital, i, j);
        }
    }
}

/* ---- frames from the relay ---- */

static void way_on_welcome(struct hospital *hospital, uint32_t relay,
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

static void way_on_head(struct hospital *hospital, const struct relay_frame *frame)
{
    struct event event = hospital_event(hospital, EVENT_RELAY_HEAD);
    event.relay_head.epoch = frame->head.epoch;
    event.relay_head.head = frame->head.id;
    if (frame->head.epoch > 0)
        hospital_step(hospital, &event);
}

static void way_on_presence(struct hospital *hospital, uint32_t relay,
                            const struct relay_frame *frame)
{
    for (uint16_t i = 0; i < frame->count; i++) {
        struct relay_entry entry = relay_frame_entry(frame, i);
        uint32_t peer = way_of_key(hospital, &entry.key);
        if (peer == WAY_NOBODY)
            continue;
        struct way_hop *hop = way_hop(hospital, peer, relay);
        struct boxed_event event = {.kind = BOXED_EVENT_LOST};
        if (entry.value != 0 && !hop->is_present)
            hop->present_since = hospital->world->now;
        hop->is_present = entry.value != 0;
        if (entry.value == 0)
            way_box(hospital, peer, relay, &event);
        else
            way_want(hospital, peer, relay);
    }
}

static void way_on_deliver(struct hospital *hospital, uint32_t relay,
                           const struct relay_frame *frame)
{
    uint32_t peer = way_of_key(hospital, &frame->key);
    struct boxed_event event = {.kind = BOXED_EVENT_FRAME, .bytes = frame->body};
    if (peer != WAY_NOBODY && way_is_listed(hospital, peer) &&
        hospital->ways[peer].quiet_until <= hospital->world->now)
        way_box(hospital, peer, relay, &event);
}

static void way_on_credit(struct hospital *hospital, uint32_t relay,
                          const struct relay_frame *frame)
{
    for (uint16_t i = 0; i < frame->count; i++) {
        struct relay_entry entry = relay_frame_entry(frame, i);
        uint32_t peer = way_of_key(hospital, &entry.key);
        relay_credit_give(&hospital->wires[relay].credit, &entry.key, entry.value);
        if (peer != WAY_NOBODY && hospital->ways[peer].kind == WAY_BOXED)
            way_drain(hospital, peer);
    }
}

static void way_on_status(struct hospital *hospital, uint32_t relay,
                          const struct relay_frame *frame)
{
    uint32_t peer = way_of_key(hospital, &frame->key);
    struct boxed_event event = {.kind = BOXED_EVENT_LOST};
    world_note(hospital->world, hospital, "relay status", frame->code);
    if (frame->code == RELAY_REFUSED || frame->code == RELAY_DRAINING)
        return;
    relay_credit_give(&hospital->wires[relay].credit, &frame->key, frame->units);
    if (peer != WAY_NOBODY && hospital->ways[peer].hops[relay] != NULL)
        way_box(hospital, peer, relay, &event);
}

void way_box_frame(struct hospital *hospital, uint32_t relay, struct bytes bytes)
{
    struct relay_frame frame;
    if (!hospital->is_running || relay_frame_parse(bytes, &frame) != OK)
        return;
    if (frame.type == RELAY_WELCOME) {
        way_on_welcome(hospital, relay, &frame);
        way_on_head(hospital, &frame);
    } else if (!hospital->wires[relay].is_welcome) {
        return;
    } else if (frame.type == RELAY_PRESENCE) {
        way_on_presence(hospital, relay, &frame);
    } else if (frame.type == RELAY_DELIVER) {
        way_on_deliver(hospital, relay, &frame);
    } else if (frame.type == RELAY_CREDIT) {
        way_on_credit(hospital, relay, &frame);
    } else if (frame.type == RELAY_STATUS) {
        way_on_status(hospital, relay, &frame);
    } else if (frame.type == RELAY_HEAD) {
        way_on_head(hospital, &frame);
    }
}

/* ---- up and down ---- */

void way_box_up(struct hospital *hospital, uint32_t relay)
{
    const struct chain_link *last = chain_last(&hospital->roster.chain);
    struct relay_frame hello = {.type = RELAY_HELLO,
                                .version_min = RELAY_VERSION,
                                .version_max = RELAY_VERSION,
                                .federation = hospital->identity.federation};
    if (last != NULL)
        hello.head = (struct relay_head){last->epoch, last->id};
    way_write(hospital, relay, &hello);
}

void way_box_down(struct hospital *hospital, uint32_t relay)
{
    hospital->wires[relay].is_welcome = false;
    for (uint32_t i = 0; i < hospital->world->count; i++) {
        struct way_hop *hop = hospital->ways[i].hops[relay];
        struct boxed_event event = {.kind = BOXED_EVENT_LOST};
        if (hop == NULL)
            continue;
        hop->is_present = false;
        way_box(hospital, i, relay, &event);
    }
}
