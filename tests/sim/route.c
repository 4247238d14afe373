#include "tests/sim/route.h"

#include <string.h>

#include "tests/sim/acceptance.h"
#include "tests/sim/hospital.h"
#include "tests/sim/line.h"
#include "tests/sim/oracle.h"
#include "tests/sim/relay.h"

uint32_t route_peer(const struct hospital *hospital, struct link_id link)
{
    for (uint32_t i = 0; link.value != 0 && i < hospital->world->count; i++) {
        if (hospital->ways[i].link.value == link.value)
            return i;
    }
    return ROUTE_NOBODY;
}

bool route_is_listed(const struct hospital *hospital, uint32_t peer)
{
    const struct roster_entry *entry =
        roster_find(&hospital->roster, &hospital->world->hospitals[peer].node);
    return peer != hospital->index && entry != NULL && entry->state == MEMBER_ADMITTED;
}

static void route_forget_waiting(struct route *route)
{
    while (route->waiting != NULL) {
        struct route_frame *frame = route->waiting;
        route->waiting = frame->next;
        free(frame);
    }
    route->waiting_size = 0;
}

void route_reset(struct hospital *hospital)
{
    for (uint32_t i = 0; i < WORLD_HOSPITALS_MAX; i++) {
        struct route *route = &hospital->ways[i];
        route_forget_waiting(route);
        for (uint32_t j = 0; j < ROUTE_RELAYS_MAX; j++)
            free(route->hops[j]);
        memset(route, 0, sizeof *route);
    }
}

/* ---- the choice ---- */

static void route_tell(struct hospital *hospital, enum event_kind kind, struct link_id link,
                       uint32_t peer)
{
    struct event event = hospital_event(hospital, kind);
    event.link = link;
    if (kind == EVENT_LINK_UP)
        event.peer = hospital->world->hospitals[peer].transport_key;
    world_note(hospital->world, hospital, kind == EVENT_LINK_UP ? "up" : "down", peer);
    hospital_step(hospital, &event);
}

static enum route_kind route_best(const struct hospital *hospital, uint32_t peer,
                                  uint32_t *ret_relay)
{
    const struct route *route = &hospital->ways[peer];
    int relay = route_box_session(hospital, peer);
    *ret_relay = relay < 0 ? 0 : (uint32_t)relay;
    if (route->line != 0)
        return ROUTE_DIRECT; /* whoever is no member, the core sends away */
    if (!route_is_listed(hospital, peer) || route->quiet_until > hospital->world->now)
        return ROUTE_NONE;
    return relay < 0 ? ROUTE_NONE : ROUTE_BOXED;
}

/* The core's turn is under way: it is told after it. */
static bool route_is_later(struct hospital *hospital, uint32_t peer)
{
    struct schedule_item item = {.at = hospital->world->now,
                                 .kind = SCHEDULE_CHOOSE,
                                 .hospital = hospital->index,
                                 .boot = hospital->boot,
                                 .end = peer};
    if (hospital->is_turning)
        schedule_add(&hospital->world->schedule, &item);
    return hospital->is_turning;
}

void route_choose(struct hospital *hospital, uint32_t peer)
{
    struct route *route = &hospital->ways[peer];
    uint32_t relay;
    if (route_is_later(hospital, peer))
        return;
    enum route_kind kind = route_best(hospital, peer, &relay);
    if (!route->is_broken && kind == route->kind && (kind != ROUTE_BOXED || relay == route->relay))
        return;
    struct link_id old = route->link;
    route->kind = kind;
    route->relay = relay;
    route->is_broken = false;
    route->link = (struct link_id){kind == ROUTE_NONE ? 0 : ++hospital->world->link_last};
    route_forget_waiting(route);
    if (old.value != 0)
        route_tell(hospital, EVENT_LINK_DOWN, old, peer);
    if (route->link.value != 0)
        route_tell(hospital, EVENT_LINK_UP, route->link, peer);
}

