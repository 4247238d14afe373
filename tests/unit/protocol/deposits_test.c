/* Goal: mail for who is off is left with others, who learn the recipient and nothing else, with a
 * key only for who may read; it is withdrawn when it is not due any more (spec/custody.md). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/protocol/custody_room.h"

static void write_to_three(struct lone *lone)
{
    struct scope mail = scope_mail(&lone->hospitals[THREE].node);
    struct mirror mirror = {.case_id = {{7}}, .what = MIRROR_CLOSED};
    lone_say(lone, &mail, KIND_MIRROR, &mirror);
}

/* CU-3, CU-4 */
static void mail_for_who_is_off_is_left_and_tells_the_recipient_alone(void **state)
{
    struct lone *lone = *state;
    leave_link(lone, THREE);
    write_to_three(lone);
    lone_tick(lone, 1000);
    lone_tick(lone, 3000);
    assert_int_equal(lone->counts.sent_types[FRAME_CUSTODY_LEAVE], 0); /* it may come back */
    lone_tick(lone, 3000);
    const struct lone_said *said = &lone->said[FRAME_CUSTODY_LEAVE];
    struct frame_custody_leave left;
    assert_int_equal(said->links, 1u << TWO);
    assert_int_equal(frame_custody_leave_read((struct bytes){said->bytes, said->size}, &left), OK);
    assert_true(ID_EQUAL(left.recipient, lone->hospitals[THREE].node));
    assert_true(bytes_equal(left.envelope, (struct bytes){desk.envelope, desk.envelope_size}));
    assert_int_equal(desk.envelope[0], 0xb0); /* sealed to what it published */
    struct record_claim claim;
    assert_true(desk.letter.has_key);
    assert_int_equal(record_parse(desk.letter.record, &claim), OK);
    assert_int_equal(claim.header.sequence, 1);
    for (size_t i = 0; i + NODE_ID_SIZE <= 1 + HASH_SIZE; i++) /* nothing in front names anybody */
        assert_memory_not_equal(said->bytes + i, lone->config.self.bytes, NODE_ID_SIZE);
    lone_tick(lone, 40000); /* nobody answered: again, under the same name */
    assert_int_equal(lone->counts.sent_types[FRAME_CUSTODY_LEAVE], 2);
    struct frame_custody_leave again;
    assert_int_equal(frame_custody_leave_read((struct bytes){said->bytes, said->size}, &again), OK);
    assert_true(ID_EQUAL(left.id, again.id));
}

/* CU-4, CU-5 */
static void who_may_not_read_yet_is_left_headers_and_the_rest_when_it_may(void **state)
{
    struct lone *lone = *state;
    leave_link(lone, THREE);
    write_to_three(lone);
    lone_tick(lone, 1000);
    lone_tick(lone, 6000);
    assert_int_equal(lone->counts.sent_types[FRAME_CUSTODY_LEAVE], 1);
    assert_false(desk.letter.has_key);
    assert_int_equal(desk.letter.record.size, RECORD_BARE_SIZE);
    lone_tick(lone, DAYS(4));
    lone_tick(lone, 20000);
    assert_true(desk.letter.has_key);
    assert_true(lone->counts.sent_types[FRAME_CUSTODY_WITHDRAW] > 0);
}

/* CU-4, ROSTER-47: as over a link */
static void who_said_a_head_that_is_not_ours_is_left_no_key(void **state)
{
    struct lone *lone = *state;
    const struct roster *roster = &lone->federation.roster;
    uint8_t memory[256];
    struct buffer frame = buffer_over(memory, sizeof memory);
    struct frame_hello hello = {.version_min = FRAME_VERSION,
                                .version_max = FRAME_VERSION,
                                .federation = roster_federation(roster),
                                .epoch = roster_current_head(roster)->epoch,
                                .head = roster_current_id(roster),
                                .time = lone_event(lone, EVENT_TICK).wall};
    hello.head.bytes[0] ^= 1;
    frame_hello_write(&frame, &hello);
    lone_hear(lone, THREE, buffer_bytes(&frame));
    leave_link(lone, THREE);
    write_to_three(lone);
    lone_tick(lone, 1000);
    lone_tick(lone, 6000);
    assert_int_equal(lone->counts.sent_types[FRAME_CUSTODY_LEAVE], 1);
    assert_false(desk.letter.has_key);
    assert_int_equal(desk.letter.record.size, RECORD_BARE_SIZE);
}

