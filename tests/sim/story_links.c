/* Stories of links: what is written arrives, whatever the lines do. */
#include "tests/sim/clinic.h"
#include "tests/sim/hospital.h"
#include "tests/sim/line.h"
#include "tests/sim/oracle.h"
#include "tests/sim/story.h"

void story_settle(struct world *world, uint64_t ms)
{
    const char *why = NULL;
    for (uint64_t end = world->now + ms; world->now < end; world_run(world, 250)) {
        if (oracle_is_settled(world, &why) && oracle_has_returned(world, &why)) {
            oracle_promises(world);
            return;
        }
    }
    world_fail(world, "does not settle", why == NULL ? "" : why);
}

struct outcome story_done(struct world *world, uint64_t token)
{
    for (int i = 0; i < 200 && world->outcomes[token].verdict == ERR_STATE; i++)
        world_run(world, 50);
    if (world->outcomes[token].verdict != OK)
        world_fail(world, "a post is not answered with OK",
                   err_name(world->outcomes[token].verdict));
    return world->outcomes[token];
}

static struct stream_id story_board_stream(struct world *world, const struct hospital *writer)
{
    return (struct stream_id){clinic_board(world), writer->node, 1};
}

/* Everyone but the writer holds the announcement with its key. */
static void story_reaches_all(struct world *world, uint64_t ms)
{
    struct hospital *aarau = &world->hospitals[0];
    struct outcome said =
        story_done(world, clinic_announce(aarau, (struct wall){hospital_wall(aarau).ms + DAY_MS}));
    struct stream_id stream = story_board_stream(world, aarau);
    world_run(world, ms);
    for (uint32_t i = 1; i < world->count; i++) {
        const struct disk_record *record =
            disk_at(&world->hospitals[i].disk, &stream, said.sequence);
        WORLD_CHECK(world, record != NULL && record->has_key);
    }
}

/* An announcement reaches a board of three within a second, by one hop. */
void story_board_of_three(struct world *world)
{
    world_begin(world, 3);
    story_reaches_all(world, SECOND_MS);
    story_settle(world, MINUTE_MS);
}

/* The same with 32. */
void story_board_of_thirty_two(struct world *world)
{
    world_begin(world, 32);
    story_reaches_all(world, SECOND_MS);
    story_settle(world, MINUTE_MS);
}

/* A hospital that was off for a week gets all that it missed. */
void story_away_a_week(struct world *world)
{
    world_begin(world, 4);
    struct hospital *davos = &world->hospitals[3];
    hospital_crash(davos);
    world_pace(world, 20 * SECOND_MS);
    for (int i = 0; i < 600; i++) {
        struct hospital *writer = &world->hospitals[i % 3];
        clinic_announce(writer, (struct wall){hospital_wall(writer).ms + 60 * DAY_MS});
        world_run(world, 7 * DAY_MS / 600);
    }
    world_pace(world, SECOND_MS);
    hospital_boot(davos);
    story_settle(world, 2 * MINUTE_MS);
}

/* The link is cut again and again in the middle of a long range; the range goes on. */
void story_cut_in_a_range(struct world *world)
{
    world_begin(world, 2);
    struct hospital *aarau = &world->hospitals[0], *basel = &world->hospitals[1];
    hospital_crash(basel);
    world_run(world, SECOND_MS);
    for (int i = 0; i < 900; i++) {
        clinic_announce(aarau, (struct wall){hospital_wall(aarau).ms + 60 * DAY_MS});
        if (i % 20 == 0)
            world_run(world, SECOND_MS);
    }
    world_run(world, MINUTE_MS);
    hospital_boot(basel);
    for (int i = 0; i < 40; i++) {
        world_run(world, 300 + prng_below(&world->prng, 700));
        line_cut(aarau, basel);
    }
    story_settle(world, 2 * MINUTE_MS);
}

/* Hospitals die at random moments, three hundred times: no acknowledged record is lost, none is
 * doubled. */
void story_kills(struct world *world)
{
    world_begin(world, 3);
    for (int i = 0; i < 300; i++) {
        struct hospital *victim = &world->hospitals[prng_below(&world->prng, 3)];
        for (uint32_t j = 0; j < world->count; j++) {
            struct hospital *writer = &world->hospitals[j];
            if (writer->is_running)
                clinic_announce(writer, (struct wall){hospital_wall(writer).ms + 60 * DAY_MS});
        }
        world_run(world, prng_below(&world->prng, 120));
        if (victim->is_running)
            hospital_crash(victim);
        world_run(world, prng_below(&world->prng, 2000));
        if (!victim->is_running)
            hospital_boot(victim);
        oracle_promises(world);
    }
    story_settle(world, 2 * MINUTE_MS);
}

/* Two halves write for a day without each other; then they know the same. */
void story_partition(struct world *world)
{
    world_begin(world, 6);
    for (uint32_t i = 0; i < 6; i++)
        world->side[i] = i % 2;
    line_part(world);
    world_pace(world, 20 * SECOND_MS);
    for (int i = 0; i < 60; i++) {
        struct hospital *writer = &world->hospitals[i % 6];
        clinic_announce(writer, (struct wall){hospital_wall(writer).ms + 60 * DAY_MS});
        world_run(world, DAY_MS / 60);
    }
    world_pace(world, SECOND_MS);
    for (uint32_t i = 0; i < 6; i++)
        world->side[i] = 0;
    story_settle(world, 2 * MINUTE_MS);
}
