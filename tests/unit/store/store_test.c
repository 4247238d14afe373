/* Goal: what was put comes back, exactly, after a reopening too; a batch happens whole or not at
 * all; and each refusal has the name that the header gives it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/store/fixture.h"

static uint8_t memory[STORE_RECORD_SIZE_MAX];

static int setup(void **state)
{
    struct fixture *fixture = fixture_new();
    fixture_open(fixture);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    fixture_free(*state);
    return 0;
}

static void check_record(const struct store_record *record, uint64_t sequence, size_t body_size)
{
    assert_int_equal(record->sequence, sequence);
    assert_int_equal(record->head.size, FIXTURE_HEAD_SIZE);
    assert_int_equal(record->head.data[0], sequence % 251);
    assert_int_equal(record->body.size, body_size);
    if (body_size > 0) {
        assert_int_equal(record->body.data[body_size - 1], sequence % 241);
        assert_ptr_equal(record->head.data + record->head.size, record->body.data);
    }
}

static void a_record_comes_back_by_position_id_and_number_after_a_reopening(void **state)
{
    struct fixture *fixture = *state;
    struct stream_id stream = fixture_stream(1, 1);
    struct fixture_record put;
    uint64_t number;
    fixture_record(&put, stream, 5, 700);
    put.op.put.stream_state = bytes_of_text("state of the stream");
    assert_int_equal(store_commit(fixture->store, &put.op, 1, STORE_NORMAL, &number), OK);
    assert_int_equal(number, 1);
    fixture_close(fixture);
    fixture_open(fixture);

    struct store_record record;
    assert_int_equal(record_table_get(fixture->store, &stream, 5, memory, &record), OK);
    check_record(&record, 5, 700);
    assert_int_equal(record.flags, 5);
    assert_true(record.has_key && record.has_body && !record.destroyed);
    assert_memory_equal(record.key.bytes, put.key.bytes, KEY_SIZE);
    assert_int_equal(record_table_find(fixture->store, &put.id, memory, &record), OK);
    check_record(&record, 5, 700);
    assert_int_equal(record_table_nth(fixture->store, 1, memory, &record), OK);
    check_record(&record, 5, 700);
    assert_true(record_table_has(fixture->store, &put.id));

    struct store_stream_row row;
    assert_int_equal(stream_table_get(fixture->store, &stream, &row), OK);
    assert_true(stream_id_equal(&row.stream, &stream));
    assert_memory_equal(row.state, "state of the stream", row.state_size);

    assert_int_equal(record_table_get(fixture->store, &stream, 6, memory, &record), ERR_NOT_FOUND);
    struct stream_id other = fixture_stream(1, 2);
    assert_int_equal(record_table_get(fixture->store, &other, 5, memory, &record), ERR_NOT_FOUND);
    assert_int_equal(record_table_nth(fixture->store, 2, memory, &record), ERR_NOT_FOUND);
}

static void a_position_is_taken_once(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(fixture_put(fixture, fixture_stream(1, 1), 1), OK);
    assert_int_equal(fixture_put(fixture, fixture_stream(1, 1), 1), ERR_DUPLICATE);
    assert_int_equal(fixture_put(fixture, fixture_stream(1, 2), 1), OK);
}

static err put_on(struct fixture *fixture, uint64_t sequence)
{
    uint8_t bytes[8];
    struct buffer state = buffer_over(bytes, sizeof bytes);
    struct fixture_record record;
    fixture_record(&record, fixture_stream(1, 1), sequence, 200);
    buffer_u64(&state, sequence);
    record.op.put.stream_state = buffer_bytes(&state);
    record.op.put.continues = true;
    return store_commit(fixture->store, &record.op, 1, STORE_NORMAL, NULL);
}

static void what_continues_a_stream_stands_behind_its_end_also_after_a_reopening(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(put_on(fixture, 2), ERR_OUT_OF_ORDER);
    assert_int_equal(put_on(fixture, 1), OK);
    assert_int_equal(put_on(fixture, 3), ERR_OUT_OF_ORDER);
    assert_int_equal(put_on(fixture, 1), ERR_OUT_OF_ORDER);
    fixture_close(fixture);
    fixture_open(fixture);
    assert_int_equal(put_on(fixture, 3), ERR_OUT_OF_ORDER);
    assert_int_equal(put_on(fixture, 2), OK);
    assert_int_equal(put_on(fixture, 3), OK);
}

static void numbers_go_up_over_reopenings_and_are_never_given_twice(void **state)
{
    struct fixture *fixture = *state;
    struct stream_id stream = fixture_stream(1, 1);
    struct store_record record;
    for (uint64_t i = 1; i <= 3; i += 1) {
        assert_int_equal(fixture_put(fixture, stream, i), OK);
    }
    assert_int_equal(fixture_position(fixture, STORE_DROP, stream, 3), OK);
    fixture_close(fixture);
    fixture_open(fixture);
    assert_int_equal(fixture_put(fixture, stream, 4), OK);
    assert_int_equal(record_table_get(fixture->store, &stream, 4, memory, &record), OK);
    assert_int_equal(record.number, 4);
}

static void a_drop_and_a_put_in_one_batch_keep_the_order_of_arrival(void **state)
{
    struct fixture *fixture = *state;
    struct stream_id stream = fixture_stream(1, 1);
    struct fixture_record put;
    uint64_t numbers[2];
    for (uint64_t i = 1; i <= 3; i += 1) {
        assert_int_equal(fixture_put(fixture, stream, i), OK);
    }
    fixture_record(&put, stream, 4, 50);
    struct store_op ops[2] = {{.kind = STORE_DROP, .position = {.stream = &stream, .sequence = 3}},
                              put.op};
    assert_int_equal(store_commit(fixture->store, ops, 2, STORE_NORMAL, numbers), OK);
    assert_int_equal(numbers[1], 4);
    struct store_record record;
    assert_int_equal(record_table_get(fixture->store, &stream, 3, memory, &record), ERR_NOT_FOUND);
    assert_int_equal(record_table_get(fixture->store, &stream, 4, memory, &record), OK);
    uint64_t last;
    assert_int_equal(store_verify(fixture->store, 0, 100, &last), OK);
    assert_int_equal(last, 4);
}

static void a_range_and_a_scope_come_in_pages(void **state)
{
    struct fixture *fixture = *state;
    struct stream_id a = fixture_stream(1, 1);
    struct stream_id b = fixture_stream(1, 2);
    struct stream_id c = fixture_stream(2, 1);
    for (uint64_t i = 1; i <= 20; i += 1) {
        assert_int_equal(fixture_put(fixture, a, i), OK);
        assert_int_equal(fixture_put(fixture, c, i), OK);
        assert_int_equal(fixture_put(fixture, b, i), OK);
    }
    struct store_record records[8];
    struct store_page page = {
        .records = records, .record_max = 8, .memory = memory, .memory_size = sizeof memory};
    uint64_t next = 3;
    while (next <= 20) {
        assert_int_equal(record_table_range(fixture->store, &a, next, &page), OK);
        assert_true(page.record_count > 0);
        for (size_t i = 0; i < page.record_count; i += 1) {
            check_record(&records[i], next, 200);
            next += 1;
        }
    }
    assert_int_equal(record_table_range(fixture->store, &a, 21, &page), OK);
    assert_int_equal(page.record_count, 0);

    uint64_t number = 0;
    size_t count = 0;
    do {
        assert_int_equal(record_table_scope(fixture->store, &a.scope, number, &page), OK);
        for (size_t i = 0; i < page.record_count; i += 1) {
            assert_true(records[i].number > number);
            assert_int_equal(records[i].id.bytes[0], 1);
            number = records[i].number;
        }
        count += page.record_count;
    } while (page.record_count > 0);
    assert_int_equal(count, 40);

    count = 0;
    number = 0;
    do {
        assert_int_equal(record_table_all(fixture->store, number, &page), OK);
        count += page.record_count;
        number += page.record_count;
    } while (page.record_count > 0);
    assert_int_equal(count, 60);
}

static void a_page_ends_where_its_memory_does(void **state)
{
    struct fixture *fixture = *state;
    struct stream_id a = fixture_stream(1, 1);
    for (uint64_t i = 1; i <= 4; i += 1) {
        assert_int_equal(fixture_put(fixture, a, i), OK);
    }
    struct store_record records[8];
    struct store_page page = {.records = records,
                              .record_max = 8,
                              .memory = memory,
                              .memory_size = 2 * (FIXTURE_HEAD_SIZE + 200) + 100};
    assert_int_equal(record_table_range(fixture->store, &a, 1, &page), OK);
    assert_int_equal(page.record_count, 2);
    page.memory_size = 100;
    assert_int_equal(record_table_range(fixture->store, &a, 1, &page), ERR_TOO_LARGE);
}

static void a_failed_op_undoes_its_whole_batch_and_no_other(void **state)
{
    struct fixture *fixture = *state;
    struct stream_id stream = fixture_stream(1, 1);
    struct stream_id fresh = fixture_stream(3, 3);
    struct fixture_record put[3];
    struct store_op ops[3];
    assert_int_equal(fixture_put(fixture, stream, 7), OK);
    fixture_record(&put[0], fresh, 1, 100);
    fixture_record(&put[1], stream, 7, 100);
    fixture_record(&put[2], stream, 8, 100);
    for (size_t i = 0; i < 3; i += 1) {
        ops[i] = put[i].op;
    }
    assert_int_equal(store_commit(fixture->store, ops, 3, STORE_NORMAL, NULL), ERR_DUPLICATE);
    struct store_record record;
    struct store_stream_row row;
    assert_int_equal(record_table_get(fixture->store, &fresh, 1, memory, &record), ERR_NOT_FOUND);
    assert_int_equal(stream_table_get(fixture->store, &fresh, &row), ERR_NOT_FOUND);
    assert_int_equal(record_table_get(fixture->store, &stream, 8, memory, &record), ERR_NOT_FOUND);
    uint64_t number;
    assert_int_equal(store_commit(fixture->store, &ops[0], 1, STORE_NORMAL, &number), OK);
    assert_int_equal(number, 2);
}

struct results {
    size_t count;
    uint64_t tokens[16];
    err results[16];
    size_t op_failed[16];
};

static void on_done(void *arg, const struct store_done *done)
{
    struct results *results = arg;
    assert_true(results->count < 16);
    results->tokens[results->count] = done->token;
    results->results[results->count] = done->result;
    results->op_failed[results->count] = done->op_failed;
    results->count += 1;
}

static void results_come_in_order_each_once(void **state)
{
    struct fixture *fixture = *state;
    struct stream_id stream = fixture_stream(1, 1);
    struct results results = {.count = 0};
    for (uint64_t i = 1; i <= 8; i += 1) {
        struct fixture_record put[2];
        fixture_record(&put[0], stream, i, 100);
        fixture_record(&put[1], stream, i == 5 ? 4 : 100 + i, 100); /* the fifth batch fails */
        struct store_op ops[2] = {put[0].op, put[1].op};
        assert_int_equal(store_submit(fixture->store, ops, 2, STORE_NORMAL, 1000 + i), OK);
    }
    struct store_op last = {.kind = STORE_ROW_DELETE,
                            .row = {.table = STORE_TABLE_META, .key = bytes_of_text("x")}};
    assert_int_equal(store_commit(fixture->store, &last, 1, STORE_NORMAL, NULL), OK);
    assert_int_equal(store_drain(fixture->store, on_done, &results), 8);
    for (size_t i = 0; i < 8; i += 1) {
        assert_int_equal(results.tokens[i], 1001 + i);
        assert_int_equal(results.results[i], i == 4 ? ERR_DUPLICATE : OK);
        assert_int_equal(results.op_failed[i], i == 4 ? 1 : 0);
    }
    assert_int_equal(store_drain(fixture->store, on_done, &results), 0);
    for (uint64_t i = 1; i <= 8; i += 1) { /* nothing of the fifth slipped in with the others */
        struct store_record record;
        assert_int_equal(record_table_get(fixture->store, &stream, i, memory, &record),
                         i == 5 ? ERR_NOT_FOUND : OK);
    }
}

