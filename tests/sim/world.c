#include "tests/sim/world.h"

#include <stdarg.h>
#include <string.h>

#include "tests/sim/clinic.h"
#include "tests/sim/erasing.h"
#include "tests/sim/hospital.h"
#include "tests/sim/ledger.h"
#include "tests/sim/line.h"
#include "tests/sim/oracle.h"
#include "tests/sim/resends.h"
#include "tests/sim/society.h"
#include "tests/sim/tunnels.h"

_Noreturn void world_fail(const struct world *world, const char *what, const char *detail)
{
    printf("%10.3f s: %s (%s)\nsim --story %s --seed %llu\n", (double)world->now / 1000, what,
           detail, world->story, (unsigned long long)world->seed);
    exit(1);
}

void world_hash(struct world *world, struct bytes bytes)
{
    for (size_t i = 0; i < bytes.size; i++)
        world->trace = (world->trace ^ bytes.data[i]) * UINT64_C(0x100000001b3); /* FNV-1a */
}

void world_note(struct world *world, const struct hospital *hospital, const char *what,
                uint64_t detail)
{
    uint64_t facts[] = {world->now, hospital->index, detail};
    world_hash(world, (struct bytes){(const uint8_t *)facts, sizeof facts});
    world_hash(world, bytes_of_text(what));
    world->event_count++;
    if (world->is_traced)
        printf("%10.3f %-9s %s %llu\n", (double)world->now / 1000, hospital->name, what,
               (unsigned long long)detail);
}

/* What happens at one hospital, if it was not restarted since. */
static void world_do_hospital(struct hospital *hospital, const struct schedule_item *item)
{
    if (!hospital->is_running || hospital->boot != item->boot)
        return;
    if (item->kind == SCHEDULE_TICK)
        hospital_tick(hospital, item->number);
    else if (item->kind == SCHEDULE_CHECKED)
        hospital_checked(hospital);
    else if (item->kind == SCHEDULE_WRITTEN)
        hospital_written(hospital);
    else if (item->kind == SCHEDULE_KEPT)
        hospital_kept(hospital);
    else if (item->kind == SCHEDULE_POSTS)
        hospital_ask(hospital, item->number);
    else if (item->kind == SCHEDULE_ERASE)
        erasing_go_on(hospital);
    else if (item->kind == SCHEDULE_REST)
        case_paging_kept(hospital, item);
    else if (item->kind == SCHEDULE_CHOOSE)
        route_choose(hospital, item->end);
    else
        hospital_ways(hospital, item->number);
}

static void world_dial(struct world *world)
{
    struct schedule_item again = {
        .at = world->now + 400, .kind = SCHEDULE_DIAL, .number = world->dial_pace};
    if (world->tick_ms > MINUTE_MS)
        again.at = world->now + world->tick_ms;
    line_dial_all(world);
    relay_dial_all(world);
    schedule_add(&world->schedule, &again);
}

static void world_do(struct world *world, const struct schedule_item *item)
{
    switch (item->kind) {
    case SCHEDULE_TICK:
    case SCHEDULE_CHECKED:
    case SCHEDULE_WRITTEN:
    case SCHEDULE_KEPT:
    case SCHEDULE_POSTS:
    case SCHEDULE_ERASE:
    case SCHEDULE_REST:
    case SCHEDULE_CHOOSE:
    case SCHEDULE_WAYS:
        world_do_hospital(&world->hospitals[item->hospital], item);
        break;
    case SCHEDULE_FRAME:
        line_deliver(world, item);
        break;
    case SCHEDULE_UP:
        line_up(world, item);
        break;
    case SCHEDULE_DOWN:
        line_down(world, item);
        break;
    case SCHEDULE_HEADS:
        society_teach(&world->hospitals[item->hospital], item->number);
        break;
    case SCHEDULE_WIRE_UP:
        relay_up(world, item);
        break;
    case SCHEDULE_WIRE_DOWN:
        relay_down(world, item);
        break;
    case SCHEDULE_WIRE_FRAME:
        relay_deliver(world, item);
        break;
    case SCHEDULE_RELAY_TIME:
        relay_time(world, item);
        break;
    case SCHEDULE_DRAINED:
        relay_drained(world, item);
        break;
    case SCHEDULE_DIAL:
        if (item->number == world->dial_pace)
            world_dial(world);
        break;
    }
}

void world_run(struct world *world, uint64_t ms)
{
    uint64_t until = world->now + ms;
    struct schedule_item item;
    while (schedule_take(&world->schedule, until, &item)) {
        world->now = item.at;
        world_do(world, &item);
        free(item.frame);
    }
    world->now = until;
}

void world_pace(struct world *world, uint64_t tick_ms)
{
    world->tick_ms = tick_ms;
    for (uint32_t i = 0; i < world->count; i++) {
        if (world->hospitals[i].is_running)
            hospital_pace(&world->hospitals[i]);
    }
    struct schedule_item dial = {
        .at = world->now, .kind = SCHEDULE_DIAL, .number = ++world->dial_pace};
    schedule_add(&world->schedule, &dial);
}

void world_until(struct world *world, bool (*holds)(struct world *world), uint64_t ms,
                 const char *what)
{
    for (uint64_t end = world->now + ms; world->now < end;) {
        if (holds(world))
            return;
        world_run(world, 50);
    }
    world_fail(world, "did not come to pass", what);
}

void world_begin(struct world *world, uint32_t admitted)
{
    uint8_t *arena = malloc(STEP_ARENA_SIZE);
    if (arena == NULL)
        abort();
    world->prng.state = world->seed;
    world->trace = UINT64_C(0xcbf29ce484222325);
    world->step.arena = arena;
    world->tick_ms = SECOND_MS;
    society_found(world, admitted);
    world->count = admitted;
    world->tunnels = tunnels_new();
    world->ledger = ledger_new();
    world->resends = resends_new();
    for (uint32_t i = 0; i < world->relay_count; i++)
        relay_init(world, i);
    for (uint32_t i = 0; i < admitted; i++) {
        hospital_init(world, i);
        world->hospitals[i].is_closed = world->all_closed;
        society_teach(&world->hospitals[i], 1);
        hospital_boot(&world->hospitals[i]);
    }
    struct schedule_item dial = {.kind = SCHEDULE_DIAL};
    schedule_add(&world->schedule, &dial);
    world_run(world, 5 * SECOND_MS);
    for (uint32_t i = 0; i < admitted; i++)
        clinic_certify(&world->hospitals[i]);
    world_run(world, 5 * SECOND_MS);
}

void world_end(struct world *world)
{
    for (uint32_t i = 0; i < world->count; i++)
        hospital_free(&world->hospitals[i]);
    for (uint32_t i = 0; i < world->relay_count; i++)
        relay_free(&world->relays[i]);
    tunnels_free(world->tunnels);
    ledger_free(world->ledger);
    resends_free(world->resends);
    society_end(world);
    schedule_free(&world->schedule);
    free(world->promises);
    free(world->step.arena);
}
