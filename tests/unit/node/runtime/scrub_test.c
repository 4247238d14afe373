/* What a disk lost is found by the walk, and got again from whoever has it; what is erased is not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <lmdb.h>

#include "node/views/stored_record.h"
#include "protocol/wire/frame.h"
#include "tests/harness/network.h"

enum { A, B, C };

static int given_a_network(void **state)
{
    *state = network_new_in_touch();
    return 0;
}

static int then_it_ends(void **state)
{
    network_free(*state);
    return 0;
}

#define IN_NETWORK(test) cmocka_unit_test_setup_teardown(test, given_a_network, then_it_ends)

/* ---- the disk ---- */

static uint64_t number_of(const struct network_house *house, const struct record_id *id)
{
    static uint8_t memory[STORE_RECORD_SIZE_MAX];
    struct store_record record;
    assert_int_equal(OK, record_table_find(runtime_store(house->runtime), id, memory, &record));
    return record.number;
}

/* What a process that was killed leaves: it did not say that it ended well. */
static void ended_badly(const struct network *network, const struct network_house *house)
{
    struct federation_id federation = roster_federation(&network->society.roster);
    struct store_options options = {.owner = runtime_owner(&federation, &house->node)};
    struct store_op op = {.kind = STORE_ROW_DELETE};
    char problem[STORE_PROBLEM_SIZE];
    struct store *store;
    op.row = (struct store_row){STORE_TABLE_META, bytes_of_text("scrub"), BYTES_NONE};
    assert_int_equal(OK, store_open(house->data, house->store_key, &options, problem, &store));
    assert_int_equal(OK, store_commit(store, &op, 1, STORE_NORMAL, NULL));
    store_close(store);
}

/* It ends, the disk loses these records, and it is there again, connected to `peer`. */
static void lose(struct network *network, int which, const struct record_id *ids, size_t count)
{
    size_t numbers[8];
    for (size_t i = 0; i < count; i++)
        numbers[i] = number_of(&network->houses[which], &ids[i]);
    network_shut(network, which);
    ended_badly(network, &network->houses[which]);
    for (size_t i = 0; i < count; i++) {
        network_spoil(&network->houses[which], "records", numbers[i]);
        if (i % 2 == 1)
            network_spoil(&network->houses[which], "cells", numbers[i]);
    }
    network_open(network, which);
}

struct wanted {
    const struct network_house *house;
    const struct record_id *ids;
    size_t count;
};

static bool all_are_readable(void *arg)
{
    const struct wanted *wanted = arg;
    static struct stored_record_memory memory;
    struct stored_record stored_record;
    struct engine_status status;
    engine_status(runtime_engine(wanted->house->runtime), &status);
    for (size_t i = 0; i < wanted->count; i++)
        if (stored_record_find(runtime_store(wanted->house->runtime), &wanted->ids[i], &memory,
                               &stored_record) != OK ||
            !stored_record.is_readable)
            return false;
    return status.lost_count == 0;
}

static bool some_are_lost(void *arg)
{
    const struct wanted *wanted = arg;
    struct engine_status status;
    engine_status(runtime_engine(wanted->house->runtime), &status);
    return status.lost_count == wanted->count;
}

static bool come_back(struct network *network, int which, const struct record_id *ids, size_t count)
{
    struct wanted wanted = {&network->houses[which], ids, count};
    return network_until(network, all_are_readable, &wanted);
}

static bool are_lost(struct network *network, int which, size_t count)
{
    struct wanted wanted = {&network->houses[which], NULL, count};
    return network_until(network, some_are_lost, &wanted);
}

/* Nothing in the store is damaged any more. */
static void is_sound(const struct network_house *house)
{
    uint64_t last = 0;
    assert_int_equal(OK, store_verify(runtime_store(house->runtime), 0, 100000, &last));
}

/* ---- stories ---- */

static void what_a_disk_lost_comes_back_from_others(void **state)
{
    struct network *network = *state;
    struct network_case one = network_ask(&network->houses[A], 7);
    struct record_id ids[4] = {one.announcement};
    network_take_part(&network->houses[B], &network->houses[A], &one);
    for (int i = 1; i < 4; i++) { /* the last one is where its stream ends */
        struct case_record_post post = {.text = bytes_of_text("I have seen three of these.")};
        ids[i] = network_write(&network->houses[A], &one.scope, KIND_POST, &post);
        assert_true(network_spreads(network, B, &ids[i]));
    }
    lose(network, B, ids, 4);
    assert_true(are_lost(network, B, 2)); /* those between are named by who stands behind them */
    network_connect(network, B, A);
    assert_true(come_back(network, B, ids, 4));
    is_sound(&network->houses[B]);
    network_shut(network, B); /* and stays */
    network_open(network, B);
    assert_true(come_back(network, B, ids, 4));
}

