/* The list of effects: what lies in it stays, and how much room is left is told in time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/step/step.h"

static int made(void **state)
{
    struct step *step = calloc(1, sizeof *step);
    assert_non_null(step);
    step->arena = malloc(STEP_ARENA_SIZE);
    assert_non_null(step->arena);
    step_begin(step);
    *state = step;
    return 0;
}

static int freed(void **state)
{
    struct step *step = *state;
    free(step->arena);
    free(step);
    return 0;
}

static void effects_come_zeroed_and_in_order(void **state)
{
    struct step *step = *state;
    memset(step->effects, 0xa5, sizeof step->effects[0] * 3);
    step_effect(step, EFFECT_CHECK)->link.value = 1;
    const struct effect *second = step_effect(step, EFFECT_SEND);
    assert_int_equal(step->effect_count, 2);
    assert_int_equal(step->effects[0].kind, EFFECT_CHECK);
    assert_int_equal(second->kind, EFFECT_SEND);
    assert_int_equal(second->link.value, 0);
    assert_null(second->send.links);
    step_begin(step);
    assert_int_equal(step->effect_count, 0);
}

static void what_is_reserved_is_aligned_and_apart(void **state)
{
    struct step *step = *state;
    uint8_t *places[100];
    for (size_t i = 0; i < 100; i++) {
        places[i] = step_reserve(step, i);
        assert_int_equal((uintptr_t)(places[i] - step->arena) % 16, 0);
        memset(places[i], (int)i, i);
    }
    for (size_t i = 0; i < 100; i++) {
        for (size_t j = 0; j < i; j++)
            assert_int_equal(places[i][j], i);
    }
}

static void room_is_told_before_it_ends(void **state)
{
    struct step *step = *state;
    assert_true(step_has_room(step, STEP_EFFECT_COUNT_MAX, 0));
    assert_false(step_has_room(step, STEP_EFFECT_COUNT_MAX + 1, 0));
    assert_true(step_has_room(step, 0, STEP_ARENA_SIZE));
    assert_false(step_has_room(step, 1, STEP_ARENA_SIZE));
    for (size_t i = 0; i < STEP_EFFECT_COUNT_MAX - 3; i++)
        (void)step_effect(step, EFFECT_LOG);
    assert_true(step_has_room(step, 3, 100));
    assert_false(step_has_room(step, 4, 0));
}

/* Whoever asks for `effects` effects and `size` bytes may reserve each effect's share alone. */
static void room_that_was_told_is_there(void **state)
{
    struct step *step = *state;
    (void)step_reserve(step, STEP_ARENA_SIZE - 100 * 1024 - 1);
    const size_t count = 64, size = 99 * 1024;
    assert_true(step_has_room(step, count, size));
    for (size_t i = 0; i < count; i++)
        (void)step_reserve(step, size / count);
}

static void all_of_the_arena_can_be_reserved(void **state)
{
    struct step *step = *state;
    memset(step_reserve(step, STEP_ARENA_SIZE), 1, STEP_ARENA_SIZE);
    assert_false(step_has_room(step, 0, 1));
}

#define WITH_STEP(test) cmocka_unit_test_setup_teardown(test, made, freed)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_STEP(effects_come_zeroed_and_in_order),
        WITH_STEP(what_is_reserved_is_aligned_and_apart),
        WITH_STEP(room_is_told_before_it_ends),
        WITH_STEP(room_that_was_told_is_there),
        WITH_STEP(all_of_the_arena_can_be_reserved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
