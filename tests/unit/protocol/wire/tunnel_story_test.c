/* What a boxed session must survive, and the bytes of spec/links.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/harness/tunnel_ends.h"

static void frames_flow_both_ways_and_open_as_sent(void **state)
{
    (void)state;
    connect_ends(&small, &large);
    for (int i = 0; i < 100; i++) {
        send_frame(&small, &large, "a question");
        send_frame(&large, &small, "an answer");
        send_frame(&large, &small, "and one more");
    }
    assert_true(ID_EQUAL(small.tunnel.session.binding, large.tunnel.session.binding));
}

/* (L-31) */
static void on_a_double_dial_the_smaller_key_is_the_initiator(void **state)
{
    (void)state;
    on_plain(&small, TUNNEL_EVENT_DIAL);
    on_plain(&large, TUNNEL_EVENT_DIAL);
    uint8_t crossing[FRAME_MAX];
    size_t crossing_size = large.sent_size;
    memcpy(crossing, large.sent, crossing_size);
    deliver(&small, &large); /* the larger yields and answers */
    assert_int_equal(large.tunnel.state, TUNNEL_ANSWERED);
    on_event(&small, TUNNEL_EVENT_FRAME, (struct bytes){crossing, crossing_size});
    assert_int_equal(small.sent[0], 1); /* the smaller repeats its own */
    uint8_t answer[FRAME_MAX];
    size_t answer_size = large.sent_size;
    memcpy(answer, large.sent, answer_size);
    deliver(&small, &large);
    assert_true(large.step.dropped && large.sent_size == 0); /* a copy counts nothing */
    on_event(&small, TUNNEL_EVENT_FRAME, (struct bytes){answer, answer_size});
    assert_int_equal(small.step.change, TUNNEL_UP);
    deliver(&small, &large);
    assert_int_equal(large.step.change, TUNNEL_UP);
    send_frame(&large, &small, "frame");
}

static void a_first_dial_lost_on_its_way_is_repeated_when_the_larger_dials(void **state)
{
    (void)state;
    on_plain(&small, TUNNEL_EVENT_DIAL); /* lost */
    on_plain(&large, TUNNEL_EVENT_DIAL);
    deliver(&large, &small);
    deliver(&small, &large);
    deliver(&large, &small);
    assert_int_equal(small.step.change, TUNNEL_UP);
    deliver(&small, &large);
    assert_int_equal(large.step.change, TUNNEL_UP);
}

/* (L-33) */
static void a_gap_ends_the_session_and_the_next_frame_brings_a_new_one(void **state)
{
    (void)state;
    connect_ends(&small, &large);
    on_event(&small, TUNNEL_EVENT_SEND, bytes_of_text("lost"));
    on_event(&small, TUNNEL_EVENT_SEND, bytes_of_text("after the gap"));
    deliver(&small, &large);
    assert_int_equal(large.step.change, TUNNEL_DOWN);
    assert_int_equal(large.step.reason, TUNNEL_REASON_FAILED);
    assert_int_equal(large.step.opened.size, 0);
    on_event(&small, TUNNEL_EVENT_SEND, bytes_of_text("stray"));
    deliver(&small, &large); /* the larger dials */
    deliver(&large, &small);
    assert_int_equal(small.step.reason, TUNNEL_REASON_REPLACED);
    deliver(&small, &large);
    deliver(&large, &small);
    send_frame(&small, &large, "whole again");
}

/* (L-34) */
static void a_replayed_first_message_brings_nobody_up(void **state)
{
    (void)state;
    uint8_t old[FRAME_MAX];
    on_plain(&small, TUNNEL_EVENT_DIAL);
    size_t old_size = small.sent_size;
    memcpy(old, small.sent, old_size);
    on_plain(&small, TUNNEL_EVENT_HANG_UP);
    on_event(&large, TUNNEL_EVENT_FRAME, (struct bytes){old, old_size});
    assert_int_equal(large.tunnel.state, TUNNEL_ANSWERED);
    assert_false(tunnel_is_up(&large.tunnel));
    deliver(&large, &small);
    assert_true(small.step.dropped);
    now.ms += TUNNEL_DIAL_MS;
    on_plain(&large, TUNNEL_EVENT_TIME);
    assert_int_equal(large.tunnel.state, TUNNEL_IDLE);
    assert_int_equal(large.step.reason, TUNNEL_REASON_TIMEOUT);
}

