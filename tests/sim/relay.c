#include "tests/sim/relay.h"

#include <stdlib.h>
#include <string.h>

#include "protocol/base/arena.h"
#include "protocol/relay/publication.h"
#include "tests/sim/adversary.h"
#include "tests/sim/hospital.h"
#include "tests/sim/society.h"

static struct mono relay_now(const struct relay *relay)
{
    return (struct mono){relay->world->now + 1000};
}

static struct hospital *relay_hospital(struct relay *relay, uint64_t link)
{
    for (uint32_t i = 0; i < relay->world->count; i++) {
        struct hospital *hospital = &relay->world->hospitals[i];
        if (hospital->wires[relay->index].number == link)
            return hospital;
    }
    return NULL;
}

/* ---- wires ---- */

static struct schedule_item relay_item(const struct hospital *hospital, uint32_t relay,
                                       enum schedule_kind kind, uint32_t end)
{
    return (struct schedule_item){.kind = kind,
                                  .hospital = hospital->index,
                                  .boot = hospital->boot,
                                  .line = relay,
                                  .end = end,
                                  .number = hospital->wires[relay].number};
}

static uint64_t relay_delay(struct world *world, struct wire *wire, uint32_t end)
{
    uint64_t at = world->now + 1 + prng_below(&world->prng, 40);
    wire->last_at[end] = at > wire->last_at[end] ? at : wire->last_at[end];
    return wire->last_at[end];
}

static void relay_dial(struct hospital *hospital, struct relay *relay)
{
    struct world *world = hospital->world;
    struct wire *wire = &hospital->wires[relay->index];
    if (wire->number != 0 || wire->is_known[0] || wire->is_known[1] || !hospital->is_running ||
        !relay->is_running || (relay->cut_from >> hospital->index & 1) != 0 ||
        prng_of(&world->prng, 50))
        return;
    memset(wire, 0, sizeof *wire);
    wire->number = ++world->line_last;
    for (uint32_t end = 0; end < 2; end++) {
        struct schedule_item item = relay_item(hospital, relay->index, SCHEDULE_WIRE_UP, end);
        item.at = relay_delay(world, wire, end);
        schedule_add(&world->schedule, &item);
    }
}

void relay_cut(struct hospital *hospital, uint32_t relay)
{
    struct world *world = hospital->world;
    struct wire *wire = &hospital->wires[relay];
    if (wire->number == 0)
        return;
    for (uint32_t end = 0; end < 2; end++) {
        struct schedule_item item = relay_item(hospital, relay, SCHEDULE_WIRE_DOWN, end);
        item.at = world->now + prng_below(&world->prng, 30);
        if (wire->is_known[end])
            schedule_add(&world->schedule, &item);
    }
    wire->number = 0;
}

void relay_cut_hospital(struct hospital *hospital)
{
    for (uint32_t i = 0; i < hospital->world->relay_count; i++)
        relay_cut(hospital, i);
}

void relay_send(struct hospital *hospital, uint32_t relay, struct bytes frame)
{
    struct world *world = hospital->world;
    struct wire *wire = &hospital->wires[relay];
    struct schedule_item item = relay_item(hospital, relay, SCHEDULE_WIRE_FRAME, 1);
    if (wire->number == 0)
        return;
    if (world->drop_percent > 0 && prng_below(&world->prng, 10000) < world->drop_percent) {
        relay_cut(hospital, relay);
        return;
    }
    item.at = relay_delay(world, wire, 1);
    schedule_frame(&item, frame);
    schedule_add(&world->schedule, &item);
}

void relay_carry(struct relay *relay, struct hospital *hospital,
                 const struct relay_batch_buffer *batch_buffer)
{
    struct world *world = relay->world;
    struct wire *wire = &hospital->wires[relay->index];
    struct schedule_item item = relay_item(hospital, relay->index, SCHEDULE_WIRE_FRAME, 0);
    if (wire->number == 0)
        return;
    if (world->drop_percent > 0 && prng_below(&world->prng, 10000) < world->drop_percent) {
        relay_cut(hospital, relay->index);
        return;
    }
    item.at = batch_buffer->is_loose ? world->now + 1 : relay_delay(world, wire, 0);
    item.at += batch_buffer->delay_ms;
    schedule_frame(&item, batch_buffer->frame);
    schedule_add(&world->schedule, &item);
}

