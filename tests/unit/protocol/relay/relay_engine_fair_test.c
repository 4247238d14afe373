/* A relay shares what it has fairly, never holds more than it said, and loses nothing that was
 * within credit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/wire/relay_credit.h"
#include "tests/harness/relay_world.h"

enum { GREEDY = 2, LIGHT_FIRST = 3, LIGHT_COUNT = 99, SINK = 110 };

static const struct relay_limits wide = {.pair_units = 1024,
                                         .member_units = 1024,
                                         .session_count = 64,
                                         .watch_count = 16,
                                         .control_count = 6000,
                                         .publish_size = 1000};

static int begin(void **state)
{
    (void)state;
    world_begin(&wide, 120);
    return 0;
}

static int end(void **state)
{
    (void)state;
    world_end();
    return 0;
}

/* Frames with this tag among those that a member got. */
static int delivered(int member, uint8_t tag, int until)
{
    int count = 0;
    for (int i = 0; i < world.members[member].inbox_count && i < until; i++) {
        struct relay_frame frame = world_got(member, i);
        count += frame.type == RELAY_DELIVER && frame.body.data[0] == tag;
    }
    return count;
}

/* (L-20) */
static void one_greedy_member_does_not_delay_ninety_nine_light_ones(void **state)
{
    (void)state;
    world_join(GREEDY, LIGHT_COUNT + 1);
    world_join(SINK, 1);
    world.members[SINK].room = 0;
    for (int i = 0; i < 8; i++)
        world_forward(GREEDY, SINK, 'g', TUNNEL_SIZE_MAX);
    for (int i = 0; i < LIGHT_COUNT; i++)
        world_forward(LIGHT_FIRST + i, SINK, 'l', 320);
    world_pump();
    /* The greedy one came first and its queue is full; yet with room for all light ones and a
     * single large frame, all light ones are through. */
    world_drain(SINK, LIGHT_COUNT + 1);
    assert_true(delivered(SINK, 'l', WORLD_INBOX) >= LIGHT_COUNT);
    world_drain(SINK, 100);
    assert_int_equal(delivered(SINK, 'l', WORLD_INBOX), LIGHT_COUNT);
    assert_int_equal(delivered(SINK, 'g', WORLD_INBOX), 8);
}

static void many_small_frames_of_one_are_no_better_than_large_ones(void **state)
{
    (void)state;
    world_join(GREEDY, 3);
    world_join(SINK, 1);
    world.members[SINK].room = 0;
    for (int i = 0; i < 200; i++)
        world_forward(GREEDY, SINK, 'g', 100);
    for (int i = 0; i < 10; i++)
        world_forward(LIGHT_FIRST, SINK, 'l', 100);
    world_pump();
    for (int i = 0; i < 26; i++)
        world_drain(SINK, 1); /* one place at a time: the harshest peer */
    assert_true(delivered(SINK, 'l', 26) >= 10);
}

static void a_slow_peer_slows_only_what_goes_to_it(void **state)
{
    (void)state;
    world_join(GREEDY, 3);
    world_join(SINK, 1);
    world.members[SINK].room = 0;
    for (int i = 0; i < 4; i++)
        world_forward(GREEDY, SINK, 's', TUNNEL_SIZE_MAX);
    for (int i = 0; i < 20; i++)
        world_forward(GREEDY, LIGHT_FIRST, 'f', 1000);
    world_pump();
    assert_int_equal(delivered(LIGHT_FIRST, 'f', WORLD_INBOX), 20);
    assert_int_equal(delivered(SINK, 's', WORLD_INBOX), 0);
}

static void sessions_of_one_member_share_its_turn(void **state)
{
    (void)state;
    int bulk = LIGHT_FIRST, chat = LIGHT_FIRST + 1;
    world_join(GREEDY, 4);
    world.members[bulk].room = world.members[chat].room = 0;
    for (int i = 0; i < 7; i++)
        world_forward(GREEDY, bulk, 'b', TUNNEL_SIZE_MAX);
    for (int i = 0; i < 10; i++)
        world_forward(GREEDY, chat, 'c', 100);
    world_pump();
    for (int to = bulk; to <= chat; to++) {
        world.members[to].room = WORLD_ROOM;
        world_event((struct relay_engine_event){.kind = RELAY_ENGINE_DRAINED,
                                                .link = world.members[to].link});
    }
    world_pump();
    assert_int_equal(delivered(bulk, 'b', WORLD_INBOX), 7);
    assert_int_equal(delivered(chat, 'c', WORLD_INBOX), 10);
    uint64_t second_large = world.members[bulk].inbox_turn[1];
    assert_true(world.members[chat].inbox_turn[9] < second_large);
}

/* ---- a random life ---- */

enum { LIVES = 60, STEPS = 4000, CROWD = 8, FIRST = 2 };

struct life {
    struct relay_credit credit[CROWD];
    uint8_t sent[CROWD][CROWD];     /* next number from, to */
    uint8_t expected[CROWD][CROWD]; /* next number at to, from */
    bool broken[CROWD][CROWD];      /* at to, from: something may have been lost, once */
    bool joined[CROWD];
    uint32_t seed;
};

