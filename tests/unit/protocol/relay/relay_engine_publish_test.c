/* A relay takes a new list from a listed publisher, when it was verified, and from nobody else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/harness/relay_world.h"

enum { OTHER_PUBLISHER = 9 };

static const struct relay_limits limits = {.pair_units = RELAY_UNITS_MAX,
                                           .member_units = RELAY_UNITS_MAX,
                                           .session_count = 4,
                                           .watch_count = 4,
                                           .control_count = 60,
                                           .publish_size = 150000};

static uint8_t publication[150001];

static int begin(void **state)
{
    (void)state;
    world_begin(&limits, 16);
    for (size_t i = 0; i < sizeof publication; i++)
        publication[i] = (uint8_t)(i * 7);
    return 0;
}

static int end(void **state)
{
    (void)state;
    world_end();
    return 0;
}

static void say_part(int member, size_t total, size_t offset, size_t size)
{
    world_say(member, (struct relay_frame){.type = RELAY_PUBLISH,
                                           .total = (uint32_t)total,
                                           .offset = (uint32_t)offset,
                                           .body = {publication + offset, size}});
    world_pump();
}

static void say_all(int member, size_t total)
{
    for (size_t offset = 0; offset < total; offset += RELAY_PART_SIZE_MAX) {
        size_t left = total - offset;
        say_part(member, total, offset, left < RELAY_PART_SIZE_MAX ? left : RELAY_PART_SIZE_MAX);
    }
}

static void verified(err result, uint64_t epoch, int count)
{
    struct relay_engine_event event = {.kind = RELAY_ENGINE_VERIFIED, .result = result};
    assert_true(world.verify.size > 0);
    world.verify = BYTES_NONE;
    event.head = world_head(epoch);
    event.bytes = world_list(count);
    world_event(event);
    world_pump();
}

/* (L-23) */
static void a_whole_upload_is_verified_taken_and_told_to_all(void **state)
{
    (void)state;
    world_join(WORLD_PUBLISHER, 3);
    say_all(WORLD_PUBLISHER, 150000);
    assert_true(bytes_equal(world.verify, (struct bytes){publication, 150000}));
    assert_int_equal(relay_engine_head(world.relay).epoch, 1);
    verified(OK, 2, 6);
    struct relay_frame told = world_got_one(2, RELAY_HEAD);
    assert_int_equal(told.head.epoch, 2);
    assert_int_equal(world_got_count(WORLD_PUBLISHER, RELAY_PUBLISHED), 1);
    assert_int_equal(relay_engine_list(world.relay).size, 6 * TRANSPORT_ENTRY_SIZE);
}

static void what_does_not_continue_the_chain_changes_nothing(void **state)
{
    (void)state;
    world_join(WORLD_PUBLISHER, 2);
    say_all(WORLD_PUBLISHER, 5000);
    verified(ERR_OUT_OF_ORDER, 9, 1);
    struct relay_frame published = world_got_one(WORLD_PUBLISHER, RELAY_PUBLISHED);
    assert_int_equal(published.result, ERR_OUT_OF_ORDER);
    assert_int_equal(published.head.epoch, 1);
    assert_int_equal(world.members[2].inbox_count, 0);
    assert_int_equal(relay_engine_head(world.relay).epoch, 1);
}

static void a_member_may_not_publish(void **state)
{
    (void)state;
    world_join(2, 1);
    say_all(2, 5000);
    assert_int_equal(world.verify.size, 0);
    assert_int_equal(world_got_one(2, RELAY_PUBLISHED).result, ERR_NOT_ENTITLED);
}

static void who_is_not_on_the_new_list_leaves(void **state)
{
    (void)state;
    world_join(WORLD_PUBLISHER, 7);
    say_all(WORLD_PUBLISHER, 5000);
    verified(OK, 2, 5); /* 6 and 7 are gone from it */
    for (int i = 2; i <= 7; i++)
        assert_int_equal(world.members[i].closed, i > 5);
    struct relay_frame last = world_got_one(6, RELAY_STATUS);
    assert_int_equal(last.value, RELAY_REFUSED_UNLISTED);
    world_link(6);
    world_pump();
    assert_true(world.members[6].closed);
}

