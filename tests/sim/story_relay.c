/* Stories of relays: hospitals that accept no connection find each other all the same, and no relay
 * can read, forge or replay what they say, nor part those who have another one. */
#include "protocol/wire/relay_frame.h"
#include "tests/sim/adversary.h"
#include "tests/sim/clinic.h"
#include "tests/sim/hospital.h"
#include "tests/sim/line.h"
#include "tests/sim/oracle.h"
#include "tests/sim/society.h"
#include "tests/sim/story.h"

static const struct relay_limits story_least = {RELAY_UNITS_MAX, 2 * RELAY_UNITS_MAX, 8, 64, 600,
                                                512 * 1024};

static void story_relays(struct world *world, uint32_t hospitals, uint32_t relays)
{
    world->relay_count = relays;
    world->all_closed = true;
    world_begin(world, hospitals);
}

static uint64_t story_say(struct hospital *hospital)
{
    return clinic_announce(hospital, (struct wall){hospital_wall(hospital).ms + 60 * DAY_MS});
}

static bool story_holds(const struct hospital *reader, const struct hospital *writer,
                        uint64_t sequence)
{
    struct stream_id stream = {clinic_board(reader->world), writer->node, 1};
    const struct disk_record *record = disk_at(&reader->disk, &stream, sequence);
    return record != NULL && record->has_key;
}

/* What the first says reaches all others within `ms`. */
static void story_arrives(struct world *world, uint64_t ms)
{
    struct hospital *aarau = &world->hospitals[0];
    struct outcome said = story_done(world, story_say(aarau));
    uint64_t end = world->now + ms;
    for (uint32_t i = 1; i < world->count; i++) {
        while (!story_holds(&world->hospitals[i], aarau, said.sequence) && world->now < end)
            world_run(world, 50);
        if (!story_holds(&world->hospitals[i], aarau, said.sequence))
            world_fail(world, "does not arrive", world->hospitals[i].name);
    }
}

/* Three hospitals that accept nothing, two relays. One relay dies: it goes by the other; both die:
 * it waits, and arrives when one is back. */
void story_only_relays(struct world *world)
{
    story_relays(world, 3, 2);
    story_arrives(world, SECOND_MS);
    relay_crash(&world->relays[0]);
    story_arrives(world, 30 * SECOND_MS);
    relay_crash(&world->relays[1]);
    struct outcome said = story_done(world, story_say(&world->hospitals[1]));
    world_run(world, 10 * MINUTE_MS);
    WORLD_CHECK(world, !story_holds(&world->hospitals[0], &world->hospitals[1], said.sequence));
    relay_boot(&world->relays[0]);
    story_settle(world, MINUTE_MS);
    relay_boot(&world->relays[1]);
    relay_drain(&world->relays[0], 1000);
    world_run(world, SECOND_MS);
    relay_crash(&world->relays[0]);
    story_arrives(world, 30 * SECOND_MS);
    story_settle(world, MINUTE_MS);
}

/* Direct lines come and go while relays stay: ways change in either direction, nothing is lost. */
void story_ways_change(struct world *world)
{
    world->relay_count = 2;
    world_begin(world, 4);
    for (int i = 0; i < 120; i++) {
        struct hospital *hospital = &world->hospitals[prng_below(&world->prng, 4)];
        hospital->is_closed = prng_of(&world->prng, 60);
        line_cut_hospital(hospital);
        (void)story_say(&world->hospitals[i % 4]);
        world_run(world, prng_below(&world->prng, 5 * SECOND_MS));
    }
    story_settle(world, MINUTE_MS);
}

/* A long catch-up through a relay with the smallest windows and wires that take nothing for
 * seconds: nothing is dropped for want of credit, and a third hospital is not held up. */
void story_little_credit(struct world *world)
{
    world->relay_limits = story_least;
    story_relays(world, 4, 1);
    struct hospital *davos = &world->hospitals[3];
    hospital_crash(davos);
    for (int i = 0; i < 600; i++) {
        (void)story_say(&world->hospitals[i % 3]);
        world_run(world, 50);
    }
    hospital_boot(davos);
    for (int i = 0; i < 20; i++) {
        relay_stick(davos, 0, prng_below(&world->prng, 5 * SECOND_MS));
        story_arrives(world, 20 * SECOND_MS);
    }
    story_settle(world, 2 * MINUTE_MS);
    struct relay_engine_counts counts = relay_engine_counts(world->relays[0].relay_engine);
    WORLD_CHECK(world, counts.busy == 0 && counts.limited == 0 && counts.malformed == 0);
    WORLD_CHECK(world, counts.queued_units_max <= 4 * 2 * RELAY_UNITS_MAX);
}

