/* What a disk lost is found by the walk, and got again from whoever has it; what is erased is not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <lmdb.h>

#include "node/desk/readout.h"
#include "protocol/link/frame.h"
#include "tests/unit/node/town.h"

enum { A, B, C };

static int given_a_town(void **state)
{
    *state = town_new_in_touch();
    return 0;
}

static int then_it_ends(void **state)
{
    town_free(*state);
    return 0;
}

#define IN_TOWN(test) cmocka_unit_test_setup_teardown(test, given_a_town, then_it_ends)

/* ---- the disk ---- */

static uint64_t number_of(const struct town_house *house, const struct record_id *id)
{
    static uint8_t memory[STORE_RECORD_SIZE_MAX];
    struct store_record record;
    assert_int_equal(OK, record_table_find(shell_store(house->shell), id, memory, &record));
    return record.number;
}

/* Flips a bit in what lies under a record's number; the house is shut. */
static void spoil(const struct town_house *house, const char *table, size_t number)
{
    static uint8_t copy[2 * STORE_RECORD_SIZE_MAX];
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
    MDB_val key = {sizeof number, &number}, value;
    assert_int_equal(0, mdb_env_create(&env));
    assert_int_equal(0, mdb_env_set_maxdbs(env, 8));
    assert_int_equal(0, mdb_env_set_mapsize(env, (size_t)1 << 30));
    assert_int_equal(0, mdb_env_open(env, house->data, 0, 0600));
    assert_int_equal(0, mdb_txn_begin(env, NULL, 0, &txn));
    assert_int_equal(0, mdb_dbi_open(txn, table, 0, &dbi));
    assert_int_equal(0, mdb_get(txn, dbi, &key, &value));
    memcpy(copy, value.mv_data, value.mv_size);
    copy[value.mv_size / 2] ^= 4;
    value.mv_data = copy;
    assert_int_equal(0, mdb_put(txn, dbi, &key, &value, 0));
    assert_int_equal(0, mdb_txn_commit(txn));
    mdb_env_close(env);
}

/* What a process that was killed leaves: it did not say that it ended well. */
static void ended_badly(const struct town *town, const struct town_house *house)
{
    struct federation_id federation = roster_federation(&town->society.roster);
    struct store_options options = {.owner = shell_owner(&federation, &house->node)};
    struct store_op op = {.kind = STORE_ROW_DELETE};
    char problem[STORE_PROBLEM_SIZE];
    struct store *store;
    op.row = (struct store_row){STORE_TABLE_META, bytes_of_text("scrub"), BYTES_NONE};
    assert_int_equal(OK, store_open(house->data, house->store_key, &options, problem, &store));
    assert_int_equal(OK, store_commit(store, &op, 1, STORE_NORMAL, NULL));
    store_close(store);
}

/* It ends, the disk loses these records, and it is there again, connected to `peer`. */
static void lose(struct town *town, int which, const struct record_id *ids, size_t count)
{
    size_t numbers[8];
    for (size_t i = 0; i < count; i++)
        numbers[i] = number_of(&town->houses[which], &ids[i]);
    town_shut(town, which);
    ended_badly(town, &town->houses[which]);
    for (size_t i = 0; i < count; i++) {
        spoil(&town->houses[which], "records", numbers[i]);
        if (i % 2 == 1)
            spoil(&town->houses[which], "cells", numbers[i]);
    }
    town_open(town, which);
}

struct wanted {
    const struct town_house *house;
    const struct record_id *ids;
    size_t count;
};

static bool all_are_readable(void *arg)
{
    const struct wanted *wanted = arg;
    static struct readout_memory memory;
    struct readout readout;
    struct core_status status;
    core_status(shell_core(wanted->house->shell), &status);
    for (size_t i = 0; i < wanted->count; i++)
        if (readout_find(shell_store(wanted->house->shell), &wanted->ids[i], &memory, &readout) !=
                OK ||
            !readout.is_readable)
            return false;
    return status.lost_count == 0;
}

