#include "tests/sim/line.h"

#include <string.h>

#include "tests/sim/hospital.h"
#include "tests/sim/oracle.h"

static struct line *line_between(struct world *world, uint32_t a, uint32_t b)
{
    return &world->lines[a < b ? a * WORLD_HOSPITALS_MAX + b : b * WORLD_HOSPITALS_MAX + a];
}

static struct line *line_of_link(struct hospital *hospital, struct link_id link, uint32_t *ret_end)
{
    for (uint32_t i = 0; i < hospital->world->count; i++) {
        if (i == hospital->index)
            continue;
        struct line *line = line_between(hospital->world, hospital->index, i);
        uint32_t end = line->ends[0] == hospital->index ? 0 : 1;
        if (line->number != 0 && line->links[end].value == link.value) {
            *ret_end = end;
            return line;
        }
    }
    return NULL;
}

static void line_plan(struct world *world, struct line *line, enum agenda_kind kind, uint32_t end)
{
    uint64_t at = world->now + 1 + chance_below(&world->chance, 40);
    line->last_at[end] = at > line->last_at[end] ? at : line->last_at[end];
    struct agenda_item item = {.at = line->last_at[end],
                               .kind = kind,
                               .hospital = line->ends[end],
                               .line = (uint32_t)(line - world->lines),
                               .end = end,
                               .number = line->number};
    agenda_add(&world->agenda, &item);
}

void line_dial_all(struct world *world)
{
    for (uint32_t a = 0; a < world->count; a++) {
        for (uint32_t b = a + 1; b < world->count; b++) {
            struct line *line = line_between(world, a, b);
            if (line->number != 0 || !world->hospitals[a].is_running ||
                !world->hospitals[b].is_running || world->side[a] != world->side[b] ||
                chance_of(&world->chance, 50))
                continue;
            *line = (struct line){.number = ++world->line_last, .ends = {a, b}};
            line->links[0].value = ++world->link_last;
            line->links[1].value = ++world->link_last;
            line_plan(world, line, AGENDA_UP, 0);
            line_plan(world, line, AGENDA_UP, 1);
        }
    }
}

/* What is under way is lost: its number is no longer the line's. */
static void line_end(struct world *world, struct line *line)
{
    struct line ended = *line;
    *line = (struct line){0};
    for (uint32_t end = 0; end < 2; end++) {
        struct hospital *hospital = &world->hospitals[ended.ends[end]];
        if (!ended.is_up[end] || !hospital->is_running)
            continue;
        struct agenda_item item = {.at = world->now + chance_below(&world->chance, 30),
                                   .kind = AGENDA_DOWN,
                                   .hospital = hospital->index,
                                   .boot = hospital->boot,
                                   .number = ended.links[end].value};
        agenda_add(&world->agenda, &item);
    }
}

void line_up(struct world *world, const struct agenda_item *item)
{
    struct line *line = &world->lines[item->line];
    if (line->number != item->number)
        return;
    struct hospital *hospital = &world->hospitals[line->ends[item->end]];
    uint8_t secret[64];
    struct event event = hospital_event(hospital, EVENT_LINK_UP);
    event.link = line->links[item->end];
    federation_key(line->ends[1 - item->end] + 1, 3, event.peer.bytes, secret);
    line->is_up[item->end] = true;
    hospital_step(hospital, &event);
}

void line_down(struct world *world, const struct agenda_item *item)
{
    struct hospital *hospital = &world->hospitals[item->hospital];
    if (hospital->boot != item->boot)
        return;
    struct event event = hospital_event(hospital, EVENT_LINK_DOWN);
    event.link.value = (uint32_t)item->number;
    hospital_step(hospital, &event);
}

static void line_carry(struct world *world, struct line *line, uint32_t end, struct bytes frame)
{
    struct hospital *from = &world->hospitals[line->ends[1 - end]];
    from->sent_frames++;
    if (frame.data[0] == FRAME_WANT)
        from->wants_sent++;
    if (world->drop_percent > 0 && chance_below(&world->chance, 10000) < world->drop_percent) {
        line_end(world, line);
        return;
    }
    uint64_t at = world->now + 1 + chance_below(&world->chance, 40);
    line->last_at[end] = at > line->last_at[end] ? at : line->last_at[end];
    struct agenda_item item = {.at = line->last_at[end],
                               .kind = AGENDA_FRAME,
                               .line = (uint32_t)(line - world->lines),
                               .end = end,
                               .number = line->number,
                               .frame = malloc(frame.size),
                               .frame_size = frame.size};
    if (item.frame == NULL)
        abort();
    memcpy(item.frame, frame.data, frame.size);
    agenda_add(&world->agenda, &item);
}

void line_send(struct hospital *from, struct link_id link, struct bytes frame)
{
    struct world *world = from->world;
    uint32_t end;
    struct line *line = line_of_link(from, link, &end);
    if (line == NULL)
        return;
    struct hospital *to = &world->hospitals[line->ends[1 - end]];
    oracle_frame(from, to, frame);
    if (world->on_frame != NULL && !world->on_frame(world, from->index, to->index, frame))
        return;
    line_carry(world, line, 1 - end, frame);
}

bool line_forge(struct hospital *from, struct hospital *to, struct bytes frame)
{
    struct line *line = line_between(from->world, from->index, to->index);
    if (line->number == 0 || frame.size == 0)
        return false;
    line_carry(from->world, line, line->ends[0] == to->index ? 0 : 1, frame);
    return true;
}

void line_deliver(struct world *world, const struct agenda_item *item)
{
    struct line *line = &world->lines[item->line];
    if (line->number != item->number || !line->is_up[item->end])
        return;
    struct hospital *hospital = &world->hospitals[line->ends[item->end]];
    struct event event = hospital_event(hospital, EVENT_FRAME);
    event.link = line->links[item->end];
    event.frame = (struct bytes){item->frame, item->frame_size};
    world_hash(world, event.frame);
    world_note(world, hospital, "frame", item->frame[0]);
    hospital_step(hospital, &event);
}

void line_hang_up(struct hospital *hospital, struct link_id link)
{
    uint32_t end;
    struct line *line = line_of_link(hospital, link, &end);
    if (line != NULL)
        line_end(hospital->world, line);
}

void line_cut(struct hospital *a, struct hospital *b)
{
    struct line *line = line_between(a->world, a->index, b->index);
    if (line->number != 0)
        line_end(a->world, line);
}

void line_cut_hospital(struct hospital *hospital)
{
    for (uint32_t i = 0; i < hospital->world->count; i++) {
        if (i != hospital->index)
            line_cut(hospital, &hospital->world->hospitals[i]);
    }
}

void line_part(struct world *world)
{
    for (uint32_t a = 0; a < world->count; a++)
        for (uint32_t b = a + 1; b < world->count; b++)
            if (world->side[a] != world->side[b])
                line_cut(&world->hospitals[a], &world->hospitals[b]);
}