static void a_replay_into_a_living_session_heals_by_itself(void **state)
{
    (void)state;
    uint8_t old[FRAME_MAX];
    on_plain(&small, TUNNEL_EVENT_DIAL);
    size_t old_size = small.sent_size;
    memcpy(old, small.sent, old_size);
    on_plain(&small, TUNNEL_EVENT_HANG_UP);
    connect_ends(&small, &large);
    on_event(&large, TUNNEL_EVENT_FRAME, (struct bytes){old, old_size});
    assert_int_equal(large.tunnel.state, TUNNEL_ANSWERED);
    on_event(&small, TUNNEL_EVENT_SEND, bytes_of_text("one"));
    deliver(&small, &large);
    assert_int_equal(large.tunnel.state, TUNNEL_IDLE);
    on_event(&small, TUNNEL_EVENT_SEND, bytes_of_text("two"));
    deliver(&small, &large);
    deliver(&large, &small);
    deliver(&small, &large);
    deliver(&large, &small);
    send_frame(&small, &large, "three");
}

static void every_spoiled_box_is_refused(void **state)
{
    (void)state;
    struct bytes frame = bytes_of_text("frame");
    connect_ends(&small, &large);
    on_event(&small, TUNNEL_EVENT_SEND, frame);
    struct tunnel before = large.tunnel;
    uint8_t good[FRAME_MAX];
    size_t size = small.sent_size;
    memcpy(good, small.sent, size);
    for (size_t bit = 0; bit < size * 8; bit++) {
        large.tunnel = before;
        memcpy(small.sent, good, size);
        small.sent[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        deliver(&small, &large);
        assert_true(large.step.dropped);
        assert_int_equal(large.step.opened.size, 0);
    }
    for (size_t kept = 0; kept < size; kept++) {
        large.tunnel = before;
        on_event(&large, TUNNEL_EVENT_FRAME, (struct bytes){good, kept});
        assert_true(large.step.dropped);
        assert_int_equal(large.step.opened.size, 0);
    }
    large.tunnel = before;
    on_event(&large, TUNNEL_EVENT_FRAME, (struct bytes){good, size});
    assert_true(bytes_equal(large.step.opened, frame));
}

/* (L-30) */
static void another_relay_or_federation_does_not_open(void **state)
{
    (void)state;
    struct end elsewhere;
    end_init(&elsewhere, 7);
    tunnel_init(&large.tunnel, &large.identity, &elsewhere.identity.local, &small.identity.local);
    on_plain(&small, TUNNEL_EVENT_DIAL);
    deliver(&small, &large);
    assert_true(large.step.dropped);
    large.identity.federation.bytes[0] ^= 1;
    tunnel_init(&large.tunnel, &large.identity, &relay.identity.local, &small.identity.local);
    deliver(&small, &large);
    assert_true(large.step.dropped);
}

static void what_is_sealed_but_has_not_its_shape_ends_the_session(void **state)
{
    static const uint8_t keep = 4, data = 3;
    for (int i = 0; i < 2; i++) {
        set_up(state);
        connect_ends(&small, &large);
        const uint8_t *type = i == 0 ? &keep : &data; /* a KEEP with a frame, a DATA with none */
        struct buffer buffer = buffer_over(small.sent, sizeof small.sent);
        buffer_u8(&buffer, *type);
        assert_int_equal(noise_seal(&small.tunnel.session.sending, (struct bytes){type, 1},
                                    i == 0 ? bytes_of_text("frame") : BYTES_NONE, &buffer),
                         OK);
        small.sent_size = buffer.size;
        deliver(&small, &large);
        assert_int_equal(large.step.reason, TUNNEL_REASON_FAILED);
        assert_int_equal(large.step.opened.size, 0);
    }
}

/* (L-35) */
static void a_quiet_session_keeps_itself_and_a_dead_one_ends(void **state)
{
    (void)state;
    connect_ends(&small, &large);
    for (int i = 0; i < 10; i++) {
        now = tunnel_deadline(&small.tunnel);
        on_plain(&small, TUNNEL_EVENT_TIME);
        assert_int_equal(small.sent[0], 4);
        deliver(&small, &large);
        on_plain(&large, TUNNEL_EVENT_TIME);
        if (large.sent_size > 0)
            deliver(&large, &small);
        assert_true(tunnel_is_up(&small.tunnel) && tunnel_is_up(&large.tunnel));
    }
    while (tunnel_is_up(&large.tunnel)) {
        now = tunnel_deadline(&large.tunnel);
        on_plain(&large, TUNNEL_EVENT_TIME);
    }
    assert_int_equal(large.step.reason, TUNNEL_REASON_SILENT);
    assert_true(tunnel_deadline(&large.tunnel).ms == UINT64_MAX);
}

static void an_old_session_ends_on_both_sides_for_fresh_keys(void **state)
{
    (void)state;
    connect_ends(&small, &large);
    uint64_t end = now.ms + TUNNEL_AGE_MS;
    while (now.ms + TUNNEL_KEEP_MS < end) {
        now.ms += TUNNEL_KEEP_MS;
        send_frame(&small, &large, "frame");
        send_frame(&large, &small, "frame");
    }
    now.ms = end;
    on_plain(&small, TUNNEL_EVENT_TIME);
    assert_int_equal(small.step.reason, TUNNEL_REASON_AGED);
    deliver(&small, &large);
    assert_int_equal(large.step.reason, TUNNEL_REASON_ENDED);
}

static void stray_frames_make_at_most_one_dial_in_five_seconds(void **state)
{
    (void)state;
    static const uint8_t stray[20] = {3};
    struct bytes box = {stray, sizeof stray};
    on_event(&small, TUNNEL_EVENT_FRAME, box);
    assert_int_equal(small.sent[0], 1);
    on_plain(&small, TUNNEL_EVENT_LOST);
    now.ms += TUNNEL_REDIAL_MS - 1;
    on_event(&small, TUNNEL_EVENT_FRAME, box);
    assert_int_equal(small.sent_size, 0);
    now.ms += 1;
    on_event(&small, TUNNEL_EVENT_FRAME, box);
    assert_int_equal(small.sent[0], 1);
}

static void what_was_under_way_at_a_hang_up_does_not_dial(void **state)
{
    (void)state;
    connect_ends(&small, &large);
    on_event(&large, TUNNEL_EVENT_SEND, bytes_of_text("under way"));
    on_plain(&small, TUNNEL_EVENT_HANG_UP);
    deliver(&large, &small);
    assert_int_equal(small.tunnel.state, TUNNEL_IDLE);
    assert_int_equal(small.sent_size, 0);
}

static void the_largest_frame_fits(void **state)
{
    (void)state;
    static uint8_t frame[FRAME_SIZE_MAX], box[TUNNEL_SIZE_MAX];
    struct tunnel_event event = {.kind = TUNNEL_EVENT_SEND, .now = now};
    connect_ends(&small, &large);
    event.bytes = (struct bytes){frame, sizeof frame};
    tunnel_on_event(&small.tunnel, &event, &small.step);
    assert_int_equal(small.step.send.size, TUNNEL_SIZE_MAX);
    memcpy(box, small.step.send.data, sizeof box);
    on_event(&large, TUNNEL_EVENT_FRAME, (struct bytes){box, sizeof box});
    assert_true(bytes_equal(large.step.opened, event.bytes));
}

static void a_session_at_its_message_limit_ends(void **state)
{
    (void)state;
    connect_ends(&small, &large);
    small.tunnel.session.sending.nonce = NOISE_MESSAGE_COUNT_MAX;
    on_event(&small, TUNNEL_EVENT_SEND, bytes_of_text("one too many"));
    assert_int_equal(small.sent_size, 0);
    assert_int_equal(small.step.reason, TUNNEL_REASON_AGED);
}

/* (L-37) */
static void a_peer_key_of_small_order_never_connects(void **state)
{
    (void)state;
    struct transport_key zero = {{0}};
    tunnel_init(&small.tunnel, &small.identity, &relay.identity.local, &zero);
    on_plain(&small, TUNNEL_EVENT_DIAL);
    assert_int_equal(small.step.change, TUNNEL_DOWN);
    assert_int_equal(small.sent_size, 0);
}

static void keys_are_wiped_when_a_session_ends(void **state)
{
    (void)state;
    static const struct noise_session empty;
    static const struct noise_handshake none;
    connect_ends(&small, &large);
    assert_memory_equal(&small.tunnel.handshake, &none, sizeof none);
    on_plain(&small, TUNNEL_EVENT_LOST);
    assert_memory_equal(&small.tunnel.session, &empty, sizeof empty);
}

/* ---- vectors ---- */

static size_t vector_value(const char *name, uint8_t *ret_value, size_t capacity)
{
    char line[1024];
    FILE *file = fopen(TEST_SOURCE_DIR "/tests/vectors/boxed.txt", "r");
    assert_non_null(file);
    size_t size = 0, name_size = strlen(name);
    while (size == 0 && fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, name, name_size) != 0 || line[name_size] != '=')
            continue;
        size = strlen(line + name_size + 1) / 2;
        assert_true(size <= capacity);
        assert_int_equal(ids_from_hex(line + name_size + 1, ret_value, size), OK);
    }
    fclose(file);
    if (size == 0)
        fail_msg("no %s in tests/vectors/boxed.txt", name);
    return size;
}

