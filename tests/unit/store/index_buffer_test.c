/* Goal: the buffer of index entries, beside a plain list of what it was told: what was committed is
 * found while it waits, while it is merged, and after the memory was lost; what was erased is not;
 * and what waits is bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>

#include "store/disk/index_buffer.h"
#include "store/disk/row_codec.h"
#include "tests/unit/store/fixture.h"

enum {
    SMALL = 4096, /* entries of a generation */
    STREAMS = 400,
    ROUND_MAX = 400,
    ROUNDS = 1500,
    NUMBER_MAX = ROUNDS * ROUND_MAX,
};

struct told {
    uint32_t stream;
    uint64_t sequence;
    bool is_erased;
};

struct alone {
    struct fixture *fixture; /* for its folder */
    struct env env;
    struct index_buffer *buffer;
    MDB_txn *txn;
    _Atomic uint64_t number_last;
    uint64_t merged; /* as a commit would have kept it */
    uint64_t lengths[STREAMS];
    struct told told[NUMBER_MAX + 1]; /* by record number */
    uint64_t random;
};

static uint64_t draw(struct alone *alone, uint64_t below)
{
    alone->random = alone->random * 6364136223846793005u + 1442695040888963407u;
    return (alone->random >> 33) % below;
}

static void id_of(uint64_t number, uint8_t ret_id[static SEAL_INDEX_SIZE])
{
    for (unsigned half = 0; half < 2; half += 1) {
        uint64_t mixed = (number + half) * 0x9e3779b97f4a7c15u;
        mixed ^= mixed >> 29;
        memcpy(ret_id + 8 * (size_t)half, &mixed, 8);
    }
}

static struct index_buffer_key key_of(const struct alone *alone, enum index_buffer_table table,
                                      uint64_t number)
{
    uint8_t id[SEAL_INDEX_SIZE];
    const struct told *told = &alone->told[number];
    id_of(number, id);
    return table == INDEX_BUFFER_IDS ? index_buffer_id(id)
                                     : index_buffer_position(told->stream, told->sequence);
}

static struct alone *alone_new(void)
{
    struct alone *alone = calloc(1, sizeof *alone);
    assert_non_null(alone);
    alone->fixture = fixture_new();
    alone->random = 17;
    assert_int_equal(env_open(alone->fixture->path, (uint64_t)256 << 20, true, &alone->env), OK);
    alone->buffer = index_buffer_new(&alone->env, 0, SMALL);
    assert_non_null(alone->buffer);
    return alone;
}

static void alone_free(struct alone *alone)
{
    index_buffer_free(alone->buffer);
    env_close(&alone->env);
    fixture_free(alone->fixture);
    free(alone);
}

static void begin(struct alone *alone)
{
    assert_int_equal(mdb_txn_begin(alone->env.mdb, NULL, 0, &alone->txn), 0);
}

static void end(struct alone *alone, enum index_buffer_extent extent, uint64_t number_last)
{
    assert_int_equal(index_buffer_merge(alone->buffer, alone->txn, extent), 0);
    alone->merged = index_buffer_merged(alone->buffer);
    assert_int_equal(mdb_txn_commit(alone->txn), 0);
    index_buffer_committed(alone->buffer, number_last);
    atomic_store(&alone->number_last, number_last);
}

static void add(struct alone *alone, uint64_t number)
{
    for (unsigned table = 0; table < INDEX_BUFFER_TABLE_COUNT; table += 1) {
        assert_int_equal(
            index_buffer_add(alone->buffer, table, key_of(alone, table, number), number), OK);
    }
}

static void erase(struct alone *alone, uint64_t number)
{
    for (unsigned table = 0; table < INDEX_BUFFER_TABLE_COUNT; table += 1) {
        assert_int_equal(
            index_buffer_erase(alone->buffer, alone->txn, table, key_of(alone, table, number)), 0);
    }
    alone->told[number].is_erased = true;
}

