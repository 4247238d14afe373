/* The shell with real stores, real checks and wires of the test's own: what is posted becomes
 * durable, spreads, and is there again after a restart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/node/town.h"

static int given_a_town(void **state)
{
    *state = town_new();
    return 0;
}

static int given_a_town_in_touch(void **state)
{
    *state = town_new_in_touch();
    return 0;
}

static int then_it_ends(void **state)
{
    town_free(*state);
    return 0;
}

#define IN_TOWN(test) cmocka_unit_test_setup_teardown(test, given_a_town, then_it_ends)
#define IN_TOUCH(test) cmocka_unit_test_setup_teardown(test, given_a_town_in_touch, then_it_ends)

static void a_post_becomes_durable_and_is_pushed_to_whoever_may_have_it(void **state)
{
    struct town *town = *state;
    struct town_case one = town_ask(&town->houses[0], 1);
    assert_true(town_spreads(town, 1, &one.announcement));
    assert_true(town_spreads(town, 2, &one.announcement));
}

static void an_opening_stays_with_the_requester_until_somebody_is_granted_access(void **state)
{
    struct town *town = *state;
    struct town_case one = town_ask(&town->houses[0], 1);
    town_pass(town, 300);
    assert_null(core_case(shell_core(town->houses[1].shell), &one.id));
    town_take_part(&town->houses[1], &town->houses[0], &one);
    assert_int_equal(town->houses[1].told[KIND_OPEN], 1);
    assert_null(core_case(shell_core(town->houses[2].shell), &one.id));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_TOUCH(a_post_becomes_durable_and_is_pushed_to_whoever_may_have_it),
        IN_TOUCH(an_opening_stays_with_the_requester_until_somebody_is_granted_access),
    };
    (void)given_a_town;
    cmocka_set_test_filter(getenv("TEST_FILTER")); /* NULL: all */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
