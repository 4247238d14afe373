/* Goal: whatever was acknowledged is there after kill -9 at any moment, and a reader never sees
 * half a batch. CONSILIUM_KILL_COUNT sets how often it is killed (50 by default). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>

#include "tests/unit/store/fixture.h"

enum { KILL_COUNT = 50, BATCH_RECORDS = 3, STREAM_COUNT = 5 };

static uint8_t memory[STORE_RECORD_SIZE_MAX];

/* ---- the child: puts batches, and writes to the pipe what was acknowledged ---- */

struct child {
    int pipe;
    uint64_t acknowledged;
};

static void on_done(void *arg, const struct store_done *done)
{
    struct child *child = arg;
    if (done->result != OK || done->token != child->acknowledged + 1) {
        _exit(2);
    }
    child->acknowledged = done->token;
    if (write(child->pipe, &done->token, sizeof done->token) != sizeof done->token) {
        _exit(3);
    }
}

/* Batch n: three records at position n of three streams, and one row that names n. */
static err submit_batch(struct store *store, uint64_t batch)
{
    struct fixture_record records[BATCH_RECORDS];
    struct store_op ops[BATCH_RECORDS + 1];
    uint8_t row[8];
    struct buffer buffer = buffer_over(row, sizeof row);
    buffer_u64(&buffer, batch);
    for (size_t i = 0; i < BATCH_RECORDS; i += 1) {
        fixture_record(&records[i], fixture_stream(1, (uint8_t)((batch + i) % STREAM_COUNT)), batch,
                       300);
        ops[i] = records[i].op;
    }
    ops[BATCH_RECORDS] = (struct store_op){
        .kind = STORE_ROW_PUT, .row = {STORE_TABLE_META, bytes_of_text("last"), {row, 8}}};
    return store_submit(store, ops, BATCH_RECORDS + 1, STORE_NORMAL, batch);
}

static void run_child(struct fixture *fixture, int pipe, uint64_t first)
{
    struct child child = {.pipe = pipe, .acknowledged = first - 1};
    if (store_open(fixture->path, fixture->master, &fixture->options, fixture->problem,
                   &fixture->store) != OK) {
        _exit(4);
    }
    for (uint64_t batch = first;;) {
        err result = submit_batch(fixture->store, batch);
        batch += result == OK ? 1 : 0;
        if (result != OK && result != ERR_BUSY) {
            _exit(5);
        }
        store_drain(fixture->store, on_done, &child);
    }
}

/* ---- the parent ---- */

static uint64_t kill_after(pid_t child, int pipe, uint64_t acknowledged, unsigned ms)
{
    uint64_t token;
    bool killed = false;
    struct timespec start;
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (;;) {
        struct timespec now;
        struct pollfd poll_fd = {.fd = pipe, .events = POLLIN};
        clock_gettime(CLOCK_MONOTONIC, &now);
        long passed = (now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000;
        if (!killed && passed >= (long)ms) {
            kill(child, SIGKILL);
            killed = true;
        }
        (void)poll(&poll_fd, 1, 1);
        if ((poll_fd.revents & (POLLIN | POLLHUP)) == 0) {
            continue;
        }
        ssize_t size = read(pipe, &token, sizeof token);
        if (size == 0) {
            break;
        }
        assert_int_equal(size, sizeof token);
        acknowledged = token;
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status)) {
        fail_msg("the child ended by itself with %d", WEXITSTATUS(status));
    }
    return acknowledged;
}

static uint64_t last_row(struct fixture *fixture)
{
    uint8_t row[8];
    struct buffer buffer = buffer_over(row, sizeof row);
    err result = row_table_get(fixture->store, STORE_TABLE_META, bytes_of_text("last"), &buffer);
    if (result == ERR_NOT_FOUND) {
        return 0;
    }
    assert_int_equal(result, OK);
    struct reader reader = reader_of((struct bytes){row, 8});
    return reader_u64(&reader);
}

static void check_batch(struct fixture *fixture, uint64_t batch, err expected)
{
    for (size_t i = 0; i < BATCH_RECORDS; i += 1) {
        struct store_record record;
        struct stream_id stream = fixture_stream(1, (uint8_t)((batch + i) % STREAM_COUNT));
        assert_int_equal(record_table_get(fixture->store, &stream, batch, memory, &record),
                         expected);
    }
}

