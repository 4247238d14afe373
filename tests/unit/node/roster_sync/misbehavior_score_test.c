/* Who brings what does not fit is not heard for a while; nobody else pays for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "node/roster_sync/misbehavior_score.h"

static void who_is_refused_often_waits_and_is_heard_again(void **state)
{
    (void)state;
    struct misbehavior_score misbehavior_score = {0};
    struct link_id one = {1}, other = {2};
    for (int i = 0; i < MISBEHAVIOR_SCORE_MAX; i++) {
        assert_false(misbehavior_score_spent(&misbehavior_score, one));
        misbehavior_score_add(&misbehavior_score, one);
    }
    assert_true(misbehavior_score_spent(&misbehavior_score, one));
    assert_false(misbehavior_score_spent(&misbehavior_score, other));
    misbehavior_score_add(&misbehavior_score, one); /* does not grow beyond its bound */
    misbehavior_score_tick(&misbehavior_score);
    assert_false(misbehavior_score_spent(&misbehavior_score, one));
    misbehavior_score_add(&misbehavior_score, one);
    assert_true(misbehavior_score_spent(&misbehavior_score, one));
}

static void a_crowd_of_links_pushes_out_no_worse_one(void **state)
{
    (void)state;
    struct misbehavior_score misbehavior_score = {0};
    struct link_id worst = {1};
    for (int i = 0; i < MISBEHAVIOR_SCORE_MAX; i++)
        misbehavior_score_add(&misbehavior_score, worst);
    for (uint32_t i = 2; i < 10 * MISBEHAVIOR_SCORE_LINK_COUNT; i++)
        misbehavior_score_add(&misbehavior_score, (struct link_id){i});
    assert_true(misbehavior_score_spent(&misbehavior_score, worst));
    assert_false(misbehavior_score_spent(&misbehavior_score, (struct link_id){2}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_refused_often_waits_and_is_heard_again),
        cmocka_unit_test(a_crowd_of_links_pushes_out_no_worse_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