static uint64_t find_in_table(MDB_txn *txn, const struct alone *alone,
                              enum index_buffer_table table, uint64_t number)
{
    uint8_t name[SEAL_INDEX_SIZE] = {0};
    uint64_t found = 0;
    MDB_val key = env_val(name, SEAL_INDEX_SIZE);
    MDB_val value;
    id_of(number, name);
    if (table == INDEX_BUFFER_POSITIONS) {
        row_codec_pair(alone->told[number].stream, alone->told[number].sequence, name);
        key = env_val(name, ROW_CODEC_PAIR_SIZE);
    }
    MDB_dbi dbi = table == INDEX_BUFFER_IDS ? alone->env.ids : alone->env.positions;
    if (mdb_get(txn, dbi, &key, &value) == 0) {
        assert_int_equal(row_codec_number_read(env_bytes_of(value), &found), OK);
    }
    return found;
}

/* As a reader: first the buffer, then a transaction that begins afterwards. 0: nowhere. */
static uint64_t find(struct alone *alone, enum index_buffer_table table, uint64_t number)
{
    uint64_t found = 0;
    MDB_txn *txn;
    enum index_buffer_answer answer =
        index_buffer_find(alone->buffer, table, key_of(alone, table, number), &found);
    if (answer != INDEX_BUFFER_ABSENT) {
        return answer == INDEX_BUFFER_FOUND ? found : 0;
    }
    assert_int_equal(mdb_txn_begin(alone->env.mdb, NULL, MDB_RDONLY, &txn), 0);
    found = find_in_table(txn, alone, table, number);
    mdb_txn_abort(txn);
    return found;
}

static void check_all(struct alone *alone)
{
    for (uint64_t number = 1; number <= alone->number_last; number += 1) {
        uint64_t expected = alone->told[number].is_erased ? 0 : number;
        assert_int_equal(find(alone, INDEX_BUFFER_IDS, number), expected);
        assert_int_equal(find(alone, INDEX_BUFFER_POSITIONS, number), expected);
    }
}

/* What is said to be merged is in the tables, whatever the memory holds. */
static void check_merged(struct alone *alone)
{
    MDB_txn *txn;
    assert_int_equal(mdb_txn_begin(alone->env.mdb, NULL, MDB_RDONLY, &txn), 0);
    for (uint64_t number = 1; number <= alone->merged; number += 1) {
        uint64_t expected = alone->told[number].is_erased ? 0 : number;
        assert_int_equal(find_in_table(txn, alone, INDEX_BUFFER_IDS, number), expected);
        assert_int_equal(find_in_table(txn, alone, INDEX_BUFFER_POSITIONS, number), expected);
    }
    mdb_txn_abort(txn);
}

/* Ascending, nothing erased, and nothing left out that is not in the table. */
static void check_range(struct alone *alone, uint32_t stream)
{
    static struct index_buffer_place places[SMALL * 4];
    size_t count = index_buffer_range(alone->buffer, stream, 1, places, SMALL * 4);
    size_t next = 0;
    uint64_t last = index_buffer_last(alone->buffer, stream);
    MDB_txn *txn;
    assert_int_equal(mdb_txn_begin(alone->env.mdb, NULL, MDB_RDONLY, &txn), 0);
    for (uint64_t number = 1; number <= alone->number_last; number += 1) {
        const struct told *told = &alone->told[number];
        if (told->stream != stream || told->is_erased) {
            continue;
        }
        if (next < count && places[next].sequence == told->sequence) {
            assert_int_equal(places[next].number, number);
            assert_true(told->sequence <= last);
            next += 1;
        } else {
            assert_int_equal(find_in_table(txn, alone, INDEX_BUFFER_POSITIONS, number), number);
        }
    }
    assert_int_equal(next, count);
    mdb_txn_abort(txn);
}

/* Adds some, erases some old ones. One writer's stream grows much faster than the others, and old
 * ones fall silent. */
static uint64_t change(struct alone *alone, size_t erased_max, uint64_t *ret_erased)
{
    uint64_t number = alone->number_last;
    assert_true(number + ROUND_MAX <= NUMBER_MAX);
    begin(alone);
    for (uint64_t left = draw(alone, ROUND_MAX); left > 0; left -= 1) {
        uint32_t stream =
            draw(alone, 3) == 0 ? 7 : (uint32_t)((number / 2000 + draw(alone, 60)) % STREAMS);
        number += 1;
        alone->lengths[stream] += 1;
        alone->told[number] = (struct told){.stream = stream, .sequence = alone->lengths[stream]};
        add(alone, number);
    }
    for (size_t i = 0; i < erased_max && number > 0; i += 1) {
        ret_erased[i] = number - draw(alone, number < 3 * SMALL ? number : 3 * SMALL);
        ret_erased[i] = alone->told[ret_erased[i]].is_erased ? 0 : ret_erased[i];
        if (ret_erased[i] != 0) {
            erase(alone, ret_erased[i]);
        }
    }
    return number;
}

