/* Whether a node believes its own clock: by the median of the members that it heard, by the roster
 * head, and by what it wrote last. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "protocol/engine/engine.h"
#include "protocol/engine/engine_view.h"
#include "tests/harness/cluster_case.h"

#define HOUR ((int64_t)FEDERATION_HOUR_MS)
#define MINUTE (HOUR / 60)
#define DAYS_400 (400 * 24 * HOUR)

/* Six hospitals; this node has met nobody. */
static int given_six_hospitals(void **state)
{
    struct cluster *cluster = cluster_new(6);
    *state = cluster;
    return 0;
}

static int then_it_ends(void **state)
{
    cluster_free(*state);
    return 0;
}

#define IN_CLUSTER(test) cmocka_unit_test_setup_teardown(test, given_six_hospitals, then_it_ends)

/* Hospital `number` connects, and tells a clock that is so far ahead. */
static void meet(struct cluster *cluster, uint32_t number, int64_t ahead_ms)
{
    cluster_meet(cluster, number);
    cluster_greet(cluster, number, ahead_ms);
}

static void leave(struct cluster *cluster, uint32_t number)
{
    struct event event = cluster_event(cluster, EVENT_LINK_DOWN);
    event.link.value = number;
    cluster_give(cluster, &event);
}

static err post(struct cluster *cluster)
{
    struct federation_id federation = roster_federation(&cluster->roster);
    struct scope board = scope_board(&federation, bytes_of_text("hematology"));
    return cluster_post(cluster, board, AUDIENCE_SCOPE, cluster_words(1));
}

static const struct clock_view *view(const struct cluster *cluster)
{
    return engine_clock(cluster->engine);
}

static void nobody_heard_stops_nothing(void **state)
{
    struct cluster *cluster = *state;
    cluster_pass(cluster, 1000);
    assert_int_equal(CLOCK_UNCHECKED, view(cluster)->state);
    assert_int_equal(OK, post(cluster));
}

/* (W-5) */
static void one_member_that_contradicts_only_warns(void **state)
{
    struct cluster *cluster = *state;
    meet(cluster, 2, 2 * HOUR);
    assert_int_equal(CLOCK_ONE_DIFFERS, view(cluster)->state);
    assert_int_equal(-2 * HOUR, view(cluster)->ahead_ms);
    assert_int_equal(OK, post(cluster));
}

/* (W-5) */
static void two_members_that_contradict_stop_posting(void **state)
{
    struct cluster *cluster = *state;
    meet(cluster, 2, 2 * HOUR);
    meet(cluster, 3, 2 * HOUR);
    assert_int_equal(CLOCK_CONTRADICTED, view(cluster)->state);
    assert_int_equal(ERR_FUTURE, post(cluster));
    cluster_greet(cluster, 3, 0);
    assert_int_equal(1, view(cluster)->differing_count);
    assert_int_equal(OK, post(cluster));
}

static void ten_minutes_are_not_a_contradiction(void **state)
{
    struct cluster *cluster = *state;
    for (uint32_t number = 2; number <= 4; number++)
        meet(cluster, number, 10 * MINUTE);
    assert_int_equal(CLOCK_AGREES, view(cluster)->state);
    for (uint32_t number = 2; number <= 4; number++)
        cluster_greet(cluster, number, 10 * MINUTE + 1);
    assert_int_equal(CLOCK_CONTRADICTED, view(cluster)->state);
}

static void two_liars_among_five_stop_nobody(void **state)
{
    struct cluster *cluster = *state;
    for (uint32_t number = 2; number <= 6; number++)
        meet(cluster, number, number <= 3 ? DAYS_400 : 0);
    assert_int_equal(CLOCK_AGREES, view(cluster)->state);
    assert_int_equal(2, view(cluster)->differing_count);
    assert_int_equal(OK, post(cluster));
    cluster_greet(cluster, 4, DAYS_400);
    assert_int_equal(ERR_FUTURE, post(cluster));
}

static void half_of_them_are_not_most(void **state)
{
    struct cluster *cluster = *state;
    for (uint32_t number = 2; number <= 5; number++)
        meet(cluster, number, number <= 3 ? -DAYS_400 : 0);
    assert_int_equal(OK, post(cluster));
    cluster_greet(cluster, 4, HOUR); /* one says earlier, one later, ours lies between */
    cluster_greet(cluster, 5, HOUR);
    assert_int_equal(CLOCK_AGREES, view(cluster)->state);
}

static void no_time_is_too_far_off_to_be_compared(void **state)
{
    struct cluster *cluster = *state;
    meet(cluster, 2, INT64_MAX);
    meet(cluster, 3, -1700000000000 - 7 * HOUR); /* the greatest number there is */
    assert_int_equal(ERR_FUTURE, post(cluster));
    assert_true(view(cluster)->ahead_ms < -DAYS_400);
}

static void who_equivocated_is_not_counted(void **state)
{
    struct cluster *cluster = *state;
    cluster_meet(cluster, 2);
    cluster_meet(cluster, 3);
    cluster_equivocate(cluster); /* hospital 2 */
    cluster_greet(cluster, 2, HOUR);
    cluster_greet(cluster, 3, HOUR);
    assert_int_equal(1, view(cluster)->heard_count);
    assert_int_equal(CLOCK_ONE_DIFFERS, view(cluster)->state);
}

