#include "tests/sim/way.h"

#include <string.h>

#include "tests/sim/hospital.h"
#include "tests/sim/line.h"
#include "tests/sim/oracle.h"
#include "tests/sim/relay.h"

uint32_t way_peer(const struct hospital *hospital, struct link_id link)
{
    for (uint32_t i = 0; link.value != 0 && i < hospital->world->count; i++) {
        if (hospital->ways[i].link.value == link.value)
            return i;
    }
    return WAY_NOBODY;
}

bool way_is_listed(const struct hospital *hospital, uint32_t peer)
{
    const struct roster_entry *entry =
        roster_find(&hospital->roster, &hospital->world->hospitals[peer].node);
    return peer != hospital->index && entry != NULL && entry->state == MEMBER_ADMITTED;
}

static void way_forget_waiting(struct way *way)
{
    while (way->waiting != NULL) {
        struct way_frame *frame = way->waiting;
        way->waiting = frame->next;
        free(frame);
    }
    way->waiting_size = 0;
}

void way_reset(struct hospital *hospital)
{
    for (uint32_t i = 0; i < WORLD_HOSPITALS_MAX; i++) {
        struct way *way = &hospital->ways[i];
        way_forget_waiting(way);
        for (uint32_t j = 0; j < WAY_RELAYS_MAX; j++)
            free(way->hops[j]);
        memset(way, 0, sizeof *way);
    }
}

/* ---- the choice ---- */

static void way_tell(struct hospital *hospital, enum event_kind kind, struct link_id link,
                     uint32_t peer)
{
    struct event event = hospital_event(hospital, kind);
    event.link = link;
    if (kind == EVENT_LINK_UP)
        event.peer = hospital->world->hospitals[peer].transport_key;
    world_note(hospital->world, hospital, kind == EVENT_LINK_UP ? "up" : "down", peer);
    hospital_step(hospital, &event);
}

static enum way_kind way_best(const struct hospital *hospital, uint32_t peer, uint32_t *ret_relay)
{
    const struct way *way = &hospital->ways[peer];
    int relay = way_box_session(hospital, peer);
    *ret_relay = relay < 0 ? 0 : (uint32_t)relay;
    if (way->line != 0)
        return WAY_DIRECT; /* whoever is no member, the core sends away */
    if (!way_is_listed(hospital, peer) || way->quiet_until > hospital->world->now)
        return WAY_NONE;
    return relay < 0 ? WAY_NONE : WAY_BOXED;
}

/* The core's turn is under way: it is told after it. */
static bool way_is_later(struct hospital *hospital, uint32_t peer)
{
    struct agenda_item item = {.at = hospital->world->now,
                               .kind = AGENDA_CHOOSE,
                               .hospital = hospital->index,
                               .boot = hospital->boot,
                               .end = peer};
    if (hospital->is_turning)
        agenda_add(&hospital->world->agenda, &item);
    return hospital->is_turning;
}

void way_choose(struct hospital *hospital, uint32_t peer)
{
    struct way *way = &hospital->ways[peer];
    uint32_t relay;
    if (way_is_later(hospital, peer))
        return;
    enum way_kind kind = way_best(hospital, peer, &relay);
    if (!way->is_broken && kind == way->kind && (kind != WAY_BOXED || relay == way->relay))
        return;
    struct link_id old = way->link;
    way->kind = kind;
    way->relay = relay;
    way->is_broken = false;
    way->link = (struct link_id){kind == WAY_NONE ? 0 : ++hospital->world->link_last};
    way_forget_waiting(way);
    if (old.value != 0)
        way_tell(hospital, EVENT_LINK_DOWN, old, peer);
    if (way->link.value != 0)
        way_tell(hospital, EVENT_LINK_UP, way->link, peer);
}

