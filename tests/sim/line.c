#include "tests/sim/line.h"

#include <string.h>

#include "tests/sim/hospital.h"

static struct line *line_between(struct world *world, uint32_t a, uint32_t b)
{
    return &world->lines[a < b ? a * WORLD_HOSPITALS_MAX + b : b * WORLD_HOSPITALS_MAX + a];
}

static void line_plan(struct world *world, struct line *line, enum schedule_kind kind, uint32_t end)
{
    uint64_t at = world->now + 1 + prng_below(&world->prng, 40);
    line->last_at[end] = at > line->last_at[end] ? at : line->last_at[end];
    struct schedule_item item = {.at = line->last_at[end],
                                 .kind = kind,
                                 .hospital = line->ends[end],
                                 .line = (uint32_t)(line - world->lines),
                                 .end = end,
                                 .number = line->number};
    schedule_add(&world->schedule, &item);
}

void line_dial_all(struct world *world)
{
    for (uint32_t a = 0; a < world->count; a++) {
        for (uint32_t b = a + 1; b < world->count; b++) {
            struct line *line = line_between(world, a, b);
            if (line->number != 0 || !world->hospitals[a].is_running ||
                !world->hospitals[b].is_running || world->side[a] != world->side[b] ||
                (world->hospitals[a].is_closed && world->hospitals[b].is_closed) ||
                prng_of(&world->prng, 50))
                continue;
            *line = (struct line){.number = ++world->line_last, .ends = {a, b}};
            line_plan(world, line, SCHEDULE_UP, 0);
            line_plan(world, line, SCHEDULE_UP, 1);
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
        const struct route *route = &hospital->ways[ended.ends[1 - end]];
        if (!ended.is_up[end] || !hospital->is_running || route->line != ended.number)
            continue;
        struct schedule_item item = {.at = world->now + prng_below(&world->prng, 30),
                                     .kind = SCHEDULE_DOWN,
                                     .hospital = hospital->index,
                                     .boot = hospital->boot,
                                     .end = ended.ends[1 - end],
                                     .number = route->link.value};
        schedule_add(&world->schedule, &item);
    }
}

void line_up(struct world *world, const struct schedule_item *item)
{
    struct line *line = &world->lines[item->line];
    if (line->number != item->number)
        return;
    line->is_up[item->end] = true;
    route_line_up(&world->hospitals[line->ends[item->end]], line->ends[1 - item->end],
                  line->number);
}

void line_down(struct world *world, const struct schedule_item *item)
{
    struct hospital *hospital = &world->hospitals[item->hospital];
    if (hospital->is_running && hospital->boot == item->boot)
        route_line_down(hospital, item->end, (struct link_id){(uint32_t)item->number});
}

static void line_carry(struct world *world, struct line *line, uint32_t end, struct bytes frame)
{
    if (world->drop_percent > 0 && prng_below(&world->prng, 10000) < world->drop_percent) {
        line_end(world, line);
        return;
    }
    uint64_t at = world->now + 1 + prng_below(&world->prng, 40);
    line->last_at[end] = at > line->last_at[end] ? at : line->last_at[end];
    struct schedule_item item = {.at = line->last_at[end],
                                 .kind = SCHEDULE_FRAME,
                                 .line = (uint32_t)(line - world->lines),
                                 .end = end,
                                 .number = line->number};
    schedule_frame(&item, frame);
    schedule_add(&world->schedule, &item);
}

void line_send(struct hospital *from, uint32_t to, struct bytes frame)
{
    struct line *line = line_between(from->world, from->index, to);
    if (line->number != 0 && line->number == from->ways[to].line)
        line_carry(from->world, line, line->ends[0] == to ? 0 : 1, frame);
}

bool line_forge(struct hospital *from, struct hospital *to, struct bytes frame)
{
    struct line *line = line_between(from->world, from->index, to->index);
    if (line->number == 0 || frame.size == 0)
        return false;
    line_carry(from->world, line, line->ends[0] == to->index ? 0 : 1, frame);
    return true;
}

void line_deliver(struct world *world, const struct schedule_item *item)
{
    struct line *line = &world->lines[item->line];
    if (line->number != item->number || !line->is_up[item->end])
        return;
    route_heard(&world->hospitals[line->ends[item->end]], line->ends[1 - item->end],
                (struct bytes){item->frame, item->frame_size});
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