static void a_bare_record_is_filled_once_and_keeps_what_it_has(void **state)
{
    struct fixture *fixture = *state;
    struct stream_id stream = fixture_stream(1, 1);
    struct fixture_record put;
    struct store_record record;
    fixture_record(&put, stream, 1, 300);
    struct store_op bare = put.op;
    bare.put.body = BYTES_NONE;
    bare.put.key = NULL;
    bare.put.flags = 0xf0;
    assert_int_equal(store_commit(fixture->store, &bare, 1, STORE_NORMAL, NULL), OK);
    assert_int_equal(record_table_get(fixture->store, &stream, 1, memory, &record), OK);
    assert_true(!record.has_body && !record.has_key);

    struct store_op fill = {.kind = STORE_FILL};
    fill.fill = (struct store_fill){.stream = &stream,
                                    .sequence = 1,
                                    .body = {put.body, 300},
                                    .key = &put.key,
                                    .flags = 0x0f,
                                    .flags_mask = 0x1f};
    assert_int_equal(store_commit(fixture->store, &fill, 1, STORE_NORMAL, NULL), OK);
    assert_int_equal(record_table_get(fixture->store, &stream, 1, memory, &record), OK);
    check_record(&record, 1, 300);
    assert_true(record.has_key);
    assert_int_equal(record.flags, 0xef);

    uint8_t other[300] = {0};
    uint8_t head[FIXTURE_HEAD_SIZE];
    memset(head, 77, sizeof head);
    fill.fill.body.data = other;
    fill.fill.head = (struct bytes){head, sizeof head};
    assert_int_equal(store_commit(fixture->store, &fill, 1, STORE_NORMAL, NULL), OK);
    assert_int_equal(record_table_get(fixture->store, &stream, 1, memory, &record), OK);
    assert_int_equal(record.head.data[100], 77);
    assert_int_equal(record.body.data[0], 1);

    fill.fill.head.size = 10;
    assert_int_equal(store_commit(fixture->store, &fill, 1, STORE_NORMAL, NULL), ERR_INVALID);
    fill.fill.sequence = 2;
    assert_int_equal(store_commit(fixture->store, &fill, 1, STORE_NORMAL, NULL), ERR_NOT_FOUND);
}