enum { ERASED_MAX = 4 };

static void round_aborted(struct alone *alone)
{
    uint64_t erased[ERASED_MAX] = {0};
    uint64_t lengths[STREAMS];
    memcpy(lengths, alone->lengths, sizeof lengths);
    (void)change(alone, ERASED_MAX, erased);
    assert_int_equal(index_buffer_merge(alone->buffer, alone->txn, INDEX_BUFFER_DUE), 0);
    mdb_txn_abort(alone->txn);
    index_buffer_aborted(alone->buffer);
    memcpy(alone->lengths, lengths, sizeof lengths);
    for (size_t i = 0; i < ERASED_MAX; i += 1) {
        alone->told[erased[i]].is_erased = false;
    }
    assert_int_equal(index_buffer_merged(alone->buffer), alone->merged);
}

static void round_committed(struct alone *alone, size_t erased_max)
{
    uint64_t erased[ERASED_MAX] = {0};
    uint64_t number = change(alone, erased_max, erased);
    end(alone, INDEX_BUFFER_DUE, number);
}

/* The memory is lost; what is above the last `merged` that was committed is read again. */
static void restart(struct alone *alone)
{
    index_buffer_free(alone->buffer);
    alone->buffer = index_buffer_new(&alone->env, alone->merged, SMALL);
    begin(alone);
    for (uint64_t number = alone->merged + 1; number <= alone->number_last; number += 1) {
        if (!alone->told[number].is_erased) {
            add(alone, number);
        }
    }
    assert_int_equal(index_buffer_merge(alone->buffer, alone->txn, INDEX_BUFFER_LEAST), 0);
    mdb_txn_abort(alone->txn);
    index_buffer_committed(alone->buffer, alone->number_last);
}

static size_t waiting(const struct alone *alone)
{
    size_t ids = index_buffer_count(alone->buffer, INDEX_BUFFER_IDS);
    size_t positions = index_buffer_count(alone->buffer, INDEX_BUFFER_POSITIONS);
    return ids > positions ? ids : positions;
}

static void entries_go_to_the_tables_as_fast_as_new_ones_come(void **state)
{
    (void)state;
    struct alone *alone = alone_new();
    uint64_t merged_before = 0;
    unsigned rises = 0;
    for (unsigned i = 0; i < ROUNDS / 4; i += 1) {
        if (draw(alone, 5) == 0) {
            round_aborted(alone);
        } else {
            round_committed(alone, i % 3 == 0 ? ERASED_MAX : 0);
        }
        assert_true(waiting(alone) <= 2 * (SMALL + ROUND_MAX + ERASED_MAX));
        assert_true(alone->number_last - alone->merged <= 2 * (SMALL + ROUND_MAX));
        if (alone->merged != merged_before) {
            assert_true(alone->merged > merged_before);
            merged_before = alone->merged;
            rises += 1;
            check_merged(alone);
        }
        if (i % 50 == 0) {
            check_all(alone);
            check_range(alone, 7);
            check_range(alone, (uint32_t)draw(alone, STREAMS));
        }
    }
    assert_true(rises >= 5);
    check_all(alone);
    while (index_buffer_turn(alone->buffer, alone->number_last)) {
        begin(alone);
        end(alone, INDEX_BUFFER_ALL, alone->number_last);
    }
    assert_int_equal(alone->merged, alone->number_last);
    assert_int_equal(waiting(alone), 0);
    check_merged(alone);
    alone_free(alone);
}

static void a_restart_at_any_moment_finds_what_was_committed(void **state)
{
    (void)state;
    struct alone *alone = alone_new();
    unsigned amid = 0; /* restarts while a generation was part in the table, part not */
    for (unsigned i = 0; i < ROUNDS / 4; i += 1) {
        round_committed(alone, i % 2 == 0 ? ERASED_MAX : 0);
        if (draw(alone, 12) == 0) {
            amid += waiting(alone) < alone->number_last - alone->merged ? 1 : 0;
            restart(alone);
            check_merged(alone);
            check_all(alone);
        }
        assert_true(waiting(alone) <= 4 * SMALL + 2 * ROUND_MAX);
    }
    assert_true(amid >= 3);
    alone_free(alone);
}

