/* Goal: a record is found by its position wherever the index of positions stands: in memory, in the
 * table, on the way from one to the other, and after the memory was lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/wait.h>

#include "store/disk/row_codec.h"
#include "store/write/fresh.h"
#include "tests/unit/store/fixture.h"

/* enough to go round the streams twice; the last stream grows slowly */
enum {
    STREAM_COUNT = 50,
    BATCH = 2000,
    BATCH_COUNT = 3 * FRESH_COUNT_MAX / BATCH,
    LENGTH = BATCH_COUNT * BATCH / STREAM_COUNT,
    PAGE = 300,
};

static uint8_t memory[STORE_RECORD_SIZE_MAX];

static err put_one(struct fixture *fixture, struct stream_id stream, uint64_t sequence)
{
    struct fixture_record put;
    fixture_record(&put, stream, sequence, 4);
    return store_commit(fixture->store, &put.op, 1, STORE_NORMAL, NULL);
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

static void check_some(struct fixture *fixture, uint64_t length)
{
    for (uint64_t sequence = 1; sequence <= length + 1; sequence += 37) {
        struct stream_id stream = fixture_stream(1, (uint8_t)(sequence % STREAM_COUNT));
        struct store_record record;
        err expected = sequence <= length ? OK : ERR_NOT_FOUND;
        assert_int_equal(record_table_get(fixture->store, &stream, sequence, memory, &record),
                         expected);
        if (expected == OK) {
            assert_int_equal(record.sequence, sequence);
        }
    }
}

static void run_child(struct fixture *fixture)
{
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
    check_some(fixture, LENGTH);
    _exit(0); /* the memory is lost */
}

static void positions_are_found_before_and_after_the_memory_is_lost(void **state)
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
    fixture->options.verify = true; /* every record is found by its position */
    fixture_open(fixture);
    check_some(fixture, LENGTH);
    check_stream(fixture, 0, LENGTH);
    check_stream(fixture, STREAM_COUNT - 1, LENGTH);
    assert_int_equal(put_one(fixture, fixture_stream(1, 7), LENGTH), ERR_DUPLICATE);
    assert_int_equal(put_one(fixture, fixture_stream(1, 7), LENGTH + 1), OK);
    check_stream(fixture, 7, LENGTH + 1);
    fixture_close(fixture); /* all of it goes to the table */
    fixture->options.verify = false;
    fixture_open(fixture);
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

static void an_aborted_batch_leaves_no_position_behind(void **state)
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
    assert_int_equal(put_one(fixture, stream, 2), OK);
    assert_int_equal(put_one(fixture, fixture_stream(1, 2), 1), OK);
    check_stream(fixture, 1, 2);
    check_stream(fixture, 2, 1);
    fixture_free(fixture);
}

/* ---- the merging by itself ---- */

enum { MERGE_COMMITS = 2400, MERGE_STREAMS = 400 };

struct merging {
    MDB_env *env;
    MDB_dbi table;
    struct fresh *fresh;
    uint64_t number_last;
    uint64_t lengths[MERGE_STREAMS];
    struct {
        uint32_t stream;
        uint64_t sequence;
    } places[MERGE_COMMITS * 400]; /* by record number */
    uint64_t random;
};

static uint64_t draw(struct merging *merging, uint64_t below)
{
    merging->random = merging->random * 6364136223846793005u + 1442695040888963407u;
    return (merging->random >> 33) % below;
}

/* One writer's stream grows much faster than the others. */
static void merge_round(struct merging *merging, bool is_committed)
{
    MDB_txn *txn;
    MDB_cursor *cursor;
    uint64_t number = merging->number_last;
    uint64_t lengths[MERGE_STREAMS];
    memcpy(lengths, merging->lengths, sizeof lengths);
    assert_int_equal(mdb_txn_begin(merging->env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_cursor_open(txn, merging->table, &cursor), 0);
    for (uint64_t left = draw(merging, 400); left > 0; left -= 1) {
        uint64_t some = number / 2000 + draw(merging, 60); /* old ones fall silent */
        uint32_t stream = draw(merging, 3) == 0 ? 7 : (uint32_t)(some % MERGE_STREAMS);
        number += 1;
        lengths[stream] += 1;
        merging->places[number].stream = stream;
        merging->places[number].sequence = lengths[stream];
        assert_int_equal(
            fresh_add(merging->fresh, stream, (struct fresh_place){lengths[stream], number}), OK);
    }
    assert_int_equal(fresh_merge(merging->fresh, cursor, false, merging->number_last), 0);
    mdb_cursor_close(cursor);
    if (!is_committed) {
        mdb_txn_abort(txn);
        fresh_aborted(merging->fresh);
        return;
    }
    assert_int_equal(mdb_txn_commit(txn), 0);
    fresh_committed(merging->fresh);
    merging->number_last = number;
    memcpy(merging->lengths, lengths, sizeof lengths);
}

/* What is said to be merged is in the table; what is not, waits. */
static void check_merged(struct merging *merging, uint64_t from)
{
    MDB_txn *txn;
    assert_int_equal(mdb_txn_begin(merging->env, NULL, MDB_RDONLY, &txn), 0);
    for (uint64_t number = from; number <= merging->number_last; number += 1) {
        uint32_t stream = merging->places[number].stream;
        uint64_t sequence = merging->places[number].sequence;
        uint8_t position[ROW_CODEC_PAIR_SIZE];
        uint64_t found = 0;
        row_codec_pair(stream, sequence, position);
        MDB_val key = env_val(position, sizeof position);
        MDB_val value;
        int code = mdb_get(txn, merging->table, &key, &value);
        if (code == 0) {
            assert_int_equal(row_codec_number_read(env_bytes_of(value), &found), OK);
        } else {
            assert_true(number > fresh_merged(merging->fresh));
            assert_true(fresh_find(merging->fresh, stream, sequence, &found));
        }
        assert_int_equal(found, number);
    }
    mdb_txn_abort(txn);
}

static void what_is_said_to_be_merged_is_in_the_table(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_new(); /* for its folder */
    struct merging *merging = calloc(1, sizeof *merging);
    MDB_txn *txn;
    assert_int_equal(mdb_env_create(&merging->env), 0);
    assert_int_equal(mdb_env_set_mapsize(merging->env, (size_t)256 << 20), 0);
    assert_int_equal(mdb_env_open(merging->env, fixture->path, 0, 0600), 0);
    assert_int_equal(mdb_txn_begin(merging->env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, NULL, 0, &merging->table), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    merging->fresh = fresh_new(0);
    merging->random = 17;
    uint64_t merged_before = 0;
    unsigned rises = 0;
    for (unsigned i = 0; i < MERGE_COMMITS; i += 1) {
        merge_round(merging, draw(merging, 5) != 0);
        if (fresh_merged(merging->fresh) != merged_before) {
            assert_true(fresh_merged(merging->fresh) > merged_before);
            merged_before = fresh_merged(merging->fresh);
            rises += 1;
            check_merged(merging, 1);
        }
    }
    assert_true(rises >= 2);
    assert_true(merging->number_last - merged_before < 3 * FRESH_COUNT_MAX);
    check_merged(merging, 1);
    fresh_free(merging->fresh);
    mdb_env_close(merging->env);
    free(merging);
    fixture_free(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(positions_are_found_before_and_after_the_memory_is_lost),
        cmocka_unit_test(what_is_said_to_be_merged_is_in_the_table),
        cmocka_unit_test(positions_may_come_in_any_order),
        cmocka_unit_test(one_batch_may_put_drop_and_put_again),
        cmocka_unit_test(an_aborted_batch_leaves_no_position_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
