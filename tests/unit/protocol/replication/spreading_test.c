/* Goal: what is durable goes out, to those who are in step whole, to others as a notice; nothing is
 * acknowledged before it is durable; who is behind asks, and who is asked answers (gossip,
 * catchup). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "protocol/contents/case_record.h"
#include "protocol/contents/mail.h"
#include "protocol/replication/accept.h"
#include "protocol/replication/sync.h"
#include "protocol/state/engine_state.h"
#include "tests/harness/single_said.h"

enum { TWO = 2, THREE = 3, TO_TWO = 1 << TWO, TO_THREE = 1 << THREE };

static int given_a_engine_that_knows_two_members(void **state)
{
    struct single *single = single_new();
    single_introduce(single);
    single_tick(single, 5000);
    single_tick(single, 1);
    single->counts = (struct single_counts){.sent = 0};
    *state = single;
    return 0;
}

static int then_it_ends(void **state)
{
    single_free(*state);
    return 0;
}

static struct scope board_of(const struct single *single)
{
    return scope_board(&single->config.federation, bytes_of_text("hematology"));
}

/* Hospital 1 writes something on the board. */
static void announce(struct single *single, uint8_t number)
{
    struct scope board = board_of(single);
    struct announcement announcement = {.case_id = {{number}},
                                        .specialty = bytes_of_text("hematology"),
                                        .service = ANNOUNCEMENT_CLINICAL_CONSULT,
                                        .reason = ANNOUNCEMENT_SERIOUS,
                                        .question = bytes_of_text("What now?"),
                                        .wanted_count = 2,
                                        .deadline = {FEDERATION_START_MS * 2},
                                        .language = bytes_of_text("en"),
                                        .mode = ANNOUNCEMENT_OPEN};
    single_say(single, &board, KIND_ANNOUNCEMENT, &announcement);
}

/* Hospital `who` writes records `first` to `last` of its board stream, and sends the one frame. */
static void send_records(struct single *single, uint32_t who, uint64_t last)
{
    static uint8_t memory[FRAME_SIZE_MAX];
    struct scope board = board_of(single);
    struct record_header header = single_header(single, who, &board);
    struct buffer frame = buffer_over(memory, sizeof memory);
    frame_records_begin(&frame);
    for (uint64_t i = 1; i <= last; i++)
        assert_true(single_record(single, who, &header, bytes_of_text("anything"), &frame));
    frame_records_end(&frame, (uint16_t)last);
    single_hear(single, who, buffer_bytes(&frame));
}

static void claim(struct single *single, uint32_t who, const struct frame_position *position,
                  enum frame_type type)
{
    uint8_t memory[256];
    struct buffer frame = buffer_over(memory, sizeof memory);
    frame_positions_begin(&frame, type, 1);
    frame_position_write(&frame, position);
    single_hear(single, who, buffer_bytes(&frame));
}

static struct frame_position position_said(const struct single *single, enum frame_type type)
{
    const struct single_said *said = &single->said[type];
    struct frame_position position;
    struct reader reader;
    uint16_t count;
    struct bytes frame = {said->bytes, said->size};
    assert_int_equal(frame_positions_open(frame, &reader, &count), OK);
    assert_int_equal(frame_position_read(&reader, &position), OK);
    return position;
}

/* ---- gossip ---- */

static void a_record_of_ours_goes_once_to_all_who_are_in_step(void **state)
{
    struct single *single = *state;
    announce(single, 1);
    assert_int_equal(single->counts.sent_types[FRAME_RECORDS], 1);
    assert_int_equal(single->said[FRAME_RECORDS].links, TO_TWO | TO_THREE);
    assert_int_equal(single->counts.sent_types[FRAME_STREAMS], 0);
    announce(single, 2);
    assert_int_equal(single->counts.sent_types[FRAME_RECORDS], 2);
}

static void who_is_not_in_step_gets_a_notice_of_where_we_stand(void **state)
{
    struct single *single = *state;
    announce(single, 1);
    struct event event = single_event(single, EVENT_LINK_DOWN);
    event.link.value = THREE;
    single_give(single, &event);
    single_meet(single, THREE); /* nothing is known of it any more */
    single->counts = (struct single_counts){.sent = 0};
    announce(single, 2);
    assert_int_equal(single->said[FRAME_RECORDS].links, TO_TWO);
    assert_int_equal(single->said[FRAME_STREAMS].links, TO_THREE);
    assert_int_equal(position_said(single, FRAME_STREAMS).tail, 2);
}