static void check_sent(const struct end *end, const char *name)
{
    uint8_t expected[FRAME_MAX];
    size_t size = vector_value(name, expected, sizeof expected);
    assert_int_equal(end->sent_size, size);
    assert_memory_equal(end->sent, expected, size);
}

static void vector_event(struct end *end, enum tunnel_event_kind kind, const struct end *from,
                         const char *secret_name)
{
    uint8_t secret[KEY_SIZE];
    struct tunnel_event event = {.kind = kind, .now = now, .secret = secret};
    vector_value(secret_name, secret, sizeof secret);
    if (from != NULL)
        event.bytes = (struct bytes){from->sent, from->sent_size};
    tunnel_on_event(&end->tunnel, &event, &end->step);
    end->sent_size = end->step.send.size;
    memcpy(end->sent, end->step.send.data, end->sent_size);
}

/* (L-32), (L-36), (L-38): the boxes of a session are these bytes, for every implementation. */
static void gives_the_bytes_of_its_vector(void **state)
{
    (void)state;
    struct end initiator, responder;
    struct transport_key relay_key;
    uint8_t frame[FRAME_MAX];
    end_init(&initiator, 0);
    end_init(&responder, 0);
    vector_value("initiator_secret", initiator.secret, KEY_SIZE);
    vector_value("responder_secret", responder.secret, KEY_SIZE);
    vector_value("relay_key", relay_key.bytes, KEY_SIZE);
    vector_value("federation", initiator.identity.federation.bytes, HASH_SIZE);
    responder.identity.federation = initiator.identity.federation;
    noise_public(initiator.secret, &initiator.identity.local);
    noise_public(responder.secret, &responder.identity.local);
    tunnel_init(&initiator.tunnel, &initiator.identity, &relay_key, &responder.identity.local);
    tunnel_init(&responder.tunnel, &responder.identity, &relay_key, &initiator.identity.local);
    initiator.tunnel.identity = &initiator.identity;
    responder.tunnel.identity = &responder.identity;
    vector_event(&initiator, TUNNEL_EVENT_DIAL, NULL, "initiator_ephemeral");
    check_sent(&initiator, "init");
    vector_event(&responder, TUNNEL_EVENT_FRAME, &initiator, "responder_ephemeral");
    check_sent(&responder, "resp");
    deliver(&responder, &initiator);
    check_sent(&initiator, "keep");
    deliver(&initiator, &responder);
    size_t size = vector_value("frame", frame, sizeof frame);
    on_event(&initiator, TUNNEL_EVENT_SEND, (struct bytes){frame, size});
    check_sent(&initiator, "data_from_initiator");
    deliver(&initiator, &responder);
    on_event(&responder, TUNNEL_EVENT_SEND, (struct bytes){frame, size});
    check_sent(&responder, "data_from_responder");
    on_plain(&responder, TUNNEL_EVENT_HANG_UP);
    check_sent(&responder, "end_from_responder");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(frames_flow_both_ways_and_open_as_sent, set_up),
        cmocka_unit_test_setup(on_a_double_dial_the_smaller_key_is_the_initiator, set_up),
        cmocka_unit_test_setup(a_first_dial_lost_on_its_way_is_repeated_when_the_larger_dials,
                               set_up),
        cmocka_unit_test_setup(a_gap_ends_the_session_and_the_next_frame_brings_a_new_one, set_up),
        cmocka_unit_test_setup(a_replayed_first_message_brings_nobody_up, set_up),
        cmocka_unit_test_setup(a_replay_into_a_living_session_heals_by_itself, set_up),
        cmocka_unit_test_setup(every_spoiled_box_is_refused, set_up),
        cmocka_unit_test_setup(another_relay_or_federation_does_not_open, set_up),
        cmocka_unit_test_setup(what_is_sealed_but_has_not_its_shape_ends_the_session, set_up),
        cmocka_unit_test_setup(a_quiet_session_keeps_itself_and_a_dead_one_ends, set_up),
        cmocka_unit_test_setup(an_old_session_ends_on_both_sides_for_fresh_keys, set_up),
        cmocka_unit_test_setup(stray_frames_make_at_most_one_dial_in_five_seconds, set_up),
        cmocka_unit_test_setup(what_was_under_way_at_a_hang_up_does_not_dial, set_up),
        cmocka_unit_test_setup(the_largest_frame_fits, set_up),
        cmocka_unit_test_setup(a_session_at_its_message_limit_ends, set_up),
        cmocka_unit_test_setup(a_peer_key_of_small_order_never_connects, set_up),
        cmocka_unit_test_setup(keys_are_wiped_when_a_session_ends, set_up),
        cmocka_unit_test_setup(gives_the_bytes_of_its_vector, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
