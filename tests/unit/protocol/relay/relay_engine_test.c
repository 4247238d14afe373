/* What a relay does for its members, and what it refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/harness/relay_world.h"

static const struct relay_limits limits = {.pair_units = RELAY_UNITS_MAX,
                                           .member_units = 2 * RELAY_UNITS_MAX,
                                           .session_count = 4,
                                           .watch_count = 40,
                                           .control_count = 60,
                                           .publish_size = 100000};

static int begin(void **state)
{
    (void)state;
    world_begin(&limits, 64);
    return 0;
}

static int end(void **state)
{
    (void)state;
    world_end();
    return 0;
}

/* ---- hello ---- */

/* (L-5) */
static void a_hello_is_answered_with_version_head_and_limits(void **state)
{
    (void)state;
    world_link(2);
    world_hello(2);
    world_pump();
    struct relay_frame welcome = world_got_one(2, RELAY_WELCOME);
    struct relay_head head = world_head(1);
    assert_int_equal(welcome.version_max, RELAY_VERSION);
    assert_int_equal(welcome.head.epoch, 1);
    assert_true(ID_EQUAL(welcome.head.id, head.id));
    assert_memory_equal(&welcome.limits, &limits, sizeof limits);
}

static void check_refused(int member, enum relay_refusal refusal)
{
    world_pump();
    int last = world.members[member].inbox_count - 1;
    assert_true(world.members[member].closed);
    if (last < 0)
        fail_msg("closed without a word");
    struct relay_frame status = world_got(member, last);
    assert_int_equal(status.type, RELAY_STATUS);
    assert_int_equal(status.code, RELAY_REFUSED);
    assert_int_equal(status.value, refusal);
}

/* (L-4) */
static void who_speaks_no_common_version_or_another_federation_is_refused(void **state)
{
    (void)state;
    world_link(2);
    world_say(2, (struct relay_frame){.type = RELAY_HELLO,
                                      .version_min = 2,
                                      .version_max = 3,
                                      .federation = world.config.federation});
    check_refused(2, RELAY_REFUSED_VERSION);
    world_link(3);
    world_say(3, (struct relay_frame){.type = RELAY_HELLO, .version_min = 1, .version_max = 1});
    check_refused(3, RELAY_REFUSED_FEDERATION);
}

/* (L-1) */
static void a_key_that_is_not_listed_is_refused(void **state)
{
    (void)state;
    world_link(WORLD_MEMBERS);
    world_hello(WORLD_MEMBERS);
    check_refused(WORLD_MEMBERS, RELAY_REFUSED_UNLISTED);
}

/* (L-3) */
static void before_its_hello_a_link_is_nobody(void **state)
{
    (void)state;
    world_join(2, 1);
    world_link(3);
    world_forward(2, 3, 1, 100);
    world_forward(3, 2, 1, 100);
    world_pump();
    assert_int_equal(world_got_one(2, RELAY_STATUS).code, RELAY_GONE);
    assert_int_equal(world.members[3].inbox_count, 0);
}

/* (L-6) */
static void frames_without_meaning_end_a_link(void **state)
{
    (void)state;
    static const uint8_t garbage[] = {0x99, 1, 2};
    world_join(2, 1);
    for (int i = 0; i < RELAY_ENGINE_MALFORMED_MAX - 1; i++)
        world_say_bytes(2, (struct bytes){garbage, sizeof garbage});
    world_pump();
    assert_false(world.members[2].closed);
    world_say(2, (struct relay_frame){.type = RELAY_HEAD}); /* a relay's word */
    check_refused(2, RELAY_REFUSED_MALFORMED);
}

/* (L-2) */
static void the_same_key_again_takes_the_place_of_the_first(void **state)
{
    (void)state;
    world_join(2, 2);
    uint64_t first = world.members[2].link;
    world_link(2);
    world_hello(2);
    world_pump();
    assert_int_equal(world_got_one(2, RELAY_WELCOME).type, RELAY_WELCOME);
    world_event((struct relay_engine_event){
        .kind = RELAY_ENGINE_FRAME, .link = first, .bytes = bytes_of_text("\x99")});
    world_forward(3, 2, 7, 100);
    world_pump();
    assert_int_equal(world_got_count(2, RELAY_DELIVER), 1);
    assert_int_equal(relay_engine_counts(world.relay).links, 2);
}

/* ---- forwarding ---- */