static void flags_change_under_their_mask_only(void **state)
{
    struct fixture *fixture = *state;
    struct stream_id stream = fixture_stream(1, 1);
    struct store_record record;
    assert_int_equal(fixture_put(fixture, stream, 0x33), OK);
    struct store_op op = {.kind = STORE_FLAG, .position = {&stream, 0x33, 0xffffffff, 0x0c}};
    assert_int_equal(store_commit(fixture->store, &op, 1, STORE_NORMAL, NULL), OK);
    assert_int_equal(record_table_get(fixture->store, &stream, 0x33, memory, &record), OK);
    assert_int_equal(record.flags, 0x3f);
    assert_true(record.has_key);
}

static bool collect(void *arg, const struct store_row *row)
{
    struct buffer *buffer = arg;
    buffer_put(buffer, row->key.data, row->key.size);
    buffer_put(buffer, "=", 1);
    buffer_put(buffer, row->value.data, row->value.size);
    buffer_put(buffer, ";", 1);
    return true;
}

static void rows_are_put_replaced_deleted_and_scanned_by_table(void **state)
{
    struct fixture *fixture = *state;
    uint8_t out[256];
    struct buffer buffer = buffer_over(out, sizeof out);
    assert_int_equal(fixture_row(fixture, STORE_TABLE_META, "a", "old"), OK);
    assert_int_equal(fixture_row(fixture, STORE_TABLE_META, "a", "newer"), OK);
    assert_int_equal(fixture_row(fixture, STORE_TABLE_CASE, "a", "case"), OK);
    assert_int_equal(row_table_get(fixture->store, STORE_TABLE_META, bytes_of_text("a"), &buffer),
                     OK);
    assert_memory_equal(out, "newer", 5);
    assert_int_equal(row_table_get(fixture->store, STORE_TABLE_META, bytes_of_text("b"), &buffer),
                     ERR_NOT_FOUND);
    struct buffer small = buffer_over(out, 4);
    assert_int_equal(row_table_get(fixture->store, STORE_TABLE_META, bytes_of_text("a"), &small),
                     ERR_TOO_LARGE);
    buffer.size = 0;
    assert_int_equal(row_table_scan(fixture->store, STORE_TABLE_META, collect, &buffer), OK);
    assert_int_equal(buffer.size, 8);
    assert_memory_equal(out, "a=newer;", 8);
    struct store_op op = {.kind = STORE_ROW_DELETE,
                          .row = {.table = STORE_TABLE_META, .key = bytes_of_text("a")}};
    assert_int_equal(store_commit(fixture->store, &op, 1, STORE_NORMAL, NULL), OK);
    assert_int_equal(store_commit(fixture->store, &op, 1, STORE_NORMAL, NULL), OK);
    buffer.size = 0;
    assert_int_equal(row_table_scan(fixture->store, STORE_TABLE_META, collect, &buffer), OK);
    assert_int_equal(buffer.size, 0);
}

