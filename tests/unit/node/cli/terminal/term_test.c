/* Text from others on the screen: nothing in it moves, hides or turns around what stands beside it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "node/cli/terminal/term.h"

static void is_cleaned(const char *text, const char *clean)
{
    char *got = term_clean(text, false);
    assert_string_equal(clean, got);
    free(got);
}

static void hidden_characters_are_taken_out(void **state)
{
    (void)state;
    is_cleaned("Lake\u200bside", "Lakeside");               /* zero-width space */
    is_cleaned("a\u200c\u200db", "ab");                     /* joiners */
    is_cleaned("soft\u00adhyphen", "softhyphen");           /* soft hyphen */
    is_cleaned("a\u2060\u2063\u206fb", "ab");               /* word joiner and the like */
    is_cleaned("a\u2028b\u2029c", "abc");                   /* separators of lines */
    is_cleaned("\u202egnp.exe", "gnp.exe");                 /* right-to-left override */
    is_cleaned("\u2066a\u2069\u061cb\u200e\u200f", "ab");   /* isolates and marks */
    is_cleaned("\ufeffa\ufff9b\ufffb", "ab");               /* byte order mark, annotation */
    is_cleaned("a\U000e0041b\ufe0f", "ab");                 /* tags, variation selectors */
    is_cleaned("\033[31mred\302\23331m\177", "[31mred31m"); /* escape sequences */
    is_cleaned("one\ttwo\nthree", "one two three");
}

static void what_is_seen_stays(void **state)
{
    (void)state;
    is_cleaned("Béla Bartók, 陈 晨, שלום, مرحبا", "Béla Bartók, 陈 晨, שלום, مرحبا");
}

/* A program reads the same text, and a screen shows nothing of it. */
static void json_keeps_hidden_characters_as_escapes(void **state)
{
    (void)state;
    FILE *file = tmpfile();
    char said[256] = "";
    json_t *value = json_pack("{s:s}", "name", "a\u202eb\u200bc\U000e0041 陈\302\233");
    assert_non_null(file);
    fflush(stdout);
    int screen = dup(STDOUT_FILENO);
    assert_true(dup2(fileno(file), STDOUT_FILENO) >= 0);
    term_json(value);
    fflush(stdout);
    assert_true(dup2(screen, STDOUT_FILENO) >= 0);
    close(screen);
    rewind(file);
    assert_true(fread(said, 1, sizeof said - 1, file) > 0);
    fclose(file);
    assert_non_null(strstr(said, "\"a\\u202eb\\u200bc\\udb40\\udc41 陈\\u009b\""));
    json_t *read = json_loads(said, 0, NULL);
    assert_true(json_equal(read, value));
    json_decref(read);
    json_decref(value);
}

static void a_count_has_its_plural(void **state)
{
    (void)state;
    assert_string_equal("1 day", term_count(1, "day"));
    assert_string_equal("2 days", term_count(2, "day"));
    assert_string_equal("0 replies", term_count(0, "reply"));
    assert_string_equal("3 opinions", term_count(3, "opinion"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hidden_characters_are_taken_out),
        cmocka_unit_test(what_is_seen_stays),
        cmocka_unit_test(json_keeps_hidden_characters_as_escapes),
        cmocka_unit_test(a_count_has_its_plural),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
