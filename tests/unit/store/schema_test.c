/* Goal: a store of an earlier schema is copied and upgraded at its first open; one of a later
 * schema is refused in a sentence and left as it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/resource.h>
#include <time.h>

#include "store/write/schema.h"
#include "tests/unit/store/fixture.h"

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

static void name_of(const struct fixture *fixture, const char *name, char path[static 256])
{
    snprintf(path, 256, "%s/%s", fixture->path, name);
}

static bool has(const struct fixture *fixture, const char *name)
{
    char path[256];
    name_of(fixture, name, path);
    return access(path, F_OK) == 0;
}

static void copy(const char *from, const char *to)
{
    static char content[4 * 1024 * 1024];
    FILE *file = fopen(from, "rb");
    assert_non_null(file);
    size_t size = fread(content, 1, sizeof content, file);
    assert_true(size > 0 && size < sizeof content);
    fclose(file);
    file = fopen(to, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(content, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(to, 0600), 0);
}

static uint32_t number_of(struct fixture *fixture)
{
    uint32_t number = 0;
    assert_int_equal(schema_read(fixture->store, &number), OK);
    return number;
}

static void set_number(struct fixture *fixture, uint32_t number)
{
    struct write_txn group = {.store = fixture->store};
    assert_int_equal(mdb_txn_begin(fixture->store->env.mdb, NULL, 0, &group.txn), 0);
    assert_int_equal(schema_write(&group, number), OK);
    assert_int_equal(mdb_txn_commit(group.txn), 0);
}

/* A store of today without the number: the two differ in nothing else. */
static void given_a_store_of_schema_1(struct fixture *fixture)
{
    static const uint8_t name[] = {'s', 'c', 'h', 'e', 'm', 'a'};
    MDB_txn *txn;
    fixture_open(fixture);
    for (uint64_t i = 1; i <= 30; i += 1) {
        assert_int_equal(fixture_put(fixture, fixture_stream(1, 1), i), OK);
    }
    struct row_codec_row_key row_key =
        row_codec_row_key(fixture->store, ROW_CODEC_TABLE_STATE, (struct bytes){name, sizeof name});
    MDB_val key = env_val(row_key.bytes, row_key.size);
    assert_int_equal(mdb_txn_begin(fixture->store->env.mdb, NULL, 0, &txn), 0);
    assert_int_equal(mdb_del(txn, fixture->store->env.rows, &key, NULL), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    fixture_close(fixture);
}

/* tests/vectors/store, as a release before the number wrote it (opening_test.c tells what is in
 * it).
 */
static void given_a_store_of_an_earlier_release(const struct fixture *fixture)
{
    static const char *const names[] = {"data.mdb", "keyring.0"};
    for (size_t i = 0; i < 2; i += 1) {
        char from[512], to[256];
        snprintf(from, sizeof from, "%s/tests/vectors/store/%s", TEST_SOURCE_DIR, names[i]);
        name_of(fixture, names[i], to);
        copy(from, to);
    }
}

static bool has_record(struct fixture *fixture, uint64_t sequence)
{
    static uint8_t memory[STORE_RECORD_SIZE_MAX];
    struct store_record record;
    struct stream_id stream = fixture_stream(1, 1);
    return record_table_get(fixture->store, &stream, sequence, memory, &record) == OK;
}

static void a_new_store_has_todays_number(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    assert_int_equal(number_of(fixture), SCHEMA_NUMBER);
    assert_false(has(fixture, "before-upgrade.mdb"));
}

static void a_store_of_an_earlier_release_is_upgraded(void **state)
{
    struct fixture *fixture = *state;
    given_a_store_of_an_earlier_release(fixture);
    fixture->options.verify = true;
    fixture_open(fixture);
    assert_int_equal(number_of(fixture), SCHEMA_NUMBER);
    assert_true(has_record(fixture, 1));
    assert_true(has_record(fixture, 30));
    assert_int_equal(fixture_put(fixture, fixture_stream(1, 1), 31), OK);
}

static void a_store_of_schema_1_is_copied_and_upgraded_once(void **state)
{
    struct fixture *fixture = *state;
    char path[256];
    struct stat first, second;
    given_a_store_of_schema_1(fixture);
    fixture_open(fixture);
    assert_int_equal(number_of(fixture), SCHEMA_NUMBER);
    assert_true(has_record(fixture, 1));
    assert_true(has_record(fixture, 30));
    assert_int_equal(fixture_put(fixture, fixture_stream(1, 1), 31), OK);
    fixture_close(fixture);
    name_of(fixture, "before-upgrade.mdb", path);
    assert_int_equal(stat(path, &first), 0);
    assert_int_equal(first.st_mode & 0777, 0600);
    fixture_open(fixture);
    assert_int_equal(number_of(fixture), SCHEMA_NUMBER);
    assert_true(has_record(fixture, 31));
    assert_int_equal(stat(path, &second), 0);
    assert_int_equal(first.st_ino, second.st_ino);
}

static void the_copy_is_the_store_as_it_was(void **state)
{
    struct fixture *fixture = *state;
    char data[256], before[256];
    uint32_t number = 0;
    given_a_store_of_schema_1(fixture);
    fixture_open(fixture);
    assert_int_equal(fixture_put(fixture, fixture_stream(1, 1), 31), OK);
    fixture_close(fixture);
    name_of(fixture, "data.mdb", data);
    name_of(fixture, "before-upgrade.mdb", before);
    copy(before, data);
    assert_int_equal(unlink(before), 0);
    /* read without an upgrade */
    assert_int_equal(
        store_open_copy(fixture->path, fixture->master, fixture->problem, &fixture->store), OK);
    assert_int_equal(schema_read(fixture->store, &number), OK);
    assert_int_equal(number, 1);
    assert_true(has_record(fixture, 30));
    assert_false(has_record(fixture, 31));
    fixture_close(fixture);
    /* and it is upgraded like any other */
    fixture_open(fixture);
    assert_int_equal(number_of(fixture), SCHEMA_NUMBER);
    assert_int_equal(fixture_put(fixture, fixture_stream(1, 1), 31), OK);
}

static void a_copy_that_was_cut_short_is_made_again(void **state)
{
    struct fixture *fixture = *state;
    char part[256], before[256];
    given_a_store_of_schema_1(fixture);
    name_of(fixture, "before-upgrade.part", part);
    name_of(fixture, "before-upgrade.mdb", before);
    copy(TEST_SOURCE_DIR "/README.md", part);
    copy(TEST_SOURCE_DIR "/README.md", before);
    fixture_open(fixture);
    assert_int_equal(number_of(fixture), SCHEMA_NUMBER);
    assert_false(has(fixture, "before-upgrade.part"));
    fixture_close(fixture);
    char data[256];
    name_of(fixture, "data.mdb", data);
    copy(before, data);
    fixture_open(fixture);
    assert_true(has_record(fixture, 30));
}

static void without_room_for_the_copy_nothing_is_changed(void **state)
{
    struct fixture *fixture = *state;
    struct rlimit before, small = {.rlim_cur = 16 * 1024};
    uint32_t number = 0;
    given_a_store_of_schema_1(fixture);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small.rlim_max = before.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    err result = store_open(fixture->path, fixture->master, &fixture->options, fixture->problem,
                            &fixture->store);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(result, ERR_FULL);
    assert_non_null(strstr(fixture->problem, "before an upgrade; make room"));
    assert_false(has(fixture, "before-upgrade.part"));
    assert_false(has(fixture, "before-upgrade.mdb"));
    assert_int_equal(
        store_open_copy(fixture->path, fixture->master, fixture->problem, &fixture->store), OK);
    assert_int_equal(schema_read(fixture->store, &number), OK);
    assert_int_equal(number, 1);
    fixture_close(fixture);
    fixture_open(fixture);
    assert_int_equal(number_of(fixture), SCHEMA_NUMBER);
}

static void a_later_schema_is_refused_in_a_sentence(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    set_number(fixture, SCHEMA_NUMBER + 1);
    fixture_close(fixture);
    for (int i = 0; i < 2; i += 1) {
        struct store *store = NULL;
        err result =
            i == 0 ? store_open(fixture->path, fixture->master, &fixture->options, fixture->problem,
                                &store)
                   : store_open_copy(fixture->path, fixture->master, fixture->problem, &store);
        assert_int_equal(result, ERR_UNSUPPORTED);
        assert_non_null(strstr(fixture->problem, "was written by a later release (schema 3, and "
                                                 "this one knows 2); install that release again"));
    }
}

/* ---- how long the copy stays ---- */

static void on_done(void *arg, const struct store_done *done)
{
    bool *is_done = arg;
    *is_done = done->token == 1;
}

static void a_rekey_makes_the_copy_useless_and_removes_it(void **state)
{
    struct fixture *fixture = *state;
    bool is_done = false;
    given_a_store_of_schema_1(fixture);
    fixture_open(fixture);
    assert_true(has(fixture, "before-upgrade.mdb"));
    assert_int_equal(fixture_position(fixture, STORE_DESTROY, fixture_stream(1, 1), 1), OK);
    assert_int_equal(store_rekey(fixture->store, 1), OK);
    while (!is_done) {
        (void)store_drain(fixture->store, on_done, &is_done);
    }
    assert_false(has(fixture, "before-upgrade.mdb"));
}

static void after_thirty_days_the_copy_is_removed(void **state)
{
    struct fixture *fixture = *state;
    char path[256];
    given_a_store_of_schema_1(fixture);
    fixture_open(fixture);
    fixture_close(fixture);
    name_of(fixture, "before-upgrade.mdb", path);
    for (int days = 29; days <= 31; days += 2) {
        const struct timespec then[2] = {{.tv_sec = time(NULL) - days * 24L * 60 * 60},
                                         {.tv_sec = time(NULL) - days * 24L * 60 * 60}};
        assert_int_equal(utimensat(AT_FDCWD, path, then, 0), 0);
        fixture_open(fixture);
        fixture_close(fixture);
        assert_int_equal(has(fixture, "before-upgrade.mdb"), days < 30);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_new_store_has_todays_number),
        TEST(a_store_of_an_earlier_release_is_upgraded),
        TEST(a_store_of_schema_1_is_copied_and_upgraded_once),
        TEST(the_copy_is_the_store_as_it_was),
        TEST(a_copy_that_was_cut_short_is_made_again),
        TEST(without_room_for_the_copy_nothing_is_changed),
        TEST(a_later_schema_is_refused_in_a_sentence),
        TEST(a_rekey_makes_the_copy_useless_and_removes_it),
        TEST(after_thirty_days_the_copy_is_removed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
