/* Stories of clocks that are ahead: what was written with one stops no stream once the clock is
 * right, opens nothing early, and two that lie stop nobody. */
#include <string.h>

#include "protocol/consult/consult.h"
#include "protocol/contents/case_record.h"
#include "tests/sim/clinic.h"
#include "tests/sim/forge.h"
#include "tests/sim/hospital.h"
#include "tests/sim/line.h"
#include "tests/sim/story.h"

static struct outcome story_announce(struct hospital *hospital)
{
    struct wall expires = {hospital_wall(hospital).ms + 60 * DAY_MS};
    return story_done(hospital->world, clinic_announce(hospital, expires));
}

/* These go apart from the others, for so long that nobody's clock is remembered. */
static void story_go_apart(struct world *world, uint32_t first, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        world->side[first + i] = 1;
    line_part(world);
    world_pace(world, 10 * SECOND_MS);
    world_run(world, 61 * MINUTE_MS);
    world_pace(world, SECOND_MS);
}

/* All come together again, and all clocks are right. */
static void story_come_together(struct world *world)
{
    for (uint32_t i = 0; i < world->count; i++) {
        world->hospitals[i].skew_ms = 0;
        world->side[i] = 0;
    }
    line_part(world);
    world_run(world, 20 * SECOND_MS);
}

/* (T-3) A record that is 300 days from the future is held by everybody at once, and so is what its
 * writer says when its clock is right. */
void story_future_record(struct world *world)
{
    world_begin(world, 3);
    struct hospital *aarau = &world->hospitals[0], *basel = &world->hospitals[1];
    struct stream_id stream = {clinic_board(world), aarau->node, 1};
    story_go_apart(world, 0, 1);
    aarau->skew_ms = (int64_t)(300 * DAY_MS);
    uint64_t ahead = story_announce(aarau).sequence;
    story_come_together(world);
    uint64_t right = story_announce(aarau).sequence;
    story_settle(world, MINUTE_MS);
    const struct disk_record *first = disk_at(&basel->disk, &stream, ahead);
    const struct disk_record *second = disk_at(&basel->disk, &stream, right);
    WORLD_CHECK(world, first != NULL && first->has_key && (first->flags & RECORD_AHEAD) != 0);
    WORLD_CHECK(world, second != NULL && second->has_key && (second->flags & RECORD_AHEAD) == 0);
}

/* The requester's clock is two hours ahead while one other is connected, whose clock only warns.
 * What was granted then, and all that is said later, is in force everywhere. */
void story_fast_clocks(struct world *world)
{
    world_begin(world, 5);
    struct hospital *aarau = &world->hospitals[0], *basel = &world->hospitals[1];
    struct hospital *chur = &world->hospitals[2];
    story_go_apart(world, 0, 2);
    aarau->skew_ms = (int64_t)(2 * HOUR_MS);
    uint32_t number = clinic_ask(aarau, ANNOUNCEMENT_OPEN, 3);
    world_run(world, 10 * SECOND_MS);
    (void)story_done(world, clinic_join(basel, number));
    world_run(world, 20 * SECOND_MS);
    WORLD_CHECK(world, hospital_case(basel, &world->cases[number].id)->participant_count == 1);
    story_come_together(world);
    (void)story_done(world, clinic_join(chur, number));
    world_run(world, 20 * SECOND_MS);
    (void)story_done(world, clinic_post(aarau, number));
    (void)story_done(world, clinic_opine(basel, number, ANNOUNCEMENT_OPEN));
    (void)story_done(world, clinic_opine(chur, number, ANNOUNCEMENT_OPEN));
    story_settle(world, 2 * MINUTE_MS);
    world_run(world, 30 * SECOND_MS); /* the requester says what it took in */
    story_settle(world, MINUTE_MS);
    for (uint32_t i = 0; i < 3; i++) {
        const struct consult *consult =
            hospital_case(&world->hospitals[i], &world->cases[number].id);
        WORLD_CHECK(world, consult->participant_count == 2 && consult->taken_count == 2);
    }
}

/* Two of six tell a time that is 300 days ahead: the others write on, and the two do not. Then the
 * right clocks of the two are behind what one of them wrote while alone: two others confirm them.
 */
