/* Who forges is checked slowly, cut, and refused longer each time (T-36). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "protocol/state/forgers.h"

#define DAY_MS ((uint64_t)24 * 60 * 60 * 1000)

static const struct node_id one = {{1}}, other = {{2}};

static void its_link_is_cut_at_the_eighth_and_refused_twice_as_long_each_time(void **state)
{
    (void)state;
    struct forgers forgers = {0};
    struct mono now = {1000};
    uint64_t pause = FORGER_REFUSED_MS;
    for (int cut = 1; cut <= 15; cut++) {
        assert_false(forgers_refuses(&forgers, &one, now));
        for (int i = 1; i < FORGERY_COUNT_MAX; i++)
            assert_int_not_equal(FORGERY_CUT, forgers_note(&forgers, &one, now));
        assert_int_equal(FORGERY_CUT, forgers_note(&forgers, &one, now));
        assert_int_equal(cut, forgers_find(&forgers, &one)->cut_count);
        now.ms += pause - 1;
        assert_true(forgers_refuses(&forgers, &one, now));
        now.ms += 1;
        pause = 2 * pause < FORGER_REFUSED_MS_MAX ? 2 * pause : FORGER_REFUSED_MS_MAX;
    }
    assert_false(forgers_refuses(&forgers, &one, now));
    assert_int_equal(15 * FORGERY_COUNT_MAX, forgers_find(&forgers, &one)->total);
    assert_null(forgers_find(&forgers, &other));
}

static void a_day_without_a_forgery_begins_with_the_shortest_time_again(void **state)
{
    (void)state;
    struct forgers forgers = {0};
    struct mono now = {1000};
    for (int i = 0; i < 2 * FORGERY_COUNT_MAX; i++, now.ms += FORGER_REFUSED_MS)
        (void)forgers_note(&forgers, &one, now);
    assert_int_equal(2, forgers_find(&forgers, &one)->cut_count);
    now.ms += FORGER_REFUSED_MS + DAY_MS;
    for (int i = 0; i < FORGERY_COUNT_MAX; i++)
        (void)forgers_note(&forgers, &one, now);
    assert_int_equal(1, forgers_find(&forgers, &one)->cut_count);
    now.ms += FORGER_REFUSED_MS;
    assert_false(forgers_refuses(&forgers, &one, now));
}

static void single_forgeries_hours_apart_cut_nobody(void **state)
{
    (void)state;
    struct forgers forgers = {0};
    struct mono now = {1000};
    for (int i = 0; i < 3 * FORGERY_COUNT_MAX; i++, now.ms += FORGER_WATCHED_MS)
        assert_int_equal(FORGERY_FIRST, forgers_note(&forgers, &one, now));
}

/* What was under way when the link was cut does not make it longer. */
static void what_comes_while_it_is_refused_is_counted_and_nothing_else(void **state)
{
    (void)state;
    struct forgers forgers = {0};
    struct mono now = {1000};
    for (int i = 0; i < 3 * FORGERY_COUNT_MAX; i++)
        (void)forgers_note(&forgers, &one, now);
    assert_int_equal(1, forgers_find(&forgers, &one)->cut_count);
    assert_int_equal(3 * FORGERY_COUNT_MAX, forgers_find(&forgers, &one)->total);
}

static void its_checks_are_bounded_for_an_hour_and_those_of_others_are_not(void **state)
{
    (void)state;
    struct forgers forgers = {0};
    struct mono now = {1000};
    assert_true(forgers_may_check(&forgers, &one, now));
    (void)forgers_note(&forgers, &one, now);
    forgers_checks(&forgers, &one, FORGER_CHECK_COUNT - 1);
    forgers_checks(&forgers, &other, 1000);
    assert_true(forgers_may_check(&forgers, &one, now));
    forgers_checks(&forgers, &one, 3); /* one frame may take more than there is */
    assert_false(forgers_may_check(&forgers, &one, now));
    assert_true(forgers_may_check(&forgers, &other, now));
    now.ms += 3 * FORGER_CHECK_MS - 1;
    assert_false(forgers_may_check(&forgers, &one, now));
    now.ms += 1;
    assert_true(forgers_may_check(&forgers, &one, now));
    forgers_checks(&forgers, &one, 1000);
    assert_false(forgers_may_check(&forgers, &one, now));
    now.ms = 1000 + FORGER_WATCHED_MS;
    assert_true(forgers_may_check(&forgers, &one, now));
}

static void a_full_table_gives_up_who_forged_longest_ago(void **state)
{
    (void)state;
    struct forgers forgers = {0};
    struct mono now = {1000};
    for (uint8_t i = 1; i <= FORGER_COUNT_MAX + 1; i++, now.ms++) {
        const struct node_id node = {{i}};
        (void)forgers_note(&forgers, &node, now);
    }
    assert_null(forgers_find(&forgers, &one));
    assert_non_null(forgers_find(&forgers, &other));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_link_is_cut_at_the_eighth_and_refused_twice_as_long_each_time),
        cmocka_unit_test(a_day_without_a_forgery_begins_with_the_shortest_time_again),
        cmocka_unit_test(single_forgeries_hours_apart_cut_nobody),
        cmocka_unit_test(what_comes_while_it_is_refused_is_counted_and_nothing_else),
        cmocka_unit_test(its_checks_are_bounded_for_an_hour_and_those_of_others_are_not),
        cmocka_unit_test(a_full_table_gives_up_who_forged_longest_ago),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
