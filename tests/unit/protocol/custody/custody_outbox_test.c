/* Goal: mail for who is off is left with others, who learn the recipient and nothing else, with a
 * key only for who may read; it is withdrawn when it is not due any more (spec/custody.md). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/harness/custody_fixture.h"

static void write_to_three(struct single *single)
{
    struct scope mail = scope_mail(&single->hospitals[THREE].node);
    struct mirror mirror = {.case_id = {{7}}, .what = MIRROR_CLOSED};
    single_say(single, &mail, KIND_MIRROR, &mirror);
}

/* CU-3, CU-4 */
static void mail_for_who_is_off_is_left_and_tells_the_recipient_alone(void **state)
{
    struct single *single = *state;
    leave_link(single, THREE);
    write_to_three(single);
    single_tick(single, 1000);
    single_tick(single, 3000);
    assert_int_equal(single->counts.sent_types[FRAME_CUSTODY_LEAVE], 0); /* it may come back */
    single_tick(single, 3000);
    const struct single_said *said = &single->said[FRAME_CUSTODY_LEAVE];
    struct frame_custody_leave left;
    assert_int_equal(said->links, 1u << TWO);
    assert_int_equal(frame_custody_leave_read((struct bytes){said->bytes, said->size}, &left), OK);
    assert_true(ID_EQUAL(left.recipient, single->hospitals[THREE].node));
    assert_true(
        bytes_equal(left.envelope, (struct bytes){service.envelope, service.envelope_size}));
    assert_int_equal(service.envelope[0], 0xb0); /* sealed to what it published */
    struct record_claim claim;
    assert_true(service.letter.has_key);
    assert_int_equal(record_parse(service.letter.record, &claim), OK);
    assert_int_equal(claim.header.sequence, 1);
    for (size_t i = 0; i + NODE_ID_SIZE <= 1 + HASH_SIZE; i++) /* nothing in front names anybody */
        assert_memory_not_equal(said->bytes + i, single->config.self.bytes, NODE_ID_SIZE);
    single_tick(single, 40000); /* nobody answered: again, under the same name */
    assert_int_equal(single->counts.sent_types[FRAME_CUSTODY_LEAVE], 2);
    struct frame_custody_leave again;
    assert_int_equal(frame_custody_leave_read((struct bytes){said->bytes, said->size}, &again), OK);
    assert_true(ID_EQUAL(left.id, again.id));
}

/* CU-4, CU-5 */
static void who_may_not_read_yet_is_left_headers_and_the_rest_when_it_may(void **state)
{
    struct single *single = *state;
    leave_link(single, THREE);
    write_to_three(single);
    single_tick(single, 1000);
    single_tick(single, 6000);
    assert_int_equal(single->counts.sent_types[FRAME_CUSTODY_LEAVE], 1);
    assert_false(service.letter.has_key);
    assert_int_equal(service.letter.record.size, RECORD_BARE_SIZE);
    single_tick(single, DAYS(4));
    single_tick(single, 20000);
    assert_true(service.letter.has_key);
    assert_true(single->counts.sent_types[FRAME_CUSTODY_WITHDRAW] > 0);
}

/* CU-4, ROSTER-47: as over a link */
static void who_said_a_head_that_is_not_ours_is_left_no_key(void **state)
{
    struct single *single = *state;
    const struct roster *roster = &single->federation.roster;
    uint8_t memory[256];
    struct buffer frame = buffer_over(memory, sizeof memory);
    struct frame_hello hello = {.version_min = FRAME_VERSION,
                                .version_max = FRAME_VERSION,
                                .federation = roster_federation(roster),
                                .epoch = roster_current_head(roster)->epoch,
                                .head = roster_current_id(roster),
                                .time = single_event(single, EVENT_TICK).wall};
    hello.head.bytes[0] ^= 1;
    frame_hello_write(&frame, &hello);
    single_hear(single, THREE, buffer_bytes(&frame));
    leave_link(single, THREE);
    write_to_three(single);
    single_tick(single, 1000);
    single_tick(single, 6000);
    assert_int_equal(single->counts.sent_types[FRAME_CUSTODY_LEAVE], 1);
    assert_false(service.letter.has_key);
    assert_int_equal(service.letter.record.size, RECORD_BARE_SIZE);
}

