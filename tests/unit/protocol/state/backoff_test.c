/* What was refused is not asked for again at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "protocol/state/backoff.h"

static struct mono at(uint64_t ms)
{
    return (struct mono){ms};
}

static void each_refusal_for_one_reason_doubles_the_pause_up_to_its_limit(void **state)
{
    static const uint64_t pauses[] = {1000, 2000, 4000, 8000, 16000, 20000, 20000};
    static struct backoffs backoffs;
    uint64_t now = 5;
    (void)state;
    assert_false(backoff_holds(&backoffs, 7, at(now)));
    for (size_t i = 0; i < sizeof pauses / sizeof pauses[0]; i++) {
        backoff_refused(&backoffs, 7, ERR_FUTURE, at(now));
        assert_true(backoff_holds(&backoffs, 7, at(now + pauses[i] - 1)));
        assert_false(backoff_holds(&backoffs, 7, at(now + pauses[i])));
        now += pauses[i];
    }
}

static void more_of_the_same_answer_makes_the_pause_no_longer(void **state)
{
    static struct backoffs backoffs;
    (void)state;
    for (int i = 0; i < 64; i++)
        backoff_refused(&backoffs, 7, ERR_FUTURE, at(5));
    assert_false(backoff_holds(&backoffs, 7, at(1005)));
}

static void another_reason_or_a_long_rest_begins_with_the_shortest_pause(void **state)
{
    static struct backoffs backoffs;
    (void)state;
    backoff_refused(&backoffs, 7, ERR_FUTURE, at(5));
    backoff_refused(&backoffs, 7, ERR_FUTURE, at(1005));
    backoff_refused(&backoffs, 7, ERR_OVER_BUDGET, at(3005));
    assert_false(backoff_holds(&backoffs, 7, at(4005)));
    backoff_refused(&backoffs, 7, ERR_OVER_BUDGET, at(600000));
    assert_false(backoff_holds(&backoffs, 7, at(601000)));
}

static void other_streams_are_asked_for_and_the_last_refusal_always_counts(void **state)
{
    static struct backoffs backoffs;
    (void)state;
    for (uint32_t slot = 0; slot < 3 * BACKOFF_COUNT; slot++) {
        backoff_refused(&backoffs, slot, ERR_FUTURE, at(5 + slot));
        assert_true(backoff_holds(&backoffs, slot, at(5 + slot)));
        assert_false(backoff_holds(&backoffs, slot + 1, at(5 + slot)));
    }
}

static void news_ends_the_pause_of_its_stream_alone(void **state)
{
    static struct backoffs backoffs;
    (void)state;
    backoff_refused(&backoffs, 7, ERR_UNKNOWN_HEAD, at(5));
    backoff_refused(&backoffs, 8, ERR_UNKNOWN_HEAD, at(5));
    for (int i = 0; i < BACKOFF_COUNT; i++) {
        if (backoffs.all[i].reason != OK && backoffs.all[i].slot == 7)
            backoff_end(&backoffs.all[i]);
    }
    assert_false(backoff_holds(&backoffs, 7, at(6)));
    assert_true(backoff_holds(&backoffs, 8, at(6)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_refusal_for_one_reason_doubles_the_pause_up_to_its_limit),
        cmocka_unit_test(more_of_the_same_answer_makes_the_pause_no_longer),
        cmocka_unit_test(another_reason_or_a_long_rest_begins_with_the_shortest_pause),
        cmocka_unit_test(other_streams_are_asked_for_and_the_last_refusal_always_counts),
        cmocka_unit_test(news_ends_the_pause_of_its_stream_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