static bool count_ordered(void *arg, const struct store_row *row)
{
    uint64_t *next = arg;
    struct reader reader = reader_of(row->key);
    assert_int_equal(reader_u64(&reader), *next);
    assert_int_equal(row->value.size, 3000);
    *next += 3;
    return *next < 3 * 900;
}

static void an_ordered_table_is_scanned_in_order_over_many_pages(void **state)
{
    struct fixture *fixture = *state;
    static uint8_t value[3000];
    for (uint64_t i = 1000; i > 0; i -= 1) {
        uint8_t key[8];
        struct buffer buffer = buffer_over(key, sizeof key);
        buffer_u64(&buffer, (i - 1) * 3);
        struct store_op op = {.kind = STORE_ROW_PUT,
                              .row = {STORE_TABLE_HELD, {key, 8}, {value, sizeof value}}};
        err result = i == 1 ? store_commit(fixture->store, &op, 1, STORE_NORMAL, NULL)
                            : store_submit(fixture->store, &op, 1, STORE_NORMAL, 0);
        assert_int_equal(result, OK);
    }
    uint64_t next = 0;
    assert_int_equal(row_table_scan(fixture->store, STORE_TABLE_HELD, count_ordered, &next), OK);
    assert_int_equal(next, 3 * 900);
    assert_int_equal(fixture_row(fixture, STORE_TABLE_HELD, "not8", "x"), ERR_INVALID);
}