static struct life life;

static uint32_t prng(uint32_t below)
{
    life.seed = life.seed * 1664525u + 1013904223u;
    return (life.seed >> 8) % below;
}

static int index_of(const struct transport_key *key)
{
    return key->bytes[0] - FIRST;
}

static void take_frame(int me, const struct relay_frame *frame)
{
    if (frame->type == RELAY_DELIVER) {
        int from = index_of(&frame->key);
        if (frame->body.data[0] != life.expected[me][from]) {
            assert_true(life.broken[me][from]);
            life.broken[me][from] = false;
        }
        life.expected[me][from] = (uint8_t)(frame->body.data[0] + 1);
    } else if (frame->type == RELAY_CREDIT) {
        for (uint16_t i = 0; i < frame->count; i++) {
            struct relay_entry entry = relay_frame_entry(frame, i);
            relay_credit_give(&life.credit[me], &entry.key, entry.value);
        }
    } else if (frame->type == RELAY_STATUS) {
        assert_int_equal(frame->code, RELAY_GONE); /* who keeps its credit hears nothing else */
        relay_credit_give(&life.credit[me], &frame->key, frame->units);
    } else {
        assert_int_equal(frame->type, RELAY_WELCOME);
        relay_credit_init(&life.credit[me], &frame->limits);
    }
}

static void read_inboxes(void)
{
    for (int me = 0; me < CROWD; me++) {
        for (int i = 0; i < world.members[FIRST + me].inbox_count; i++) {
            struct relay_frame frame = world_got(FIRST + me, i);
            take_frame(me, &frame);
        }
        world_empty(FIRST + me);
    }
}

static void life_forward(int from, int to)
{
    size_t size = prng(4) == 0 ? 1 + prng(TUNNEL_SIZE_MAX) : 1 + prng(1500);
    const struct transport_key *key = &world.members[FIRST + to].key;
    if (!life.joined[from] || from == to || !relay_credit_take(&life.credit[from], key, size))
        return;
    world_forward(FIRST + from, FIRST + to, life.sent[from][to], size);
    life.sent[from][to]++;
    life.broken[to][from] |= !life.joined[to];
}

/* Whoever goes loses what was under way from it and to it, and nobody else does. */
static void life_toggle(int who)
{
    if (life.joined[who]) {
        world_leave(FIRST + who);
    } else {
        world.members[FIRST + who].room = WORLD_ROOM;
        world_link(FIRST + who);
        world_hello(FIRST + who);
    }
    world_pump();
    read_inboxes();
    life.joined[who] = !life.joined[who];
    for (int other = 0; other < CROWD; other++) {
        life.broken[who][other] = life.broken[other][who] = true;
    }
}

static void life_step(void)
{
    int who = (int)prng(CROWD);
    uint32_t what = prng(100);
    if (what < 70)
        life_forward(who, (int)prng(CROWD));
    else if (what < 80 && life.joined[who])
        world_drain(FIRST + who, (int)prng(6));
    else if (what < 95)
        world_time(prng(30));
    else if (what < 97)
        life_toggle(who);
    world_pump();
    read_inboxes();
    struct relay_engine_counts counts = relay_engine_counts(world.relay);
    assert_true(counts.queued_units <= CROWD * wide.member_units);
    assert_int_equal(counts.busy + counts.limited + counts.malformed + counts.refused, 0);
}

static void life_end(void)
{
    for (int me = 0; me < CROWD; me++) {
        if (life.joined[me])
            world_drain(FIRST + me, WORLD_ROOM);
    }
    world_pump();
    world_time(FORWARD_QUEUE_CREDIT_MS);
    read_inboxes();
    for (int me = 0; me < CROWD; me++) {
        assert_int_equal(life.joined[me] ? life.credit[me].units : 0, 0);
        for (int from = 0; from < CROWD; from++) {
            if (!life.broken[me][from])
                assert_int_equal(life.expected[me][from], life.sent[from][me]);
        }
    }
    assert_int_equal(relay_engine_counts(world.relay).queued_units, 0);
    assert_int_equal(relay_engine_counts(world.relay).sessions, 0);
    assert_true(relay_engine_deadline(world.relay).ms == UINT64_MAX);
}

/* Replay one by calling it with its number alone. (L-21) */
static void what_is_within_credit_arrives_in_order_through_any_life(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= LIVES; seed++) {
        world_begin(&wide, 2 * CROWD);
        memset(&life, 0, sizeof life);
        life.seed = seed;
        for (int i = 0; i < CROWD; i++)
            life_toggle(i);
        memset(life.broken, 0, sizeof life.broken);
        for (int i = 0; i < STEPS / 4; i++)
            life_step();
        life_end();
        world_end();
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_greedy_member_does_not_delay_ninety_nine_light_ones),
        TEST(many_small_frames_of_one_are_no_better_than_large_ones),
        TEST(a_slow_peer_slows_only_what_goes_to_it),
        TEST(sessions_of_one_member_share_its_turn),
        cmocka_unit_test(what_is_within_credit_arrives_in_order_through_any_life),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