/* ---- the relay at work ---- */

static void relay_verify(struct relay *relay, struct bytes bytes)
{
    struct publication publication;
    struct relay_engine_event event = {.kind = RELAY_ENGINE_VERIFIED, .now = relay_now(relay)};
    event.result = publication_read(bytes, &publication);
    if (event.result == OK)
        event.result = publication_learn(&publication, &relay->chain, NULL,
                                         (struct wall){FEDERATION_START_MS + relay->world->now});
    if (event.result == OK && publication.list.size > sizeof relay->list)
        event.result = ERR_TOO_LARGE;
    if (event.result == OK) {
        const struct chain_link *last = chain_last(&relay->chain);
        memcpy(relay->list, publication.list.data, publication.list.size);
        relay->list_size = publication.list.size;
        relay->head = (struct relay_head){last->epoch, last->id};
        event.head = relay->head;
        event.bytes = (struct bytes){relay->list, relay->list_size};
    }
    relay_engine_on_event(relay->relay_engine, &event);
}

static void relay_plan_time(struct relay *relay)
{
    uint64_t due = relay_engine_deadline(relay->relay_engine).ms;
    if (due == UINT64_MAX)
        return;
    uint64_t at = due < 1000 + relay->world->now ? relay->world->now : due - 1000;
    if (relay->time_at != 0 && relay->time_at <= at && relay->time_at > relay->world->now)
        return;
    struct schedule_item item = {
        .at = at + 1, .kind = SCHEDULE_RELAY_TIME, .line = relay->index, .boot = relay->boot};
    relay->time_at = item.at;
    schedule_add(&relay->world->schedule, &item);
}

/* False: the wire takes nothing now. */
static bool relay_put(struct relay *relay, uint64_t link, struct bytes frame)
{
    struct hospital *hospital = relay_hospital(relay, link);
    if (hospital == NULL)
        return true; /* the publisher, or a wire that ended */
    struct wire *wire = &hospital->wires[relay->index];
    if (wire->stuck_until > relay->world->now)
        return false;
    adversary_carry(relay, hospital, frame);
    return true;
}

static void relay_pump(struct relay *relay)
{
    struct relay_engine_effect effect;
    while (relay_engine_next(relay->relay_engine, relay_now(relay), &effect)) {
        struct hospital *hospital = relay_hospital(relay, effect.link);
        switch (effect.kind) {
        case RELAY_ENGINE_SEND:
            if (!relay_put(relay, effect.link, effect.bytes))
                relay_engine_blocked(relay->relay_engine, relay_now(relay));
            break;
        case RELAY_ENGINE_CLOSE:
            if (hospital != NULL) {
                hospital->wires[relay->index].is_known[1] = false;
                relay_cut(hospital, relay->index);
            }
            break;
        case RELAY_ENGINE_VERIFY:
            relay_verify(relay, effect.bytes);
            break;
        }
    }
    relay_plan_time(relay);
}

static void relay_event(struct relay *relay, struct relay_engine_event *event)
{
    event->now = relay_now(relay);
    relay_engine_on_event(relay->relay_engine, event);
    relay_pump(relay);
}

/* ---- the society brings its list ---- */

