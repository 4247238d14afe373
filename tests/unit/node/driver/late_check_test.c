/* Signatures that a later one vouched for are checked later, and a spoiled one is replaced. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/rows/node_row.h"
#include "protocol/wire/frame.h"
#include "tests/harness/network.h"

enum { A, B, C, COUNT = 3 };

/* B missed what A wrote, and gets it in one run, the second record with a spoiled signature. */
struct missed {
    struct network *network;
    struct record_id ids[COUNT];
    unsigned spoiled_count;
};

static bool spoil(void *arg, const struct network_house *from, const struct network_house *to,
                  struct network_frame *frame)
{
    struct missed *missed = arg;
    struct reader reader;
    struct frame_record record;
    struct record_claim claim;
    uint16_t count;
    (void)from;
    if (to->number != B + 1 || frame->data[0] != FRAME_RECORDS ||
        frame_records_open((struct bytes){frame->data, frame->size}, &reader, &count) != OK)
        return true;
    while (count-- > 0 && frame_record_read(&reader, &record) == OK) {
        if (record_parse(record.record, &claim) != OK || !ID_EQUAL(claim.id, missed->ids[1]))
            continue;
        frame->data[record.record.data - frame->data + RECORD_HEADER_SIZE] ^= 1;
        missed->spoiled_count++;
    }
    return true;
}

static int given_a_spoiled_run(void **state)
{
    static struct missed missed;
    missed = (struct missed){.network = network_new_in_touch()};
    struct network *network = missed.network;
    network_shut(network, B);
    for (uint8_t i = 0; i < COUNT; i++)
        missed.ids[i] = network_ask(&network->houses[A], (uint8_t)(i + 1)).announcement;
    network->on_frame = spoil;
    network->arg = &missed;
    network_open(network, B);
    *state = &missed;
    return 0;
}

static int then_it_ends(void **state)
{
    network_free(((struct missed *)*state)->network);
    return 0;
}

static struct store_record stored(const struct network_house *house, const struct record_id *id)
{
    static uint8_t memory[2][STORE_RECORD_SIZE_MAX];
    static unsigned turn;
    struct store_record record;
    assert_int_equal(
        OK, record_table_find(runtime_store(house->runtime), id, memory[turn++ % 2], &record));
    return record;
}

static bool is_marked(struct missed *missed, size_t index)
{
    return (stored(&missed->network->houses[B], &missed->ids[index]).flags & RECORD_UNSIGNED) != 0;
}

static bool is_as_written(struct missed *missed, size_t index)
{
    struct store_record at_b = stored(&missed->network->houses[B], &missed->ids[index]);
    struct store_record at_a = stored(&missed->network->houses[A], &missed->ids[index]);
    return bytes_equal(at_b.head, at_a.head);
}

static uint32_t lost_count(const struct missed *missed)
{
    struct engine_status status;
    engine_status(runtime_engine(missed->network->houses[B].runtime), &status);
    return status.lost_count;
}

static bool all_that_is_good_is_checked(void *arg)
{
    return !is_marked(arg, 0) && !is_marked(arg, 2) && lost_count(arg) == 1;
}

static bool all_are_as_written(void *arg)
{
    bool holds = lost_count(arg) == 0;
    for (size_t i = 0; i < COUNT; i++)
        holds = holds && !is_marked(arg, i) && is_as_written(arg, i);
    return holds;
}

/* (T-27) */
static void a_spoiled_signature_is_found_and_its_record_requested_again(void **state)
{
    struct missed *missed = *state;
    struct network *network = missed->network;
    network_connect(network, B, A);
    assert_true(network_spreads(network, B, &missed->ids[COUNT - 1]));
    assert_false(is_as_written(missed, 1));
    assert_true(network_until(network, all_that_is_good_is_checked, missed));
    network->on_frame = NULL;
    assert_true(network_until(network, all_are_as_written, missed));
}

static void what_is_not_checked_when_a_process_ends_is_checked_by_the_next(void **state)
{
    struct missed *missed = *state;
    struct network *network = missed->network;
    network_connect(network, B, A);
    while (!network_holds(&(struct network_sought){&network->houses[B], missed->ids[COUNT - 1]}))
        network_turn(network); /* durable: and the process ends before anything else */
    bool was_marked = is_marked(missed, 0) && is_marked(missed, 1);
    network_shut(network, B);
    network->on_frame = NULL;
    network_open(network, B);
    assert_true(was_marked);
    assert_true(network_until(network, all_that_is_good_is_checked, missed));
    network_connect(network, B, A);
    assert_true(network_until(network, all_are_as_written, missed));
    assert_true(node_row_checked_get(runtime_store(network->houses[B].runtime)) > 0);
}

static bool the_last_is_checked(void *arg)
{
    return !is_marked(arg, COUNT - 1) && !is_marked(arg, 1);
}

/* The disk loses a record that is still to be checked: those behind it are checked all the same. */
static void a_damaged_record_stops_no_check(void **state)
{
    struct missed *missed = *state;
    struct network *network = missed->network;
    network->on_frame = NULL;
    network_connect(network, B, A);
    while (!network_holds(&(struct network_sought){&network->houses[B], missed->ids[COUNT - 1]}))
        network_turn(network);
    uint64_t number = stored(&network->houses[B], &missed->ids[0]).number;
    assert_true(is_marked(missed, 0) && is_marked(missed, 1));
    network_shut(network, B);
    network_spoil(&network->houses[B], "records", number);
    network_open(network, B);
    assert_true(network_until(network, the_last_is_checked, missed));
}

#define WITH_A_SPOILED_RUN(test)                                                                   \
    cmocka_unit_test_setup_teardown(test, given_a_spoiled_run, then_it_ends)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_A_SPOILED_RUN(a_spoiled_signature_is_found_and_its_record_requested_again),
        WITH_A_SPOILED_RUN(what_is_not_checked_when_a_process_ends_is_checked_by_the_next),
        WITH_A_SPOILED_RUN(a_damaged_record_stops_no_check),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