/* Somebody who passes a record on with a signature that is not its writer's. */
struct forger {
    struct record_id id;
    unsigned count;
};

static bool forge(void *arg, const struct network_house *from, const struct network_house *to,
                  struct network_frame *frame)
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
    struct network *network = *state;
    struct network_case one = network_ask(&network->houses[A], 7);
    struct forger forger = {.id = one.announcement};
    assert_true(network_spreads(network, B, &one.announcement));
    lose(network, B, &one.announcement, 1);
    assert_true(are_lost(network, B, 1));
    network->on_frame = forge;
    network->arg = &forger;
    network_connect(network, B, A);
    assert_true(network_until(network, has_forged, &forger));
    struct network_case next = network_ask(&network->houses[A], 8); /* comes behind it */
    assert_true(network_spreads(network, B, &next.announcement));
    assert_true(are_lost(network, B, 1));
    network->on_frame = NULL;
    network_shut(network, B);
    network_open(network, B);
    assert_true(are_lost(network, B, 1));
    network_connect(network, B, A);
    assert_true(come_back(network, B, &one.announcement, 1));
}

static void what_is_lost_stays_on_the_list_over_a_start(void **state)
{
    struct network *network = *state;
    struct network_case one = network_ask(&network->houses[A], 7);
    assert_true(network_spreads(network, B, &one.announcement));
    lose(network, B, &one.announcement, 1);
    assert_true(are_lost(network, B, 1));
    network_shut(network, B);
    network_open(network, B);
    struct engine_status status;
    engine_status(runtime_engine(network->houses[B].runtime), &status);
    assert_int_equal(1, status.lost_count);
    network_connect(network, B, A);
    assert_true(come_back(network, B, &one.announcement, 1));
}

static void what_is_our_own_comes_back_from_who_has_it_and_else_is_told(void **state)
{
    struct network *network = *state;
    struct engine_status status;
    struct network_case one = network_ask(&network->houses[A], 7);
    network_take_part(&network->houses[B], &network->houses[A], &one);
    struct case_record_post post = {.text = bytes_of_text("I have seen three of these.")};
    struct record_id ids[2] = {one.announcement,
                               network_write(&network->houses[A], &one.scope, KIND_POST, &post)};
    assert_true(network_spreads(network, B, &ids[1]));
    lose(network, A, ids, 2);
    assert_true(are_lost(network, A, 2));
    engine_status(runtime_engine(network->houses[A].runtime), &status);
    assert_int_equal(2, status.lost_own_count);
    network_connect(network, A, B);
    assert_true(come_back(network, A, ids, 2));
    engine_status(runtime_engine(network->houses[B].runtime), &status);
    assert_int_equal(0, status.forked_count);
    /* nobody else has this one */
    network_cut(network, A, B);
    struct network_case own = network_ask(&network->houses[A], 9);
    lose(network, A, &own.announcement, 1);
    assert_true(are_lost(network, A, 1));
    network_connect(network, A, B);
    struct network_case theirs = network_ask(&network->houses[B], 10); /* all else goes on */
    assert_true(network_spreads(network, A, &theirs.announcement));
    engine_status(runtime_engine(network->houses[A].runtime), &status);
    assert_int_equal(1, status.lost_own_count);
}

static void the_way_to_a_record_is_mended_by_itself(void **state)
{
    struct network *network = *state;
    static uint8_t memory[STORE_RECORD_SIZE_MAX];
    struct store_record record;
    struct network_case one = network_ask(&network->houses[A], 7);
    assert_true(network_spreads(network, B, &one.announcement));
    size_t number = number_of(&network->houses[B], &one.announcement);
    network_shut(network, B);
    ended_badly(network, &network->houses[B]);
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
    assert_int_equal(0, mdb_env_create(&env));
    assert_int_equal(0, mdb_env_set_maxdbs(env, 8));
    assert_int_equal(0, mdb_env_open(env, network->houses[B].data, 0, 0600));
    assert_int_equal(0, mdb_txn_begin(env, NULL, 0, &txn));
    assert_int_equal(0, mdb_dbi_open(txn, "ids", 0, &dbi));
    assert_int_equal(0, mdb_drop(txn, dbi, 0));
    assert_int_equal(0, mdb_txn_commit(txn));
    mdb_env_close(env);
    network_open(network, B);
    struct store *store = runtime_store(network->houses[B].runtime);
    assert_int_equal(ERR_NOT_FOUND, record_table_find(store, &one.announcement, memory, &record));
    assert_true(come_back(network, B, &one.announcement, 1));
    assert_int_equal(number, number_of(&network->houses[B], &one.announcement));
}

