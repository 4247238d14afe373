/* Frames between members: the whole shape is judged before anything of it counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/wire/frame_custody.h"

static uint8_t memory[FRAME_SIZE_MAX];
static uint8_t record_bytes[RECORD_SIZE_MAX];

static struct stream_id a_stream(void)
{
    return (struct stream_id){scope_federation(), {{9}}, 3};
}

static struct buffer fresh(void)
{
    return buffer_over(memory, sizeof memory);
}

/* Whether the whole frame can be read, whatever it is. */
static err read_any(struct bytes frame)
{
    union {
        struct frame_hello hello;
        struct frame_heads_want heads_want;
        struct frame_summary summary;
        struct frame_want want;
        struct frame_status status;
        struct frame_item_want item_want;
        struct frame_item_chunk item_chunk;
        struct frame_item_status item_status;
        struct frame_custody_leave leave;
        struct frame_custody_answer answer;
        struct frame_custody_envelope envelope;
        uint64_t number;
        struct bytes part;
    } u;
    struct reader reader;
    uint16_t count;
    switch ((enum frame_type)frame.data[0]) {
    case FRAME_HELLO:
        return frame_hello_read(frame, &u.hello);
    case FRAME_HEADS_WANT:
        return frame_heads_want_read(frame, &u.heads_want);
    case FRAME_HEADS:
        return frame_heads_open(frame, &reader);
    case FRAME_ROSTER_PART:
        return frame_roster_part_read(frame, &u.part);
    case FRAME_SUMMARY:
        return frame_summary_read(frame, &u.summary);
    case FRAME_STREAMS:
    case FRAME_ACK:
        return frame_positions_open(frame, &reader, &count);
    case FRAME_WANT:
        return frame_want_read(frame, &u.want);
    case FRAME_RECORDS:
        return frame_records_open(frame, &reader, &count);
    case FRAME_STATUS:
        return frame_status_read(frame, &u.status);
    case FRAME_ITEM_WANT:
        return frame_item_want_read(frame, &u.item_want);
    case FRAME_ITEM_CHUNK:
        return frame_item_chunk_read(frame, &u.item_chunk);
    case FRAME_ITEM_STATUS:
        return frame_item_status_read(frame, &u.item_status);
    case FRAME_CUSTODY_LEAVE:
        return frame_custody_leave_read(frame, &u.leave);
    case FRAME_CUSTODY_ANSWER:
        return frame_custody_answer_read(frame, &u.answer);
    case FRAME_CUSTODY_WITHDRAW:
        return frame_custody_withdraw_read(frame, &u.part);
    case FRAME_CUSTODY_COLLECT:
        return frame_custody_collect_read(frame, &u.number);
    case FRAME_CUSTODY_ENVELOPE:
        return frame_custody_envelope_read(frame, &u.envelope);
    case FRAME_CUSTODY_TAKEN:
        return frame_custody_taken_read(frame, &u.number);
    }
    return ERR_UNSUPPORTED;
}

static void write_item(enum frame_type type, struct buffer *out)
{
    struct frame_item_want item_want = {{{1}}, {{2}}, 3, 4};
    struct frame_item_chunk chunk = {{{1}}, {{2}}, 3, {record_bytes, 64}, {record_bytes, 100}};
    struct frame_item_status item_status = {{{1}}, {{2}}, 3, FRAME_NOT_HELD};
    if (type == FRAME_ITEM_WANT)
        frame_item_want_write(out, &item_want);
    else if (type == FRAME_ITEM_CHUNK)
        frame_item_chunk_write(out, &chunk);
    else
        frame_item_status_write(out, &item_status);
}

static void write_custody(enum frame_type type, struct buffer *out)
{
    struct deposit_id ids[] = {{{1}}, {{2}}};
    struct bytes envelope = {record_bytes, 100};
    if (type == FRAME_CUSTODY_LEAVE)
        frame_custody_leave_write(out, &(struct frame_custody_leave){ids[0], {{3}}, envelope});
    else if (type == FRAME_CUSTODY_ANSWER)
        frame_custody_answer_write(out,
                                   &(struct frame_custody_answer){ids[0], FRAME_CUSTODY_REFUSED});
    else if (type == FRAME_CUSTODY_WITHDRAW)
        frame_custody_withdraw_write(out, ids, 2);
    else if (type == FRAME_CUSTODY_COLLECT)
        frame_custody_collect_write(out, 7);
    else if (type == FRAME_CUSTODY_ENVELOPE)
        frame_custody_envelope_write(out, &(struct frame_custody_envelope){8, envelope});
    else
        frame_custody_taken_write(out, 8);
}

static void write_records(struct buffer *out)
{
    struct frame_record record = {true, {{5}}, {record_bytes, RECORD_BARE_SIZE + 50}};
    frame_records_begin(out);
    frame_record_write(out, &record);
    record.has_key = false;
    frame_record_write(out, &record);
    frame_records_end(out, 2);
}