/* (L-10) */
static void a_box_arrives_as_sent_with_the_key_it_came_from(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 478, 479, 480, 990, 991, 992, 5000, TUNNEL_SIZE_MAX};
    world_join(2, 2);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        world_forward(2, 3, (uint8_t)i, sizes[i]);
        world_pump();
        struct relay_frame got = world_got_one(3, RELAY_DELIVER);
        assert_true(ID_EQUAL(got.key, world.members[2].key));
        assert_int_equal(got.body.size, sizes[i]);
        assert_int_equal(got.body.data[0], i);
        for (size_t at = 1; at < sizes[i]; at++)
            assert_int_equal(got.body.data[at], 0xb0);
        world_empty(3);
        world_time(FORWARD_QUEUE_CREDIT_MS);
    }
    assert_true(relay_engine_is_idle(world.relay));
}

static void boxes_of_a_pair_stay_in_order_however_slow_the_peer(void **state)
{
    (void)state;
    world_join(2, 2);
    world.members[3].room = 0;
    for (int i = 0; i < 100; i++)
        world_forward(2, 3, (uint8_t)i, 10);
    world_pump();
    assert_int_equal(world.members[3].inbox_count, 0);
    for (int i = 0; i < 50; i++)
        world_drain(3, 2);
    for (int i = 0; i < 100; i++)
        assert_int_equal(world_got(3, i).body.data[0], i);
}

/* (L-12) */
static void a_peer_that_is_not_there_is_said_and_its_credit_returned(void **state)
{
    (void)state;
    world_join(2, 1);
    world_forward(2, 3, 1, 1000);
    world_forward(2, 3, 2, 1000);
    world_pump();
    struct relay_frame status = world_got_one(2, RELAY_STATUS);
    assert_int_equal(status.code, RELAY_GONE);
    assert_true(ID_EQUAL(status.key, world.members[3].key));
    assert_int_equal(status.units, 2 * relay_frame_units(1000));
    assert_int_equal(relay_engine_counts(world.relay).sessions, 0);
}

static void what_waited_for_a_peer_that_left_is_returned(void **state)
{
    (void)state;
    world_join(2, 2);
    world.members[3].room = 1;
    for (int i = 0; i < 3; i++)
        world_forward(2, 3, (uint8_t)i, 1000);
    world_pump();
    world_leave(3);
    struct relay_frame status = world_got_one(2, RELAY_STATUS);
    assert_int_equal(status.code, RELAY_GONE);
    assert_int_equal(status.units, 2 * relay_frame_units(1000));
    world_empty(2);
    world_time(100);
    struct relay_frame credit = world_got_one(2, RELAY_CREDIT);
    assert_int_equal(relay_frame_entry(&credit, 0).value, relay_frame_units(1000));
}

/* (L-13) */
static void over_credit_is_busy_and_costs_nothing(void **state)
{
    (void)state;
    world_join(2, 4);
    world.members[3].room = world.members[4].room = 0;
    world_forward(2, 3, 1, TUNNEL_SIZE_MAX);
    world_forward(2, 3, 2, 1); /* over the pair's window */
    world_pump();
    assert_int_equal(world_got_one(2, RELAY_STATUS).code, RELAY_BUSY);
    assert_int_equal(world_got(2, 0).units, 0);
    world_empty(2);
    world_forward(2, 4, 3, TUNNEL_SIZE_MAX);
    world_forward(2, 5, 4, 1); /* over the member's window */
    world_pump();
    assert_int_equal(world_got_one(2, RELAY_STATUS).code, RELAY_BUSY);
    assert_true(ID_EQUAL(world_got(2, 0).key, world.members[5].key));
    assert_int_equal(world.members[5].inbox_count, 0);
    assert_int_equal(relay_engine_counts(world.relay).queued_units, 2 * RELAY_UNITS_MAX);
    world_drain(3, 9);
    assert_int_equal(world_got_one(3, RELAY_DELIVER).body.data[0], 1);
}

/* (L-15) */
static void one_session_too_many_is_limited_and_returned(void **state)
{
    (void)state;
    world_join(2, 7);
    for (int i = 3; i <= 8; i++)
        world.members[i].room = 0;
    for (int i = 3; i <= 7; i++)
        world_forward(2, i, 1, 600);
    world_pump();
    struct relay_frame status = world_got_one(2, RELAY_STATUS);
    assert_int_equal(status.code, RELAY_LIMITED);
    assert_int_equal(status.limit, RELAY_LIMIT_SESSIONS);
    assert_int_equal(status.value, limits.session_count);
    assert_int_equal(status.units, 2);
    assert_true(ID_EQUAL(status.key, world.members[7].key));
}