static void relay_publish(struct relay *relay)
{
    static uint8_t all[RELAY_PUBLICATION_SIZE_MAX], part[RELAY_PART_SIZE_MAX + 64];
    struct world *world = relay->world;
    struct buffer buffer = buffer_over(all, sizeof all);
    struct bytes list = roster_transport_list(&world->society.roster);
    struct relay_engine_event event = {.kind = RELAY_ENGINE_LINK_UP,
                                       .link = ++world->line_last,
                                       .key =
                                           roster_settings(&world->society.roster)->publishers[0]};
    if (!relay->is_running || relay->head.epoch >= world->epoch)
        return;
    publication_begin(&buffer, (uint32_t)(world->epoch - relay->head.epoch));
    for (uint64_t i = relay->head.epoch; i < world->epoch; i++)
        publication_put(&buffer, (struct bytes){world->heads[i].signed_head, world->heads[i].size});
    buffer_put(&buffer, list.data, list.size);
    WORLD_CHECK(world, !buffer.failed);
    relay_event(relay, &event);
    struct relay_frame hello = {.type = RELAY_HELLO,
                                .version_min = RELAY_VERSION,
                                .version_max = RELAY_VERSION,
                                .federation = relay->config.federation};
    struct buffer frame = buffer_over(part, sizeof part);
    relay_frame_write(&hello, &frame);
    event.kind = RELAY_ENGINE_FRAME;
    event.bytes = buffer_bytes(&frame);
    relay_event(relay, &event);
    for (uint32_t i = 0;; i++) {
        frame = buffer_over(part, sizeof part);
        if (!publication_part(buffer_bytes(&buffer), i, &frame))
            break;
        event.bytes = buffer_bytes(&frame);
        relay_event(relay, &event);
    }
    event.kind = RELAY_ENGINE_LINK_DOWN;
    relay_event(relay, &event);
    if (relay->head.epoch != world->epoch)
        world_fail(world, "a relay does not take the list", "relay_publish");
}

void relay_dial_all(struct world *world)
{
    for (uint32_t i = 0; i < world->relay_count; i++) {
        relay_publish(&world->relays[i]);
        for (uint32_t j = 0; j < world->count; j++)
            relay_dial(&world->hospitals[j], &world->relays[i]);
    }
}

/* ---- the agenda ---- */

/* The wire of the item; NULL when it is no more. */
static struct wire *relay_wire(struct world *world, const struct schedule_item *item)
{
    struct wire *wire = &world->hospitals[item->hospital].wires[item->line];
    return wire->number == item->number ? wire : NULL;
}

void relay_up(struct world *world, const struct schedule_item *item)
{
    struct hospital *hospital = &world->hospitals[item->hospital];
    struct wire *wire = relay_wire(world, item);
    if (wire == NULL)
        return;
    wire->is_known[item->end] = true;
    struct relay_engine_event event = {
        .kind = RELAY_ENGINE_LINK_UP, .link = wire->number, .key = hospital->transport_key};
    if (item->end == 0)
        route_box_up(hospital, item->line);
    else
        relay_event(&world->relays[item->line], &event);
}

void relay_down(struct world *world, const struct schedule_item *item)
{
    struct hospital *hospital = &world->hospitals[item->hospital];
    struct relay *relay = &world->relays[item->line];
    struct relay_engine_event event = {.kind = RELAY_ENGINE_LINK_DOWN, .link = item->number};
    bool *is_known = &hospital->wires[item->line].is_known[item->end];
    if (!*is_known)
        return; /* it crashed meanwhile */
    *is_known = false;
    if (item->end == 1)
        relay_event(relay, &event);
    else
        route_box_down(hospital, item->line);
}

void relay_deliver(struct world *world, const struct schedule_item *item)
{
    struct hospital *hospital = &world->hospitals[item->hospital];
    const struct wire *wire = relay_wire(world, item);
    struct bytes frame = {item->frame, item->frame_size};
    if (wire == NULL || !wire->is_known[item->end])
        return;
    world_hash(world, frame);
    if (item->end == 0) {
        route_box_frame(hospital, item->line, frame);
        return;
    }
    struct relay_engine_event event = {
        .kind = RELAY_ENGINE_FRAME, .link = item->number, .bytes = frame};
    relay_event(&world->relays[item->line], &event);
}

