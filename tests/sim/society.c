#include "tests/sim/society.h"

#include <string.h>

#include "tests/sim/hospital.h"
#include "tests/sim/line.h"

static void society_keep_head(struct world *world)
{
    struct federation *f = &world->society;
    uint64_t epoch = f->head.epoch;
    WORLD_CHECK(world, epoch <= WORLD_HEADS_MAX);
    memcpy(world->heads[epoch - 1].signed_head, f->signed_head.data, f->signed_head.size);
    world->heads[epoch - 1].size = f->signed_head.size;
    world->heads[epoch - 1].items = malloc(f->delta.items.size);
    if (world->heads[epoch - 1].items == NULL)
        abort();
    memcpy(world->heads[epoch - 1].items, f->delta.items.data, f->delta.items.size);
    world->heads[epoch - 1].delta = f->delta;
    world->heads[epoch - 1].delta.items.data = world->heads[epoch - 1].items;
    world->epoch = epoch;
}

struct member society_member(const struct world *world, uint32_t index)
{
    (void)world;
    return federation_member(index + 1, 1);
}

void society_found(struct world *world, uint32_t admitted)
{
    struct federation *f = &world->society;
    struct settings settings;
    federation_begin(f, roster_plan_small());
    federation_settings(&settings);
    federation_put_settings(f, &settings);
    for (uint32_t i = 1; i <= admitted; i++) {
        struct member member = federation_member(i, 1);
        federation_put_member(f, &member);
    }
    WORLD_CHECK(world, federation_draft(f) == OK);
    WORLD_CHECK(world, roster_apply(&f->roster, f->signed_head, &f->delta, f->now) == OK);
    society_keep_head(world);
    f->draft.size = 0;
}

void society_end(struct world *world)
{
    for (uint64_t i = 0; i < world->epoch; i++)
        free(world->heads[i].items);
    federation_end(&world->society);
}

void society_teach(struct hospital *hospital, uint64_t epoch)
{
    struct world *world = hospital->world;
    if (hospital->epoch >= epoch)
        return;
    while (hospital->epoch < epoch) {
        struct bytes head = {world->heads[hospital->epoch].signed_head,
                             world->heads[hospital->epoch].size};
        err failure = roster_apply(&hospital->roster, head, &world->heads[hospital->epoch].delta,
                                   hospital_wall(hospital));
        if (failure != OK)
            world_fail(world, "a head that is not taken", err_name(failure));
        hospital->epoch++;
    }
    world_note(world, hospital, "head", epoch);
    struct event event = hospital_event(hospital, EVENT_ROSTER);
    if (hospital->is_running)
        hospital_step(hospital, &event);
}

void society_change(struct world *world, const struct member *member)
{
    struct federation *f = &world->society;
    f->now.ms = FEDERATION_START_MS + DAY_MS + world->now - HOUR_MS;
    federation_put_member(f, member);
    WORLD_CHECK(world, federation_draft(f) == OK);
    WORLD_CHECK(world, roster_apply(&f->roster, f->signed_head, &f->delta, f->now) == OK);
    society_keep_head(world);
    f->draft.size = 0;
    for (uint32_t i = 0; i < world->count; i++) {
        struct agenda_item item = {.at = world->now + chance_below(&world->chance, 1000),
                                   .kind = AGENDA_HEADS,
                                   .hospital = i,
                                   .number = world->epoch};
        if (world->hospitals[i].is_running && world->side[i] == 0)
            agenda_add(&world->agenda, &item);
    }
}

void society_frame(struct hospital *hospital, const struct effect *effect)
{
    struct world *world = hospital->world;
    struct frame_heads_want want;
    if (frame_heads_want_read(effect->frame, &want) != OK)
        return;
    for (uint32_t i = 0; i < WORLD_LINES_MAX; i++) {
        const struct line *line = &world->lines[i];
        for (uint32_t end = 0; end < 2 && line->number != 0; end++) {
            if (line->ends[end] != hospital->index || line->links[end].value != effect->link.value)
                continue;
            struct agenda_item item = {.at = world->now + 5 + chance_below(&world->chance, 60),
                                       .kind = AGENDA_HEADS,
                                       .hospital = line->ends[1 - end],
                                       .number = hospital->epoch};
            agenda_add(&world->agenda, &item);
        }
    }
}