static void nothing_acknowledged_is_lost_to_kill_9(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_new();
    fixture->options.quota = (uint64_t)64 << 30; /* a fast disk takes a lot between two kills */
    const char *wanted = getenv("CONSILIUM_KILL_COUNT");
    unsigned count = wanted != NULL ? (unsigned)strtoul(wanted, NULL, 10) : KILL_COUNT;
    unsigned seed = (unsigned)time(NULL);
    uint64_t acknowledged = 0;
    uint64_t present = 0;
    for (unsigned i = 0; i < count; i += 1) {
        int pipes[2];
        assert_int_equal(pipe(pipes), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            close(pipes[0]);
            run_child(fixture, pipes[1], present + 1);
        }
        close(pipes[1]);
        seed = seed * 1103515245u + 12345u;
        acknowledged = kill_after(child, pipes[0], acknowledged, seed / 65536 % 60);
        close(pipes[0]);

        fixture_open(fixture);
        uint64_t before = present;
        present = last_row(fixture);
        assert_true(present >= acknowledged); /* (S-1) */
        for (uint64_t batch = before + 1; batch <= present; batch += 1) {
            check_batch(fixture, batch, OK);
        }
        check_batch(fixture, present + 1, ERR_NOT_FOUND);
        fixture_close(fixture);
    }
    fixture->options.verify = true;
    fixture_open(fixture);
    struct store_usage usage;
    assert_int_equal(store_usage(fixture->store, &usage), OK);
    assert_int_equal(usage.record_count, present * BATCH_RECORDS);
    print_message("%u kills, %llu batches acknowledged, none lost\n", count,
                  (unsigned long long)acknowledged);
    fixture_free(fixture);
}

/* ---- readers beside the writer ---- */

struct reading {
    struct store *store;
    atomic_bool stop;
    atomic_ulong looks;
    atomic_bool torn;
};

static void *read_on(void *arg)
{
    struct reading *reading = arg;
    struct store_record records[64];
    static _Thread_local uint8_t page_memory[256 * 1024];
    struct store_page page = {.records = records,
                              .record_max = 64,
                              .memory = page_memory,
                              .memory_size = sizeof page_memory};
    struct scope scope = fixture_stream(1, 1).scope;
    uint64_t number = 0;
    while (!atomic_load(&reading->stop)) {
        /* a page begins at the edge of a batch, so it must end at one */
        if (record_table_scope(reading->store, &scope, number, &page) != OK) {
            atomic_store(&reading->torn, true);
        }
        if (page.record_count < 63 && page.record_count % BATCH_RECORDS != 0) {
            atomic_store(&reading->torn, true);
        }
        size_t whole = page.record_count - page.record_count % BATCH_RECORDS;
        if (whole > 0) {
            number = records[whole - 1].number;
        }
        atomic_fetch_add(&reading->looks, 1);
    }
    return NULL;
}

static void ignore_done(void *arg, const struct store_done *done)
{
    (void)arg;
    assert_int_equal(done->result, OK);
}

static void readers_see_whole_batches_only(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_new();
    fixture->options.quota = (uint64_t)64 << 30;
    fixture_open(fixture);
    struct reading reading = {.store = fixture->store};
    pthread_t threads[2];
    for (size_t i = 0; i < 2; i += 1) {
        assert_int_equal(pthread_create(&threads[i], NULL, read_on, &reading), 0);
    }
    for (uint64_t batch = 1; batch <= 3000 || atomic_load(&reading.looks) < 100;) {
        err result = submit_batch(fixture->store, batch);
        batch += result == OK ? 1 : 0;
        store_drain(fixture->store, ignore_done, NULL);
    }
    atomic_store(&reading.stop, true);
    for (size_t i = 0; i < 2; i += 1) {
        pthread_join(threads[i], NULL);
    }
    assert_false(atomic_load(&reading.torn));
    fixture_free(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_acknowledged_is_lost_to_kill_9),
        cmocka_unit_test(readers_see_whole_batches_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