static void a_full_disk_puts_merging_off_up_to_the_bound(void **state)
{
    (void)state;
    struct alone *alone = alone_new();
    bool was_put_off = false;
    for (unsigned i = 0; i < ROUNDS / 8; i += 1) {
        uint64_t erased[1];
        uint64_t number = change(alone, 0, erased);
        end(alone, INDEX_BUFFER_LEAST, number);
        was_put_off = was_put_off || waiting(alone) > 3 * SMALL;
        assert_true(waiting(alone) <= 4 * SMALL + 2 * ROUND_MAX);
    }
    assert_true(was_put_off);
    assert_true(alone->merged > 0);
    check_merged(alone);
    check_all(alone);
    alone_free(alone);
}

/* Goes on until a generation drains while the next one fills. */
static void go_amid(struct alone *alone)
{
    uint64_t erased[1];
    while (alone->merged == 0 || alone->number_last - alone->merged < SMALL + SMALL / 2) {
        end(alone, INDEX_BUFFER_DUE, change(alone, 0, erased));
    }
}

/* The record of the draining generation whose id is merged last. */
static uint64_t last_to_drain(const struct alone *alone)
{
    uint64_t last = alone->merged + 1;
    for (uint64_t number = last + 1; number <= alone->merged + SMALL; number += 1) {
        struct index_buffer_key key = key_of(alone, INDEX_BUFFER_IDS, number);
        last = key.high > key_of(alone, INDEX_BUFFER_IDS, last).high ? number : last;
    }
    return last;
}

static void an_erased_entry_stays_away_however_far_it_had_come(void **state)
{
    (void)state;
    struct alone *alone = alone_new();
    uint64_t erased[1];
    go_amid(alone);
    /* one that is merged, and one of each kind that waits: draining and filling */
    const uint64_t numbers[3] = {alone->merged, last_to_drain(alone), alone->number_last};
    struct told again = alone->told[numbers[1]];
    begin(alone);
    for (size_t i = 0; i < 3; i += 1) {
        erase(alone, numbers[i]);
    }
    uint64_t found;
    struct index_buffer_key key = key_of(alone, INDEX_BUFFER_IDS, numbers[2]);
    assert_int_equal(index_buffer_find_own(alone->buffer, INDEX_BUFFER_IDS, key, &found),
                     INDEX_BUFFER_ERASED);
    assert_int_equal(index_buffer_find(alone->buffer, INDEX_BUFFER_IDS, key, &found),
                     INDEX_BUFFER_FOUND); /* until the commit */
    end(alone, INDEX_BUFFER_DUE, alone->number_last);
    check_all(alone);
    /* the position is taken again, by another record */
    uint64_t number = alone->number_last + 1;
    alone->told[number] = again;
    begin(alone);
    add(alone, number);
    end(alone, INDEX_BUFFER_DUE, number);
    assert_int_equal(find(alone, INDEX_BUFFER_POSITIONS, number), number);
    alone->told[numbers[1]].sequence += 1000000; /* not its own any more */
    while (alone->merged < number) {
        end(alone, INDEX_BUFFER_DUE, change(alone, 0, erased));
    }
    restart(alone);
    check_merged(alone);
    check_all(alone);
    alone_free(alone);
}

