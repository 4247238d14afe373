/* Who brings what does not fit is not heard for a while; nobody else pays for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "node/federation/refusals.h"

static void who_is_refused_often_waits_and_is_heard_again(void **state)
{
    (void)state;
    struct refusals refusals = {0};
    struct link_id one = {1}, other = {2};
    for (int i = 0; i < REFUSALS_MAX; i++) {
        assert_false(refusals_spent(&refusals, one));
        refusals_add(&refusals, one);
    }
    assert_true(refusals_spent(&refusals, one));
    assert_false(refusals_spent(&refusals, other));
    refusals_add(&refusals, one); /* does not grow beyond its bound */
    refusals_tick(&refusals);
    assert_false(refusals_spent(&refusals, one));
    refusals_add(&refusals, one);
    assert_true(refusals_spent(&refusals, one));
}

static void a_crowd_of_links_pushes_out_no_worse_one(void **state)
{
    (void)state;
    struct refusals refusals = {0};
    struct link_id worst = {1};
    for (int i = 0; i < REFUSALS_MAX; i++)
        refusals_add(&refusals, worst);
    for (uint32_t i = 2; i < 10 * REFUSALS_LINK_COUNT; i++)
        refusals_add(&refusals, (struct link_id){i});
    assert_true(refusals_spent(&refusals, worst));
    assert_false(refusals_spent(&refusals, (struct link_id){2}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_refused_often_waits_and_is_heard_again),
        cmocka_unit_test(a_crowd_of_links_pushes_out_no_worse_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