static void say_held(struct lone *lone)
{
    uint8_t memory[64];
    struct buffer out = buffer_over(memory, sizeof memory);
    struct frame_custody_leave left;
    const struct lone_said *said = &lone->said[FRAME_CUSTODY_LEAVE];
    assert_int_equal(frame_custody_leave_read((struct bytes){said->bytes, said->size}, &left), OK);
    frame_custody_answer_write(&out, &(struct frame_custody_answer){left.id, FRAME_CUSTODY_HELD});
    lone_hear(lone, TWO, buffer_bytes(&out));
}

static void left_with_two(struct lone *lone)
{
    leave_link(lone, THREE);
    write_to_three(lone);
    lone_tick(lone, 1000);
    lone_tick(lone, 6000);
    say_held(lone);
    lone_tick(lone, 40000);
    assert_int_equal(lone->counts.sent_types[FRAME_CUSTODY_LEAVE], 1);
    assert_int_equal(lone->counts.sent_types[FRAME_CUSTODY_WITHDRAW], 0);
}

/* CU-5 */
static void what_was_reported_is_withdrawn(void **state)
{
    struct lone *lone = *state;
    uint8_t memory[256];
    struct buffer out = buffer_over(memory, sizeof memory);
    struct frame_position position = {
        .stream = {scope_mail(&lone->hospitals[THREE].node), lone->config.self, 1},
        .tail = 1,
        .had = 1};
    left_with_two(lone);
    lone_meet(lone, THREE);
    frame_positions_begin(&out, FRAME_ACK, 1);
    frame_position_write(&out, &position);
    lone_hear(lone, THREE, buffer_bytes(&out));
    lone_tick(lone, 1000);
    assert_int_equal(lone->counts.sent_types[FRAME_CUSTODY_WITHDRAW], 1);
    assert_int_equal(lone->said[FRAME_CUSTODY_WITHDRAW].links, 1u << TWO);
    lone_tick(lone, DAYS(2));
    assert_int_equal(lone->counts.sent_types[FRAME_CUSTODY_LEAVE], 1);
}

/* CU-5: who must not have it any more */
static void who_is_suspended_meanwhile_finds_nothing(void **state)
{
    struct lone *lone = *state;
    left_with_two(lone);
    struct member three = federation_member(THREE, 1);
    three.state = MEMBER_SUSPENDED;
    three.state_since_epoch = 2;
    federation_put_member(&lone->federation, &three);
    take_head(lone);
    lone_tick(lone, 2000);
    assert_int_equal(lone->counts.sent_types[FRAME_CUSTODY_WITHDRAW], 1);
    assert_int_equal(lone->counts.sent_types[FRAME_CUSTODY_LEAVE], 1);
}

/* CU-11 */
static void a_report_counts_by_its_reporters_signature_alone(void **state)
{
    struct lone *lone = *state;
    uint8_t memory[512];
    struct signature signature;
    struct frame_position position = {
        .stream = {scope_mail(&lone->hospitals[THREE].node), lone->config.self, 1},
        .tail = 1,
        .had = 1};
    left_with_two(lone);
    for (int is_good = 0; is_good < 2; is_good++) {
        struct buffer letter = buffer_over(memory, sizeof memory);
        letter_report_begin(&letter, &lone->config.federation, &lone->hospitals[THREE].node, 1);
        frame_position_write(&letter, &position);
        hash_sign(CONTEXT_CUSTODY_REPORT,
                  (struct bytes){memory + LETTER_SIGNED_AT, letter.size - LETTER_SIGNED_AT},
                  lone->hospitals[is_good ? THREE : TWO].sign_secret, &signature);
        memcpy(memory + 1, signature.bytes, SIGNATURE_SIZE);
        assert_int_equal(collects(lone), 1);
        give_envelope(lone, 5, buffer_bytes(&letter));
        assert_int_equal(lone->counts.acked, is_good);
        assert_int_equal(lone->counts.sent_types[FRAME_CUSTODY_TAKEN], 1);
        lone_tick(lone, 1000);
        assert_int_equal(lone->counts.sent_types[FRAME_CUSTODY_WITHDRAW], is_good);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CUSTODY(mail_for_who_is_off_is_left_and_tells_the_recipient_alone),
        cmocka_unit_test_setup_teardown(
            who_may_not_read_yet_is_left_headers_and_the_rest_when_it_may,
            given_a_core_that_others_joined_just_now, then_it_ends),
        CUSTODY(who_said_a_head_that_is_not_ours_is_left_no_key),
        CUSTODY(what_was_reported_is_withdrawn),
        CUSTODY(who_is_suspended_meanwhile_finds_nothing),
        CUSTODY(a_report_counts_by_its_reporters_signature_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