void story_two_liars(struct world *world)
{
    world_begin(world, 6);
    struct hospital *aarau = &world->hospitals[0], *basel = &world->hospitals[1];
    aarau->skew_ms = basel->skew_ms = (int64_t)(300 * DAY_MS);
    line_cut_hospital(aarau);
    line_cut_hospital(basel);
    world_run(world, 20 * SECOND_MS);
    for (uint32_t i = 2; i < 6; i++)
        (void)story_announce(&world->hospitals[i]);
    for (uint32_t i = 0; i < 2; i++) {
        uint64_t token = clinic_announce(&world->hospitals[i], hospital_wall(basel));
        world_run(world, SECOND_MS);
        WORLD_CHECK(world, world->outcomes[token].verdict == ERR_FUTURE);
    }
    story_go_apart(world, 0, 1);
    (void)story_announce(aarau);
    story_come_together(world);
    for (uint32_t i = 0; i < 6; i++)
        (void)story_announce(&world->hospitals[i]);
    story_settle(world, 2 * MINUTE_MS);
}

/* Alone, with a clock that was set back, nothing is written. Who backdates all the same stops
 * nothing by it. */
void story_backdated(struct world *world)
{
    static struct forge forge;
    world_begin(world, 3);
    struct hospital *aarau = &world->hospitals[0], *chur = &world->hospitals[2];
    struct stream_id stream = {clinic_board(world), chur->node, 1};
    (void)story_announce(aarau);
    story_go_apart(world, 0, 1);
    aarau->skew_ms = -(int64_t)(2 * HOUR_MS);
    world_run(world, 2 * SECOND_MS);
    uint64_t token = clinic_announce(aarau, (struct wall){hospital_wall(chur).ms + DAY_MS});
    world_run(world, SECOND_MS);
    WORLD_CHECK(world, world->outcomes[token].verdict == ERR_FUTURE);
    story_come_together(world);
    (void)story_announce(aarau);
    chur->is_puppet = true;
    forge_begin(&forge, chur, &stream.scope);
    for (int i = 0; i < 3; i++) {
        forge_record(&forge, bytes_of_text("yesterday"), false);
        forge.header.time.ms -= DAY_MS;
    }
    forge_send(&forge, aarau, false);
    forge_send(&forge, &world->hospitals[1], true);
    world_run(world, MINUTE_MS);
    for (uint32_t i = 0; i < 2; i++)
        WORLD_CHECK(world, disk_find(&world->hospitals[i].disk, &stream)->tail == 3);
}

/* (T-31) A participant releases its sealed opinion with a clock that is beyond the deadline: the
 * other participant holds the release, and reads the opinion when that time has come. */
void story_released_ahead(struct world *world)
{
    world_begin(world, 3);
    struct hospital *aarau = &world->hospitals[0], *basel = &world->hospitals[1];
    struct hospital *chur = &world->hospitals[2];
    uint32_t number = clinic_ask(aarau, ANNOUNCEMENT_INDEPENDENT_FIRST, 2);
    world_run(world, 2 * SECOND_MS);
    (void)story_done(world, clinic_join(basel, number));
    (void)story_done(world, clinic_join(chur, number));
    world_run(world, 20 * SECOND_MS);
    struct outcome opinion =
        story_done(world, clinic_opine(basel, number, ANNOUNCEMENT_INDEPENDENT_FIRST));
    struct stream_id stream = {clinic_case(world, number), basel->node, 1};
    story_go_apart(world, 1, 1);
    basel->skew_ms = (int64_t)(31 * DAY_MS);
    struct case_record_release release = {.record_id = opinion.record};
    struct saying saying = {stream.scope, AUDIENCE_SCOPE, KIND_RELEASE, &release, {0}};
    uint64_t released = story_done(world, clinic_say(basel, &saying)).sequence;
    story_come_together(world);
    story_settle(world, 2 * MINUTE_MS);
    WORLD_CHECK(world, disk_at(&chur->disk, &stream, released) != NULL);
    WORLD_CHECK(world, !disk_at(&chur->disk, &stream, opinion.sequence)->has_key);
    (void)story_done(world, clinic_post(basel, number)); /* and its stream goes on */
    world_pace(world, 5 * MINUTE_MS);
    world_run(world, 31 * DAY_MS);
    world_pace(world, SECOND_MS);
    (void)story_done(world, clinic_post(aarau, number)); /* the case is awake again */
    world_run(world, 2 * MINUTE_MS);
    WORLD_CHECK(world, disk_at(&chur->disk, &stream, opinion.sequence)->has_key);
    story_settle(world, 2 * MINUTE_MS);
}