void route_line_up(struct hospital *hospital, uint32_t peer, uint32_t line)
{
    struct route *route = &hospital->ways[peer];
    if (route->line == 0) {
        route->line = line;
        route_choose(hospital, peer);
        return;
    }
    /* the end of the one before is not known yet: the newer takes its place */
    route->line = line;
    route->link = (struct link_id){++hospital->world->link_last};
    route_forget_waiting(route);
    route_tell(hospital, EVENT_LINK_UP, route->link, peer);
}

void route_line_down(struct hospital *hospital, uint32_t peer, struct link_id link)
{
    struct route *route = &hospital->ways[peer];
    if (route->link.value == link.value) {
        route->line = 0;
        route_choose(hospital, peer);
    } else {
        route_tell(hospital, EVENT_LINK_DOWN, link, peer);
    }
}

void route_heard(struct hospital *hospital, uint32_t peer, struct bytes frame)
{
    struct world *world = hospital->world;
    struct event event = hospital_event(hospital, EVENT_FRAME);
    event.link = hospital->ways[peer].link;
    event.frame = frame;
    if (event.link.value == 0)
        return;
    if (frame.size > 0 && frame.data[0] == FRAME_HELLO)
        acceptance_greeted(hospital, peer, frame);
    world_hash(world, frame);
    world_note(world, hospital, "frame", frame.data[0]);
    hospital_step(hospital, &event);
}

void route_tick(struct hospital *hospital)
{
    route_box_tick(hospital);
    for (uint32_t i = 0; i < hospital->world->count; i++) {
        if (i != hospital->index && hospital->world->relay_count > 0)
            route_choose(hospital, i);
    }
}

void route_refresh(struct hospital *hospital)
{
    for (uint32_t i = 0; i < hospital->world->count; i++) {
        if (route_is_listed(hospital, i) || hospital->ways[i].kind != ROUTE_BOXED)
            continue;
        route_box_hang_up(hospital, i);
        route_choose(hospital, i);
    }
}

/* ---- the shell's face ---- */

static void route_wait(struct hospital *hospital, uint32_t peer, struct bytes frame)
{
    struct route *route = &hospital->ways[peer];
    struct route_frame **end = &route->waiting;
    if (route->waiting_size + frame.size > ROUTE_WAITING_SIZE_MAX) {
        route_hang_up(hospital, route->link);
        return;
    }
    while (*end != NULL)
        end = &(*end)->next;
    *end = calloc(1, sizeof **end + frame.size);
    if (*end == NULL)
        abort();
    (*end)->size = frame.size;
    memcpy((*end)->data, frame.data, frame.size);
    route->waiting_size += frame.size;
}

void route_send(struct hospital *hospital, struct link_id link, struct bytes frame)
{
    struct world *world = hospital->world;
    uint32_t peer = route_peer(hospital, link);
    if (peer == ROUTE_NOBODY)
        return;
    struct route *route = &hospital->ways[peer];
    hospital->sent_frames++;
    if (frame.data[0] == FRAME_WANT)
        hospital->wants_sent++;
    oracle_frame(hospital, &world->hospitals[peer], frame);
    if (world->on_frame != NULL && !world->on_frame(world, hospital->index, peer, frame))
        return;
    if (route->kind == ROUTE_DIRECT)
        line_send(hospital, peer, frame);
    else if (route->waiting != NULL || !route_box_send(hospital, peer, frame))
        route_wait(hospital, peer, frame);
}

void route_drain(struct hospital *hospital, uint32_t peer)
{
    struct route *route = &hospital->ways[peer];
    while (route->waiting != NULL) {
        struct route_frame *frame = route->waiting;
        if (!route_box_send(hospital, peer, (struct bytes){frame->data, frame->size}))
            return;
        if (route->waiting != frame)
            return; /* the way ended meanwhile */
        route->waiting = frame->next;
        route->waiting_size -= frame->size;
        free(frame);
    }
}

void route_hang_up(struct hospital *hospital, struct link_id link)
{
    uint32_t peer = route_peer(hospital, link);
    if (peer == ROUTE_NOBODY)
        return;
    struct route *route = &hospital->ways[peer];
    route->quiet_until = hospital->world->now + ROUTE_QUIET_MS;
    line_cut(hospital, &hospital->world->hospitals[peer]);
    route_box_hang_up(hospital, peer);
    route_choose(hospital, peer);
}
