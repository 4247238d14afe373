/* Goal: on a full disk nothing is half done, what was there stays readable, erasing still works,
 * and writing goes on when there is room again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sys/mount.h>

#include "store/item_file.h"
#include "tests/unit/store/fixture.h"

static uint8_t memory[STORE_RECORD_SIZE_MAX];

/* Puts records until one is refused; the sequence of the first that was. */
static uint64_t fill_up(struct fixture *fixture, struct stream_id stream, uint64_t from,
                        err *ret_result)
{
    enum { BATCH = 200 };
    static struct fixture_record put[BATCH];
    static struct store_op ops[BATCH];
    for (uint64_t next = from;; next += BATCH) {
        for (uint64_t i = 0; i < BATCH; i += 1) {
            fixture_record(&put[i], stream, next + i, 1000);
            ops[i] = put[i].op;
        }
        *ret_result = store_commit(fixture->store, ops, BATCH, STORE_NORMAL, NULL);
        if (*ret_result != OK) {
            return next;
        }
        assert_true(next < 1000000);
    }
}

static void change_all(struct fixture *fixture, enum store_op_kind kind, struct stream_id stream,
                       uint64_t from, uint64_t end)
{
    enum { BATCH = 50 };
    struct store_op ops[BATCH];
    while (from < end) {
        size_t count = 0;
        for (; count < BATCH && from < end; count += 1, from += 1) {
            ops[count] =
                (struct store_op){.kind = kind, .position = {.stream = &stream, .sequence = from}};
        }
        assert_int_equal(store_commit(fixture->store, ops, count, STORE_RELEASING, NULL), OK);
    }
}

static void check_all(struct fixture *fixture, struct stream_id stream, uint64_t end)
{
    struct store_record record;
    for (uint64_t i = 1; i < end; i += 37) {
        assert_int_equal(record_table_get(fixture->store, &stream, i, memory, &record), OK);
    }
    assert_int_equal(record_table_get(fixture->store, &stream, end, memory, &record),
                     ERR_NOT_FOUND);
}

static void at_90_percent_of_the_quota_records_are_refused_and_erasing_works(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_new();
    struct stream_id stream = fixture_stream(1, 1);
    struct store_usage usage;
    err result;
    fixture->options.quota = (uint64_t)8 << 20;
    fixture_open(fixture);
    uint64_t end = fill_up(fixture, stream, 1, &result);
    assert_int_equal(result, ERR_FULL);
    assert_int_equal(store_usage(fixture->store, &usage), OK);
    assert_true(usage.full);
    assert_true(usage.bytes >= usage.quota / 10 * 9 && usage.bytes < usage.quota);
    check_all(fixture, stream, end);
    /* an erasure brings its own record with it */
    struct fixture_record put;
    fixture_record(&put, fixture_stream(1, 2), 1, 100);
    struct store_op ops[2] = {
        put.op, {.kind = STORE_DESTROY, .position = {.stream = &stream, .sequence = 5}}};
    assert_int_equal(store_commit(fixture->store, ops, 2, STORE_RELEASING, NULL), OK);
    change_all(fixture, STORE_DROP, stream, 1, end / 2);
    assert_int_equal(fixture_put(fixture, fixture_stream(1, 2), 2), OK);
    assert_int_equal(store_usage(fixture->store, &usage), OK);
    assert_false(usage.full);
    fixture_free(fixture);
}

static void fill_disk(const char *path, const char *name, size_t size_max)
{
    char filler[256];
    static uint8_t block[65536];
    snprintf(filler, sizeof filler, "%s/%s", path, name);
    int fd = open(filler, O_WRONLY | O_CREAT | O_APPEND, 0600);
    assert_true(fd >= 0);
    size_t size = sizeof block;
    for (size_t done = 0; size > 0 && done < size_max;) {
        ssize_t written = write(fd, block, size);
        size = written <= 0 ? size / 2 : size;
        done += written > 0 ? (size_t)written : 0;
    }
    close(fd);
}

static void a_full_disk_refuses_cleanly_and_lets_erasing_through(void **state) /* (S-5) */
{
    (void)state;
    char mount_point[] = "/tmp/consilium_full_XXXXXX";
    struct stream_id stream = fixture_stream(1, 1);
    struct store_usage usage;
    struct store_record record;
    err result;
    assert_non_null(mkdtemp(mount_point));
    if (mount("tmpfs", mount_point, "tmpfs", 0, "size=52m,mode=0700") != 0) {
        print_message("NOT TESTED: cannot mount a small tmpfs (%s)\n", strerror(errno));
        rmdir(mount_point);
        skip();
    }
    struct fixture *fixture = fixture_new();
    rmdir(fixture->path);
    snprintf(fixture->path, sizeof fixture->path, "%s/store", mount_point);
    fixture_open(fixture);
    fill_disk(mount_point, "filler", 12 << 20);
    uint64_t end = fill_up(fixture, stream, 1, &result);
    assert_int_equal(result, ERR_FULL);
    assert_true(end > 1000);
    fill_disk(mount_point, "filler", SIZE_MAX); /* not a byte is left */
    check_all(fixture, stream, end);
    for (int i = 0; i < 3; i += 1) { /* though pages within the file are free */
        result = fixture_put(fixture, stream, end);
        assert_int_equal(result, ERR_FULL);
        assert_int_equal(store_usage(fixture->store, &usage), OK);
        assert_true(usage.full);
    }

    /* no item is begun */
    struct item_id item = {.bytes = {1}};
    struct item_file_shape shape = {.size = 4 << 20, .chunk_size = CHUNK_SIZE_MAX};
    assert_int_equal(item_file_create(fixture->store, &item, &shape, 1), OK);
    struct item_file_state item_state;
    usleep(100000);
    assert_int_equal(item_file_state(fixture->store, &item, &item_state), ERR_NOT_FOUND);

    change_all(fixture, STORE_DESTROY, stream, 1, end);
    assert_int_equal(record_table_get(fixture->store, &stream, 1, memory, &record), OK);
    assert_true(record.destroyed);
    fixture_close(fixture);
    fixture_open(fixture); /* opens on a full disk too */
    assert_int_equal(store_usage(fixture->store, &usage), OK);

    char filler[256];
    snprintf(filler, sizeof filler, "%s/filler", mount_point);
    assert_int_equal(unlink(filler), 0);
    for (int i = 0; i < 50 && result != OK; i += 1) {
        result = fixture_put(fixture, stream, end);
        usleep(100000);
    }
    assert_int_equal(result, OK);
    fixture_close(fixture);
    fixture->options.verify = true;
    fixture_open(fixture);
    fixture_free(fixture);
    assert_int_equal(umount(mount_point), 0);
    rmdir(mount_point);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_90_percent_of_the_quota_records_are_refused_and_erasing_works),
        cmocka_unit_test(a_full_disk_refuses_cleanly_and_lets_erasing_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
