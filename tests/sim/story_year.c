/* A year of a federation: people ask, answer and decide, everything that can go wrong does, the
 * society changes its roster, one relay is hostile at times and one member always. With an odd seed
 * members keep mail for each other, and two of them are never on together for most of each month.
 */
#include <string.h>

#include "tests/sim/clinic.h"
#include "tests/sim/fault_plan.h"
#include "tests/sim/garbage.h"
#include "tests/sim/held_mail.h"
#include "tests/sim/hospital.h"
#include "tests/sim/ledger.h"
#include "tests/sim/line.h"
#include "tests/sim/oracle.h"
#include "tests/sim/society.h"
#include "tests/sim/story.h"
#include "tests/sim/workload.h"

enum {
    YEAR_HOSPITALS = 6,
    YEAR_HOSPITALS_MAX = 9,
    YEAR_MONTH = 15,
    YEAR_TURNS = 12,
    YEAR_TRIES = 16
};

/* Two that are never on together, day by day in turns. */
struct year_pair {
    uint32_t first, second;
};

/* ---- the roster ---- */

static void year_admit(struct world *world)
{
    uint32_t index = world->count;
    if (index == YEAR_HOSPITALS_MAX)
        return;
    struct member member = society_newcomer(index, world->epoch + 1);
    society_change(world, &member);
    world_run(world, 2 * SECOND_MS);
    world->count = index + 1;
    hospital_init(world, index);
    society_teach(&world->hospitals[index], world->epoch);
    hospital_boot(&world->hospitals[index]);
    world_run(world, 10 * SECOND_MS);
    clinic_certify(&world->hospitals[index]);
}

/* One that is suspended comes back or is removed; else one is suspended. */
static void year_suspend(struct world *world)
{
    uint32_t admitted = 0;
    for (uint32_t i = 0; i < world->count; i++) {
        struct member member = society_member(world, i);
        admitted += member.state == MEMBER_ADMITTED ? 1 : 0;
        if (member.state != MEMBER_SUSPENDED)
            continue;
        if (prng_of(&world->prng, 50)) {
            society_remove(world, i);
            return;
        }
        member.state = MEMBER_ADMITTED;
        member.state_since_epoch = member.boards[0].since_epoch = world->epoch + 1;
        society_change(world, &member);
        return;
    }
    uint32_t index = (uint32_t)prng_below(&world->prng, world->count);
    struct member member = society_member(world, index);
    if (admitted <= 4 || member.state != MEMBER_ADMITTED)
        return;
    member.state = MEMBER_SUSPENDED;
    member.state_since_epoch = world->epoch + 1;
    society_change(world, &member);
}

/* It gives up a board, or takes it again. */
static void year_board(struct world *world)
{
    uint32_t index = (uint32_t)prng_below(&world->prng, world->count);
    struct member member = society_member(world, index);
    if (member.state != MEMBER_ADMITTED)
        return;
    member.board_count = 1;
    member.boards[0].tag = member.boards[0].tag.data[0] == 'h' ? bytes_of_text("oncology")
                                                               : bytes_of_text("hematology");
    member.boards[0].since_epoch = world->epoch + 1;
    society_change(world, &member);
}

static void year_roster(struct world *world)
{
    if (world->epoch + 2 >= WORLD_HEADS_MAX)
        return;
    if (world->has_custody && prng_of(&world->prng, 20)) {
        society_allow_custody(world, !world->allows_custody);
        return;
    }
    switch (prng_below(&world->prng, 4)) {
    case 0:
        year_admit(world);
        break;
    case 1:
        year_board(world);
        break;
    default:
        year_suspend(world);
        break;
    }
}

/* ---- days ---- */

static void year_leave(struct hospital *hospital)
{
    if (hospital->is_puppet)
        return;
    hospital->is_away = true;
    if (hospital->is_running)
        hospital_crash(hospital);
}

static void year_return(struct hospital *hospital)
{
    hospital->is_away = false;
    if (!hospital->is_running)
        hospital_boot(hospital);
}

static void year_turn(struct world *world, struct year_pair *pair, uint64_t day)
{
    uint64_t day_of_month = day % YEAR_MONTH;
    if (!world->has_custody || day_of_month == 0 || day_of_month > YEAR_TURNS)
        return;
    if (day_of_month == 1) {
        pair->first = (uint32_t)prng_below(&world->prng, world->count);
        pair->second =
            (pair->first + 1 + (uint32_t)prng_below(&world->prng, world->count - 1)) % world->count;
    }
    bool is_odd = day_of_month % 2 == 1;
    year_leave(&world->hospitals[is_odd ? pair->first : pair->second]);
    year_return(&world->hospitals[is_odd ? pair->second : pair->first]);
}

