/* A file is whole or as it was, and what is private is refused when it is not. */
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "node/os/file.h"

static char folder[64];

static int enter(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/consilium-file-XXXXXX");
    return mkdtemp(folder) == NULL || chdir(folder) != 0;
}

static int leave_one(const char *path, const struct stat *about, int kind, struct FTW *where)
{
    (void)about;
    (void)kind;
    (void)where;
    return remove(path);
}

static int leave(void **state)
{
    (void)state;
    return chdir("/") != 0 || nftw(folder, leave_one, 8, FTW_DEPTH | FTW_PHYS) != 0;
}

static void expect(const char *path, const char *content)
{
    uint8_t *data = NULL;
    size_t size = 0;
    assert_int_equal(file_read(path, 1000, &data, &size), OK);
    assert_int_equal(size, strlen(content));
    assert_string_equal((char *)data, content);
    free(data);
}

static void writing_replaces_and_creating_does_not(void **state)
{
    (void)state;
    struct stat about;
    assert_int_equal(file_create("a", bytes_of_text("one"), 0600), OK);
    assert_int_equal(file_create("a", bytes_of_text("two"), 0600), ERR_EXISTS);
    expect("a", "one");
    assert_int_equal(file_write("a", bytes_of_text("three"), 0640), OK);
    expect("a", "three");
    assert_int_equal(stat("a", &about), 0);
    assert_int_equal(about.st_mode & 07777, 0640);
}

static void a_failed_write_leaves_the_old_file_and_no_other(void **state)
{
    (void)state;
    assert_int_equal(mkdir("d", 0700), 0);
    assert_int_equal(mkdir("d/full", 0700), 0);
    assert_int_equal(file_write("d/full", bytes_of_text("x"), 0600), ERR_IO);
    assert_int_equal(rmdir("d/full"), 0);
    assert_int_equal(rmdir("d"), 0); /* fails when a temporary file was left */
    assert_int_equal(file_write("missing/a", bytes_of_text("x"), 0600), ERR_IO);
}

static void reading_is_bounded(void **state)
{
    (void)state;
    uint8_t *data = NULL;
    size_t size = 0;
    assert_int_equal(file_write("b", bytes_of_text("12345"), 0600), OK);
    assert_int_equal(file_read("b", 4, &data, &size), ERR_TOO_LARGE);
    assert_int_equal(file_read("b", 5, &data, &size), OK);
    free(data);
    assert_int_equal(file_read("nowhere", 5, &data, &size), ERR_NOT_FOUND);
    assert_int_equal(mkdir("e", 0700), 0);
    assert_int_equal(file_read("e", 5, &data, &size), ERR_INVALID);
    assert_int_equal(mkfifo("pipe", 0600), 0);
    assert_int_equal(file_read("pipe", 5, &data, &size), ERR_INVALID);
}

static void a_private_file_open_to_others_is_refused(void **state)
{
    (void)state;
    uint8_t *data = NULL;
    size_t size = 0;
    assert_int_equal(file_write("secret", bytes_of_text("s"), 0600), OK);
    assert_int_equal(file_read_private("secret", 5, &data, &size), OK);
    file_wipe(data, size);
    assert_int_equal(chmod("secret", 0640), 0);
    assert_int_equal(file_read_private("secret", 5, &data, &size), ERR_NOT_ENTITLED);
    assert_int_equal(chmod("secret", 0604), 0);
    assert_int_equal(file_read_private("secret", 5, &data, &size), ERR_NOT_ENTITLED);
    if (geteuid() == 0) {
        assert_int_equal(chmod("secret", 0600), 0);
        assert_int_equal(chown("secret", 12345, 0), 0);
        assert_int_equal(file_read_private("secret", 5, &data, &size), ERR_NOT_ENTITLED);
    }
}

static void a_directory_of_someone_else_is_refused(void **state)
{
    (void)state;
    struct stat about;
    assert_int_equal(file_ensure_directory("home", 0700), OK);
    assert_int_equal(stat("home", &about), 0);
    assert_int_equal(about.st_mode & 07777, 0700);
    assert_int_equal(file_ensure_directory("home", 0700), OK);
    assert_int_equal(file_ensure_directory("home", 0750), OK);
    assert_int_equal(chmod("home", 0755), 0);
    assert_int_equal(file_ensure_directory("home", 0750), ERR_NOT_ENTITLED);
    assert_int_equal(file_write("plain", bytes_of_text("s"), 0600), OK);
    assert_int_equal(file_ensure_directory("plain", 0700), ERR_INVALID);
    if (geteuid() == 0) {
        assert_int_equal(chmod("home", 0700), 0);
        assert_int_equal(chown("home", 12345, 0), 0);
        assert_int_equal(file_ensure_directory("home", 0700), ERR_NOT_ENTITLED);
    }
}

static void a_lock_is_held_by_one(void **state)
{
    (void)state;
    int first = -1;
    int second = -1;
    assert_int_equal(file_lock("lock", &first), OK);
    assert_int_equal(file_lock("lock", &second), ERR_BUSY);
    assert_int_equal(close(first), 0);
    assert_int_equal(file_lock("lock", &second), OK);
    assert_int_equal(close(second), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writing_replaces_and_creating_does_not),
        cmocka_unit_test(a_failed_write_leaves_the_old_file_and_no_other),
        cmocka_unit_test(reading_is_bounded),
        cmocka_unit_test(a_private_file_open_to_others_is_refused),
        cmocka_unit_test(a_directory_of_someone_else_is_refused),
        cmocka_unit_test(a_lock_is_held_by_one),
    };
    return cmocka_run_group_tests(tests, enter, leave);
}