/* ---- what was erased ---- */

static bool is_destroyed(const struct network_house *house, const struct record_id *id)
{
    static uint8_t memory[STORE_RECORD_SIZE_MAX];
    struct store_record record;
    return record_table_find(runtime_store(house->runtime), id, memory, &record) == OK &&
           record.destroyed && !record.has_body && !record.has_key;
}

struct story {
    struct network *network;
    struct record_id said;
    uint32_t epoch;
};

static bool it_is_destroyed_at_b(void *arg)
{
    const struct story *story = arg;
    return is_destroyed(&story->network->houses[B], &story->said);
}

static bool it_is_destroyed_and_rekeyed_at_b(void *arg)
{
    const struct story *story = arg;
    struct store_usage usage;
    assert_int_equal(OK, store_usage(runtime_store(story->network->houses[B].runtime), &usage));
    return it_is_destroyed_at_b(arg) && usage.epoch > story->epoch && !usage.rekeying;
}

/* (S-6) Its body is put back beside the node's back, as a disk might that gives older pages. */
static void what_was_erased_and_is_there_again_is_destroyed_again(void **state)
{
    struct network *network = *state;
    struct network_house *b = &network->houses[B];
    static uint8_t memory[STORE_RECORD_SIZE_MAX];
    struct store_record record;
    struct network_case one = network_ask(&network->houses[A], 7);
    network_take_part(b, &network->houses[A], &one);
    struct case_record_post post = {.text = bytes_of_text("I have seen three of these.")};
    struct story story = {.network = network,
                          .said = network_write(&network->houses[A], &one.scope, KIND_POST, &post)};
    assert_true(network_spreads(network, B, &story.said));
    assert_int_equal(OK,
                     record_table_find(runtime_store(b->runtime), &story.said, memory, &record));
    struct record_claim claim;
    assert_int_equal(OK, record_parse(record.head, &claim));
    struct case_record_erase erase = {.opening = one.opening, .requester = network->houses[A].node};
    (void)network_write(&network->houses[A], &one.scope, KIND_ERASE, &erase);
    assert_true(network_until(network, it_is_destroyed_at_b, &story));
    network_shut(network, B);
    ended_badly(network, b);
    network_spoil(b, "cells", record.number);
    network_open(network, B);
    struct store_op op = {.kind = STORE_MEND};
    op.put = (struct store_put){.stream = &claim.header.stream,
                                .sequence = record.sequence,
                                .id = &record.id,
                                .head = record.head,
                                .body = record.body,
                                .key = &record.key};
    assert_int_equal(OK, store_commit(runtime_store(b->runtime), &op, 1, STORE_NORMAL, NULL));
    assert_false(is_destroyed(b, &story.said));
    struct store_usage usage;
    assert_int_equal(OK, store_usage(runtime_store(b->runtime), &usage));
    story.epoch = usage.epoch;
    assert_true(network_until(network, it_is_destroyed_and_rekeyed_at_b, &story));
}

/* Lost before it was erased: it comes back without what was erased. */
static void what_was_lost_and_then_erased_comes_back_empty(void **state)
{
    struct network *network = *state;
    struct network_case one = network_ask(&network->houses[A], 7);
    network_take_part(&network->houses[B], &network->houses[A], &one);
    network_take_part(&network->houses[C], &network->houses[A], &one);
    struct case_record_post post = {.text = bytes_of_text("I have seen three of these.")};
    struct story story = {.network = network,
                          .said = network_write(&network->houses[C], &one.scope, KIND_POST, &post)};
    struct record_id behind = network_write(&network->houses[C], &one.scope, KIND_POST, &post);
    assert_true(network_spreads(network, B, &story.said));
    assert_true(network_spreads(network, B, &behind));
    lose(network, B, &story.said, 1);
    assert_true(are_lost(network, B, 1));
    struct case_record_erase erase = {.opening = one.opening, .requester = network->houses[A].node};
    (void)network_write(&network->houses[A], &one.scope, KIND_ERASE, &erase);
    network_connect(network, B, A);
    assert_true(network_until(network, it_is_destroyed_at_b, &story));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_NETWORK(what_a_disk_lost_comes_back_from_others),
        IN_NETWORK(what_comes_back_has_its_own_signature),
        IN_NETWORK(what_is_lost_stays_on_the_list_over_a_start),
        IN_NETWORK(what_is_our_own_comes_back_from_who_has_it_and_else_is_told),
        IN_NETWORK(the_way_to_a_record_is_mended_by_itself),
        IN_NETWORK(what_was_erased_and_is_there_again_is_destroyed_again),
        IN_NETWORK(what_was_lost_and_then_erased_comes_back_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