static bool check_audit(void *arg, const struct store_audit *entry)
{
    uint64_t *next = arg;
    assert_int_equal(entry->number, *next);
    assert_memory_equal(entry->entry.data, "entry", entry->entry.size);
    *next += 1;
    return true;
}

static void audit_entries_only_go_up(void **state)
{
    struct fixture *fixture = *state;
    for (uint64_t i = 1; i <= 5; i += 1) {
        struct store_op op = {.kind = STORE_AUDIT, .audit = {i, bytes_of_text("entry")}};
        assert_int_equal(store_commit(fixture->store, &op, 1, STORE_NORMAL, NULL), OK);
        assert_int_equal(store_commit(fixture->store, &op, 1, STORE_NORMAL, NULL),
                         ERR_OUT_OF_ORDER);
    }
    fixture_close(fixture);
    fixture_open(fixture);
    struct store_op op = {.kind = STORE_AUDIT, .audit = {5, bytes_of_text("entry")}};
    assert_int_equal(store_commit(fixture->store, &op, 1, STORE_NORMAL, NULL), ERR_OUT_OF_ORDER);
    uint64_t next = 3;
    assert_int_equal(row_table_audit(fixture->store, 3, check_audit, &next), OK);
    assert_int_equal(next, 6);
}

static bool count_stream(void *arg, const struct store_stream_row *row)
{
    size_t *seen = arg;
    seen[row->stream.writer.bytes[0]] += 1;
    assert_int_equal(row->state_size, 1);
    assert_int_equal(row->state[0], row->stream.writer.bytes[0]);
    return true;
}

static void every_stream_is_scanned_once(void **state)
{
    struct fixture *fixture = *state;
    size_t seen[256] = {0};
    struct stream_id streams[256];
    struct store_op ops[512];
    uint8_t bytes[256];
    for (size_t i = 0; i < 512; i += 1) {
        bytes[i % 256] = (uint8_t)i;
        streams[i % 256] = fixture_stream(9, (uint8_t)i);
        ops[i] = (struct store_op){
            .kind = STORE_STREAM,
            .stream = {.stream = &streams[i % 256], .state = {&bytes[i % 256], 1}}};
        ops[i].stream.stream = &streams[i % 256];
    }
    assert_int_equal(store_commit(fixture->store, ops, 512, STORE_NORMAL, NULL), OK);
    assert_int_equal(stream_table_scan(fixture->store, count_stream, seen), OK);
    for (size_t i = 0; i < 256; i += 1) {
        assert_int_equal(seen[i], 1);
    }
}