static void credit_comes_back_at_once_for_much_and_together_for_little(void **state)
{
    (void)state;
    world_join(2, 3);
    world_forward(2, 3, 1, TUNNEL_SIZE_MAX);
    world_pump();
    struct relay_frame credit = world_got_one(2, RELAY_CREDIT);
    assert_int_equal(credit.count, 1);
    assert_int_equal(relay_frame_entry(&credit, 0).value, RELAY_UNITS_MAX);
    world_empty(2);
    world_forward(2, 3, 1, 10);
    world_forward(2, 3, 1, 10);
    world_forward(2, 4, 1, 10);
    world_pump();
    assert_int_equal(world.members[2].inbox_count, 0);
    world_time(relay_engine_deadline(world.relay).ms - world.now.ms);
    credit = world_got_one(2, RELAY_CREDIT);
    assert_int_equal(credit.count, 2);
    assert_int_equal(relay_frame_entry(&credit, 0).value, 2);
    assert_int_equal(relay_frame_entry(&credit, 1).value, 1);
    assert_true(relay_engine_deadline(world.relay).ms == UINT64_MAX);
}

static void a_link_that_takes_nothing_is_closed_in_the_end(void **state)
{
    (void)state;
    world_join(2, 2);
    world.members[3].room = 0;
    world_forward(2, 3, 1, 10);
    world_pump();
    for (int i = 0; i < 29; i++)
        world_time(1000);
    assert_false(world.members[3].closed);
    world_time(1000);
    assert_true(world.members[3].closed);
    assert_int_equal(world_got_one(2, RELAY_STATUS).code, RELAY_GONE);
}

/* ---- who is there ---- */

/* (L-16) */
static void who_watches_is_told_now_and_when_it_changes(void **state)
{
    (void)state;
    world_join(2, 2);
    world_say_list(2, RELAY_WATCH, 3, 2);
    world_pump();
    struct relay_frame presence = world_got_one(2, RELAY_PRESENCE);
    assert_int_equal(presence.count, 2);
    assert_int_equal(relay_frame_entry(&presence, 0).value, 1);
    assert_int_equal(relay_frame_entry(&presence, 1).value, 0);
    world_empty(2);
    world_join(4, 1);
    presence = world_got_one(2, RELAY_PRESENCE);
    assert_true(ID_EQUAL(relay_frame_entry(&presence, 0).key, world.members[4].key));
    assert_int_equal(relay_frame_entry(&presence, 0).value, 1);
    world_empty(2);
    world_leave(4);
    world_time(PRESENCE_SETTLE_MS - 1);
    assert_int_equal(world.members[2].inbox_count, 0);
    world_time(1);
    presence = world_got_one(2, RELAY_PRESENCE);
    assert_int_equal(relay_frame_entry(&presence, 0).value, 0);
}

static void a_short_break_makes_nobody_flap(void **state)
{
    (void)state;
    world_join(2, 2);
    world_say_list(2, RELAY_WATCH, 3, 1);
    world_pump();
    world_empty(2);
    for (int i = 0; i < 5; i++) {
        world_leave(3);
        world_time(PRESENCE_SETTLE_MS - 1);
        world_join(3, 1);
    }
    world_time(PRESENCE_SETTLE_MS);
    assert_int_equal(world.members[2].inbox_count, 0);
}

static void who_unwatches_hears_no_more(void **state)
{
    (void)state;
    world_join(2, 1);
    world_say_list(2, RELAY_WATCH, 3, 2);
    world_pump();
    world_empty(2);
    world_say_list(2, RELAY_UNWATCH, 3, 1);
    world_join(3, 2);
    struct relay_frame presence = world_got_one(2, RELAY_PRESENCE);
    assert_int_equal(presence.count, 1);
    assert_true(ID_EQUAL(relay_frame_entry(&presence, 0).key, world.members[4].key));
}

static void a_newcomer_inherits_nothing_of_who_left(void **state)
{
    (void)state;
    world_join(2, 1);
    world_say_list(2, RELAY_WATCH, 3, 1);
    world_say(2, (struct relay_frame){.type = RELAY_WHERE, .key = world.members[3].key});
    world_leave(2);
    world_join(4, 1);
    world_join(3, 1);
    world_time(PRESENCE_SETTLE_MS);
    assert_int_equal(world.members[4].inbox_count, 0);
}

/* (L-17) */
static void watches_are_limited_and_long_answers_come_in_parts(void **state)
{
    (void)state;
    world_join(2, 1);
    world_say_list(2, RELAY_WATCH, 3, 41);
    world_pump();
    assert_int_equal(world_got_count(2, RELAY_STATUS), 1);
    assert_int_equal(world_got(2, 0).limit, RELAY_LIMIT_WATCHES);
    int told = 0;
    for (int i = 1; i < world.members[2].inbox_count; i++)
        told += world_got(2, i).count;
    assert_int_equal(told, 40);
    assert_int_equal(world_got_count(2, RELAY_PRESENCE), 2);
}

