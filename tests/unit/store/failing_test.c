/* Goal: when the disk fails, nothing is acknowledged any more, the program is told once, and the
 * next open looks at everything before it uses anything. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdatomic.h>
#include <sys/syscall.h>

#include "store/item_file.h"
#include "tests/unit/store/fixture.h"

/* The program's own fdatasync comes before libc's, for LMDB too: the disk fails when we say so. */
static atomic_bool sync_fails;
static atomic_int sync_errno;
static atomic_bool sync_is_held; /* it waits as long as this is so */
static atomic_bool sync_waits;

int fdatasync(int fd)
{
    while (atomic_load(&sync_is_held)) {
        atomic_store(&sync_waits, true);
        usleep(100);
    }
    if (atomic_load(&sync_fails)) {
        errno = atomic_load(&sync_errno);
        return -1;
    }
    return (int)syscall(SYS_fdatasync, fd);
}

struct told {
    atomic_int times;
    atomic_int reason;
};

static void on_fatal(void *arg, err reason)
{
    struct told *told = arg;
    atomic_fetch_add(&told->times, 1);
    atomic_store(&told->reason, (int)reason);
}

static uint8_t memory[STORE_RECORD_SIZE_MAX];

static void a_failed_sync_is_the_end_of_acknowledging(void **state) /* (S-2) */
{
    (void)state;
    struct fixture *fixture = fixture_new();
    struct stream_id stream = fixture_stream(1, 1);
    struct told told = {.times = 0};
    struct store_record record;
    fixture->options.fatal = on_fatal;
    fixture->options.arg = &told;
    fixture_open(fixture);
    assert_int_equal(fixture_put(fixture, stream, 1), OK);
    atomic_store(&sync_errno, EIO);
    atomic_store(&sync_fails, true);
    assert_int_equal(fixture_put(fixture, stream, 2), ERR_IO);
    atomic_store(&sync_fails, false); /* the next sync would succeed */
    assert_int_equal(fixture_put(fixture, stream, 3), ERR_IO);
    assert_int_equal(store_rekey(fixture->store, 1), ERR_IO);
    assert_int_equal(atomic_load(&told.times), 1);
    assert_int_equal(atomic_load(&told.reason), ERR_IO);
    assert_int_equal(record_table_get(fixture->store, &stream, 2, memory, &record), ERR_NOT_FOUND);
    fixture_close(fixture);

    char path[256];
    snprintf(path, sizeof path, "%s/failed", fixture->path);
    assert_int_equal(access(path, F_OK), 0);
    fixture_open(fixture); /* looked at, and found good */
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(record_table_get(fixture->store, &stream, 1, memory, &record), OK);
    assert_int_equal(record_table_get(fixture->store, &stream, 2, memory, &record), ERR_NOT_FOUND);
    assert_int_equal(fixture_put(fixture, stream, 2), OK);
    fixture_free(fixture);
}

struct results {
    unsigned count;
    unsigned failed;
};

static void count_results(void *arg, const struct store_done *done)
{
    struct results *results = arg;
    results->count++;
    results->failed += done->result == ERR_IO ? 1 : 0;
}

static void a_rekey_that_waits_when_the_disk_fails_is_told(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_new();
    struct fixture_record record;
    struct results results = {0};
    struct store_usage usage;
    fixture_open(fixture);
    fixture_record(&record, fixture_stream(1, 1), 1, 200);
    atomic_store(&sync_errno, EIO);
    atomic_store(&sync_fails, true);
    atomic_store(&sync_is_held, true);
    assert_int_equal(store_submit(fixture->store, &record.op, 1, STORE_NORMAL, 1), OK);
    while (!atomic_load(&sync_waits)) {
        usleep(100);
    }
    assert_int_equal(store_rekey(fixture->store, 2), OK);
    atomic_store(&sync_is_held, false);
    while (results.count < 2) {
        store_drain(fixture->store, count_results, &results);
        usleep(100);
    }
    atomic_store(&sync_fails, false);
    assert_int_equal(results.failed, 2);
    assert_int_equal(store_usage(fixture->store, &usage), OK);
    assert_false(usage.rekeying);
    assert_int_equal(usage.epoch, 1);
    fixture_free(fixture);
}

static void a_full_disk_at_the_sync_is_no_failure(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_new();
    struct stream_id stream = fixture_stream(1, 1);
    struct told told = {.times = 0};
    fixture->options.fatal = on_fatal;
    fixture->options.arg = &told;
    fixture_open(fixture);
    atomic_store(&sync_errno, ENOSPC);
    atomic_store(&sync_fails, true);
    assert_int_equal(fixture_put(fixture, stream, 1), ERR_FULL);
    atomic_store(&sync_fails, false);
    assert_int_equal(atomic_load(&told.times), 0);
    assert_int_equal(fixture_put(fixture, stream, 1), OK);
    fixture_free(fixture);
}

static void on_done(void *arg, const struct store_done *done)
{
    err *result = arg;
    *result = done->result;
}

static err wait_result(struct fixture *fixture)
{
    err result = ERR_COUNT;
    while (result == ERR_COUNT) {
        store_drain(fixture->store, on_done, &result);
        usleep(500);
    }
    return result;
}

static void a_chunk_that_was_not_synced_is_not_here(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_new();
    struct item_id item = {.bytes = {1}};
    struct item_file_shape shape = {.size = 100, .chunk_size = 100};
    uint8_t data[100] = {1};
    struct item_file_chunk chunk = {.data = {data, sizeof data}};
    struct item_file_state item_state;
    fixture_open(fixture);
    assert_int_equal(item_file_create(fixture->store, &item, &shape, 1), OK);
    assert_int_equal(wait_result(fixture), OK);
    atomic_store(&sync_errno, EIO);
    atomic_store(&sync_fails, true);
    assert_int_equal(item_file_write(fixture->store, &item, &chunk, 2), OK);
    assert_int_equal(wait_result(fixture), ERR_IO);
    atomic_store(&sync_fails, false);
    assert_int_equal(item_file_state(fixture->store, &item, &item_state), OK);
    assert_int_equal(item_state.chunks_here, 0);
    assert_int_equal(item_file_write(fixture->store, &item, &chunk, 3), OK);
    assert_int_equal(wait_result(fixture), OK);
    assert_int_equal(item_file_state(fixture->store, &item, &item_state), OK);
    assert_int_equal(item_state.chunks_here, 1);
    fixture_free(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failed_sync_is_the_end_of_acknowledging),
        cmocka_unit_test(a_rekey_that_waits_when_the_disk_fails_is_told),
        cmocka_unit_test(a_full_disk_at_the_sync_is_no_failure),
        cmocka_unit_test(a_chunk_that_was_not_synced_is_not_here),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