static bool some_are_lost(void *arg)
{
    const struct wanted *wanted = arg;
    struct core_status status;
    core_status(shell_core(wanted->house->shell), &status);
    return status.lost_count == wanted->count;
}

static bool come_back(struct town *town, int which, const struct record_id *ids, size_t count)
{
    struct wanted wanted = {&town->houses[which], ids, count};
    return town_until(town, all_are_readable, &wanted);
}

static bool are_lost(struct town *town, int which, size_t count)
{
    struct wanted wanted = {&town->houses[which], NULL, count};
    return town_until(town, some_are_lost, &wanted);
}

/* Nothing in the store is damaged any more. */
static void is_sound(const struct town_house *house)
{
    uint64_t last = 0;
    assert_int_equal(OK, store_verify(shell_store(house->shell), 0, 100000, &last));
}

/* ---- stories ---- */

static void what_a_disk_lost_comes_back_from_others(void **state)
{
    struct town *town = *state;
    struct town_case one = town_ask(&town->houses[A], 7);
    struct record_id ids[4] = {one.announcement};
    town_take_part(&town->houses[B], &town->houses[A], &one);
    for (int i = 1; i < 4; i++) { /* the last one is where its stream ends */
        struct caserecord_post post = {.text = bytes_of_text("I have seen three of these.")};
        ids[i] = town_write(&town->houses[A], &one.scope, KIND_POST, &post);
        assert_true(town_spreads(town, B, &ids[i]));
    }
    lose(town, B, ids, 4);
    assert_true(are_lost(town, B, 2)); /* those between are named by who stands behind them */
    town_connect(town, B, A);
    assert_true(come_back(town, B, ids, 4));
    is_sound(&town->houses[B]);
    town_shut(town, B); /* and stays */
    town_open(town, B);
    assert_true(come_back(town, B, ids, 4));
}

/* Somebody who passes a record on with a signature that is not its writer's. */
struct forger {
    struct record_id id;
    unsigned count;
};

static bool forge(void *arg, const struct town_house *from, const struct town_house *to,
                  struct town_frame *frame)
{
    struct forger *forger = arg;
    struct reader reader;
    struct frame_record record;
    struct record_claim claim;
    uint16_t count;
    (void)from;
    if (to->number != B + 1 || frame->data[0] != FRAME_RECORDS ||
        frame_records_open((struct bytes){frame->data, frame->size}, &reader, &count) != OK)
        return true;
    while (count-- > 0 && frame_record_read(&reader, &record) == OK) {
        if (record_parse(record.record, &claim) != OK || !ID_EQUAL(claim.id, forger->id))
            continue;
        frame->data[record.record.data - frame->data + RECORD_HEADER_SIZE] ^= 1;
        forger->count++;
    }
    return true;
}

static bool has_forged(void *arg)
{
    return ((struct forger *)arg)->count > 0;
}

/* (S-14) */
static void what_comes_back_has_its_own_signature(void **state)
{
    struct town *town = *state;
    struct town_case one = town_ask(&town->houses[A], 7);
    struct forger forger = {.id = one.announcement};
    assert_true(town_spreads(town, B, &one.announcement));
    lose(town, B, &one.announcement, 1);
    assert_true(are_lost(town, B, 1));
    town->on_frame = forge;
    town->arg = &forger;
    town_connect(town, B, A);
    assert_true(town_until(town, has_forged, &forger));
    struct town_case next = town_ask(&town->houses[A], 8); /* comes behind it */
    assert_true(town_spreads(town, B, &next.announcement));
    assert_true(are_lost(town, B, 1));
    town->on_frame = NULL;
    town_shut(town, B);
    town_open(town, B);
    assert_true(are_lost(town, B, 1));
    town_connect(town, B, A);
    assert_true(come_back(town, B, &one.announcement, 1));
}

