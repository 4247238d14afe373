/* Random walks: everything that can go wrong does, then it heals. */
#include <string.h>

#include "protocol/state/streams.h"
#include "tests/sim/clinic.h"
#include "tests/sim/hospital.h"
#include "tests/sim/line.h"
#include "tests/sim/oracle.h"
#include "tests/sim/story.h"

enum { WALK_HOSPITALS = 5, WALK_STEPS = 250 };

static void walk_fault(struct world *world, struct hospital *hospital)
{
    switch (prng_below(&world->prng, 7)) {
    case 0:
        if (hospital->is_running)
            hospital_crash(hospital);
        break;
    case 1:
        world->side[hospital->index] = (uint8_t)prng_below(&world->prng, 2);
        line_part(world);
        break;
    case 2:
        hospital->disk.is_full = prng_of(&world->prng, 50);
        break;
    case 3:
        world->drop_percent = (unsigned)prng_below(&world->prng, 300);
        break;
    case 4:
        line_cut_hospital(hospital);
        break;
    case 5:
        hospital->skew_ms = (int64_t)prng_below(&world->prng, 4 * MINUTE_MS);
        break;
    default:
        if (!hospital->is_running)
            hospital_boot(hospital);
        break;
    }
}

static void walk_word(struct world *world, struct hospital *hospital)
{
    uint32_t number = (uint32_t)prng_below(&world->prng, world->case_count + 1);
    if (!hospital->is_running)
        return;
    if (number == world->case_count) {
        if (world->case_count < 12)
            (void)clinic_ask(hospital, 1 + (unsigned)prng_below(&world->prng, 2), 3);
        return;
    }
    const struct consult *consult = hospital_case(hospital, &world->cases[number].id);
    bool is_part = consult != NULL && consult_participant_of(consult, &hospital->node) != NULL;
    if (world->cases[number].requester == hospital->index)
        (void)clinic_post(hospital, number);
    else if (is_part && consult->mode != ANNOUNCEMENT_MODE_NONE)
        (void)clinic_opine(hospital, number, consult->mode);
    else
        (void)clinic_join(hospital, number);
}

static void walk_heal(struct world *world)
{
    memset(world->side, 0, sizeof world->side);
    world->drop_percent = 0;
    for (uint32_t i = 0; i < world->count; i++) {
        world->hospitals[i].disk.is_full = false;
        world->hospitals[i].skew_ms = 0;
        if (!world->hospitals[i].is_running)
            hospital_boot(&world->hospitals[i]);
    }
}

/* Five hospitals, cases, crashes, partitions, full disks, skewed clocks, lost connections: after
 * healing all hold the same, see the same cases, and nothing acknowledged is lost. */
void story_random_walk(struct world *world)
{
    world_begin(world, WALK_HOSPITALS);
    for (int i = 0; i < WALK_STEPS; i++) {
        struct hospital *hospital = &world->hospitals[prng_below(&world->prng, WALK_HOSPITALS)];
        if (prng_of(&world->prng, 40))
            walk_fault(world, hospital);
        else
            walk_word(world, hospital);
        world_run(world, prng_below(&world->prng, 5000));
    }
    walk_heal(world);
    story_settle(world, 5 * MINUTE_MS);
}

/* The same walk, where each core has a twin that gets its events as a recording spells them: same
 * events, same effects. */
void story_twins(struct world *world)
{
    world->is_twinned = true;
    story_random_walk(world);
}

static uint8_t walk_caught[64][FRAME_SIZE_MAX];
static size_t walk_caught_size[64];
static uint32_t walk_caught_count;

static bool walk_catch(struct world *world, uint32_t from, uint32_t to, struct bytes frame)
{
    (void)to;
    uint32_t place =
        walk_caught_count < 64 ? walk_caught_count : (uint32_t)prng_below(&world->prng, 64);
    if (from != 3 || (walk_caught_count >= 64 && !prng_of(&world->prng, 5)))
        return true;
    memcpy(walk_caught[place], frame.data, frame.size);
    walk_caught_size[place] = frame.size;
    if (place == walk_caught_count)
        walk_caught_count++;
    return true;
}

/* A member sends every truncation and many bit flips of what it sent before, and floods: nobody
 * falls, it is counted, and the honest go on. */
void story_hostile_frames(struct world *world)
{
    static uint8_t copy[FRAME_SIZE_MAX];
    world_begin(world, 4);
    walk_caught_count = 0;
    world->on_frame = walk_catch;
    struct hospital *davos = &world->hospitals[3], *aarau = &world->hospitals[0];
    for (int i = 0; i < 40; i++) {
        walk_word(world, &world->hospitals[i % 4]);
        world_run(world, SECOND_MS);
    }
    world->on_frame = NULL;
    davos->is_puppet = true;
    for (uint32_t i = 0; i < walk_caught_count; i++) {
        size_t size = walk_caught_size[i];
        for (size_t j = 1; j < size; j += 1 + size / 400) {
            memcpy(copy, walk_caught[i], size);
            (void)line_forge(davos, aarau, (struct bytes){copy, j});
            for (int k = 0; k < 3; k++)
                copy[prng_below(&world->prng, size)] ^=
                    (uint8_t)(1u << prng_below(&world->prng, 8));
            (void)line_forge(davos, aarau, (struct bytes){copy, size});
        }
        world_run(world, 2 * SECOND_MS);
    }
    struct engine_status status;
    engine_status(aarau->engine, &status);
    WORLD_CHECK(world, status.refused > 100);
    for (uint32_t i = 0; i < 3; i++) {
        struct hospital *writer = &world->hospitals[i];
        (void)story_done(world,
                         clinic_announce(writer, (struct wall){hospital_wall(writer).ms + DAY_MS}));
    }
    story_settle(world, 3 * MINUTE_MS);
}
