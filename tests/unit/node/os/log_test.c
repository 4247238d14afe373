/* A line of the log says what was meant, whatever the values hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "node/os/log.h"

static void expect(const char *line, struct log_field field)
{
    char text[256];
    log_format(text, sizeof text, "event", &field, 1);
    assert_string_equal(text, line);
}

static void plain_values_stand_bare(void **state)
{
    (void)state;
    expect("event peer=relay-1.example:7800", log_text("peer", "relay-1.example:7800"));
    expect("event n=18446744073709551615", log_count("n", UINT64_MAX));
    expect("event n=-9223372036854775808", log_signed("n", INT64_MIN));
}

static void values_with_spaces_are_quoted(void **state)
{
    (void)state;
    expect("event why=\"busy; try again\"", log_err("why", ERR_BUSY));
    expect("event name=\"\"", log_text("name", ""));
    expect("event name=-", log_text("name", NULL));
    expect("event name=\"a=\\\"b\\\\\"", log_text("name", "a=\"b\\"));
    expect("event name=\"Universit\xc3\xa4ts\xe5\x8c\xbb\"",
           log_text("name", "Universit\xc3\xa4ts\xe5\x8c\xbb"));
}

static void no_value_forges_a_line_or_hides(void **state)
{
    (void)state;
    expect("event name=\"a\\u{a}error x=1\"", log_text("name", "a\nerror x=1"));
    expect("event name=\"\\u{1b}[2J\"", log_text("name", "\x1b[2J"));
    expect("event name=\"a\\u{202e}b\"", log_text("name", "a\xe2\x80\xae"
                                                          "b"));
    expect("event name=\"\\u{9b}\"", log_text("name", "\xc2\x9b"));
    expect("event name=\"\\xff\\xc0\\x80\"", log_text("name", "\xff\xc0\x80"));
    expect("event name=\"\\xed\\xa0\\x80\"", log_text("name", "\xed\xa0\x80"));
    expect("event name=\"a\\u{0}b\"",
           log_bytes("name", (struct bytes){(const uint8_t *)"a\0b", 3}));
}

static void ids_are_shortened(void **state)
{
    (void)state;
    uint8_t id[32];
    memset(id, 0xa5, sizeof id);
    expect("event key=a5a5a5a5a5a5a5a5", log_hex("key", (struct bytes){id, sizeof id}));
    expect("event key=a5a5", log_hex("key", (struct bytes){id, 2}));
}

static void what_does_not_fit_is_cut(void **state)
{
    (void)state;
    char text[12];
    struct log_field fields[] = {LOG_NONE, log_text("key", "a long value")};
    log_format(text, sizeof text, "event", fields, 2);
    assert_string_equal(text, "event key=\"");
}

static void levels_have_names(void **state)
{
    (void)state;
    enum log_level level = LOG_LEVEL_ERROR;
    assert_int_equal(log_level_of("debug", &level), OK);
    assert_int_equal(level, LOG_LEVEL_DEBUG);
    assert_int_equal(log_level_of("loud", &level), ERR_NOT_FOUND);
    assert_int_equal(level, LOG_LEVEL_DEBUG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_values_stand_bare),
        cmocka_unit_test(values_with_spaces_are_quoted),
        cmocka_unit_test(no_value_forges_a_line_or_hides),
        cmocka_unit_test(ids_are_shortened),
        cmocka_unit_test(what_does_not_fit_is_cut),
        cmocka_unit_test(levels_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
