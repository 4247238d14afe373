/* Goal: a record is found by its id and by its position wherever their indexes stand: in memory, in
 * the tables, on the way from one to the other, and after the memory was lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/wait.h>

#include "store/disk/index_buffer.h"
#include "tests/unit/store/fixture.h"

/* enough that a whole generation is merged, and the next in part */
enum {
    STREAM_COUNT = 50,
    BATCH = 2000,
    BATCH_COUNT = 9 * INDEX_BUFFER_GENERATION / 4 / BATCH,
    LENGTH = BATCH_COUNT * BATCH / STREAM_COUNT,
    DROPPED = 1000,
    DROP_EVERY = 5,
    PAGE = 300,
};

static uint8_t memory[STORE_RECORD_SIZE_MAX];

static err put_one(struct fixture *fixture, struct stream_id stream, uint64_t sequence)
{
    struct fixture_record put;
    fixture_record(&put, stream, sequence, 4);
    return store_commit(fixture->store, &put.op, 1, STORE_NORMAL, NULL);
}

/* Positions of stream 3 that are dropped: some from the tables, some from memory. */
static bool is_dropped(uint8_t writer, uint64_t sequence)
{
    return writer == 3 && sequence % DROP_EVERY == 0 && sequence / DROP_EVERY <= DROPPED;
}

static err put_batch(struct fixture *fixture, uint64_t batch)
{
    static struct fixture_record put[BATCH];
    static struct store_op ops[BATCH];
    for (uint64_t i = 0; i < BATCH; i += 1) {
        uint64_t n = batch * BATCH + i;
        struct stream_id stream = fixture_stream(1, (uint8_t)(n % STREAM_COUNT));
        fixture_record(&put[i], stream, n / STREAM_COUNT + 1, 4);
        ops[i] = put[i].op;
        ops[i].put.head.size = 8;
    }
    return store_commit(fixture->store, ops, BATCH, STORE_NORMAL, NULL);
}

/* Every position once, in order, whatever page it comes in. */
static void check_stream(struct fixture *fixture, uint8_t writer, uint64_t length)
{
    static struct store_record records[PAGE];
    struct stream_id stream = fixture_stream(1, writer);
    struct store_page page = {
        .records = records, .record_max = PAGE, .memory = memory, .memory_size = sizeof memory};
    uint64_t sequence = 1;
    do {
        assert_int_equal(record_table_range(fixture->store, &stream, sequence, &page), OK);
        for (size_t i = 0; i < page.record_count; i += 1) {
            assert_int_equal(records[i].sequence, sequence);
            sequence += 1;
        }
    } while (page.record_count > 0);
    assert_int_equal(sequence, length + 1);
}

static void check_found(struct fixture *fixture, uint8_t writer, uint64_t sequence, err expected)
{
    struct fixture_record put;
    struct store_record record;
    fixture_record(&put, fixture_stream(1, writer), sequence, 4);
    assert_int_equal(record_table_find(fixture->store, &put.id, memory, &record), expected);
    assert_int_equal(record_table_has(fixture->store, &put.id), expected == OK);
    if (expected == OK) {
        assert_int_equal(record.sequence, sequence);
    }
    assert_int_equal(record_table_get(fixture->store, &put.stream, sequence, memory, &record),
                     expected);
    if (expected == OK) {
        assert_int_equal(record.sequence, sequence);
    }
}

static void check_some(struct fixture *fixture, uint64_t length)
{
    for (uint64_t sequence = 1; sequence <= length + 1; sequence += 37) {
        uint8_t writer = (uint8_t)(sequence % STREAM_COUNT);
        bool is_here = sequence <= length && !is_dropped(writer, sequence);
        check_found(fixture, writer, sequence, is_here ? OK : ERR_NOT_FOUND);
    }
    for (uint64_t sequence = 1; sequence <= length; sequence += 11) {
        check_found(fixture, 3, sequence, is_dropped(3, sequence) ? ERR_NOT_FOUND : OK);
    }
}

static void run_child(struct fixture *fixture)
{
    static struct store_op drops[DROPPED];
    struct stream_id stream = fixture_stream(1, 3);
    if (store_open(fixture->path, fixture->master, &fixture->options, fixture->problem,
                   &fixture->store) != OK) {
        _exit(1);
    }
    for (uint64_t batch = 0; batch < BATCH_COUNT; batch += 1) {
        if (put_batch(fixture, batch) != OK) {
            _exit(2);
        }
        if (batch % 20 == 0) {
            check_stream(fixture, (uint8_t)(batch % STREAM_COUNT),
                         (batch + 1) * BATCH / STREAM_COUNT);
        }
    }
    for (uint64_t i = 0; i < DROPPED; i += 1) {
        drops[i] = (struct store_op){
            .kind = STORE_DROP, .position = {.stream = &stream, .sequence = (i + 1) * DROP_EVERY}};
    }
    if (store_commit(fixture->store, drops, DROPPED, STORE_NORMAL, NULL) != OK) {
        _exit(3);
    }
    check_some(fixture, LENGTH);
    _exit(0); /* the memory is lost */
}

