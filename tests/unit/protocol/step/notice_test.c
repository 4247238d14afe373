/* Internal events keep their order, and have room for as many as one step can leave. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "protocol/step/notice.h"

static struct notices notices;

static int empty(void **state)
{
    (void)state;
    notices = (struct notices){.count = 0};
    return 0;
}

static void put(uint32_t number)
{
    notice_put(&notices, &(struct notice){.kind = NOTICE_SUMMARY_SENT, .link = {number}});
}

static void take(uint32_t number)
{
    struct notice notice;
    assert_true(notice_take(&notices, &notice));
    assert_int_equal(NOTICE_SUMMARY_SENT, notice.kind);
    assert_int_equal(number, notice.link.value);
}

static void notices_come_in_the_order_in_which_they_were_left(void **state)
{
    (void)state;
    put(1);
    put(2);
    take(1);
    put(3); /* handling one may leave another: it comes last */
    take(2);
    take(3);
    struct notice notice;
    assert_false(notice_take(&notices, &notice));
}

/* A batch of erasures that a full disk refused is the most that one step leaves. */
static void there_is_room_for_all_that_a_step_leaves(void **state)
{
    (void)state;
    put(0);
    take(0); /* the ring does not begin at its first place */
    for (uint32_t i = 1; i <= STEP_RECORD_COUNT_MAX + 2; i++)
        put(i);
    for (uint32_t i = 1; i <= STEP_RECORD_COUNT_MAX + 2; i++) {
        take(i);
        put(1000 + i); /* each that is handled leaves one more */
    }
    for (uint32_t i = 1; i <= STEP_RECORD_COUNT_MAX + 2; i++)
        take(1000 + i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(notices_come_in_the_order_in_which_they_were_left, empty),
        cmocka_unit_test_setup(there_is_room_for_all_that_a_step_leaves, empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