static void who_says_it_twice_is_one(void **state)
{
    struct cluster *cluster = *state;
    meet(cluster, 2, HOUR);
    leave(cluster, 2);
    meet(cluster, 2, HOUR);
    assert_int_equal(1, view(cluster)->heard_count);
    assert_int_equal(OK, post(cluster));
}

/* With one peer at a time, too. */
static void who_left_counts_for_an_hour(void **state)
{
    struct cluster *cluster = *state;
    meet(cluster, 2, HOUR);
    leave(cluster, 2);
    meet(cluster, 3, HOUR);
    assert_int_equal(ERR_FUTURE, post(cluster));
    cluster_pass(cluster, 59 * (uint64_t)MINUTE);
    assert_int_equal(ERR_FUTURE, post(cluster));
    cluster_pass(cluster, 2 * (uint64_t)MINUTE); /* who is connected counts longer */
    assert_int_equal(1, view(cluster)->heard_count);
    assert_int_equal(OK, post(cluster));
}

/* What was heard goes on with the monotonic clock. */
static void a_step_of_the_own_clock_is_noticed_at_once_and_so_is_its_end(void **state)
{
    struct cluster *cluster = *state;
    cluster_meet(cluster, 2);
    cluster_meet(cluster, 3);
    cluster_pass(cluster, 5 * (uint64_t)HOUR);
    assert_int_equal(OK, post(cluster));
    cluster->ahead_ms = 2 * HOUR;
    assert_int_equal(ERR_FUTURE, post(cluster));
    assert_int_equal(2 * HOUR, view(cluster)->ahead_ms);
    cluster->ahead_ms = 0;
    assert_int_equal(OK, post(cluster));
}

/* (W-31) */
static void a_clock_behind_the_roster_head_writes_nothing_alone(void **state)
{
    struct cluster *cluster = *state;
    cluster->ahead_ms = -400 * 24 * HOUR;
    assert_int_equal(ERR_FUTURE, post(cluster));
    assert_int_equal(CLOCK_BEHIND_HEAD, view(cluster)->state);
    assert_int_equal(roster_current_head(&cluster->roster)->issued.ms, view(cluster)->reference.ms);
    cluster->ahead_ms = 0;
    assert_int_equal(OK, post(cluster));
}

/* (W-31) The clock was 400 days ahead while alone, and is right now: what was written then stops
 * the writer until two members confirm the clock, and not for 400 days. */
static void two_members_outweigh_a_record_that_was_written_with_a_fast_clock(void **state)
{
    struct cluster *cluster = *state;
    cluster->ahead_ms = DAYS_400;
    assert_int_equal(OK, post(cluster));
    cluster->ahead_ms = 0;
    assert_int_equal(ERR_FUTURE, post(cluster));
    assert_int_equal(CLOCK_BEHIND_RECORD, view(cluster)->state);
    assert_int_equal(-DAYS_400, view(cluster)->ahead_ms);
    cluster_meet(cluster, 2);
    assert_int_equal(ERR_FUTURE, post(cluster));
    cluster_meet(cluster, 3);
    assert_int_equal(OK, post(cluster));
    leave(cluster, 2);
    leave(cluster, 3);
    cluster_pass(cluster, 2 * (uint64_t)HOUR);
    assert_int_equal(OK, post(cluster)); /* the last record is one of today */
}

static void a_restart_remembers_when_the_last_record_was_written(void **state)
{
    struct cluster *cluster = *state;
    cluster_pass(cluster, 3 * (uint64_t)HOUR);
    assert_int_equal(OK, post(cluster));
    cluster->ahead_ms = -2 * HOUR;
    cluster_restart(cluster);
    assert_int_equal(ERR_FUTURE, post(cluster));
    assert_int_equal(CLOCK_BEHIND_RECORD, view(cluster)->state);
    cluster->ahead_ms = 0;
    assert_int_equal(OK, post(cluster));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_CLUSTER(nobody_heard_stops_nothing),
        IN_CLUSTER(one_member_that_contradicts_only_warns),
        IN_CLUSTER(two_members_that_contradict_stop_posting),
        IN_CLUSTER(ten_minutes_are_not_a_contradiction),
        IN_CLUSTER(two_liars_among_five_stop_nobody),
        IN_CLUSTER(half_of_them_are_not_most),
        IN_CLUSTER(no_time_is_too_far_off_to_be_compared),
        IN_CLUSTER(who_equivocated_is_not_counted),
        IN_CLUSTER(who_says_it_twice_is_one),
        IN_CLUSTER(who_left_counts_for_an_hour),
        IN_CLUSTER(a_step_of_the_own_clock_is_noticed_at_once_and_so_is_its_end),
        IN_CLUSTER(a_clock_behind_the_roster_head_writes_nothing_alone),
        IN_CLUSTER(two_members_outweigh_a_record_that_was_written_with_a_fast_clock),
        IN_CLUSTER(a_restart_remembers_when_the_last_record_was_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