static void records_are_found_before_and_after_the_memory_is_lost(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_new();
    int status;
    fixture->options.quota = (uint64_t)1 << 30;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        run_child(fixture);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    fixture->options.verify = true; /* every record is found by its id and its position */
    fixture_open(fixture);
    check_some(fixture, LENGTH);
    check_stream(fixture, 0, LENGTH);
    check_stream(fixture, STREAM_COUNT - 1, LENGTH);
    assert_int_equal(put_one(fixture, fixture_stream(1, 7), LENGTH), ERR_DUPLICATE);
    assert_int_equal(put_one(fixture, fixture_stream(1, 7), LENGTH + 1), OK);
    check_stream(fixture, 7, LENGTH + 1);
    fixture_close(fixture); /* all of it goes to the tables */
    fixture->options.verify = false;
    fixture_open(fixture);
    check_some(fixture, LENGTH);
    check_stream(fixture, 7, LENGTH + 1);
    assert_int_equal(put_one(fixture, fixture_stream(1, 7), 1), ERR_DUPLICATE);
    assert_int_equal(put_one(fixture, fixture_stream(1, 7), LENGTH + 1), ERR_DUPLICATE);
    fixture_free(fixture);
}

static void positions_may_come_in_any_order(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_new();
    struct stream_id stream = fixture_stream(1, 1);
    struct fixture_record put[4];
    struct store_op ops[4];
    fixture_open(fixture);
    assert_int_equal(put_one(fixture, stream, 3), OK);
    assert_int_equal(put_one(fixture, stream, 5), OK);
    const uint64_t order[4] = {6, 2, 4, 1};
    for (size_t i = 0; i < 4; i += 1) {
        fixture_record(&put[i], stream, order[i], 4);
        ops[i] = put[i].op;
    }
    assert_int_equal(store_commit(fixture->store, ops, 4, STORE_NORMAL, NULL), OK);
    check_stream(fixture, 1, 6);
    for (uint64_t sequence = 1; sequence <= 6; sequence += 1) {
        assert_int_equal(put_one(fixture, stream, sequence), ERR_DUPLICATE);
    }
    fixture_close(fixture);
    fixture_open(fixture);
    assert_int_equal(put_one(fixture, stream, 7), OK); /* the others are in the table now */
    check_stream(fixture, 1, 7);
    fixture_free(fixture);
}

static void one_batch_may_put_drop_and_put_again(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_new();
    struct stream_id stream = fixture_stream(1, 1);
    struct fixture_record put[2];
    struct store_op drop = {.kind = STORE_DROP, .position = {.stream = &stream, .sequence = 2}};
    fixture_open(fixture);
    assert_int_equal(put_one(fixture, stream, 1), OK);
    fixture_record(&put[0], stream, 2, 4);
    fixture_record(&put[1], stream, 3, 4);
    struct store_op ops[4] = {put[0].op, drop, put[0].op, put[1].op};
    uint64_t numbers[4];
    assert_int_equal(store_commit(fixture->store, ops, 4, STORE_NORMAL, numbers), OK);
    check_stream(fixture, 1, 3);
    struct store_record record;
    assert_int_equal(record_table_get(fixture->store, &stream, 2, memory, &record), OK);
    assert_int_equal(record.number, numbers[2]);
    assert_int_equal(store_commit(fixture->store, &drop, 1, STORE_NORMAL, NULL), OK);
    assert_int_equal(record_table_get(fixture->store, &stream, 2, memory, &record), ERR_NOT_FOUND);
    uint64_t last;
    assert_int_equal(store_verify(fixture->store, 0, 100, &last), OK);
    fixture_free(fixture);
}

static void an_aborted_batch_leaves_nothing_behind(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_new();
    struct stream_id stream = fixture_stream(1, 1);
    struct fixture_record put[3];
    struct store_record record;
    fixture_open(fixture);
    assert_int_equal(put_one(fixture, stream, 1), OK);
    fixture_record(&put[0], stream, 2, 4);
    fixture_record(&put[1], fixture_stream(1, 2), 1, 4);
    fixture_record(&put[2], stream, 1, 4);
    struct store_op ops[3] = {put[0].op, put[1].op, put[2].op};
    assert_int_equal(store_commit(fixture->store, ops, 3, STORE_NORMAL, NULL), ERR_DUPLICATE);
    assert_int_equal(record_table_get(fixture->store, &stream, 2, memory, &record), ERR_NOT_FOUND);
    assert_false(record_table_has(fixture->store, &put[0].id));
    assert_false(record_table_has(fixture->store, &put[1].id));
    assert_int_equal(put_one(fixture, stream, 2), OK);
    assert_int_equal(put_one(fixture, fixture_stream(1, 2), 1), OK);
    assert_true(record_table_has(fixture->store, &put[0].id));
    check_stream(fixture, 1, 2);
    check_stream(fixture, 2, 1);
    fixture_free(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_found_before_and_after_the_memory_is_lost),
        cmocka_unit_test(positions_may_come_in_any_order),
        cmocka_unit_test(one_batch_may_put_drop_and_put_again),
        cmocka_unit_test(an_aborted_batch_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
