/* Goal: a record is found by its id wherever the index of ids stands: in memory, in the table, on
 * the way from one to the other, and after the memory was lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/wait.h>

#include "store/write/recent.h"
#include "tests/unit/store/fixture.h"

/* enough to go once round the buckets */
enum { TOTAL = 3 * RECENT_COUNT_MAX, BATCH = 2048, DROPPED = 1000 };

static uint8_t memory[STORE_RECORD_SIZE_MAX];

static err put_batch(struct fixture *fixture, uint64_t from)
{
    static struct fixture_record put[BATCH];
    static struct store_op ops[BATCH];
    for (uint64_t i = 0; i < BATCH; i += 1) {
        fixture_record(&put[i], fixture_stream(1, 1), from + i, 4);
        ops[i] = put[i].op;
        ops[i].put.head.size = 8;
    }
    return store_commit(fixture->store, ops, BATCH, STORE_NORMAL, NULL);
}

static void check_found(struct fixture *fixture, uint64_t sequence, err expected)
{
    struct fixture_record put;
    struct store_record record;
    fixture_record(&put, fixture_stream(1, 1), sequence, 4);
    assert_int_equal(record_table_find(fixture->store, &put.id, memory, &record), expected);
    if (expected == OK) {
        assert_int_equal(record.sequence, sequence);
    }
    assert_int_equal(record_table_has(fixture->store, &put.id), expected == OK);
}

static void run_child(struct fixture *fixture)
{
    struct stream_id stream = fixture_stream(1, 1);
    if (store_open(fixture->path, fixture->master, &fixture->options, fixture->problem,
                   &fixture->store) != OK) {
        _exit(1);
    }
    for (uint64_t next = 1; next <= TOTAL; next += BATCH) {
        if (put_batch(fixture, next) != OK) {
            _exit(2);
        }
    }
    static struct store_op drops[DROPPED];
    for (uint64_t i = 0; i < DROPPED; i += 1) { /* every 97th: from the table and from memory */
        drops[i] = (struct store_op){.kind = STORE_DROP,
                                     .position = {.stream = &stream, .sequence = (i + 1) * 97}};
    }
    if (store_commit(fixture->store, drops, DROPPED, STORE_NORMAL, NULL) != OK) {
        _exit(3);
    }
    for (uint64_t i = 1; i <= TOTAL; i += 31) {
        check_found(fixture, i, i % 97 == 0 && i / 97 <= DROPPED ? ERR_NOT_FOUND : OK);
    }
    _exit(0); /* the memory is lost */
}

static void ids_are_found_before_and_after_the_memory_is_lost(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_new();
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        run_child(fixture);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    fixture->options.verify = true; /* every record is found by its id */
    fixture_open(fixture);
    for (uint64_t i = 1; i <= TOTAL; i += 31) {
        check_found(fixture, i, i % 97 == 0 && i / 97 <= DROPPED ? ERR_NOT_FOUND : OK);
    }
    assert_int_equal(put_batch(fixture, TOTAL * 2), OK);
    check_found(fixture, TOTAL * 2 + 5, OK);
    fixture_close(fixture); /* all of it goes to the table */
    fixture_open(fixture);
    check_found(fixture, TOTAL * 2 + 5, OK);
    fixture_free(fixture);
}

static void an_aborted_batch_leaves_no_id_behind(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_new();
    struct fixture_record put[2];
    fixture_open(fixture);
    assert_int_equal(fixture_put(fixture, fixture_stream(1, 1), 1), OK);
    fixture_record(&put[0], fixture_stream(1, 1), 2, 4);
    fixture_record(&put[1], fixture_stream(1, 1), 1, 4);
    struct store_op ops[2] = {put[0].op, put[1].op};
    assert_int_equal(store_commit(fixture->store, ops, 2, STORE_NORMAL, NULL), ERR_DUPLICATE);
    check_found(fixture, 2, ERR_NOT_FOUND);
    check_found(fixture, 1, OK);
    fixture_free(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_found_before_and_after_the_memory_is_lost),
        cmocka_unit_test(an_aborted_batch_leaves_no_id_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