static struct buffer one_of(enum frame_type type)
{
    struct buffer out = fresh();
    struct frame_hello hello = {1, 1, {{1}}, 7, {{2}}, {1700000000000}};
    struct frame_summary summary = {{{3}}, 12};
    struct frame_position position = {.stream = a_stream(), .tail = 9, .had = 8};
    struct frame_want want = {a_stream(), 4, 6};
    struct frame_status status = {a_stream(), 4, FRAME_BUSY, {{2}}};
    switch (type) {
    case FRAME_HELLO:
        frame_hello_write(&out, &hello);
        break;
    case FRAME_HEADS_WANT:
        frame_heads_want_write(&out, &(struct frame_heads_want){7, {{2}}});
        break;
    case FRAME_HEADS:
        frame_heads_begin(&out);
        assert_true(frame_head_write(&out, (struct bytes){record_bytes, 200}));
        assert_true(frame_head_write(&out, (struct bytes){record_bytes, 300}));
        break;
    case FRAME_ROSTER_PART:
        frame_roster_part_write(&out, (struct bytes){record_bytes, 20});
        break;
    case FRAME_SUMMARY:
        frame_summary_write(&out, &summary);
        break;
    case FRAME_STREAMS:
    case FRAME_ACK:
        frame_positions_begin(&out, type, 2);
        frame_position_write(&out, &position);
        frame_position_write(&out, &position);
        break;
    case FRAME_WANT:
        frame_want_write(&out, &want);
        break;
    case FRAME_RECORDS:
        write_records(&out);
        break;
    case FRAME_STATUS:
        frame_status_write(&out, &status);
        break;
    case FRAME_ITEM_WANT:
    case FRAME_ITEM_CHUNK:
    case FRAME_ITEM_STATUS:
    case FRAME_CUSTODY_LEAVE:
    case FRAME_CUSTODY_ANSWER:
    case FRAME_CUSTODY_WITHDRAW:
    case FRAME_CUSTODY_COLLECT:
    case FRAME_CUSTODY_ENVELOPE:
    case FRAME_CUSTODY_TAKEN:
        if (type < FRAME_CUSTODY_LEAVE)
            write_item(type, &out);
        else
            write_custody(type, &out);
        break;
    }
    assert_false(out.failed);
    return out;
}

enum { TYPE_FIRST = FRAME_HELLO, TYPE_LAST = FRAME_TYPE_LAST };

/* W-2 */
static void no_truncation_is_read(void **state)
{
    (void)state;
    for (int type = TYPE_FIRST; type <= TYPE_LAST; type++) {
        struct buffer out = one_of((enum frame_type)type);
        assert_int_equal(read_any(buffer_bytes(&out)), OK);
        for (size_t size = 1; size < out.size; size++) {
            /* its last field runs to the end, so a shorter one is another frame */
            if (type == FRAME_ITEM_CHUNK && size > 1 + 64 + 5 + 64)
                break;
            if (type == FRAME_ROSTER_PART && size > 1)
                break;
            if (type == FRAME_CUSTODY_LEAVE && size > 1 + 32 + 16)
                break;
            if (type == FRAME_CUSTODY_ENVELOPE && size > 1 + 8)
                break;
            assert_int_not_equal(read_any((struct bytes){out.data, size}), OK);
        }
    }
}

/* W-2, W-4 */
static void bytes_left_over_are_refused_but_in_a_hello(void **state)
{
    (void)state;
    for (int type = TYPE_FIRST; type <= TYPE_LAST; type++) {
        struct buffer out = one_of((enum frame_type)type);
        buffer_u8(&out, 0);
        bool is_open = type == FRAME_HELLO || type == FRAME_ITEM_CHUNK ||
                       type == FRAME_ROSTER_PART || type == FRAME_CUSTODY_LEAVE ||
                       type == FRAME_CUSTODY_ENVELOPE;
        assert_int_equal(read_any(buffer_bytes(&out)) == OK, is_open);
    }
}

static void a_count_says_what_is_there(void **state)
{
    (void)state;
    const enum frame_type lists[] = {FRAME_STREAMS, FRAME_ACK, FRAME_RECORDS, FRAME_HEADS};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        size_t at = lists[i] == FRAME_HEADS ? 1 : 2;
        for (uint8_t count = 0; count < 5; count++) {
            struct buffer out = one_of(lists[i]);
            out.data[at] = count;
            assert_int_equal(read_any(buffer_bytes(&out)) == OK, count == 2);
        }
    }
}

/* One bad element spoils all: nothing before it may have counted. */
static void a_bad_element_behind_a_good_one_spoils_the_frame(void **state)
{
    (void)state;
    struct buffer out = one_of(FRAME_STREAMS);
    out.data[3 + FRAME_POSITION_SIZE] = 77; /* the scope kind of the second */
    assert_int_equal(read_any(buffer_bytes(&out)), ERR_MALFORMED);
    out = one_of(FRAME_STREAMS);
    out.data[3 + FRAME_POSITION_SIZE + STREAM_ID_SIZE + 15] = 200; /* had over tail */
    assert_int_equal(read_any(buffer_bytes(&out)), ERR_MALFORMED);
    out = one_of(FRAME_RECORDS);
    out.data[3 + 1 + KEY_SIZE + 4 + RECORD_BARE_SIZE + 50] = 2; /* flags of the second */
    assert_int_equal(read_any(buffer_bytes(&out)), ERR_MALFORMED);
}