static void ops_beyond_their_limits_are_refused_before_they_are_queued(void **state)
{
    struct fixture *fixture = *state;
    struct stream_id stream = fixture_stream(1, 1);
    struct fixture_record put;
    static uint8_t large[STORE_ROW_SIZE_MAX + 1];
    fixture_record(&put, stream, 1, 10);
    put.op.put.body = (struct bytes){large, STORE_RECORD_SIZE_MAX - FIXTURE_HEAD_SIZE + 1};
    assert_int_equal(store_submit(fixture->store, &put.op, 1, STORE_NORMAL, 0), ERR_TOO_LARGE);
    put.op.put.body.size -= 1;
    assert_int_equal(store_commit(fixture->store, &put.op, 1, STORE_NORMAL, NULL), OK);
    struct store_record record;
    assert_int_equal(record_table_get(fixture->store, &stream, 1, memory, &record), OK);
    assert_int_equal(record.head.size + record.body.size, STORE_RECORD_SIZE_MAX);
    struct store_op row = {.kind = STORE_ROW_PUT,
                           .row = {STORE_TABLE_META, {large, 1}, {large, sizeof large}}};
    assert_int_equal(store_submit(fixture->store, &row, 1, STORE_NORMAL, 0), ERR_TOO_LARGE);
    row.row.value.size -= 1;
    assert_int_equal(store_commit(fixture->store, &row, 1, STORE_NORMAL, NULL), OK);
    row.row.table = (enum store_table)99;
    assert_int_equal(store_submit(fixture->store, &row, 1, STORE_NORMAL, 0), ERR_INVALID);
    row.row.table = (enum store_table)103; /* tombstones have an op of their own */
    assert_int_equal(store_submit(fixture->store, &row, 1, STORE_NORMAL, 0), ERR_INVALID);
    assert_int_equal(store_submit(fixture->store, &row, 0, STORE_NORMAL, 0), ERR_INVALID);
}

static void a_full_queue_says_busy_and_loses_nothing(void **state)
{
    struct fixture *fixture = *state;
    static uint8_t value[STORE_ROW_SIZE_MAX];
    size_t accepted = 0;
    err result = OK;
    while (result == OK && accepted < 100000) {
        uint8_t key[8];
        struct buffer buffer = buffer_over(key, sizeof key);
        buffer_u64(&buffer, accepted % 50);
        struct store_op op = {.kind = STORE_ROW_PUT,
                              .row = {STORE_TABLE_META, {key, 8}, {value, sizeof value}}};
        result = store_submit(fixture->store, &op, 1, STORE_NORMAL, accepted);
        accepted += result == OK ? 1 : 0;
    }
    assert_int_equal(result, ERR_BUSY);
    fixture_close(fixture); /* finishes what waits */
    fixture_open(fixture);
    uint8_t key[8] = {0};
    static uint8_t out[STORE_ROW_SIZE_MAX];
    struct buffer buffer = buffer_over(out, sizeof out);
    key[7] = (uint8_t)((accepted - 1) % 50);
    assert_int_equal(
        row_table_get(fixture->store, STORE_TABLE_META, (struct bytes){key, 8}, &buffer), OK);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_record_comes_back_by_position_id_and_number_after_a_reopening),
        TEST(a_position_is_taken_once),
        TEST(what_continues_a_stream_stands_behind_its_end_also_after_a_reopening),
        TEST(numbers_go_up_over_reopenings_and_are_never_given_twice),
        TEST(a_drop_and_a_put_in_one_batch_keep_the_order_of_arrival),
        TEST(a_range_and_a_scope_come_in_pages),
        TEST(a_page_ends_where_its_memory_does),
        TEST(a_failed_op_undoes_its_whole_batch_and_no_other),
        TEST(results_come_in_order_each_once),
        TEST(a_bare_record_is_filled_once_and_keeps_what_it_has),
        TEST(flags_change_under_their_mask_only),
        TEST(rows_are_put_replaced_deleted_and_scanned_by_table),
        TEST(an_ordered_table_is_scanned_in_order_over_many_pages),
        TEST(audit_entries_only_go_up),
        TEST(every_stream_is_scanned_once),
        TEST(ops_beyond_their_limits_are_refused_before_they_are_queued),
        TEST(a_full_queue_says_busy_and_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
