/* Goal: what comes out of an envelope goes through the one door, and is taken when it is durable;
 * secrets of mailboxes end in time (spec/custody.md). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/protocol/custody_room.h"

/* The n-th mail of hospital three to us, as it would lie in an envelope. */
static struct buffer mail_of_three(struct lone *lone, uint64_t count)
{
    static uint8_t frames[ROOM], letter[ROOM];
    struct scope mail = scope_mail(&lone->config.self);
    struct record_header header = lone_header(lone, THREE, &mail);
    struct buffer out = buffer_over(letter, sizeof letter);
    struct frame_record record;
    for (uint64_t i = 1; i <= count; i++) {
        struct reader reader;
        uint16_t one;
        struct buffer frame = buffer_over(frames, sizeof frames);
        frame_records_begin(&frame);
        assert_true(lone_record(lone, THREE, &header, bytes_of_text("said"), &frame));
        frame_records_end(&frame, 1);
        assert_int_equal(frame_records_open(buffer_bytes(&frame), &reader, &one), OK);
        assert_int_equal(frame_record_read(&reader, &record), OK);
    }
    letter_record_write(&out, &record);
    return out;
}

/* CU-9, CU-10 */
static void what_an_envelope_holds_is_kept_and_then_taken(void **state)
{
    struct lone *lone = *state;
    size_t before = lone->kept_count;
    assert_int_equal(collects(lone), 1);
    struct buffer letter = mail_of_three(lone, 1);
    lone->has_no_room = true;
    give_envelope(lone, 5, buffer_bytes(&letter));
    assert_int_equal(lone->counts.sent_types[FRAME_CUSTODY_TAKEN], 0);
    assert_int_equal(lone->kept_count, before);
    lone->has_no_room = false;
    assert_int_equal(collects(lone), 1);
    give_envelope(lone, 5, buffer_bytes(&letter));
    assert_int_equal(lone->kept_count, before + 1);
    assert_int_equal(lone->counts.sent_types[FRAME_CUSTODY_TAKEN], 1);
    assert_int_equal(lone->counts.sent_types[FRAME_WANT], 0);
    give_envelope(lone, 6, buffer_bytes(&letter)); /* another copy of it */
    assert_int_equal(lone->kept_count, before + 1);
    assert_int_equal(lone->counts.sent_types[FRAME_CUSTODY_TAKEN], 2);
}

static void who_gives_without_end_is_not_heard_to_the_end(void **state)
{
    struct lone *lone = *state;
    assert_int_equal(collects(lone), 1);
    for (uint64_t number = 1; number <= 1000; number++)
        give_envelope(lone, number, bytes_of_text("x"));
    assert_in_range(lone->counts.sent_types[FRAME_CUSTODY_COLLECT], 200, 300);
}

static void what_comes_before_its_time_stays_there(void **state)
{
    struct lone *lone = *state;
    size_t before = lone->kept_count;
    assert_int_equal(collects(lone), 1);
    struct buffer letter = mail_of_three(lone, 2);
    give_envelope(lone, 5, buffer_bytes(&letter));
    assert_int_equal(lone->kept_count, before);
    assert_int_equal(lone->counts.sent_types[FRAME_CUSTODY_TAKEN], 0);
    assert_int_equal(lone->counts.sent_types[FRAME_WANT], 0); /* the custodian learns no stream */
    assert_int_equal(lone->counts.sent_types[FRAME_CUSTODY_COLLECT], 2); /* on to the next one */
}

static void what_its_writer_did_not_sign_is_forgotten(void **state)
{
    struct lone *lone = *state;
    size_t before = lone->kept_count;
    assert_int_equal(collects(lone), 1);
    struct buffer letter = mail_of_three(lone, 1);
    letter.data[2 + KEY_SIZE + RECORD_HEADER_SIZE] ^= 1; /* in the signature */
    give_envelope(lone, 5, buffer_bytes(&letter));
    assert_int_equal(lone->kept_count, before);
    assert_int_equal(lone->counts.sent_types[FRAME_CUSTODY_TAKEN], 1);
    letter = mail_of_three(lone, 1); /* the good one is not shut out by it */
    give_envelope(lone, 6, buffer_bytes(&letter));
    assert_int_equal(lone->kept_count, before + 1);
    assert_int_equal(lone->counts.sent_types[FRAME_CUSTODY_TAKEN], 2);
    desk.has_lost_secret = true;
    give_envelope(lone, 7, buffer_bytes(&letter));
    assert_int_equal(lone->counts.sent_types[FRAME_CUSTODY_TAKEN], 3);
}

/* ---- keys ---- */

/* CU-1, CU-2 */
static void a_mailbox_key_is_published_and_its_secret_destroyed_in_time(void **state)
{
    struct lone *lone = *state;
    struct stream_id own = {scope_federation(), lone->config.self, 1};
    assert_int_equal(desk.made_count, 1);
    assert_non_null(lone_kept(lone, &own, 1));
    desk.keeps = ERR_FULL;
    lone_tick(lone, DAYS(MAILBOX_REPLACE_DAY));
    assert_int_equal(desk.made_count, 2);
    assert_null(lone_kept(lone, &own, 2)); /* its secret is not durable */
    desk.keeps = OK;
    lone_tick(lone, 6000);
    assert_int_equal(desk.made_count, 3);
    lone_tick(lone, 6000);
    assert_non_null(lone_kept(lone, &own, 2));
    lone_tick(lone, DAYS(MAILBOX_KEEP_DAY) - 60000);
    assert_int_equal(desk.forgotten, 0);
    lone_tick(lone, 120000);
    assert_int_equal(desk.forgotten, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CUSTODY(what_an_envelope_holds_is_kept_and_then_taken),
        CUSTODY(who_gives_without_end_is_not_heard_to_the_end),
        CUSTODY(what_comes_before_its_time_stays_there),
        CUSTODY(what_its_writer_did_not_sign_is_forgotten),
        CUSTODY(a_mailbox_key_is_published_and_its_secret_destroyed_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
