/* Every refusal says what to do: the way out itself, not where to read about it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "node/views/refusal.h"

static void each_code_has_a_way_out_of_its_own(void **state)
{
    (void)state;
#define ERR_ONE(code, sentence) code,
    static const err codes[] = {ERR_LIST(ERR_ONE)};
#undef ERR_ONE
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        struct refusal refusal;
        assert_int_equal(codes[i], refusal_of(&refusal, codes[i]));
        assert_string_equal(err_sentence(codes[i]), refusal.message);
        assert_true(strlen(refusal.hint) > 10);
        assert_null(strstr(refusal.hint, "--help"));
        if (codes[i] != OK)
            assert_string_not_equal("nothing is to be done", refusal.hint);
    }
}

static void what_is_too_long_is_cut(void **state)
{
    (void)state;
    struct refusal refusal;
    char text[400];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = 0;
    refusal_clear(&refusal);
    for (int i = 0; i < 5; i++)
        assert_int_equal(ERR_INVALID, refusal_add(&refusal, ERR_INVALID, "%s", text));
    assert_int_equal(REFUSAL_MESSAGE_SIZE - 1, strlen(refusal.message));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_code_has_a_way_out_of_its_own),
        cmocka_unit_test(what_is_too_long_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
