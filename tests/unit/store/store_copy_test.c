/* Goal: a copy that is made while the store is written is whole: it is the store of one moment, it
 * opens where it is put, and rekeys meanwhile do not make it unreadable. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "store/item_file.h"
#include "store/store_copy.h"
#include "tests/unit/store/fixture.h"

enum { RECORD_COUNT = 3000 }; /* enough that a rekey begins or ends during many a copy */

struct copied {
    char path[160];
    char problem[STORE_PROBLEM_SIZE];
    struct store_copy copy;
};

static int setup(void **state)
{
    *state = fixture_new();
    return 0;
}

static int teardown(void **state)
{
    fixture_free(*state);
    return 0;
}

/* In a process of its own: LMDB allows no second environment in the one that has the store open. */
static err copy_of(struct fixture *fixture, struct copied *copied)
{
    struct shared {
        err result;
        struct copied copied;
    } *shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int status;
    assert_ptr_not_equal(shared, MAP_FAILED);
    snprintf(shared->copied.path, sizeof shared->copied.path, "%s.copy", fixture->path);
    pid_t child = fork();
    if (child == 0) {
        const struct store_copy_request request = {
            .from = fixture->path, .to = shared->copied.path, .master = fixture->master};
        shared->result = store_copy(&request, shared->copied.problem, &shared->copied.copy);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    err result = shared->result;
    *copied = shared->copied;
    munmap(shared, sizeof *shared);
    return result;
}

static void assert_copied(struct fixture *fixture, struct copied *copied)
{
    err result = copy_of(fixture, copied);
    if (result != OK) {
        fail_msg("%s: %s", err_name(result), copied->problem);
    }
}

static struct store *opened(struct fixture *fixture, const struct copied *copied)
{
    struct store *store;
    err result =
        store_open(copied->path, fixture->master, &fixture->options, fixture->problem, &store);
    if (result != OK) {
        fail_msg("%s: %s", err_name(result), fixture->problem);
    }
    return store;
}

static void drop(const struct copied *copied)
{
    fixture_empty(copied->path);
    assert_int_equal(rmdir(copied->path), 0);
}

static bool has(struct store *store, struct stream_id stream, uint64_t sequence)
{
    uint8_t memory[STORE_RECORD_SIZE_MAX];
    struct store_record record;
    return record_table_get(store, &stream, sequence, memory, &record) == OK && record.has_body &&
           record.has_key;
}

static void it_holds_what_was_committed_before_and_not_what_came_after(void **state)
{
    struct fixture *fixture = *state;
    struct copied copied;
    fixture_open(fixture);
    for (uint64_t i = 1; i <= 20; i += 1) {
        assert_int_equal(fixture_put(fixture, fixture_stream(1, 1), i), OK);
    }
    assert_int_equal(fixture_row(fixture, STORE_TABLE_META, "name", "value"), OK);
    assert_copied(fixture, &copied);
    assert_int_equal(fixture_put(fixture, fixture_stream(1, 1), 21), OK);
    struct store *store = opened(fixture, &copied);
    for (uint64_t i = 1; i <= 20; i += 1) {
        assert_true(has(store, fixture_stream(1, 1), i));
    }
    assert_false(has(store, fixture_stream(1, 1), 21));
    uint8_t memory[16];
    struct buffer value = buffer_over(memory, sizeof memory);
    assert_int_equal(row_table_get(store, STORE_TABLE_META, bytes_of_text("name"), &value), OK);
    store_close(store);
    drop(&copied);
}

/* ---- while it is written and erased in ---- */

struct busy {
    struct fixture *fixture;
    atomic_bool is_over;
    atomic_uint made;    /* copies; the writer keeps pace, so that it does not fill the quota */
    atomic_uint answers; /* of rekeys */
};

/* cmocka's assertions end the thread that runs the test only. */
static void must(bool is_so, const char *what)
{
    if (!is_so) {
        fprintf(stderr, "FAILED in the writing thread: %s\n", what);
        abort();
    }
}

static void on_done(void *arg, const struct store_done *done)
{
    struct busy *busy = arg;
    must(done->result == OK, "a result");
    atomic_fetch_add(&busy->answers, 1);
}

enum { WRITTEN_A_COPY = 64 };

static void *write_and_erase(void *arg)
{
    struct busy *busy = arg;
    for (uint64_t i = 101; !atomic_load(&busy->is_over); i += 1) {
        while (i > 101 + WRITTEN_A_COPY * (atomic_load(&busy->made) + 1) &&
               !atomic_load(&busy->is_over)) {
            (void)store_drain(busy->fixture->store, on_done, busy);
            (void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL); /* no core is taken */
        }
        must(fixture_put(busy->fixture, fixture_stream(2, 1), i) == OK, "put");
        must(fixture_position(busy->fixture, STORE_DESTROY, fixture_stream(2, 1), i) == OK,
             "destroy");
        if (i % 16 == 0) {
            err result = store_rekey(busy->fixture->store, i);
            must(result == OK || result == ERR_BUSY, "rekey");
        }
        (void)store_drain(busy->fixture->store, on_done, busy);
    }
    return NULL;
}

/* The copying process is forked from this one. The allocator of AddressSanitizer does not survive a
 * fork beside a busy thread; that of glibc does. */
static void copies_made_while_erasures_go_on_open_whole(void **state)
{
#ifdef __SANITIZE_ADDRESS__
    skip();
#endif
    struct fixture *fixture = *state;
    struct busy busy = {.fixture = fixture};
    struct copied copied;
    pthread_t thread;
    fixture_open(fixture);
    for (uint64_t i = 1; i <= RECORD_COUNT; i += 1) {
        assert_int_equal(fixture_put(fixture, fixture_stream(1, 1), i), OK);
    }
    assert_int_equal(pthread_create(&thread, NULL, write_and_erase, &busy), 0);
    unsigned made = 0;
    while (made < 40 || atomic_load(&busy.answers) < 10) {
        err result = copy_of(fixture, &copied);
        if (result == ERR_BUSY) {
            drop(&copied);
            continue;
        }
        assert_int_equal(result, OK);
        struct store_options options = fixture->options;
        struct store *store;
        options.verify = true;
        result = store_open(copied.path, fixture->master, &options, fixture->problem, &store);
        if (result != OK) {
            fail_msg("%s: %s", err_name(result), fixture->problem);
        }
        for (uint64_t i = 1; i <= RECORD_COUNT; i += 1) {
            assert_true(has(store, fixture_stream(1, 1), i));
        }
        store_close(store);
        drop(&copied);
        made += 1;
        atomic_store(&busy.made, made);
    }
    atomic_store(&busy.is_over, true);
    pthread_join(thread, NULL);
}

/* ---- items ---- */

static struct item_id make_item(struct fixture *fixture, uint8_t seed)
{
    struct item_id item = {{seed}};
    const struct item_file_shape shape = {.size = 5000, .chunk_size = 4096};
    static uint8_t data[4096];
    assert_int_equal(item_file_create(fixture->store, &item, &shape, 1), OK);
    memset(data, seed, sizeof data);
    for (uint32_t i = 0; i < 2; i += 1) {
        const struct item_file_chunk chunk = {
            .index = i, .leaf = {{seed, 1}}, .data = {data, i == 0 ? 4096 : 904}};
        assert_int_equal(item_file_write(fixture->store, &item, &chunk, 2 + i), OK);
    }
    struct item_file_state about = {.chunks_here = 0};
    struct busy busy = {.fixture = fixture};
    while (atomic_load(&busy.answers) < 3) {
        (void)store_drain(fixture->store, on_done, &busy);
    }
    assert_int_equal(item_file_state(fixture->store, &item, &about), OK);
    assert_int_equal(about.chunks_here, 2);
    return item;
}

static void the_files_of_items_are_in_it(void **state)
{
    struct fixture *fixture = *state;
    struct copied copied;
    uint8_t memory[CHUNK_SIZE_MAX];
    struct item_file_chunk chunk;
    fixture_open(fixture);
    struct item_id item = make_item(fixture, 5);
    assert_copied(fixture, &copied);
    assert_int_equal(copied.copy.item_count, 1);
    assert_int_equal(copied.copy.item_lost_count, 0);
    struct store *store = opened(fixture, &copied);
    assert_int_equal(item_file_read(store, &item, 1, memory, &chunk), OK);
    assert_int_equal(chunk.data.size, 904);
    assert_int_equal(memory[0], 5);
    store_close(store);
    drop(&copied);
}

static void a_file_that_the_disk_lost_is_counted(void **state)
{
    struct fixture *fixture = *state;
    struct copied copied;
    char path[200];
    fixture_open(fixture);
    (void)make_item(fixture, 5);
    snprintf(path, sizeof path, "%s/items", fixture->path);
    fixture_empty(path);
    assert_copied(fixture, &copied);
    assert_int_equal(copied.copy.item_lost_count, 1);
    drop(&copied);
}

/* ---- refusals ---- */

static void nothing_is_overwritten(void **state)
{
    struct fixture *fixture = *state;
    struct copied copied;
    fixture_open(fixture);
    assert_copied(fixture, &copied);
    struct copied again;
    assert_int_equal(copy_of(fixture, &again), ERR_EXISTS);
    assert_non_null(strstr(again.problem, "is there already"));
    store_close(opened(fixture, &copied));
    drop(&copied);
}

static void what_is_no_store_or_of_another_key_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct copied copied;
    assert_int_not_equal(copy_of(fixture, &copied), OK);
    fixture_open(fixture);
    fixture->master[0] ^= 1;
    assert_int_equal(copy_of(fixture, &copied), ERR_BAD_KEY);
    assert_non_null(strstr(copied.problem, "another store key"));
    fixture->master[0] ^= 1;
    drop(&copied);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_holds_what_was_committed_before_and_not_what_came_after,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(copies_made_while_erasures_go_on_open_whole, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_files_of_items_are_in_it, setup, teardown),
        cmocka_unit_test_setup_teardown(a_file_that_the_disk_lost_is_counted, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_is_overwritten, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_no_store_or_of_another_key_is_refused, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
