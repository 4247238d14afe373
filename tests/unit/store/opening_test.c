/* Goal: a store opens only for its owner, with its key, once, on a directory that is its own; every
 * refusal says in one line which directory and what to do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/wait.h>

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

static void check_refused(struct fixture *fixture, err expected, const char *word)
{
    struct store *store = NULL;
    char problem[STORE_PROBLEM_SIZE];
    err result = store_open(fixture->path, fixture->master, &fixture->options, problem, &store);
    if (result != expected || strstr(problem, word) == NULL ||
        strncmp(problem, fixture->path, strlen(fixture->path)) != 0) {
        fail_msg("%s: %s", err_name(result), problem);
    }
    assert_null(strchr(problem, '\n'));
    assert_null(store);
}

static void write_file(struct fixture *fixture, const char *name, const char *content)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", fixture->path, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(content, file);
    fclose(file);
}

static void it_reopens_with_the_same_key_and_owner(void **state)
{
    struct fixture *fixture = *state;
    for (uint64_t i = 1; i < 4; i += 1) {
        fixture_open(fixture);
        assert_int_equal(fixture_put(fixture, fixture_stream(1, 1), i), OK);
        fixture_close(fixture);
    }
}

static void another_master_key_is_refused(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    fixture_close(fixture);
    fixture->master[31] ^= 1;
    check_refused(fixture, ERR_BAD_KEY, "another store key");
    fixture->master[31] ^= 1;
    fixture_open(fixture);
}

static void another_owner_is_refused(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    fixture_close(fixture);
    fixture->options.owner.bytes[0] ^= 1;
    check_refused(fixture, ERR_EXISTS, "another federation or institution");
    fixture->options.owner.bytes[0] ^= 1;
    fixture_open(fixture);
}

static void a_directory_with_other_things_is_refused_and_left_alone(void **state)
{
    struct fixture *fixture = *state;
    write_file(fixture, "thesis.tex", "years of work");
    check_refused(fixture, ERR_EXISTS, "thesis.tex");
    char path[256];
    snprintf(path, sizeof path, "%s/thesis.tex", fixture->path);
    assert_int_equal(access(path, F_OK), 0);
    snprintf(path, sizeof path, "%s/data.mdb", fixture->path);
    assert_int_equal(access(path, F_OK), -1);
}

static void a_directory_that_others_can_read_is_refused(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(chmod(fixture->path, 0750), 0);
    check_refused(fixture, ERR_UNSUPPORTED, "chmod 700");
    assert_int_equal(chmod(fixture->path, 0700), 0);
}

static void a_directory_of_another_user_is_refused(void **state)
{
    struct fixture *fixture = *state;
    if (geteuid() != 0) {
        print_message("only root can give a directory away: not tested\n");
        skip();
    }
    assert_int_equal(chown(fixture->path, 12345, 12345), 0);
    check_refused(fixture, ERR_EXISTS, "another user");
    assert_int_equal(chown(fixture->path, 0, 0), 0);
}

static void a_second_process_is_refused(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    check_refused(fixture, ERR_BUSY, "another process"); /* nor a second time in this one */
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct store *store = NULL;
        char problem[STORE_PROBLEM_SIZE];
        err result = store_open(fixture->path, fixture->master, &fixture->options, problem, &store);
        _exit(result == ERR_BUSY ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void a_lost_file_is_a_loss_and_not_a_new_store(void **state)
{
    struct fixture *fixture = *state;
    char path[256];
    fixture_open(fixture);
    fixture_close(fixture);
    snprintf(path, sizeof path, "%s/keyring.0", fixture->path);
    char aside[256];
    snprintf(aside, sizeof aside, "%s/ballast", fixture->path);
    assert_int_equal(rename(path, aside), 0);
    check_refused(fixture, ERR_CORRUPT, "keyring");
    assert_int_equal(rename(aside, path), 0);
    fixture_open(fixture);
    fixture_close(fixture);
    snprintf(path, sizeof path, "%s/data.mdb", fixture->path);
    assert_int_equal(unlink(path), 0);
    check_refused(fixture, ERR_CORRUPT, "data.mdb is missing");
}

static void a_creation_that_was_cut_short_begins_again(void **state)
{
    struct fixture *fixture = *state;
    write_file(fixture, "creating", "");
    write_file(fixture, "keyring.0", "torn");
    write_file(fixture, "data.mdb", "torn");
    fixture_open(fixture);
    assert_int_equal(fixture_put(fixture, fixture_stream(1, 1), 1), OK);
    fixture_close(fixture);
    fixture_open(fixture);
    assert_int_equal(fixture_put(fixture, fixture_stream(1, 1), 1), ERR_DUPLICATE);
}

static void a_file_that_ends_early_is_refused_and_not_mapped(void **state)
{
    struct fixture *fixture = *state;
    char path[256];
    struct stat info;
    fixture_open(fixture);
    for (uint64_t i = 1; i <= 100; i += 1) {
        assert_int_equal(fixture_put(fixture, fixture_stream(1, 1), i), OK);
    }
    fixture_close(fixture);
    snprintf(path, sizeof path, "%s/data.mdb", fixture->path);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(truncate(path, info.st_size / 2), 0);
    check_refused(fixture, ERR_CORRUPT, "data.mdb fails its check");
    assert_int_equal(truncate(path, 0), 0);
    struct store *store = NULL;
    char problem[STORE_PROBLEM_SIZE];
    assert_int_not_equal(
        store_open(fixture->path, fixture->master, &fixture->options, problem, &store), OK);
}

static void after_a_failed_commit_everything_is_looked_at_first(void **state)
{
    struct fixture *fixture = *state;
    char path[256];
    fixture_open(fixture);
    assert_int_equal(fixture_put(fixture, fixture_stream(1, 1), 1), OK);
    fixture_close(fixture);
    write_file(fixture, "failed", "");
    fixture_open(fixture);
    snprintf(path, sizeof path, "%s/failed", fixture->path);
    assert_int_equal(access(path, F_OK), -1);
}

static void an_end_while_room_was_looked_for_leaves_nothing(void **state)
{
    struct fixture *fixture = *state;
    char path[256];
    fixture_open(fixture);
    fixture_close(fixture);
    write_file(fixture, "probe", "0");
    fixture_open(fixture);
    snprintf(path, sizeof path, "%s/probe", fixture->path);
    assert_int_equal(access(path, F_OK), -1);
}

/* tests/vectors/store was written by the build of November 2026: 20 records of two streams and a
 * row, all merged; then 10 more of each, of which the memory was lost; 5 and 25 of the first stream
 * were dropped, 7 and 27 of the second destroyed. Record numbers are stored as a machine of 64 bits
 * and little end has them. */
static void copy_in(struct fixture *fixture, const char *name)
{
    static char content[128 * 1024];
    char path[512];
    snprintf(path, sizeof path, "%s/tests/vectors/store/%s", TEST_SOURCE_DIR, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t size = fread(content, 1, sizeof content, file);
    assert_true(size > 0 && size < sizeof content);
    fclose(file);
    snprintf(path, sizeof path, "%s/%s", fixture->path, name);
    file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(content, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, 0600), 0);
}

static void check_old(struct fixture *fixture, uint8_t writer, uint64_t sequence)
{
    static uint8_t memory[STORE_RECORD_SIZE_MAX];
    struct fixture_record put;
    struct store_record record, by_id;
    fixture_record(&put, fixture_stream(1, writer), sequence, 4);
    bool is_dropped = writer == 1 && (sequence == 5 || sequence == 25);
    bool is_destroyed = writer == 2 && (sequence == 7 || sequence == 27);
    err expected = is_dropped ? ERR_NOT_FOUND : OK;
    assert_int_equal(record_table_find(fixture->store, &put.id, memory, &by_id), expected);
    assert_int_equal(record_table_get(fixture->store, &put.stream, sequence, memory, &record),
                     expected);
    if (!is_dropped) {
        assert_int_equal(by_id.number, record.number);
        assert_true(ID_EQUAL(record.id, put.id));
        assert_int_equal(record.body.size, is_destroyed ? 0 : 4);
        assert_memory_equal(record.body.data, put.body, record.body.size);
        assert_int_equal(record.destroyed, is_destroyed);
    }
}

static void a_store_of_an_earlier_build_opens_and_goes_on(void **state)
{
    struct fixture *fixture = *state;
    struct store_stream_row row;
    struct stream_id stream = fixture_stream(1, 1);
    copy_in(fixture, "data.mdb");
    copy_in(fixture, "keyring.0");
    fixture->options.verify = true;
    for (int round = 0; round < 3; round += 1) {
        fixture_open(fixture);
        for (uint64_t sequence = 1; sequence <= 30; sequence += 1) {
            check_old(fixture, 1, sequence);
            check_old(fixture, 2, sequence);
        }
        assert_int_equal(stream_table_get(fixture->store, &stream, &row), OK);
        assert_int_equal(row.state_size, 8);
        assert_int_equal(fixture_put(fixture, stream, 30), ERR_DUPLICATE);
        for (uint64_t sequence = 31; sequence < 31 + (uint64_t)round; sequence += 1) {
            assert_int_equal(fixture_put(fixture, stream, sequence), ERR_DUPLICATE);
        }
        assert_int_equal(fixture_put(fixture, stream, 31 + (uint64_t)round), OK);
        fixture_close(fixture);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(it_reopens_with_the_same_key_and_owner),
        TEST(a_store_of_an_earlier_build_opens_and_goes_on),
        TEST(another_master_key_is_refused),
        TEST(another_owner_is_refused),
        TEST(a_directory_with_other_things_is_refused_and_left_alone),
        TEST(a_directory_that_others_can_read_is_refused),
        TEST(a_directory_of_another_user_is_refused),
        TEST(a_second_process_is_refused),
        TEST(a_lost_file_is_a_loss_and_not_a_new_store),
        TEST(a_creation_that_was_cut_short_begins_again),
        TEST(a_file_that_ends_early_is_refused_and_not_mapped),
        TEST(after_a_failed_commit_everything_is_looked_at_first),
        TEST(an_end_while_room_was_looked_for_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