static void what_was_written_is_read(void **state)
{
    (void)state;
    struct reader reader;
    uint16_t count;
    struct frame_record record;
    struct buffer out = one_of(FRAME_RECORDS);
    assert_int_equal(frame_records_open(buffer_bytes(&out), &reader, &count), OK);
    assert_int_equal(count, 2);
    assert_int_equal(frame_record_read(&reader, &record), OK);
    assert_true(record.has_key);
    assert_int_equal(record.key.bytes[0], 5);
    assert_int_equal(record.record.size, RECORD_BARE_SIZE + 50);
    assert_int_equal(frame_record_read(&reader, &record), OK);
    assert_false(record.has_key);

    struct frame_status status;
    out = one_of(FRAME_STATUS);
    assert_int_equal(frame_status_read(buffer_bytes(&out), &status), OK);
    assert_int_equal(status.answer, FRAME_BUSY);
    assert_int_equal(status.sequence, 4);

    struct bytes head;
    out = one_of(FRAME_HEADS);
    assert_int_equal(frame_heads_open(buffer_bytes(&out), &reader), OK);
    assert_int_equal(frame_head_read(&reader, &head), OK);
    assert_int_equal(head.size, 200);
    assert_int_equal(frame_head_read(&reader, &head), OK);
    assert_int_equal(frame_head_read(&reader, &head), ERR_NOT_FOUND);
}

static void a_want_asks_for_something(void **state)
{
    (void)state;
    struct frame_want want = {a_stream(), 0, 6};
    struct buffer out = fresh();
    frame_want_write(&out, &want);
    assert_int_equal(read_any(buffer_bytes(&out)), ERR_MALFORMED);
    want = (struct frame_want){a_stream(), 4, 0};
    out = fresh();
    frame_want_write(&out, &want);
    assert_int_equal(read_any(buffer_bytes(&out)), ERR_MALFORMED);
}

static void a_hello_of_another_version_is_told_apart(void **state)
{
    (void)state;
    struct frame_hello hello;
    struct buffer out = one_of(FRAME_HELLO);
    out.data[1] = 2;
    out.data[2] = 3;
    assert_int_equal(frame_hello_read(buffer_bytes(&out), &hello), ERR_VERSION);
    out.data[1] = 1;
    assert_int_equal(frame_hello_read(buffer_bytes(&out), &hello), OK);
}

/* W-1: the largest record, chunk and page of each kind fit. */
static void the_largest_of_each_fits(void **state)
{
    (void)state;
    struct frame_record record = {true, {{5}}, {record_bytes, RECORD_SIZE_MAX}};
    struct buffer out = fresh();
    frame_records_begin(&out);
    frame_record_write(&out, &record);
    frame_records_end(&out, 1);
    assert_false(out.failed);
    assert_int_equal(read_any(buffer_bytes(&out)), OK);

    struct frame_position position = {.stream = a_stream(), .tail = 9, .had = 8};
    out = fresh();
    frame_positions_begin(&out, FRAME_STREAMS, FRAME_POSITION_COUNT_MAX);
    for (int i = 0; i < FRAME_POSITION_COUNT_MAX; i++)
        frame_position_write(&out, &position);
    assert_false(out.failed);
    assert_int_equal(read_any(buffer_bytes(&out)), OK);

    struct frame_item_chunk chunk = {{{1}},
                                     {{2}},
                                     3,
                                     {record_bytes, FRAME_PROOF_COUNT_MAX * HASH_SIZE},
                                     {record_bytes, CHUNK_SIZE_MAX}};
    out = fresh();
    frame_item_chunk_write(&out, &chunk);
    assert_false(out.failed);
    assert_int_equal(read_any(buffer_bytes(&out)), OK);
}

static void heads_stop_at_what_a_frame_holds(void **state)
{
    (void)state;
    struct buffer out = fresh();
    int count = 0;
    frame_heads_begin(&out);
    while (frame_head_write(&out, (struct bytes){record_bytes, HEAD_SIZE_MAX}))
        count++;
    assert_in_range(count, 10, FRAME_HEAD_COUNT_MAX);
    assert_int_equal(read_any(buffer_bytes(&out)), OK);
    out = fresh();
    frame_heads_begin(&out);
    for (count = 0; frame_head_write(&out, (struct bytes){record_bytes, 10}); count++)
        continue;
    assert_int_equal(count, FRAME_HEAD_COUNT_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_truncation_is_read),
        cmocka_unit_test(bytes_left_over_are_refused_but_in_a_hello),
        cmocka_unit_test(a_count_says_what_is_there),
        cmocka_unit_test(a_bad_element_behind_a_good_one_spoils_the_frame),
        cmocka_unit_test(what_was_written_is_read),
        cmocka_unit_test(a_want_asks_for_something),
        cmocka_unit_test(a_hello_of_another_version_is_told_apart),
        cmocka_unit_test(the_largest_of_each_fits),
        cmocka_unit_test(heads_stop_at_what_a_frame_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