/* All hospitals speak by the first relay: the second takes nobody for a while. Without this, chance
 * may let all pairs meet at the second, and a way that works is not left. */
static void story_by_first(struct world *world)
{
    world->relays[1].cut_from = UINT64_MAX;
    for (uint32_t i = 0; i < world->count; i++)
        relay_cut_hospital(&world->hospitals[i]);
    world_run(world, 20 * SECOND_MS);
    world->relays[1].cut_from = 0;
}

/* One relay drops, delays, doubles, reorders, replays, forges and lies; the other is honest. What
 * comes out of a box is what its sender put in (tunnels.c), and all comes together. */
void story_hostile_relay(struct world *world)
{
    story_relays(world, 4, 2);
    struct relay *relay = &world->relays[0];
    story_by_first(world);
    relay->malice = ADVERSARY_ALL;
    relay->malice_percent = 60;
    for (int i = 0; i < 200; i++) {
        (void)story_say(&world->hospitals[i % 4]);
        world_run(world, prng_below(&world->prng, 3 * SECOND_MS));
    }
    WORLD_CHECK(world, relay->malice_count > 5);
    story_settle(world, 5 * MINUTE_MS);
    relay->malice_percent = 100;
    (void)story_say(&world->hospitals[2]);
    story_settle(world, 5 * MINUTE_MS);
}

/* Only a hostile relay: when an honest one takes its place, all comes together. (Lies about
 * presence last as long as the connection to who told them.) */
void story_hostile_only(struct world *world)
{
    story_relays(world, 3, 1);
    struct relay *relay = &world->relays[0];
    relay->malice = ADVERSARY_ALL;
    relay->malice_percent = 20;
    for (int i = 0; i < 150; i++) {
        (void)story_say(&world->hospitals[i % 3]);
        world_run(world, prng_below(&world->prng, 2 * SECOND_MS));
    }
    relay->malice = 0;
    relay_crash(relay);
    relay_boot(relay);
    story_settle(world, 5 * MINUTE_MS);
}

/* The first relay is hostile in one way. Whoever has another relay is cut off for a minute or two
 * at most, and not again. */
static void story_one_bad_relay(struct world *world, unsigned malice)
{
    story_relays(world, 3, 2);
    world->relays[0].malice = malice;
    story_by_first(world);
    for (int i = 0; i < 300; i++) {
        (void)story_say(&world->hospitals[i % 3]);
        world_run(world, SECOND_MS);
    }
    uint32_t links = world->link_last;
    for (int i = 0; i < 20; i++) {
        story_arrives(world, 10 * SECOND_MS);
        world_run(world, 40 * SECOND_MS);
    }
    WORLD_CHECK(world, world->relays[0].malice_count > 0);
    WORLD_CHECK(world, world->link_last == links); /* nobody was lured back */
    story_settle(world, MINUTE_MS);
}

/* It lets sessions come up, swallows what they carry, and lures hospitals back by boxes without a
 * session. */
void story_swallowing_relay(struct world *world)
{
    story_one_bad_relay(world, ADVERSARY_SWALLOWS);
}

/* It never says that a frame was passed on. */
void story_starving_relay(struct world *world)
{
    world->relay_limits = story_least;
    story_one_bad_relay(world, ADVERSARY_STARVES);
}

/* Its windows let handshakes through and no frame. */
void story_shrinking_relay(struct world *world)
{
    story_one_bad_relay(world, ADVERSARY_SHRINKS);
}

/* The society suspends a member: the relays take the list, and end its connection. */
void story_suspended_at_relay(struct world *world)
{
    story_relays(world, 4, 2);
    struct hospital *davos = &world->hospitals[3];
    struct member member = society_member(world, 3);
    member.state = MEMBER_SUSPENDED;
    member.state_since_epoch = 2;
    society_change(world, &member);
    world_run(world, 5 * SECOND_MS);
    for (uint32_t i = 0; i < 2; i++) {
        WORLD_CHECK(world, world->relays[i].head.epoch == 2);
        WORLD_CHECK(world, !davos->wires[i].is_welcome);
    }
    struct outcome said = story_done(world, story_say(&world->hospitals[0]));
    world_run(world, MINUTE_MS);
    WORLD_CHECK(world, !story_holds(davos, &world->hospitals[0], said.sequence));
    relay_crash(&world->relays[0]);
    relay_boot(&world->relays[0]);
    world_run(world, 5 * SECOND_MS);
    WORLD_CHECK(world, !davos->wires[0].is_welcome);
    story_settle(world, MINUTE_MS);
}
