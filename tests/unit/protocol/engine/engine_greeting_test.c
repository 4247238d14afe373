/* Two members greet each other on each new connection, and get over a connection that one of them
 * noticed before the other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "protocol/engine/engine.h"
#include "protocol/replication/sync.h"
#include "protocol/state/engine_state.h"
#include "protocol/wire/frame.h"
#include "tests/harness/federation.h"

enum { LETTERS_MAX = 16, LETTER_SIZE = 256 };

struct sealed_message {
    uint8_t to;
    uint32_t link; /* of the side that it goes to */
    uint8_t data[LETTER_SIZE];
    size_t size;
};

struct side {
    struct engine *engine;
    void *memory;
    uint32_t link; /* its current one to the other; 0: none */
};

struct pair {
    struct federation federation;
    struct side sides[2];
    struct step step;
    struct sealed_message letters[LETTERS_MAX];
    size_t letter_count;
    uint64_t now_ms;
    bool is_cut; /* what is said now is lost */
};

static void give(struct pair *pair, uint8_t who, struct event *event)
{
    event->now.ms = pair->now_ms;
    event->wall.ms = FEDERATION_START_MS + pair->now_ms;
    step_begin(&pair->step);
    engine_step(pair->sides[who].engine, event, &pair->step);
    for (size_t i = 0; i < pair->step.effect_count; i++) {
        const struct effect *effect = &pair->step.effects[i];
        assert_true(effect->kind != EFFECT_HANGUP);
        if (effect->kind != EFFECT_SEND || pair->is_cut)
            continue;
        struct sealed_message *letter = &pair->letters[pair->letter_count++];
        assert_true(pair->letter_count < LETTERS_MAX && effect->send.frame.size <= LETTER_SIZE);
        letter->to = (uint8_t)(1 - who);
        memcpy(letter->data, effect->send.frame.data, effect->send.frame.size);
        letter->size = effect->send.frame.size;
    }
}

static void connect(struct pair *pair, uint8_t who, uint32_t link)
{
    struct member other = federation_member(2U - who, 1);
    struct event event = {.kind = EVENT_LINK_UP, .link = {link}, .peer = other.transport_key};
    pair->sides[who].link = link;
    give(pair, who, &event);
}

/* Delivers what is under way, to whatever link the receiver has, until all is said. */
static size_t deliver(struct pair *pair)
{
    size_t count = 0;
    for (; pair->letter_count > 0; count++) {
        struct sealed_message letter = pair->letters[0];
        memmove(pair->letters, pair->letters + 1, --pair->letter_count * sizeof letter);
        struct event event = {.kind = EVENT_FRAME,
                              .link = {pair->sides[letter.to].link},
                              .frame = {letter.data, letter.size}};
        give(pair, letter.to, &event);
        assert_true(count < 100);
    }
    return count;
}

static bool knows(struct pair *pair, uint8_t who)
{
    struct engine_peer peer;
    return engine_peer(pair->sides[who].engine, 0, &peer);
}

static int set_up(void **state)
{
    struct pair *pair = calloc(1, sizeof *pair);
    federation_found(&pair->federation, roster_plan_full(), 2);
    pair->step.arena = malloc(STEP_ARENA_SIZE);
    pair->now_ms = 1000;
    for (uint8_t who = 0; who < 2; who++) {
        struct engine_config config;
        engine_config_defaults(&config);
        config.federation = roster_federation(&pair->federation.roster);
        config.self = federation_node(1U + who);
        config.roster = &pair->federation.roster;
        config.stream_count_max = config.mark_count_max = config.clinician_count_max = 1024;
        config.case_count_max = config.case_awake_max = 16;
        pair->sides[who].memory = calloc(1, engine_memory_size(&config) + 16);
        pair->sides[who].engine = engine_new(pair->sides[who].memory, &config);
    }
    *state = pair;
    return 0;
}

static int tear_down(void **state)
{
    struct pair *pair = *state;
    free(pair->sides[0].memory);
    free(pair->sides[1].memory);
    free(pair->step.arena);
    federation_end(&pair->federation);
    free(pair);
    return 0;
}

static void meet(struct pair *pair)
{
    connect(pair, 0, 1);
    connect(pair, 1, 1);
    deliver(pair);
    assert_true(knows(pair, 0) && knows(pair, 1));
}

static void both_greet_on_a_new_connection(void **state)
{
    struct pair *pair = *state;
    connect(pair, 0, 1);
    assert_false(knows(pair, 0));
    connect(pair, 1, 1);
    deliver(pair);
    assert_true(knows(pair, 0) && knows(pair, 1));
}

/* (W-11) the first to notice greets on the new link; the other takes it for the old one, and only
 * then changes too */
static void a_change_of_ways_noticed_at_different_times_leaves_nobody_ungreeted(void **state)
{
    struct pair *pair = *state;
    meet(pair);
    pair->now_ms += 45000;
    connect(pair, 0, 2);
    pair->is_cut = true; /* what the other answers goes the old way, and is lost */
    deliver(pair);
    pair->is_cut = false;
    connect(pair, 1, 2);
    deliver(pair);
    assert_true(knows(pair, 0));
    uint8_t summary[64];
    struct buffer frame = buffer_over(summary, sizeof summary);
    frame_summary_write(&frame, &(struct frame_summary){.stream_count = 0});
    struct event event = {
        .kind = EVENT_FRAME, .link = {pair->sides[1].link}, .frame = buffer_bytes(&frame)};
    give(pair, 1, &event);
    deliver(pair);
    assert_true(knows(pair, 1));
}

static void a_second_hello_is_answered_once_in_a_while(void **state)
{
    struct pair *pair = *state;
    meet(pair);
    pair->now_ms += 45000;
    connect(pair, 0, 2);
    assert_int_equal(deliver(pair),
                     2); /* the hello, and the answer, which is a first hello there */
    connect(pair, 0, 3);
    assert_int_equal(deliver(pair), 1); /* so soon, none */
    pair->now_ms += SUMMARY_INTERVAL_MS;
    connect(pair, 0, 4);
    assert_int_equal(deliver(pair), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(both_greet_on_a_new_connection, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_change_of_ways_noticed_at_different_times_leaves_nobody_ungreeted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_second_hello_is_answered_once_in_a_while, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