void way_line_up(struct hospital *hospital, uint32_t peer, uint32_t line)
{
    struct way *way = &hospital->ways[peer];
    if (way->line == 0) {
        way->line = line;
        way_choose(hospital, peer);
        return;
    }
    /* the end of the one before is not known yet: the newer takes its place */
    way->line = line;
    way->link = (struct link_id){++hospital->world->link_last};
    way_forget_waiting(way);
    way_tell(hospital, EVENT_LINK_UP, way->link, peer);
}

void way_line_down(struct hospital *hospital, uint32_t peer, struct link_id link)
{
    struct way *way = &hospital->ways[peer];
    if (way->link.value == link.value) {
        way->line = 0;
        way_choose(hospital, peer);
    } else {
        way_tell(hospital, EVENT_LINK_DOWN, link, peer);
    }
}

void way_heard(struct hospital *hospital, uint32_t peer, struct bytes frame)
{
    struct world *world = hospital->world;
    struct event event = hospital_event(hospital, EVENT_FRAME);
    event.link = hospital->ways[peer].link;
    event.frame = frame;
    if (event.link.value == 0)
        return;
    world_hash(world, frame);
    world_note(world, hospital, "frame", frame.data[0]);
    hospital_step(hospital, &event);
}

void way_tick(struct hospital *hospital)
{
    way_box_tick(hospital);
    for (uint32_t i = 0; i < hospital->world->count; i++) {
        if (i != hospital->index && hospital->world->relay_count > 0)
            way_choose(hospital, i);
    }
}

void way_refresh(struct hospital *hospital)
{
    for (uint32_t i = 0; i < hospital->world->count; i++) {
        if (way_is_listed(hospital, i) || hospital->ways[i].kind != WAY_BOXED)
            continue;
        way_box_hang_up(hospital, i);
        way_choose(hospital, i);
    }
}

/* ---- the shell's face ---- */

static void way_wait(struct hospital *hospital, uint32_t peer, struct bytes frame)
{
    struct way *way = &hospital->ways[peer];
    struct way_frame **end = &way->waiting;
    if (way->waiting_size + frame.size > WAY_WAITING_SIZE_MAX) {
        way_hang_up(hospital, way->link);
        return;
    }
    while (*end != NULL)
        end = &(*end)->next;
    *end = calloc(1, sizeof **end + frame.size);
    if (*end == NULL)
        abort();
    (*end)->size = frame.size;
    memcpy((*end)->data, frame.data, frame.size);
    way->waiting_size += frame.size;
}

void way_send(struct hospital *hospital, struct link_id link, struct bytes frame)
{
    struct world *world = hospital->world;
    uint32_t peer = way_peer(hospital, link);
    if (peer == WAY_NOBODY)
        return;
    struct way *way = &hospital->ways[peer];
    hospital->sent_frames++;
    if (frame.data[0] == FRAME_WANT)
        hospital->wants_sent++;
    oracle_frame(hospital, &world->hospitals[peer], frame);
    if (world->on_frame != NULL && !world->on_frame(world, hospital->index, peer, frame))
        return;
    if (way->kind == WAY_DIRECT)
        line_send(hospital, peer, frame);
    else if (way->waiting != NULL || !way_box_send(hospital, peer, frame))
        way_wait(hospital, peer, frame);
}

void way_drain(struct hospital *hospital, uint32_t peer)
{
    struct way *way = &hospital->ways[peer];
    while (way->waiting != NULL) {
        struct way_frame *frame = way->waiting;
        if (!way_box_send(hospital, peer, (struct bytes){frame->data, frame->size}))
            return;
        if (way->waiting != frame)
            return; /* the way ended meanwhile */
        way->waiting = frame->next;
        way->waiting_size -= frame->size;
        free(frame);
    }
}

void way_hang_up(struct hospital *hospital, struct link_id link)
{
    uint32_t peer = way_peer(hospital, link);
    if (peer == WAY_NOBODY)
        return;
    struct way *way = &hospital->ways[peer];
    way->quiet_until = hospital->world->now + WAY_QUIET_MS;
    line_cut(hospital, &hospital->world->hospitals[peer]);
    way_box_hang_up(hospital, peer);
    way_choose(hospital, peer);
}