/* (L-18) */
static void endpoints_are_given_to_peers_that_ask(void **state)
{
    (void)state;
    struct relay_frame offer = {.type = RELAY_OFFER, .endpoints = {.count = 2}};
    offer.endpoints.text[0] = bytes_of_text("tcp://192.0.2.7:7801");
    offer.endpoints.text[1] = bytes_of_text("tcp://clinic.example:7801");
    world_join(2, 3);
    world_say(3, offer);
    for (int i = 3; i <= 5; i++)
        world_say(2, (struct relay_frame){.type = RELAY_WHERE, .key = world.members[i].key});
    world_pump();
    assert_int_equal(world.members[2].inbox_count, 3);
    for (int i = 0; i < 3; i++) {
        struct relay_frame hints = world_got(2, i);
        bool offers = ID_EQUAL(hints.key, world.members[3].key);
        assert_int_equal(hints.endpoints.count, offers ? 2 : 0);
        if (offers)
            assert_true(bytes_equal(hints.endpoints.text[1], offer.endpoints.text[1]));
    }
    world_empty(2);
    world_leave(3); /* and what it offered goes with it */
    world_say(2, (struct relay_frame){.type = RELAY_WHERE, .key = world.members[3].key});
    world_pump();
    assert_int_equal(world_got(2, world.members[2].inbox_count - 1).endpoints.count, 0);
}

/* (L-14) */
static void questions_are_paid_from_a_budget_that_fills_again(void **state)
{
    (void)state;
    struct relay_frame where = {.type = RELAY_WHERE, .key = world.members[3].key};
    world_join(2, 1);
    for (int i = 0; i < 60; i++) {
        world_say(2, where);
        world_pump();
    }
    assert_int_equal(world_got_count(2, RELAY_HINTS), 60);
    world_say(2, where);
    world_pump();
    assert_int_equal(world_got_count(2, RELAY_HINTS), 60);
    assert_int_equal(world_got(2, 60).limit, RELAY_LIMIT_CONTROL);
    world_time(1000);
    world_say(2, where);
    world_pump();
    assert_int_equal(world_got_count(2, RELAY_HINTS), 61);
}

static void forwarding_costs_no_budget(void **state)
{
    (void)state;
    world_join(2, 2);
    for (int i = 0; i < 200; i++) {
        world_forward(2, 3, (uint8_t)i, 10);
        world_pump();
    }
    assert_int_equal(world_got_count(3, RELAY_DELIVER), 200);
}

/* ---- draining ---- */

/* (L-19) */
static void who_is_here_or_comes_is_told_when_the_relay_ends(void **state)
{
    (void)state;
    world_join(2, 1);
    world_event((struct relay_engine_event){.kind = RELAY_ENGINE_DRAIN, .until_ms = 5000});
    world_pump();
    assert_int_equal(world_got_one(2, RELAY_STATUS).code, RELAY_DRAINING);
    assert_int_equal(world_got(2, 0).value, 5000);
    world_time(2000);
    world_link(3);
    world_hello(3);
    world_pump();
    assert_int_equal(world_got(3, 1).code, RELAY_DRAINING);
    assert_int_equal(world_got(3, 1).value, 3000);
    world_forward(2, 3, 1, 10); /* what is accepted is still passed on */
    world_pump();
    assert_int_equal(world_got_count(3, RELAY_DELIVER), 1);
    assert_true(relay_engine_is_idle(world.relay));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_hello_is_answered_with_version_head_and_limits),
        TEST(who_speaks_no_common_version_or_another_federation_is_refused),
        TEST(a_key_that_is_not_listed_is_refused),
        TEST(before_its_hello_a_link_is_nobody),
        TEST(frames_without_meaning_end_a_link),
        TEST(the_same_key_again_takes_the_place_of_the_first),
        TEST(a_box_arrives_as_sent_with_the_key_it_came_from),
        TEST(boxes_of_a_pair_stay_in_order_however_slow_the_peer),
        TEST(a_peer_that_is_not_there_is_said_and_its_credit_returned),
        TEST(what_waited_for_a_peer_that_left_is_returned),
        TEST(over_credit_is_busy_and_costs_nothing),
        TEST(one_session_too_many_is_limited_and_returned),
        TEST(credit_comes_back_at_once_for_much_and_together_for_little),
        TEST(a_link_that_takes_nothing_is_closed_in_the_end),
        TEST(who_watches_is_told_now_and_when_it_changes),
        TEST(a_short_break_makes_nobody_flap),
        TEST(who_unwatches_hears_no_more),
        TEST(a_newcomer_inherits_nothing_of_who_left),
        TEST(watches_are_limited_and_long_answers_come_in_parts),
        TEST(endpoints_are_given_to_peers_that_ask),
        TEST(questions_are_paid_from_a_budget_that_fills_again),
        TEST(forwarding_costs_no_budget),
        TEST(who_is_here_or_comes_is_told_when_the_relay_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
