/* A passphrase comes from a file, a descriptor or a silent terminal, one line of it. */
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "node/os/file.h"
#include "node/os/passphrase.h"

static char path[64];

static err take(const struct passphrase_source *source, bool is_new, char *ret_text)
{
    uint8_t memory[PASSPHRASE_SIZE_MAX];
    struct buffer out = buffer_over(memory, sizeof memory);
    err result = passphrase_read(source, "Passphrase", is_new, &out);
    memcpy(ret_text, memory, out.size);
    ret_text[out.size] = '\0';
    return result;
}

static err take_file(const char *content, bool is_new, char *ret_text)
{
    assert_int_equal(file_write(path, bytes_of_text(content), 0600), OK);
    return take(&(struct passphrase_source){.file = path, .fd = -1}, is_new, ret_text);
}

static int enter(void **state)
{
    (void)state;
    (void)snprintf(path, sizeof path, "/tmp/consilium-passphrase-%d", (int)getpid());
    return 0;
}

static int leave(void **state)
{
    (void)state;
    return unlink(path);
}

static void the_first_line_of_a_private_file(void **state)
{
    (void)state;
    char text[PASSPHRASE_SIZE_MAX + 1];
    assert_int_equal(take_file("correct horse\nother", false, text), OK);
    assert_string_equal(text, "correct horse");
    assert_int_equal(take_file("correct horse\r\n", false, text), OK);
    assert_string_equal(text, "correct horse");
    assert_int_equal(take_file("no newline", false, text), OK);
    assert_string_equal(text, "no newline");
    assert_int_equal(take_file("\nsecond", false, text), ERR_INVALID);
    assert_int_equal(take_file("short", false, text), OK);
    assert_int_equal(take_file("short", true, text), ERR_INVALID);
    assert_string_equal(text, "");
    assert_int_equal(take_file("correct horse", false, text), OK);
    assert_int_equal(chmod(path, 0644), 0);
    struct passphrase_source source = {.file = path, .fd = -1};
    assert_int_equal(take(&source, false, text), ERR_NOT_ENTITLED);
    source.file = "/nowhere/at/all";
    assert_int_equal(take(&source, false, text), ERR_NOT_FOUND);
}

static void what_is_too_long_is_refused(void **state)
{
    (void)state;
    char text[PASSPHRASE_SIZE_MAX + 1];
    char longer[PASSPHRASE_SIZE_MAX + 2];
    memset(longer, 'x', sizeof longer);
    longer[PASSPHRASE_SIZE_MAX + 1] = '\0';
    assert_int_equal(take_file(longer, false, text), ERR_TOO_LARGE);
    longer[PASSPHRASE_SIZE_MAX] = '\0';
    assert_int_equal(take_file(longer, false, text), OK);
}

static void a_descriptor_gives_one_line_at_a_time(void **state)
{
    (void)state;
    char text[PASSPHRASE_SIZE_MAX + 1];
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "one\ntwo\n", 8), 8);
    assert_int_equal(close(ends[1]), 0);
    struct passphrase_source source = {.file = NULL, .fd = ends[0]};
    assert_int_equal(take(&source, false, text), OK);
    assert_string_equal(text, "one");
    assert_int_equal(take(&source, false, text), OK);
    assert_string_equal(text, "two");
    assert_int_equal(take(&source, false, text), ERR_INVALID);
    assert_int_equal(close(ends[0]), 0);
}

static void a_credential_lies_where_systemd_says_and_is_closed_to_others(void **state)
{
    (void)state;
    char text[PASSPHRASE_SIZE_MAX + 1];
    struct passphrase_source source = {.credential = strrchr(path, '/') + 1, .fd = -1};
    assert_int_equal(file_write(path, bytes_of_text("correct horse"), 0400), OK);
    assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
    assert_int_equal(take(&source, false, text), ERR_NOT_FOUND);
    assert_int_equal(setenv("CREDENTIALS_DIRECTORY", "/tmp", 1), 0);
    assert_int_equal(take(&source, false, text), OK);
    assert_string_equal(text, "correct horse");
    assert_int_equal(chmod(path, 0440), 0); /* as where systemd gives it by an ACL */
    assert_int_equal(take(&source, false, text), OK);
    assert_int_equal(chmod(path, 0444), 0);
    assert_int_equal(take(&source, false, text), ERR_NOT_ENTITLED);
    assert_int_equal(chmod(path, 0420), 0);
    assert_int_equal(take(&source, false, text), ERR_NOT_ENTITLED);
    source.credential = "consilium-no-such-credential";
    assert_int_equal(take(&source, false, text), ERR_NOT_FOUND);
    assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
}

/* Types `input`, line by line after each prompt, at the terminal of a child that asks. */
static int at_a_terminal(const char *input, bool is_new, const char *expected, char *ret_screen)
{
    int terminal = -1;
    size_t size = 0;
    int status = -1;
    pid_t child = forkpty(&terminal, NULL, NULL, NULL);
    if (child == 0) {
        char text[PASSPHRASE_SIZE_MAX + 1];
        err result = take(&PASSPHRASE_TERMINAL, is_new, text);
        _exit(result == OK && strcmp(text, expected) != 0 ? 99 : (int)result);
    }
    for (;;) {
        ssize_t count = read(terminal, ret_screen + size, 1000 - size);
        if (count <= 0)
            break;
        size += (size_t)count;
        if (size >= 2 && memcmp(ret_screen + size - 2, ": ", 2) == 0 && *input != '\0') {
            size_t line = strcspn(input, "\n") + 1;
            assert_int_equal(write(terminal, input, line), line);
            input += line;
        }
    }
    ret_screen[size] = '\0';
    assert_int_equal(close(terminal), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void a_terminal_asks_and_shows_nothing(void **state)
{
    (void)state;
    char screen[1001];
    assert_int_equal(at_a_terminal("geheim\n", false, "geheim", screen), OK);
    /* what a dying session wrote last may be lost */
    assert_memory_equal(screen, "Passphrase: ", 12);
    assert_null(strstr(screen, "geheim"));
}

static void a_new_one_is_asked_for_twice(void **state)
{
    (void)state;
    char screen[1001];
    assert_int_equal(at_a_terminal("long enough\nlong enough\n", true, "long enough", screen), OK);
    assert_non_null(strstr(screen, "(again): "));
    assert_int_equal(at_a_terminal("long enough\nlong enougH\n", true, "", screen), ERR_INVALID);
    assert_int_equal(at_a_terminal("short\nshort\n", true, "", screen), ERR_INVALID);
}

static void an_interrupt_ends_the_program(void **state)
{
    (void)state;
    char screen[1001];
    assert_int_equal(at_a_terminal("\x03\n", false, "", screen), -SIGINT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_line_of_a_private_file),
        cmocka_unit_test(what_is_too_long_is_refused),
        cmocka_unit_test(a_credential_lies_where_systemd_says_and_is_closed_to_others),
        cmocka_unit_test(a_descriptor_gives_one_line_at_a_time),
        cmocka_unit_test(a_terminal_asks_and_shows_nothing),
        cmocka_unit_test(a_new_one_is_asked_for_twice),
        cmocka_unit_test(an_interrupt_ends_the_program),
    };
    return cmocka_run_group_tests(tests, enter, leave);
}