/* (W-6) */
static void nothing_is_acknowledged_before_it_is_durable(void **state)
{
    struct single *single = *state;
    single->has_no_room = true;
    send_records(single, TWO, 3);
    assert_int_equal(single->counts.checked, 1); /* one signature for the run */
    assert_int_equal(single->counts.sent_types[FRAME_ACK], 0);
    single->has_no_room = false;
    single_tick(single, FULL_RETRY_MS + 1);
    send_records(single, TWO, 3);
    assert_int_equal(single->counts.sent_types[FRAME_ACK], 1);
    assert_int_equal(single->said[FRAME_ACK].links, TO_TWO);
    assert_int_equal(position_said(single, FRAME_ACK).tail, 3);
    assert_int_equal(position_said(single, FRAME_ACK).had, 3);
}

static void what_another_brought_is_acknowledged_to_its_writer_too(void **state)
{
    struct single *single = *state;
    static uint8_t memory[4096];
    struct scope board = board_of(single);
    struct record_header header = single_header(single, TWO, &board);
    struct buffer frame = buffer_over(memory, sizeof memory);
    frame_records_begin(&frame);
    assert_true(single_record(single, TWO, &header, bytes_of_text("anything"), &frame));
    frame_records_end(&frame, 1);
    single_hear(single, THREE, buffer_bytes(&frame));
    assert_int_equal(single->counts.sent_types[FRAME_ACK], 2);
    assert_int_equal(single->said[FRAME_ACK].links, TO_TWO);
}

static void a_report_on_our_stream_is_told_once(void **state)
{
    struct single *single = *state;
    announce(single, 1);
    announce(single, 2);
    struct scope board = board_of(single);
    struct frame_position position = {.stream = engine_own_stream(single->engine, &board),
                                      .had = 1};
    const struct single_record *tail = single_kept(single, &position.stream, 2);
    struct record_claim of_tail;
    assert_int_equal(record_parse((struct bytes){tail->bytes, tail->size}, &of_tail), OK);
    struct reader hint = reader_of(ID_BYTES(of_tail.id));
    position.tail = 2;
    position.tail_hint = reader_u64(&hint);
    claim(single, TWO, &position, FRAME_ACK);
    assert_int_equal(single->counts.acked, 1);
    claim(single, TWO, &position, FRAME_ACK);
    assert_int_equal(single->counts.acked, 1);
    position.had = 2;
    claim(single, TWO, &position, FRAME_ACK);
    assert_int_equal(single->counts.acked, 2);
}

/* ---- catch-up ---- */

static void equal_digests_are_all_that_is_said_after_the_first(void **state)
{
    struct single *single = *state;
    announce(single, 1);
    single_tick(single, SUMMARY_INTERVAL_MS + 1);
    assert_true(single->counts.sent_types[FRAME_SUMMARY] >= 2);
    struct single_said summary = single->said[FRAME_SUMMARY];
    uint32_t who = (summary.links & TO_TWO) != 0 ? TWO : THREE;
    single->counts = (struct single_counts){.sent = 0};
    single_hear(single, who, (struct bytes){summary.bytes, summary.size});
    single_tick(single, 1);
    assert_int_equal(single->counts.sent_types[FRAME_STREAMS], 1); /* (W-30) the first time */
    assert_int_equal(single->said[FRAME_STREAMS].links, 1 << who);
    single->counts = (struct single_counts){.sent = 0};
    single_hear(single, who, (struct bytes){summary.bytes, summary.size});
    single_tick(single, 1);
    assert_int_equal(single->counts.sent_types[FRAME_STREAMS], 0);
    summary.bytes[1] ^= 1;
    single_hear(single, who, (struct bytes){summary.bytes, summary.size});
    single_tick(single, 1);
    assert_true(single->counts.sent_types[FRAME_STREAMS] > 0);
    assert_int_equal(single->said[FRAME_STREAMS].links, 1 << who);
}

static struct frame_position a_longer_stream(const struct single *single)
{
    struct frame_position position = {.tail = 9, .had = 9, .tail_hint = 7};
    position.stream = (struct stream_id){board_of(single), single->hospitals[TWO].node, 1};
    return position;
}