static void say_held(struct single *single)
{
    uint8_t memory[64];
    struct buffer out = buffer_over(memory, sizeof memory);
    struct frame_custody_leave left;
    const struct single_said *said = &single->said[FRAME_CUSTODY_LEAVE];
    assert_int_equal(frame_custody_leave_read((struct bytes){said->bytes, said->size}, &left), OK);
    frame_custody_answer_write(&out, &(struct frame_custody_answer){left.id, FRAME_CUSTODY_HELD});
    single_hear(single, TWO, buffer_bytes(&out));
}

static void left_with_two(struct single *single)
{
    leave_link(single, THREE);
    write_to_three(single);
    single_tick(single, 1000);
    single_tick(single, 6000);
    say_held(single);
    single_tick(single, 40000);
    assert_int_equal(single->counts.sent_types[FRAME_CUSTODY_LEAVE], 1);
    assert_int_equal(single->counts.sent_types[FRAME_CUSTODY_WITHDRAW], 0);
}

/* CU-5 */
static void what_was_reported_is_withdrawn(void **state)
{
    struct single *single = *state;
    uint8_t memory[256];
    struct buffer out = buffer_over(memory, sizeof memory);
    struct frame_position position = {
        .stream = {scope_mail(&single->hospitals[THREE].node), single->config.self, 1},
        .tail = 1,
        .had = 1};
    left_with_two(single);
    single_meet(single, THREE);
    frame_positions_begin(&out, FRAME_ACK, 1);
    frame_position_write(&out, &position);
    single_hear(single, THREE, buffer_bytes(&out));
    single_tick(single, 1000);
    assert_int_equal(single->counts.sent_types[FRAME_CUSTODY_WITHDRAW], 1);
    assert_int_equal(single->said[FRAME_CUSTODY_WITHDRAW].links, 1u << TWO);
    single_tick(single, DAYS(2));
    assert_int_equal(single->counts.sent_types[FRAME_CUSTODY_LEAVE], 1);
}

/* CU-5: who must not have it any more */
static void who_is_suspended_meanwhile_finds_nothing(void **state)
{
    struct single *single = *state;
    left_with_two(single);
    struct member three = federation_member(THREE, 1);
    three.state = MEMBER_SUSPENDED;
    three.state_since_epoch = 2;
    federation_put_member(&single->federation, &three);
    take_head(single);
    single_tick(single, 2000);
    assert_int_equal(single->counts.sent_types[FRAME_CUSTODY_WITHDRAW], 1);
    assert_int_equal(single->counts.sent_types[FRAME_CUSTODY_LEAVE], 1);
}

/* CU-11 */
static void a_report_counts_by_its_reporters_signature_alone(void **state)
{
    struct single *single = *state;
    uint8_t memory[512];
    struct signature signature;
    struct frame_position position = {
        .stream = {scope_mail(&single->hospitals[THREE].node), single->config.self, 1},
        .tail = 1,
        .had = 1};
    left_with_two(single);
    for (int is_good = 0; is_good < 2; is_good++) {
        struct buffer letter = buffer_over(memory, sizeof memory);
        sealed_message_report_begin(&letter, &single->config.federation,
                                    &single->hospitals[THREE].node, 1);
        frame_position_write(&letter, &position);
        hash_sign(CONTEXT_CUSTODY_REPORT,
                  (struct bytes){memory + SEALED_MESSAGE_SIGNED_AT,
                                 letter.size - SEALED_MESSAGE_SIGNED_AT},
                  single->hospitals[is_good ? THREE : TWO].sign_secret, &signature);
        memcpy(memory + 1, signature.bytes, SIGNATURE_SIZE);
        assert_int_equal(collects(single), 1);
        give_envelope(single, 5, buffer_bytes(&letter));
        assert_int_equal(single->counts.acked, is_good);
        assert_int_equal(single->counts.sent_types[FRAME_CUSTODY_TAKEN], 1);
        single_tick(single, 1000);
        assert_int_equal(single->counts.sent_types[FRAME_CUSTODY_WITHDRAW], is_good);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CUSTODY(mail_for_who_is_off_is_left_and_tells_the_recipient_alone),
        cmocka_unit_test_setup_teardown(
            who_may_not_read_yet_is_left_headers_and_the_rest_when_it_may,
            given_a_engine_that_others_joined_just_now, then_it_ends),
        CUSTODY(who_said_a_head_that_is_not_ours_is_left_no_key),
        CUSTODY(what_was_reported_is_withdrawn),
        CUSTODY(who_is_suspended_meanwhile_finds_nothing),
        CUSTODY(a_report_counts_by_its_reporters_signature_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
