/* Which of several relays a node uses for a peer, and what it may send there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "protocol/wire/relay_choice.h"
#include "protocol/wire/relay_credit.h"

static void note(struct relay_choice *choice, enum tunnel_change change, enum tunnel_reason reason,
                 uint64_t now)
{
    static struct tunnel_step step;
    step.change = change;
    step.reason = reason;
    relay_choice_note(choice, &step, (struct mono){now});
}

static void without_a_session_there_is_no_relay(void **state)
{
    (void)state;
    struct relay_choice all[3] = {{0}};
    assert_int_equal(relay_choice_best(all, 3, -1), -1);
    assert_int_equal(relay_choice_best(all, 3, 1), -1);
    note(&all[2], TUNNEL_UP, TUNNEL_REASON_NONE, 1);
    assert_int_equal(relay_choice_best(all, 3, 1), 2);
}

/* A hostile relay lures a node to open a session with it; the way in use stays. */
static void a_way_that_works_is_not_left(void **state)
{
    (void)state;
    struct relay_choice all[3] = {{0}};
    note(&all[1], TUNNEL_UP, TUNNEL_REASON_NONE, 1);
    note(&all[0], TUNNEL_UP, TUNNEL_REASON_NONE, 2);
    assert_int_equal(relay_choice_best(all, 3, 1), 1);
    assert_int_equal(relay_choice_best(all, 3, -1), 0);
}

static void whoever_failed_last_comes_last(void **state)
{
    (void)state;
    struct relay_choice all[2] = {{0}};
    note(&all[0], TUNNEL_UP, TUNNEL_REASON_NONE, 1);
    note(&all[0], TUNNEL_DOWN, TUNNEL_REASON_SILENT, 60);
    note(&all[0], TUNNEL_UP, TUNNEL_REASON_NONE, 61);
    assert_int_equal(relay_choice_best(all, 2, -1), 0);
    note(&all[1], TUNNEL_UP, TUNNEL_REASON_NONE, 62);
    assert_int_equal(relay_choice_best(all, 2, 0), 1);
    note(&all[1], TUNNEL_DOWN, TUNNEL_REASON_LOST, 90);
    note(&all[1], TUNNEL_UP, TUNNEL_REASON_NONE, 91);
    assert_int_equal(relay_choice_best(all, 2, -1), 0);
}

static void an_end_in_good_order_is_no_failure(void **state)
{
    (void)state;
    struct relay_choice all[2] = {{0}};
    note(&all[0], TUNNEL_DOWN, TUNNEL_REASON_ENDED, 5);
    note(&all[0], TUNNEL_DOWN, TUNNEL_REASON_AGED, 6);
    assert_int_equal(all[0].failed_at.ms, 0);
    note(&all[0], TUNNEL_SAME, TUNNEL_REASON_NONE, 7);
    assert_false(all[0].is_up);
}

static void the_largest_frame_fits_the_smallest_window(void **state)
{
    (void)state;
    struct transport_key peer = {{1}}, other = {{2}};
    struct relay_limits limits = {RELAY_UNITS_MAX, RELAY_UNITS_MAX, 1, 1, 1, 1};
    struct relay_credit credit;
    relay_credit_init(&credit, &limits);
    assert_true(relay_credit_take_frame(&credit, &peer, TUNNEL_SIZE_MAX));
    assert_false(relay_credit_take_frame(&credit, &other, 1));
    relay_credit_give(&credit, &peer, RELAY_UNITS_MAX);
    assert_true(relay_credit_take_frame(&credit, &peer, 1));
    assert_false(relay_credit_take_frame(&credit, &peer, TUNNEL_SIZE_MAX - 1024));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_session_there_is_no_relay),
        cmocka_unit_test(a_way_that_works_is_not_left),
        cmocka_unit_test(whoever_failed_last_comes_last),
        cmocka_unit_test(an_end_in_good_order_is_no_failure),
        cmocka_unit_test(the_largest_frame_fits_the_smallest_window),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