static void parts_out_of_order_are_refused_and_a_new_start_is_not(void **state)
{
    (void)state;
    world_join(WORLD_PUBLISHER, 1);
    say_part(WORLD_PUBLISHER, 5000, 100, 100);
    assert_int_equal(world_got_one(WORLD_PUBLISHER, RELAY_PUBLISHED).result, ERR_OUT_OF_ORDER);
    world_empty(WORLD_PUBLISHER);
    say_part(WORLD_PUBLISHER, 5000, 0, 100);
    say_part(WORLD_PUBLISHER, 5001, 100, 100);
    assert_int_equal(world_got_one(WORLD_PUBLISHER, RELAY_PUBLISHED).result, ERR_OUT_OF_ORDER);
    say_all(WORLD_PUBLISHER, 5000);
    assert_int_equal(world.verify.size, 5000);
}

static void an_upload_over_the_limit_is_refused_before_it_is_kept(void **state)
{
    (void)state;
    world_join(WORLD_PUBLISHER, 1);
    say_part(WORLD_PUBLISHER, 150001, 0, 1000);
    struct relay_frame status = world_got_one(WORLD_PUBLISHER, RELAY_STATUS);
    assert_int_equal(status.limit, RELAY_LIMIT_PUBLISH);
    assert_int_equal(status.value, limits.publish_size);
}

static void one_upload_at_a_time_until_the_first_is_idle(void **state)
{
    (void)state;
    struct bytes list = world_list(OTHER_PUBLISHER);
    struct relay_head head = world_head(1);
    world.list[(OTHER_PUBLISHER - 1) * TRANSPORT_ENTRY_SIZE + KEY_SIZE] = TRANSPORT_PUBLISHER;
    relay_engine_set_list(world.relay, &head, list, world.now);
    world_join(WORLD_PUBLISHER, 1);
    world_join(OTHER_PUBLISHER, 1);
    say_part(WORLD_PUBLISHER, 5000, 0, 100);
    say_part(OTHER_PUBLISHER, 5000, 0, 100);
    assert_int_equal(world_got_one(OTHER_PUBLISHER, RELAY_PUBLISHED).result, ERR_BUSY);
    world_empty(OTHER_PUBLISHER);
    world.now.ms += RELAY_ENGINE_UPLOAD_MS;
    say_all(OTHER_PUBLISHER, 5000);
    assert_int_equal(world.verify.size, 5000);
    say_part(WORLD_PUBLISHER, 5000, 0, 100); /* while it is verified, the memory is not touched */
    assert_int_equal(world_got_one(WORLD_PUBLISHER, RELAY_PUBLISHED).result, ERR_BUSY);
}

static void a_publisher_that_leaves_is_not_waited_for(void **state)
{
    (void)state;
    world_join(WORLD_PUBLISHER, 1);
    say_part(WORLD_PUBLISHER, 5000, 0, 100);
    world_leave(WORLD_PUBLISHER);
    world_join(WORLD_PUBLISHER, 1);
    say_all(WORLD_PUBLISHER, 5000);
    world_leave(WORLD_PUBLISHER); /* what was whole is verified all the same */
    verified(OK, 2, 6);
    assert_int_equal(relay_engine_head(world.relay).epoch, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_whole_upload_is_verified_taken_and_told_to_all),
        TEST(what_does_not_continue_the_chain_changes_nothing),
        TEST(a_member_may_not_publish),
        TEST(who_is_not_on_the_new_list_leaves),
        TEST(parts_out_of_order_are_refused_and_a_new_start_is_not),
        TEST(an_upload_over_the_limit_is_refused_before_it_is_kept),
        TEST(one_upload_at_a_time_until_the_first_is_idle),
        TEST(a_publisher_that_leaves_is_not_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