static void who_is_ahead_is_asked_from_where_we_stand(void **state)
{
    struct single *single = *state;
    struct frame_position position = a_longer_stream(single);
    struct frame_want want;
    send_records(single, TWO, 3);
    claim(single, THREE, &position, FRAME_STREAMS);
    const struct single_said *said = &single->said[FRAME_WANT];
    assert_int_equal(single->counts.sent_types[FRAME_WANT], 1);
    assert_int_equal(said->links, TO_THREE);
    assert_int_equal(frame_want_read((struct bytes){said->bytes, said->size}, &want), OK);
    assert_true(stream_id_equal(&want.stream, &position.stream));
    assert_int_equal(want.from, 4);
}

/* Hospital `who` hands over the first record of its board stream, and not its key. */
static void send_keyless(struct single *single, uint32_t who)
{
    static uint8_t whole[8192], keyless[8192];
    struct scope board = board_of(single);
    struct record_header header = single_header(single, who, &board);
    struct buffer from = buffer_over(whole, sizeof whole);
    struct buffer to = buffer_over(keyless, sizeof keyless);
    struct frame_record record;
    struct reader reader;
    uint16_t count;
    frame_records_begin(&from);
    assert_true(single_record(single, who, &header, bytes_of_text("anything"), &from));
    frame_records_end(&from, 1);
    assert_int_equal(frame_records_open(buffer_bytes(&from), &reader, &count), OK);
    assert_int_equal(frame_record_read(&reader, &record), OK);
    record.has_key = false;
    frame_records_begin(&to);
    frame_record_write(&to, &record);
    frame_records_end(&to, 1);
    single_hear(single, who, buffer_bytes(&to));
}

/* Seconds from now on at which the core asks, in so many seconds. */
static size_t asked_at(struct single *single, uint32_t seconds, uint32_t *ret_at,
                       unsigned *ret_links)
{
    size_t count = 0;
    for (uint32_t second = 1; second <= seconds; second++) {
        single->counts = (struct single_counts){.sent = 0};
        single_tick(single, 1000);
        if (single->counts.sent_types[FRAME_WANT] == 0)
            continue;
        ret_links[count] = single->said[FRAME_WANT].links;
        ret_at[count++] = second;
    }
    return count;
}

/* T-23 */
static void a_missing_key_is_asked_for_in_turn_and_ever_more_seldom(void **state)
{
    struct single *single = *state;
    uint32_t at[200];
    unsigned links[200];
    send_keyless(single, TWO);
    size_t count = asked_at(single, 200, at, links);
    assert_true(count > 8);
    for (size_t i = 1; i < count; i++) {
        uint32_t pause = at[i] - at[i - 1];
        assert_int_equal(pause, i < 6 ? 1u << (i - 1) : 30);
        assert_int_not_equal(links[i], links[i - 1]);
    }
}

static void tell_of_access(struct single *single, uint32_t who)
{
    static uint8_t memory[3][4096];
    struct mail_grant_notice notice = {.requester = single->hospitals[who].node,
                                       .grant = {{2}},
                                       .copy = bytes_of_text("x"),
                                       .opening = {{1}}};
    notice.case_id =
        case_record_case_id(&single->config.federation, &notice.requester, &notice.opening);
    struct buffer content = buffer_over(memory[0], sizeof memory[0]);
    struct buffer body = buffer_over(memory[1], sizeof memory[1]);
    struct buffer frame = buffer_over(memory[2], sizeof memory[2]);
    assert_int_equal(mail_grant_notice_write(&notice, &content), OK);
    struct statement statement = {.kind = KIND_GRANT_NOTICE, .content = buffer_bytes(&content)};
    assert_int_equal(statement_write(&statement, &body), OK);
    struct scope mail = scope_mail(&single->config.self);
    struct record_header header = single_header(single, who, &mail);
    frame_records_begin(&frame);
    assert_true(single_record(single, who, &header, buffer_bytes(&body), &frame));
    frame_records_end(&frame, 1);
    single_hear(single, who, buffer_bytes(&frame));
}

static void access_to_a_case_makes_nothing_else_be_asked_for_sooner(void **state)
{
    struct single *single = *state;
    uint32_t at[200];
    unsigned links[200];
    struct engine_status status;
    send_keyless(single, TWO);
    size_t count = asked_at(single, 20, at, links); /* the last at 16 s, the next at 32 s */
    assert_int_equal(at[count - 1], 16);
    tell_of_access(single, THREE);
    engine_status(single->engine, &status);
    assert_int_equal(status.case_count, 1);
    assert_int_equal(asked_at(single, 11, at, links), 0);
    assert_int_equal(asked_at(single, 2, at, links), 1);
}

