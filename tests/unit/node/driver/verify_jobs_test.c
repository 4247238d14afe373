/* What waits for its check and continues each other is checked as one run; if that fails, each on
 * its own. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "protocol/wire/frame.h"
#include "tests/harness/network.h"

enum { A, B, COUNT = 20, WORKERS = 2 /* of the network */ };

/* Keeps a worker until it is let go. */
struct block {
    struct job job;
    struct burst *burst;
};

struct burst {
    struct network *network;
    struct record_id ids[COUNT];
    size_t
        spoiled; /* index of the record whose signature is spoiled on its way to B; COUNT: none */
    struct block blocks[WORKERS];
    pthread_mutex_t mutex;
    pthread_cond_t is_over;
    bool is_blocked;
    unsigned left;
    size_t frames; /* with a record of the burst, to B */
};

static void block_run(struct job *job)
{
    struct burst *burst = ((struct block *)job)->burst;
    pthread_mutex_lock(&burst->mutex);
    while (burst->is_blocked)
        pthread_cond_wait(&burst->is_over, &burst->mutex);
    pthread_mutex_unlock(&burst->mutex);
}

static void block_done(struct job *job)
{
    ((struct block *)job)->burst->left--;
}

static bool spoil(void *arg, const struct network_house *from, const struct network_house *to,
                  struct network_frame *frame)
{
    struct burst *burst = arg;
    struct reader reader;
    struct frame_record record;
    struct record_claim claim;
    uint16_t count;
    (void)from;
    if (to->number != B + 1 || frame->data[0] != FRAME_RECORDS ||
        frame_records_open((struct bytes){frame->data, frame->size}, &reader, &count) != OK)
        return true;
    while (count-- > 0 && frame_record_read(&reader, &record) == OK) {
        assert_int_equal(OK, record_parse(record.record, &claim));
        if (claim.header.stream.scope.kind != SCOPE_BOARD)
            continue;
        if (burst->frames++ == burst->spoiled)
            frame->data[record.record.data - frame->data + RECORD_HEADER_SIZE] ^= 1;
    }
    return true;
}

static int given_a_burst(void **state)
{
    static struct burst burst;
    burst = (struct burst){.network = network_new_in_touch(), .spoiled = COUNT};
    pthread_mutex_init(&burst.mutex, NULL);
    pthread_cond_init(&burst.is_over, NULL);
    burst.network->on_frame = spoil;
    burst.network->arg = &burst;
    *state = &burst;
    return 0;
}

static int then_it_ends(void **state)
{
    network_free(((struct burst *)*state)->network);
    return 0;
}

static bool all_came(void *arg)
{
    return ((struct burst *)arg)->frames >= COUNT;
}

static bool workers_are_free(void *arg)
{
    return ((struct burst *)arg)->left == 0;
}

static bool b_has_all(void *arg)
{
    struct burst *burst = arg;
    return network_holds(
        &(struct network_sought){&burst->network->houses[B], burst->ids[COUNT - 1]});
}

/* A writes while no worker is free: B gets each record in a frame of its own, and checks none. */
static void write_while_nobody_checks(struct burst *burst)
{
    struct network *network = burst->network;
    burst->is_blocked = true;
    for (size_t i = 0; i < WORKERS; i++) {
        burst->blocks[i] =
            (struct block){.job = {.run = block_run, .done = block_done}, .burst = burst};
        assert_int_equal(OK, workers_submit_any(network->workers, &burst->blocks[i].job));
        burst->left++;
    }
    for (size_t i = 0; i < COUNT; i++)
        burst->ids[i] = network_ask(&network->houses[A], (uint8_t)(i + 1)).announcement;
    assert_true(network_until(network, all_came, burst));
    pthread_mutex_lock(&burst->mutex);
    burst->is_blocked = false;
    pthread_cond_broadcast(&burst->is_over);
    pthread_mutex_unlock(&burst->mutex);
    assert_true(network_until(network, workers_are_free, burst));
}

static size_t marked_count(const struct burst *burst)
{
    static uint8_t memory[STORE_RECORD_SIZE_MAX];
    struct store *store = runtime_store(burst->network->houses[B].runtime);
    struct store_record record;
    size_t count = 0;
    for (size_t i = 0; i < COUNT; i++)
        count += record_table_find(store, &burst->ids[i], memory, &record) == OK &&
                 (record.flags & RECORD_UNSIGNED) != 0;
    return count;
}

/* (T-29) */
static void what_waits_is_checked_as_one_run(void **state)
{
    struct burst *burst = *state;
    write_while_nobody_checks(burst);
    while (!b_has_all(burst))
        network_turn(burst->network);
    assert_int_equal(COUNT - 1, marked_count(burst)); /* the last one vouches for all */
}

/* (T-30) */
static void what_fails_as_one_run_is_checked_one_by_one(void **state)
{
    struct burst *burst = *state;
    burst->spoiled = COUNT - 1;
    write_while_nobody_checks(burst);
    struct network_sought sought = {&burst->network->houses[B], burst->ids[COUNT - 2]};
    assert_true(network_until(burst->network, network_holds, &sought));
    assert_int_equal(0, marked_count(burst));
    assert_true(network_until(burst->network, b_has_all, burst)); /* asked for again */
    assert_int_equal(0, marked_count(burst));
}

#define WITH_A_BURST(test) cmocka_unit_test_setup_teardown(test, given_a_burst, then_it_ends)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_A_BURST(what_waits_is_checked_as_one_run),
        WITH_A_BURST(what_fails_as_one_run_is_checked_one_by_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