static void what_is_lost_stays_on_the_list_over_a_start(void **state)
{
    struct town *town = *state;
    struct town_case one = town_ask(&town->houses[A], 7);
    assert_true(town_spreads(town, B, &one.announcement));
    lose(town, B, &one.announcement, 1);
    assert_true(are_lost(town, B, 1));
    town_shut(town, B);
    town_open(town, B);
    struct core_status status;
    core_status(shell_core(town->houses[B].shell), &status);
    assert_int_equal(1, status.lost_count);
    town_connect(town, B, A);
    assert_true(come_back(town, B, &one.announcement, 1));
}

static void what_is_our_own_comes_back_from_who_has_it_and_else_is_told(void **state)
{
    struct town *town = *state;
    struct core_status status;
    struct town_case one = town_ask(&town->houses[A], 7);
    town_take_part(&town->houses[B], &town->houses[A], &one);
    struct caserecord_post post = {.text = bytes_of_text("I have seen three of these.")};
    struct record_id ids[2] = {one.announcement,
                               town_write(&town->houses[A], &one.scope, KIND_POST, &post)};
    assert_true(town_spreads(town, B, &ids[1]));
    lose(town, A, ids, 2);
    assert_true(are_lost(town, A, 2));
    core_status(shell_core(town->houses[A].shell), &status);
    assert_int_equal(2, status.lost_own_count);
    town_connect(town, A, B);
    assert_true(come_back(town, A, ids, 2));
    core_status(shell_core(town->houses[B].shell), &status);
    assert_int_equal(0, status.forked_count);
    /* nobody else has this one */
    town_cut(town, A, B);
    struct town_case own = town_ask(&town->houses[A], 9);
    lose(town, A, &own.announcement, 1);
    assert_true(are_lost(town, A, 1));
    town_connect(town, A, B);
    struct town_case theirs = town_ask(&town->houses[B], 10); /* all else goes on */
    assert_true(town_spreads(town, A, &theirs.announcement));
    core_status(shell_core(town->houses[A].shell), &status);
    assert_int_equal(1, status.lost_own_count);
}

static void the_way_to_a_record_is_mended_by_itself(void **state)
{
    struct town *town = *state;
    static uint8_t memory[STORE_RECORD_SIZE_MAX];
    struct store_record record;
    struct town_case one = town_ask(&town->houses[A], 7);
    assert_true(town_spreads(town, B, &one.announcement));
    size_t number = number_of(&town->houses[B], &one.announcement);
    town_shut(town, B);
    ended_badly(town, &town->houses[B]);
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
    assert_int_equal(0, mdb_env_create(&env));
    assert_int_equal(0, mdb_env_set_maxdbs(env, 8));
    assert_int_equal(0, mdb_env_open(env, town->houses[B].data, 0, 0600));
    assert_int_equal(0, mdb_txn_begin(env, NULL, 0, &txn));
    assert_int_equal(0, mdb_dbi_open(txn, "ids", 0, &dbi));
    assert_int_equal(0, mdb_drop(txn, dbi, 0));
    assert_int_equal(0, mdb_txn_commit(txn));
    mdb_env_close(env);
    town_open(town, B);
    struct store *store = shell_store(town->houses[B].shell);
    assert_int_equal(ERR_NOT_FOUND, record_table_find(store, &one.announcement, memory, &record));
    assert_true(come_back(town, B, &one.announcement, 1));
    assert_int_equal(number, number_of(&town->houses[B], &one.announcement));
}

/* ---- what was erased ---- */

static bool is_destroyed(const struct town_house *house, const struct record_id *id)
{
    static uint8_t memory[STORE_RECORD_SIZE_MAX];
    struct store_record record;
    return record_table_find(shell_store(house->shell), id, memory, &record) == OK &&
           record.destroyed && !record.has_body && !record.has_key;
}

struct story {
    struct town *town;
    struct record_id said;
    uint32_t epoch;
};

static bool it_is_destroyed_at_b(void *arg)
{
    const struct story *story = arg;
    return is_destroyed(&story->town->houses[B], &story->said);
}