static void a_want_without_an_answer_is_given_up_in_time(void **state)
{
    struct single *single = *state;
    struct frame_position position = a_longer_stream(single);
    claim(single, THREE, &position, FRAME_STREAMS);
    assert_int_equal(single->counts.sent_types[FRAME_WANT], 1);
    claim(single, TWO, &position, FRAME_STREAMS);
    assert_int_equal(single->counts.sent_types[FRAME_WANT], 1); /* one at a time */
    single_tick(single, WANT_TIMEOUT_MS + 1);
    claim(single, TWO, &position, FRAME_STREAMS);
    assert_int_equal(single->counts.sent_types[FRAME_WANT], 2);
}

static void ask_for(struct single *single, const struct frame_want *want)
{
    uint8_t memory[256];
    struct buffer frame = buffer_over(memory, sizeof memory);
    frame_want_write(&frame, want);
    single_hear(single, THREE, buffer_bytes(&frame));
}

static void a_want_is_answered_with_what_is_here_or_why_not(void **state)
{
    struct single *single = *state;
    struct frame_want want = {.stream = a_longer_stream(single).stream, .from = 2, .count = 64};
    struct reader reader;
    uint16_t count;
    send_records(single, TWO, 5);
    single->counts = (struct single_counts){.sent = 0};
    ask_for(single, &want);
    const struct single_said *said = &single->said[FRAME_RECORDS];
    assert_int_equal(single->counts.sent_types[FRAME_RECORDS], 1);
    assert_int_equal(said->links, TO_THREE);
    assert_int_equal(frame_records_open((struct bytes){said->bytes, said->size}, &reader, &count),
                     OK);
    assert_int_equal(count, 4);
    want.stream.writer = single->hospitals[THREE].node;
    want.from = 7;
    ask_for(single, &want);
    assert_int_equal(single->counts.sent_types[FRAME_RECORDS], 1);
    assert_int_equal(single->counts.sent_types[FRAME_STATUS], 1);
    struct frame_status status;
    said = &single->said[FRAME_STATUS];
    assert_int_equal(frame_status_read((struct bytes){said->bytes, said->size}, &status), OK);
    assert_int_equal(status.answer, FRAME_NOT_HELD);
}

/* (W-7) mail between two others is nobody else's to hear of */
static void a_stream_of_another_scope_is_neither_given_nor_asked_for(void **state)
{
    struct single *single = *state;
    struct scope mail = scope_mail(&single->hospitals[TWO].node);
    struct frame_want want = {.stream = {mail, single->config.self, 1}, .from = 1, .count = 64};
    struct frame_position position = {.stream = {mail, single->hospitals[THREE].node, 1},
                                      .tail = 3};
    single_post(single, &mail, AUDIENCE_SCOPE, bytes_of_text("for hospital 2"));
    assert_int_equal(single->said[FRAME_RECORDS].links, TO_TWO);
    single->counts = (struct single_counts){.sent = 0};
    ask_for(single, &want);
    claim(single, THREE, &position, FRAME_STREAMS);
    assert_int_equal(single->counts.sent_types[FRAME_RECORDS], 0);
    assert_int_equal(single->counts.sent_types[FRAME_WANT], 0);
}

#define SPREADING(test)                                                                            \
    cmocka_unit_test_setup_teardown(test, given_a_engine_that_knows_two_members, then_it_ends)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SPREADING(a_record_of_ours_goes_once_to_all_who_are_in_step),
        SPREADING(who_is_not_in_step_gets_a_notice_of_where_we_stand),
        SPREADING(nothing_is_acknowledged_before_it_is_durable),
        SPREADING(what_another_brought_is_acknowledged_to_its_writer_too),
        SPREADING(a_report_on_our_stream_is_told_once),
        SPREADING(equal_digests_are_all_that_is_said_after_the_first),
        SPREADING(who_is_ahead_is_asked_from_where_we_stand),
        SPREADING(a_missing_key_is_asked_for_in_turn_and_ever_more_seldom),
        SPREADING(access_to_a_case_makes_nothing_else_be_asked_for_sooner),
        SPREADING(a_want_without_an_answer_is_given_up_in_time),
        SPREADING(a_want_is_answered_with_what_is_here_or_why_not),
        SPREADING(a_stream_of_another_scope_is_neither_given_nor_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
