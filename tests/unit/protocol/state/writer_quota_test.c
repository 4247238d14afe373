/* What one writer may make a node keep is bounded; what comes beyond waits for its day. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "protocol/state/engine_state.h"
#include "tests/harness/cluster.h"

#define DAY_MS ((uint64_t)24 * 60 * 60 * 1000)
#define FIRST_SIZE ((uint64_t)WRITER_FIRST_KIB * 1024)

static int given_three_hospitals(void **state)
{
    struct cluster *cluster = cluster_new(3);
    cluster_meet(cluster, 2);
    cluster_meet(cluster, 3);
    *state = cluster;
    return 0;
}

static int then_it_ends(void **state)
{
    cluster_free(*state);
    return 0;
}

static struct cluster_pen pen_of(struct cluster *cluster, uint32_t number)
{
    struct federation_id federation = roster_federation(&cluster->roster);
    return cluster_pen(cluster, number, scope_board(&federation, bytes_of_text("hematology")),
                       AUDIENCE_SCOPE);
}

/* (T-21) through whatever link */
static void who_wrote_too_much_waits_and_is_heard_again(void **state)
{
    struct cluster *cluster = *state;
    struct cluster_pen pen = pen_of(cluster, 2), other = pen_of(cluster, 3);
    struct node_id two = federation_node(2);
    cluster_say(cluster, &pen, cluster_words(1), 2);
    writer_quota_charge(&cluster->engine->writer_quota, &two, FIRST_SIZE - 1024);
    struct cluster_pen again = pen;
    cluster_say(cluster, &pen, cluster_words(2), 2);
    pen = again;
    cluster_say(cluster, &pen, cluster_words(2), 3);
    cluster_say(cluster, &other, cluster_words(1), 3);
    assert_int_equal(1, cluster_tail(cluster, &pen));
    assert_int_equal(1, cluster_tail(cluster, &other));
    cluster_pass(cluster, DAY_MS);
    cluster_meet(cluster, 2);
    cluster_say(cluster, &again, cluster_words(2), 2);
    assert_int_equal(2, cluster_tail(cluster, &again));
    assert_int_equal(0, cluster->forked_count);
}

static void what_is_here_already_counts_after_a_start(void **state)
{
    struct cluster *cluster = *state;
    struct cluster_pen pen = pen_of(cluster, 2);
    struct node_id two = federation_node(2);
    struct wall since = {1}, now = {2};
    for (uint8_t i = 0; i < 3; i++)
        cluster_say(cluster, &pen, cluster_words(i), 2);
    cluster_restart(cluster);
    writer_quota_charge(&cluster->engine->writer_quota, &two, FIRST_SIZE - 4 * 1024);
    assert_false(writer_quota_is_spent(&cluster->engine->writer_quota, &two, since, now));
    writer_quota_charge(&cluster->engine->writer_quota, &two, 1);
    assert_true(writer_quota_is_spent(&cluster->engine->writer_quota, &two, since, now));
}

static void what_we_write_ourselves_is_not_counted(void **state)
{
    struct cluster *cluster = *state;
    struct node_id self = federation_node(1);
    struct wall since = {1}, now = {2};
    struct cluster_pen pen = pen_of(cluster, 1);
    writer_quota_charge(&cluster->engine->writer_quota, &self, FIRST_SIZE);
    assert_true(writer_quota_is_spent(&cluster->engine->writer_quota, &self, since, now));
    assert_int_equal(
        OK, cluster_post(cluster, pen.header.stream.scope, AUDIENCE_SCOPE, cluster_words(1)));
    struct cluster_pen lost = pen; /* and comes back from others after a restore */
    cluster_restart(cluster);
    lost.header.stream.scope = scope_federation();
    lost.header.audience = AUDIENCE_CLEAR;
    writer_quota_charge(&cluster->engine->writer_quota, &self, FIRST_SIZE);
    cluster_meet(cluster, 2);
    cluster_say(cluster, &lost, cluster_words(2), 2);
    assert_int_equal(1, cluster_tail(cluster, &lost));
}

/* What the store kept of a writer's use counts after a start, and not less than its records. */
static void what_was_used_before_a_start_counts_after_it(void **state)
{
    (void)state;
    static struct writer_use memory[4];
    struct writer_quota writer_quota;
    struct node_id two = federation_node(2), three = federation_node(3);
    struct wall since = {1}, now = {2};
    writer_quota_init(&writer_quota, memory, 4);
    writer_quota_restore(&writer_quota, &two, 7);
    writer_quota_restore_used(&writer_quota, &two, 3);
    assert_int_equal(7, writer_quota_used(&writer_quota, &two));
    writer_quota_restore_used(&writer_quota, &two, WRITER_FIRST_KIB);
    assert_true(writer_quota_is_spent(&writer_quota, &two, since, now));
    writer_quota_restore_used(&writer_quota, &three, WRITER_FIRST_KIB - 1);
    assert_false(writer_quota_is_spent(&writer_quota, &three, since, now));
    writer_quota_charge(&writer_quota, &three, 1025);
    writer_quota_refund(&writer_quota, &three, 1025);
    assert_int_equal(WRITER_FIRST_KIB - 1, writer_quota_used(&writer_quota, &three));
}

/* What the store has no room for is not charged: the writer pays once, when it is kept. */
static void what_is_not_kept_is_not_paid_for(void **state)
{
    struct cluster *cluster = *state;
    struct cluster_pen pen = pen_of(cluster, 2);
    struct cluster_pen again = pen;
    struct node_id two = federation_node(2);
    cluster->is_full = true;
    cluster_say(cluster, &pen, cluster_words(1), 2);
    assert_int_equal(0, cluster_tail(cluster, &pen));
    assert_int_equal(0, engine_writer_used(cluster->engine, &two));
    cluster->is_full = false;
    cluster_pass(cluster, 60 * 1000);
    cluster_say(cluster, &again, cluster_words(1), 2);
    assert_int_equal(1, cluster_tail(cluster, &pen));
    assert_int_equal(1, engine_writer_used(cluster->engine, &two));
}

/* Each place is found again, however many there are. */
static void each_of_many_has_its_own_count(void **state)
{
    (void)state;
    enum { PLACES = 256, MEMBERS = PLACES / 2 };
    static struct writer_use memory[PLACES];
    struct writer_quota writer_quota;
    struct wall since = {1}, now = {2};
    writer_quota_init(&writer_quota, memory, PLACES);
    for (uint32_t i = 1; i <= MEMBERS; i++) {
        struct node_id node = federation_node(i);
        writer_quota_charge(&writer_quota, &node, i % 2 == 0 ? FIRST_SIZE : 1);
    }
    for (uint32_t i = 1; i <= MEMBERS; i++) {
        struct node_id node = federation_node(i);
        assert_int_equal(i % 2 == 0, writer_quota_is_spent(&writer_quota, &node, since, now));
    }
    now.ms += DAY_MS;
    struct node_id two = federation_node(2);
    assert_false(writer_quota_is_spent(&writer_quota, &two, since, now));
}

#define IN_CLUSTER(test) cmocka_unit_test_setup_teardown(test, given_three_hospitals, then_it_ends)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_CLUSTER(who_wrote_too_much_waits_and_is_heard_again),
        IN_CLUSTER(what_is_here_already_counts_after_a_start),
        IN_CLUSTER(what_we_write_ourselves_is_not_counted),
        IN_CLUSTER(what_is_not_kept_is_not_paid_for),
        cmocka_unit_test(what_was_used_before_a_start_counts_after_it),
        cmocka_unit_test(each_of_many_has_its_own_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