void relay_time(struct world *world, const struct schedule_item *item)
{
    struct relay *relay = &world->relays[item->line];
    struct relay_engine_event event = {.kind = RELAY_ENGINE_TIME};
    if (!relay->is_running || relay->boot != item->boot)
        return;
    relay->time_at = 0;
    relay_event(relay, &event);
}

void relay_drained(struct world *world, const struct schedule_item *item)
{
    const struct wire *wire = relay_wire(world, item);
    struct relay_engine_event event = {.kind = RELAY_ENGINE_DRAINED, .link = item->number};
    if (wire != NULL && wire->is_known[1] && wire->stuck_until <= world->now)
        relay_event(&world->relays[item->line], &event);
}

void relay_stick(struct hospital *hospital, uint32_t relay, uint64_t ms)
{
    struct wire *wire = &hospital->wires[relay];
    struct schedule_item item = relay_item(hospital, relay, SCHEDULE_DRAINED, 1);
    if (wire->number == 0)
        return;
    wire->stuck_until = item.at = hospital->world->now + ms;
    schedule_add(&hospital->world->schedule, &item);
}

/* ---- life ---- */

void relay_init(struct world *world, uint32_t index)
{
    static const struct relay_limits plenty = {4096, 8192, 64, 512, 600, 512 * 1024};
    struct relay *relay = &world->relays[index];
    relay->world = world;
    relay->index = index;
    relay->key = society_relay_key(index);
    relay->config = (struct relay_engine_config){
        .federation = roster_federation(&world->society.roster),
        .limits = world->relay_limits.pair_units == 0 ? plenty : world->relay_limits,
        .link_count = RELAY_LINKS_MAX};
    relay->chain.links = relay->links;
    relay->chain.capacity = RELAY_HEADS_MAX;
    relay->chain.officer_sets = relay->officers;
    relay->chain.officer_set_capacity = sizeof relay->officers / sizeof relay->officers[0];
    chain_init(&relay->chain, &relay->config.federation);
    relay_boot(relay);
}

void relay_free(struct relay *relay)
{
    for (uint32_t i = 0; i < relay->caught_count; i++)
        free(relay->caught[i].frame);
    free(relay->memory);
}

void relay_boot(struct relay *relay)
{
    struct world *world = relay->world;
    uint8_t founding[TRANSPORT_ENTRY_SIZE];
    /* pages that are never touched are never made: clearing them by hand is most of what a seed
     * costs */
    free(relay->memory);
    relay->memory = calloc(1, relay_engine_size(&relay->config) + ARENA_ALIGNMENT);
    if (relay->memory == NULL)
        abort();
    size_t beyond = (uintptr_t)relay->memory % ARENA_ALIGNMENT;
    prng_bytes(&world->prng, relay->config.secret, sizeof relay->config.secret);
    relay->relay_engine = relay_engine_init(
        &relay->config, (uint8_t *)relay->memory + (beyond == 0 ? 0 : ARENA_ALIGNMENT - beyond));
    relay->is_running = true;
    relay->time_at = 0;
    memcpy(founding, roster_settings(&world->society.roster)->publishers[0].bytes, KEY_SIZE);
    founding[KEY_SIZE] = TRANSPORT_PUBLISHER;
    struct bytes list = {founding, sizeof founding};
    if (relay->head.epoch > 0)
        list = (struct bytes){relay->list, relay->list_size};
    relay_engine_set_list(relay->relay_engine, &relay->head, list, relay_now(relay));
    relay_pump(relay);
}

void relay_crash(struct relay *relay)
{
    relay->is_running = false;
    relay->boot++;
    for (uint32_t i = 0; i < relay->world->count; i++) {
        relay->world->hospitals[i].wires[relay->index].is_known[1] = false;
        relay_cut(&relay->world->hospitals[i], relay->index);
    }
}

void relay_drain(struct relay *relay, uint32_t ms)
{
    struct relay_engine_event event = {.kind = RELAY_ENGINE_DRAIN, .until_ms = ms};
    if (relay->is_running)
        relay_event(relay, &event);
}
