/* What happened is dealt with one entry at a time: answers first, everything else in its order, and
 * what is in the queue at the end is dropped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "node/runtime/completions.h"
#include "node/runtime/event_queue.h"

static int set_up(void **state)
{
    *state = event_queue_new();
    return *state == NULL;
}

static int tear_down(void **state)
{
    event_queue_free(*state);
    return 0;
}

static void add(struct event_queue *queue, uint64_t token)
{
    struct event event = {.kind = EVENT_TICK, .token.value = token};
    event_queue_add(queue, &event, NULL);
}

static uint64_t take_event(struct event_queue *queue)
{
    struct event_queue_entry entry;
    assert_true(event_queue_take(queue, &entry));
    assert_true(entry.on_done == NULL);
    batch_buffer_drop(entry.batch_buffer);
    return entry.event.token.value;
}

static void nothing_is_taken_from_an_empty_queue(void **state)
{
    struct event_queue_entry entry;
    assert_true(event_queue_is_empty(*state));
    assert_false(event_queue_take(*state, &entry));
    add(*state, 1);
    assert_false(event_queue_is_empty(*state));
    assert_int_equal(take_event(*state), 1);
    assert_true(event_queue_is_empty(*state));
    add(*state, 2);
    assert_int_equal(take_event(*state), 2);
}

static void answers_come_before_everything_else(void **state)
{
    struct event_queue *queue = *state;
    struct batch_buffer *answer = batch_buffer_new(EVENT_SEALED, 1);
    assert_non_null(answer);
    answer->token.value = 3;
    answer->verdict = ERR_BAD_KEY;
    add(queue, 1);
    add(queue, 2);
    event_queue_add_answer(queue, answer);
    assert_int_equal(take_event(queue), 3);
    assert_int_equal(take_event(queue), 1);
    assert_int_equal(take_event(queue), 2);
}

static void an_answer_is_an_event_of_its_buffer(void **state)
{
    struct batch_buffer *answer = batch_buffer_new(EVENT_CUSTODY, 4);
    assert_non_null(answer);
    answer->custody = CUSTODY_OPEN;
    answer->link.value = 5;
    answer->letter_size = 4;
    event_queue_add_answer(*state, answer);
    struct event_queue_entry entry;
    assert_true(event_queue_take(*state, &entry));
    assert_int_equal(entry.event.kind, EVENT_CUSTODY);
    assert_int_equal(entry.event.custody, CUSTODY_OPEN);
    assert_int_equal(entry.event.link.value, 5);
    assert_true(entry.event.letter.data == answer->memory && entry.event.letter.size == 4);
    batch_buffer_drop(entry.batch_buffer);
}

static void on_done(void *arg, err result)
{
    *(err *)arg = result;
}

static void results_keep_their_place_among_events(void **state)
{
    struct event_queue *queue = *state;
    struct completions *completions = completions_new(queue);
    struct event_queue_entry entry;
    err told = OK;
    uint64_t token = completions_add(completions, on_done, &told);
    assert_int_equal(token & 1, 1);
    add(queue, 1);
    completions_settle(completions, token, ERR_FULL);
    add(queue, 2);
    assert_int_equal(told, OK); /* not before its turn */
    assert_int_equal(take_event(queue), 1);
    assert_true(event_queue_take(queue, &entry));
    entry.on_done(entry.arg, entry.result);
    assert_int_equal(told, ERR_FULL);
    assert_int_equal(take_event(queue), 2);
    completions_settle(completions, token, OK); /* told once */
    assert_true(event_queue_is_empty(queue));
    completions_free(completions);
}

static void who_still_waits_at_the_end_is_answered(void **state)
{
    struct completions *completions = completions_new(*state);
    err told = OK, forgotten = OK;
    assert_true(completions_add(completions, on_done, &told) != 0);
    completions_forget(completions, completions_add(completions, on_done, &forgotten));
    completions_free(completions);
    assert_int_equal(told, ERR_BUSY);
    assert_int_equal(forgotten, OK);
    assert_true(event_queue_is_empty(*state));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_is_taken_from_an_empty_queue, set_up, tear_down),
        cmocka_unit_test_setup_teardown(answers_come_before_everything_else, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_answer_is_an_event_of_its_buffer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(results_keep_their_place_among_events, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_still_waits_at_the_end_is_answered, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