static void year_busy(struct world *world, struct garbage *garbage)
{
    uint64_t steps = prng_below(&world->prng, 12);
    for (uint64_t i = 0; i < steps; i++) {
        if (prng_of(&world->prng, 20))
            fault_plan_strike(world);
        else if (prng_of(&world->prng, 15))
            garbage_act(garbage);
        else
            workload_act(world);
        world_run(world, prng_below(&world->prng, 6 * SECOND_MS));
    }
}

/* Steps of the clock are that long: whatever a frame or a disk answers comes at its own time. */
static void year_quiet(struct world *world, uint64_t ms, uint64_t tick_ms)
{
    world_pace(world, tick_ms);
    world_run(world, ms);
    world_pace(world, SECOND_MS);
}

static bool year_holds(const struct hospital *hospital, const struct stream_id *stream,
                       const struct outcome *said)
{
    const struct disk_record *record = disk_at(&hospital->disk, stream, said->sequence);
    return record != NULL && record->has_key && ID_EQUAL(record->id, said->record);
}

static bool year_is_well(const struct world *world, const struct hospital *hospital)
{
    const struct world_member *row = &world->heads[world->epoch - 1].members[hospital->index];
    return hospital->is_running && !hospital->is_puppet && row->state == MEMBER_ADMITTED;
}

/* The two are never on together: mail, which nobody else has a part in, comes by custodians. */
static void year_leave_mail(struct hospital *from, struct hospital *to, uint32_t number)
{
    struct world *world = from->world;
    year_leave(to);
    world_run(world, 10 * SECOND_MS);
    struct outcome said = story_done(world, clinic_join(from, number));
    world_run(world, MINUTE_MS);
    struct stream_id mail = {scope_mail(&to->node), from->node, 1};
    while (!year_holds(from, &mail, &said)) {
        mail.generation++;
        WORLD_CHECK(world, mail.generation <= GENERATION_COUNT_MAX);
    }
    year_leave(from);
    world_run(world, 5 * SECOND_MS);
    year_return(to);
    world_run(world, 10 * MINUTE_MS);
    if (!year_holds(to, &mail, &said))
        world_fail(world, "mail that was left does not arrive", to->name);
    year_return(from);
    world_run(world, MINUTE_MS);
    story_settle(world, 10 * MINUTE_MS);
}

/* Some member wishes to join a case whose requester is off. */
static void year_mail(struct world *world)
{
    bool is_possible = world->has_custody && world->allows_custody && world->case_count > 0;
    for (int tries = 0; is_possible && tries < YEAR_TRIES; tries++) {
        uint32_t number = (uint32_t)prng_below(&world->prng, world->case_count);
        struct hospital *to = &world->hospitals[world->cases[number].requester];
        uint32_t other = to->index + 1 + (uint32_t)prng_below(&world->prng, world->count - 1);
        struct hospital *from = &world->hospitals[other % world->count];
        if (from->was_put_back || !year_is_well(world, from) || !year_is_well(world, to) ||
            !ledger_admits(from, to) || !ledger_admits(to, from))
            continue;
        year_leave_mail(from, to, number);
        return;
    }
}

/* All is well for two hours; then all that should be everywhere is. One hospital whose disk was
 * lost comes back from a backup, and gets the rest from the others. */
static void year_reckon(struct world *world)
{
    fault_plan_heal(world);
    world_run(world, 2 * MINUTE_MS);
    for (uint32_t i = 0; i < world->count; i++) {
        if (world->hospitals[i].epoch < world->epoch)
            society_teach(&world->hospitals[i], world->epoch);
    }
    year_quiet(world, 2 * HOUR_MS, 20 * MINUTE_MS);
    story_settle(world, 10 * MINUTE_MS);
    oracle_custody(world);
    year_mail(world);
    struct hospital *hospital = &world->hospitals[prng_below(&world->prng, world->count)];
    if (!hospital->is_puppet && society_member(world, hospital->index).state == MEMBER_ADMITTED) {
        fault_plan_put_back(hospital);
        story_settle(world, 10 * MINUTE_MS);
    }
    for (uint32_t i = 0; i < world->count; i++) {
        if (prng_of(&world->prng, 50))
            fault_plan_back_up(&world->hospitals[i]);
    }
}

void story_year(struct world *world)
{
    world->relay_count = 2;
    world->survey_ms = 3000;
    struct year_pair pair = {0, 1};
    if (world->seed % 2 == 1)
        held_mail_allow(world);
    world_begin(world, YEAR_HOSPITALS);
    struct garbage *garbage = garbage_new(&world->hospitals[YEAR_HOSPITALS - 1]);
    for (uint64_t day = 1; day <= world->days; day++) {
        year_turn(world, &pair, day);
        year_busy(world, garbage);
        if (prng_of(&world->prng, 5))
            year_roster(world);
        if (day % YEAR_MONTH == 0)
            year_reckon(world);
        year_quiet(world, DAY_MS - world->now % DAY_MS, 2 * HOUR_MS);
    }
    year_reckon(world);
    garbage_free(garbage);
}
