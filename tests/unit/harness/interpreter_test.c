/* The interpreter keeps what protocol/step/step.h promises of a shell, effect by effect. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness/interpreter.h"

enum { STORED_COUNT = 5, STORED_SIZE = 1000 };

static const uint8_t stored_bytes[STORED_SIZE] = {1, 2, 3};

static struct event event_now(const void *arg, enum event_kind kind)
{
    (void)arg;
    return (struct event){.kind = kind, .now = {7}};
}

static err store_nothing(void *arg, const struct effect *effect)
{
    (void)arg;
    (void)effect;
    return ERR_FULL;
}

static bool load_one_of_five(void *arg, const struct effect *effect, uint64_t sequence,
                             struct step_record *ret_record)
{
    (void)arg;
    (void)effect;
    if (sequence > STORED_COUNT)
        return false;
    *ret_record = (struct step_record){.record = {stored_bytes, STORED_SIZE}, .flags = RECORD_OWN};
    return true;
}

static void check_nothing(void *arg, struct step_batch *batch, struct buffer *memory)
{
    (void)arg;
    (void)batch;
    (void)memory;
}

static err seal_nothing(void *arg, const struct effect *effect, struct record_secrets *ret_secrets)
{
    (void)arg;
    (void)effect;
    (void)ret_secrets;
    return ERR_STATE;
}

static const struct interpreter_calls calls = {.event = event_now,
                                               .store = store_nothing,
                                               .load = load_one_of_five,
                                               .check = check_nothing,
                                               .seal = seal_nothing};

static int given_an_interpreter(void **state)
{
    struct interpreter *interpreter = malloc(sizeof *interpreter);
    interpreter_init(interpreter, NULL, NULL, &calls, NULL);
    *state = interpreter;
    return 0;
}

static int then_it_ends(void **state)
{
    interpreter_clear(*state);
    free(*state);
    return 0;
}

/* Takes the next answer, which must be of this kind; the caller frees it. */
static struct interpreter_answer *taken(struct interpreter *interpreter, enum event_kind kind)
{
    struct interpreter_answer *answer = interpreter_take(interpreter);
    assert_non_null(answer);
    assert_int_equal(kind, answer->event.kind);
    return answer;
}

static void answers_come_in_the_order_of_their_effects(void **state)
{
    static const enum effect_kind kinds[] = {EFFECT_CHECK, EFFECT_KEEP, EFFECT_CHECK, EFFECT_KEEP};
    for (uint32_t i = 0; i < 4; i++) {
        struct effect effect = {.kind = kinds[i], .link = {i + 1}, .token = {i + 10}};
        interpreter_perform(*state, &effect);
    }
    for (uint32_t i = 0; i < 4; i++) {
        struct interpreter_answer *answer =
            taken(*state, kinds[i] == EFFECT_CHECK ? EVENT_CHECKED : EVENT_KEPT);
        assert_int_equal(i + 1, answer->event.link.value);
        assert_int_equal(i + 10, answer->event.token.value);
        assert_int_equal(kinds[i] == EFFECT_KEEP ? ERR_FULL : OK, answer->event.verdict);
        free(answer);
    }
    assert_null(interpreter_take(*state));
}

static void an_answer_outlives_the_step(void **state)
{
    uint8_t bytes[] = {1, 2, 3};
    struct step_run run = {.stream = 4, .count = 1};
    struct step_record record = {.record = {bytes, sizeof bytes}};
    struct effect effect = {.kind = EFFECT_KEEP, .batch = {&run, 1, &record, 1}};
    interpreter_perform(*state, &effect);
    memset(bytes, 9, sizeof bytes);
    memset(&run, 9, sizeof run);
    memset(&record, 9, sizeof record);
    struct interpreter_answer *answer = taken(*state, EVENT_KEPT);
    const struct step_batch *batch = &answer->event.batch;
    assert_int_equal(1, batch->run_count);
    assert_int_equal(4, batch->runs->stream);
    assert_int_equal(1, batch->record_count);
    assert_int_equal(3, batch->records->record.size);
    assert_memory_equal(((uint8_t[]){1, 2, 3}), batch->records->record.data, 3);
    free(answer);
}

static void a_letter_outlives_the_step(void **state)
{
    uint8_t bytes[] = {1, 2, 3};
    struct event event = {.kind = EVENT_CUSTODY, .custody = CUSTODY_FETCH};
    event.letter = (struct bytes){bytes, sizeof bytes};
    interpreter_answer(*state, &event);
    memset(bytes, 9, sizeof bytes);
    struct interpreter_answer *answer = taken(*state, EVENT_CUSTODY);
    assert_int_equal(3, answer->event.letter.size);
    assert_memory_equal(((uint8_t[]){1, 2, 3}), answer->event.letter.data, 3);
    free(answer);
}

static void the_stream_comes_back_from_a_seal_that_failed(void **state)
{
    struct effect effect = {.kind = EFFECT_SEAL, .token = {3}};
    effect.seal.stream = 17;
    interpreter_perform(*state, &effect);
    struct interpreter_answer *answer = taken(*state, EVENT_SEALED);
    assert_int_equal(ERR_STATE, answer->event.verdict);
    assert_int_equal(3, answer->event.token.value);
    assert_int_equal(1, answer->event.batch.run_count);
    assert_int_equal(17, answer->event.batch.runs->stream);
    free(answer);
}

/* Loads by link 8, so that nothing is opened; gives how many records came. */
static size_t loaded(struct interpreter *interpreter, struct effect effect)
{
    effect.kind = EFFECT_LOAD;
    effect.link.value = 8;
    effect.load.slot = 17;
    interpreter_perform(interpreter, &effect);
    struct interpreter_answer *answer = taken(interpreter, EVENT_LOADED);
    size_t count = answer->event.batch.record_count;
    assert_int_equal(1, answer->event.batch.run_count);
    assert_int_equal(17, answer->event.batch.runs->stream);
    assert_int_equal(effect.load.from, answer->event.batch.runs->first);
    free(answer);
    return count;
}

static void what_is_loaded_ends_with_the_count_the_size_or_the_stream(void **state)
{
    struct effect effect = {.load = {.from = 2, .count = 3, .size_max = SIZE_MAX}};
    assert_int_equal(3, loaded(*state, effect));
    effect.load.count = 100;
    assert_int_equal(STORED_COUNT - 1, loaded(*state, effect));
    effect.load.size_max = 3 * STORED_SIZE; /* each is a little larger in a frame */
    assert_int_equal(2, loaded(*state, effect));
    effect.load.size_max = 1; /* one comes in any case */
    assert_int_equal(1, loaded(*state, effect));
    effect.load.from = STORED_COUNT + 1;
    assert_int_equal(0, loaded(*state, effect));
    effect.load.from = 2;
    effect.load.is_by_id = true;
    effect.load.size_max = SIZE_MAX;
    assert_int_equal(1, loaded(*state, effect));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, given_an_interpreter, then_it_ends)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(answers_come_in_the_order_of_their_effects),
        TEST(an_answer_outlives_the_step),
        TEST(a_letter_outlives_the_step),
        TEST(the_stream_comes_back_from_a_seal_that_failed),
        TEST(what_is_loaded_ends_with_the_count_the_size_or_the_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
