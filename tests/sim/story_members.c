/* Stories of members who come and go. */
#include "protocol/record/statement.h"
#include "tests/sim/clinic.h"
#include "tests/sim/hospital.h"
#include "tests/sim/line.h"
#include "tests/sim/oracle.h"
#include "tests/sim/society.h"
#include "tests/sim/story.h"

static struct outcome workflow_announce(struct world *world, struct hospital *hospital)
{
    struct wall expires = {hospital_wall(hospital).ms + 60 * DAY_MS};
    return story_done(world, clinic_announce(hospital, expires));
}

/* A new member gets header and signature at once, the body when its cooling-off is over, and never
 * what is older than its admission. */
void story_cooling_off(struct world *world)
{
    world_begin(world, 4);
    struct hospital *aarau = &world->hospitals[0], *emmental = &world->hospitals[4];
    struct stream_id stream = {clinic_board(world), aarau->node, 1};
    struct outcome before = workflow_announce(world, aarau);
    struct member member = society_newcomer(4, 2);
    society_change(world, &member);
    world_run(world, 2 * SECOND_MS);
    struct outcome after = workflow_announce(world, aarau);
    world->count = 5;
    hospital_init(world, 4);
    society_teach(emmental, 2);
    hospital_boot(emmental);
    world_run(world, 2 * MINUTE_MS);
    const struct disk_record *record = disk_at(&emmental->disk, &stream, after.sequence);
    WORLD_CHECK(world, record != NULL && !record->has_key && record->size == RECORD_BARE_SIZE);
    WORLD_CHECK(world, !disk_at(&emmental->disk, &stream, before.sequence)->has_key);
    world_pace(world, 20 * SECOND_MS);
    world_run(world, 73 * HOUR_MS);
    world_pace(world, SECOND_MS);
    world_run(world, 2 * MINUTE_MS);
    WORLD_CHECK(world, disk_at(&emmental->disk, &stream, after.sequence)->has_key);
    WORLD_CHECK(world, !disk_at(&emmental->disk, &stream, before.sequence)->has_key);
    story_settle(world, MINUTE_MS);
}

/* A suspended member gets nothing new, its records are refused, and the others have rest. */
void story_suspended(struct world *world)
{
    world_begin(world, 4);
    struct hospital *aarau = &world->hospitals[0], *basel = &world->hospitals[1];
    struct hospital *davos = &world->hospitals[3];
    world->side[1] = world->side[3] = 1;
    line_part(world);
    struct outcome unheard = workflow_announce(world, davos);
    world_run(world, MINUTE_MS);
    struct member member = society_member(world, 3);
    member.state = MEMBER_SUSPENDED;
    member.state_since_epoch = 2;
    society_change(world, &member);
    world_run(world, 2 * SECOND_MS);
    world->side[1] = world->side[3] = 0;
    struct outcome said = workflow_announce(world, aarau);
    world_run(world, MINUTE_MS);
    uint64_t wants = aarau->wants_sent, frames = aarau->sent_frames;
    world_run(world, 10 * MINUTE_MS);
    struct stream_id ours = {clinic_board(world), aarau->node, 1};
    struct stream_id theirs = {clinic_board(world), davos->node, 1};
    WORLD_CHECK(world, disk_at(&davos->disk, &ours, said.sequence) == NULL);
    WORLD_CHECK(world, disk_at(&basel->disk, &theirs, unheard.sequence) != NULL);
    WORLD_CHECK(world, disk_at(&aarau->disk, &theirs, unheard.sequence) == NULL);
    WORLD_CHECK(world, aarau->wants_sent == wants);
    WORLD_CHECK(world, aarau->sent_frames - frames < 400);
    story_settle(world, MINUTE_MS);
}