static bool it_is_destroyed_and_rekeyed_at_b(void *arg)
{
    const struct story *story = arg;
    struct store_usage usage;
    assert_int_equal(OK, store_usage(shell_store(story->town->houses[B].shell), &usage));
    return it_is_destroyed_at_b(arg) && usage.epoch > story->epoch && !usage.rekeying;
}

/* (S-6) Its body is put back beside the node's back, as a disk might that gives older pages. */
static void what_was_erased_and_is_there_again_is_destroyed_again(void **state)
{
    struct town *town = *state;
    struct town_house *b = &town->houses[B];
    static uint8_t memory[STORE_RECORD_SIZE_MAX];
    struct store_record record;
    struct town_case one = town_ask(&town->houses[A], 7);
    town_take_part(b, &town->houses[A], &one);
    struct caserecord_post post = {.text = bytes_of_text("I have seen three of these.")};
    struct story story = {.town = town,
                          .said = town_write(&town->houses[A], &one.scope, KIND_POST, &post)};
    assert_true(town_spreads(town, B, &story.said));
    assert_int_equal(OK, record_table_find(shell_store(b->shell), &story.said, memory, &record));
    struct record_claim claim;
    assert_int_equal(OK, record_parse(record.head, &claim));
    struct caserecord_erase erase = {.opening = one.opening, .requester = town->houses[A].node};
    (void)town_write(&town->houses[A], &one.scope, KIND_ERASE, &erase);
    assert_true(town_until(town, it_is_destroyed_at_b, &story));
    town_shut(town, B);
    ended_badly(town, b);
    spoil(b, "cells", record.number);
    town_open(town, B);
    struct store_op op = {.kind = STORE_MEND};
    op.put = (struct store_put){.stream = &claim.header.stream,
                                .sequence = record.sequence,
                                .id = &record.id,
                                .head = record.head,
                                .body = record.body,
                                .key = &record.key};
    assert_int_equal(OK, store_commit(shell_store(b->shell), &op, 1, STORE_NORMAL, NULL));
    assert_false(is_destroyed(b, &story.said));
    struct store_usage usage;
    assert_int_equal(OK, store_usage(shell_store(b->shell), &usage));
    story.epoch = usage.epoch;
    assert_true(town_until(town, it_is_destroyed_and_rekeyed_at_b, &story));
}

/* Lost before it was erased: it comes back without what was erased. */
static void what_was_lost_and_then_erased_comes_back_empty(void **state)
{
    struct town *town = *state;
    struct town_case one = town_ask(&town->houses[A], 7);
    town_take_part(&town->houses[B], &town->houses[A], &one);
    town_take_part(&town->houses[C], &town->houses[A], &one);
    struct caserecord_post post = {.text = bytes_of_text("I have seen three of these.")};
    struct story story = {.town = town,
                          .said = town_write(&town->houses[C], &one.scope, KIND_POST, &post)};
    struct record_id behind = town_write(&town->houses[C], &one.scope, KIND_POST, &post);
    assert_true(town_spreads(town, B, &story.said));
    assert_true(town_spreads(town, B, &behind));
    lose(town, B, &story.said, 1);
    assert_true(are_lost(town, B, 1));
    struct caserecord_erase erase = {.opening = one.opening, .requester = town->houses[A].node};
    (void)town_write(&town->houses[A], &one.scope, KIND_ERASE, &erase);
    town_connect(town, B, A);
    assert_true(town_until(town, it_is_destroyed_at_b, &story));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_TOWN(what_a_disk_lost_comes_back_from_others),
        IN_TOWN(what_comes_back_has_its_own_signature),
        IN_TOWN(what_is_lost_stays_on_the_list_over_a_start),
        IN_TOWN(what_is_our_own_comes_back_from_who_has_it_and_else_is_told),
        IN_TOWN(the_way_to_a_record_is_mended_by_itself),
        IN_TOWN(what_was_erased_and_is_there_again_is_destroyed_again),
        IN_TOWN(what_was_lost_and_then_erased_comes_back_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