static void a_put_straight_into_the_table_outlives_what_waits(void **state)
{
    (void)state;
    struct alone *alone = alone_new();
    uint64_t erased[1];
    go_amid(alone);
    /* a key that waits in the draining generation, and one that was erased */
    uint64_t first = last_to_drain(alone), second = alone->number_last;
    struct index_buffer_key led = key_of(alone, INDEX_BUFFER_IDS, first);
    struct index_buffer_key gone = key_of(alone, INDEX_BUFFER_IDS, second);
    begin(alone);
    assert_int_equal(index_buffer_erase(alone->buffer, alone->txn, INDEX_BUFFER_IDS, gone), 0);
    end(alone, INDEX_BUFFER_DUE, alone->number_last);
    begin(alone);
    assert_int_equal(index_buffer_put(alone->buffer, alone->txn, INDEX_BUFFER_IDS, led, 5), 0);
    assert_int_equal(index_buffer_put(alone->buffer, alone->txn, INDEX_BUFFER_IDS, gone, 6), 0);
    end(alone, INDEX_BUFFER_DUE, alone->number_last);
    uint64_t target = alone->number_last;
    uint64_t found = 0;
    assert_int_equal(index_buffer_find(alone->buffer, INDEX_BUFFER_IDS, led, &found),
                     INDEX_BUFFER_FOUND);
    assert_int_equal(found, 5);
    assert_int_equal(index_buffer_find(alone->buffer, INDEX_BUFFER_IDS, gone, &found),
                     INDEX_BUFFER_FOUND);
    assert_int_equal(found, 6);
    while (alone->merged < target) {
        MDB_txn *txn;
        assert_int_equal(mdb_txn_begin(alone->env.mdb, NULL, MDB_RDONLY, &txn), 0);
        assert_int_equal(find_in_table(txn, alone, INDEX_BUFFER_IDS, first), 5);
        assert_int_equal(find_in_table(txn, alone, INDEX_BUFFER_IDS, second), 6);
        mdb_txn_abort(txn);
        end(alone, INDEX_BUFFER_DUE, change(alone, 0, erased));
    }
    alone_free(alone);
}

/* The runs of a commit are a sound pile by themselves, and are not one on those before. */
static void commits_of_any_size_are_taken_again_and_again(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {1, 63, 127, 128, 129, 192, 224, 448};
    struct alone *alone = alone_new();
    index_buffer_free(alone->buffer);
    alone->buffer = index_buffer_new(&alone->env, 0, INDEX_BUFFER_GENERATION);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i += 1) {
        for (unsigned times = 0; times < 80; times += 1) {
            uint64_t number = alone->number_last;
            begin(alone);
            for (uint64_t left = sizes[i]; left > 0; left -= 1) {
                number += 1;
                alone->told[number] = (struct told){.stream = 7, .sequence = number};
                add(alone, number);
            }
            end(alone, INDEX_BUFFER_DUE, number);
        }
    }
    check_all(alone);
    alone_free(alone);
}

/* ---- readers beside the writer ---- */

struct looker {
    struct alone *alone;
    _Atomic bool is_over;
    uint64_t lookups;
    uint64_t missed;
};

static void *look_on(void *arg)
{
    struct looker *looker = arg;
    struct alone *alone = looker->alone;
    uint64_t random = 5;
    while (!atomic_load(&looker->is_over)) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        uint64_t last = atomic_load(&alone->number_last);
        if (last == 0) {
            continue;
        }
        uint64_t back = (random >> 33) % (last < 3 * SMALL ? last : 3 * SMALL);
        uint64_t number = last - back;
        bool is_right = find(alone, INDEX_BUFFER_IDS, number) == number &&
                        find(alone, INDEX_BUFFER_POSITIONS, number) == number;
        looker->missed += is_right ? 0 : 1;
        looker->lookups += 1;
    }
    return NULL;
}

static void readers_miss_nothing_while_entries_are_merged(void **state)
{
    (void)state;
    struct alone *alone = alone_new();
    struct looker looker = {.alone = alone};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, look_on, &looker), 0);
    for (unsigned i = 0; i < ROUNDS / 4; i += 1) {
        round_committed(alone, 0);
    }
    atomic_store(&looker.is_over, true);
    pthread_join(thread, NULL);
    assert_true(looker.lookups > 100);
    assert_int_equal(looker.missed, 0);
    assert_true(alone->merged > 2 * SMALL);
    alone_free(alone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_go_to_the_tables_as_fast_as_new_ones_come),
        cmocka_unit_test(a_restart_at_any_moment_finds_what_was_committed),
        cmocka_unit_test(a_full_disk_puts_merging_off_up_to_the_bound),
        cmocka_unit_test(an_erased_entry_stays_away_however_far_it_had_come),
        cmocka_unit_test(a_put_straight_into_the_table_outlives_what_waits),
        cmocka_unit_test(commits_of_any_size_are_taken_again_and_again),
        cmocka_unit_test(readers_miss_nothing_while_entries_are_merged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
