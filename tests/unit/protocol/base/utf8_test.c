/* Text is what RFC 3629 calls UTF-8, and nothing beside it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "protocol/base/utf8.h"

static bool valid(const char *text)
{
    return utf8_valid(bytes_of_text(text));
}

static void takes_the_first_and_last_of_each_length(void **state)
{
    (void)state;
    assert_true(utf8_valid(BYTES_NONE));
    assert_true(utf8_valid((struct bytes){(const uint8_t *)"\0", 1}));
    assert_true(valid("\x7f\xc2\x80\xdf\xbf"));
    assert_true(valid("\xe0\xa0\x80\xef\xbf\xbf"));
    assert_true(valid("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"));
    assert_true(valid("\xed\x9f\xbf\xee\x80\x80"));
    assert_true(valid("T2 N1, \xe8\x82\xba\xe7\x99\x8c"));
}

static void refuses_longer_forms_than_needed(void **state)
{
    (void)state;
    assert_false(valid("\xc0\xaf"));
    assert_false(valid("\xc1\xbf"));
    assert_false(valid("\xe0\x9f\xbf"));
    assert_false(valid("\xf0\x8f\xbf\xbf"));
}

static void refuses_surrogates_and_what_is_above_the_last(void **state)
{
    (void)state;
    assert_false(valid("\xed\xa0\x80"));
    assert_false(valid("\xed\xbf\xbf"));
    assert_false(valid("\xf4\x90\x80\x80"));
    assert_false(valid("\xf5\x80\x80\x80"));
    assert_false(valid("\xff"));
}

static void refuses_torn_sequences(void **state)
{
    (void)state;
    assert_false(valid("\x80"));
    assert_false(valid("\xc2"));
    assert_false(valid("\xe2\x82"));
    assert_false(valid("\xf0\x9f\xa9"));
    assert_false(valid("\xe2(\xa1"));
    assert_false(valid("\xe2\x82("));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_the_first_and_last_of_each_length),
        cmocka_unit_test(refuses_longer_forms_than_needed),
        cmocka_unit_test(refuses_surrogates_and_what_is_above_the_last),
        cmocka_unit_test(refuses_torn_sequences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
