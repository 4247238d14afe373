/* Goal: what comes out of an envelope goes through the one door, and is taken when it is durable;
 * secrets of mailboxes end in time (spec/custody.md). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/harness/custody_fixture.h"

/* The n-th mail of hospital three to us, as it would lie in an envelope. */
static struct buffer mail_of_three(struct single *single, uint64_t count)
{
    static uint8_t frames[ROOM], letter[ROOM];
    struct scope mail = scope_mail(&single->config.self);
    struct record_header header = single_header(single, THREE, &mail);
    struct buffer out = buffer_over(letter, sizeof letter);
    struct frame_record record;
    for (uint64_t i = 1; i <= count; i++) {
        struct reader reader;
        uint16_t one;
        struct buffer frame = buffer_over(frames, sizeof frames);
        frame_records_begin(&frame);
        assert_true(single_record(single, THREE, &header, bytes_of_text("said"), &frame));
        frame_records_end(&frame, 1);
        assert_int_equal(frame_records_open(buffer_bytes(&frame), &reader, &one), OK);
        assert_int_equal(frame_record_read(&reader, &record), OK);
    }
    sealed_message_record_write(&out, &record);
    return out;
}

/* CU-9, CU-10 */
static void what_an_envelope_holds_is_kept_and_then_taken(void **state)
{
    struct single *single = *state;
    size_t before = single->kept_count;
    assert_int_equal(collects(single), 1);
    struct buffer letter = mail_of_three(single, 1);
    single->has_no_room = true;
    give_envelope(single, 5, buffer_bytes(&letter));
    assert_int_equal(single->counts.sent_types[FRAME_CUSTODY_TAKEN], 0);
    assert_int_equal(single->kept_count, before);
    single->has_no_room = false;
    assert_int_equal(collects(single), 1);
    give_envelope(single, 5, buffer_bytes(&letter));
    assert_int_equal(single->kept_count, before + 1);
    assert_int_equal(single->counts.sent_types[FRAME_CUSTODY_TAKEN], 1);
    assert_int_equal(single->counts.sent_types[FRAME_WANT], 0);
    give_envelope(single, 6, buffer_bytes(&letter)); /* another copy of it */
    assert_int_equal(single->kept_count, before + 1);
    assert_int_equal(single->counts.sent_types[FRAME_CUSTODY_TAKEN], 2);
}

static void who_gives_without_end_is_not_heard_to_the_end(void **state)
{
    struct single *single = *state;
    assert_int_equal(collects(single), 1);
    for (uint64_t number = 1; number <= 1000; number++)
        give_envelope(single, number, bytes_of_text("x"));
    assert_in_range(single->counts.sent_types[FRAME_CUSTODY_COLLECT], 200, 300);
}

static void what_comes_before_its_time_stays_there(void **state)
{
    struct single *single = *state;
    size_t before = single->kept_count;
    assert_int_equal(collects(single), 1);
    struct buffer letter = mail_of_three(single, 2);
    give_envelope(single, 5, buffer_bytes(&letter));
    assert_int_equal(single->kept_count, before);
    assert_int_equal(single->counts.sent_types[FRAME_CUSTODY_TAKEN], 0);
    assert_int_equal(single->counts.sent_types[FRAME_WANT], 0); /* the custodian learns no stream */
    assert_int_equal(single->counts.sent_types[FRAME_CUSTODY_COLLECT], 2); /* on to the next one */
}

static void what_its_writer_did_not_sign_is_forgotten(void **state)
{
    struct single *single = *state;
    size_t before = single->kept_count;
    assert_int_equal(collects(single), 1);
    struct buffer letter = mail_of_three(single, 1);
    letter.data[2 + KEY_SIZE + RECORD_HEADER_SIZE] ^= 1; /* in the signature */
    give_envelope(single, 5, buffer_bytes(&letter));
    assert_int_equal(single->kept_count, before);
    assert_int_equal(single->counts.sent_types[FRAME_CUSTODY_TAKEN], 1);
    letter = mail_of_three(single, 1); /* the good one is not shut out by it */
    give_envelope(single, 6, buffer_bytes(&letter));
    assert_int_equal(single->kept_count, before + 1);
    assert_int_equal(single->counts.sent_types[FRAME_CUSTODY_TAKEN], 2);
    service.has_lost_secret = true;
    give_envelope(single, 7, buffer_bytes(&letter));
    assert_int_equal(single->counts.sent_types[FRAME_CUSTODY_TAKEN], 3);
}

/* ---- keys ---- */

/* CU-1, CU-2 */
static void a_mailbox_key_is_published_and_its_secret_destroyed_in_time(void **state)
{
    struct single *single = *state;
    struct stream_id own = {scope_federation(), single->config.self, 1};
    assert_int_equal(service.made_count, 1);
    assert_non_null(single_kept(single, &own, 1));
    service.keeps = ERR_FULL;
    single_tick(single, DAYS(MAILBOX_REPLACE_DAY));
    assert_int_equal(service.made_count, 2);
    assert_null(single_kept(single, &own, 2)); /* its secret is not durable */
    service.keeps = OK;
    single_tick(single, 6000);
    assert_int_equal(service.made_count, 3);
    single_tick(single, 6000);
    assert_non_null(single_kept(single, &own, 2));
    single_tick(single, DAYS(MAILBOX_KEEP_DAY) - 60000);
    assert_int_equal(service.forgotten, 0);
    single_tick(single, 120000);
    assert_int_equal(service.forgotten, 1);
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
