/* An address is read strictly, and written as it was read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "node/os/address.h"

static void good_ones_come_back_as_written(void **state)
{
    (void)state;
    static const char *const good[] = {"tcp://127.0.0.1:7801", "tcp://[2001:db8::1]:7801",
                                       "tcp://relay-1.example.org:1", "tcp://*:0",
                                       "tcp://localhost:65535"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct address address;
        char text[ADDRESS_TEXT_MAX];
        assert_int_equal(address_parse(bytes_of_text(good[i]), &address), OK);
        address_format(&address, text);
        assert_string_equal(text, good[i]);
        assert_int_equal(address_dialable(&address), i != 3);
        assert_int_equal(address.literal, i == 0 || i == 1 || i == 3);
    }
}

static void bad_ones_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "tcp://",
        "127.0.0.1:7801",
        "ipc://x:1",
        "inproc://x",
        "tcp://host",
        "tcp://host:",
        "tcp://:7801",
        "tcp://host:65536",
        "tcp://host:-1",
        "tcp://host: 1",
        "tcp://host:1;tcp://x:1",
        "tcp://1.2.3:1",
        "tcp://1.2.3.256:1",
        "tcp://::1:1",
        "tcp://[1.2.3.4]:1",
        "tcp://[fe80::1%eth0]:1",
        "tcp://a b:1",
        "tcp://a/b:1",
        "tcp://-a:1",
        "tcp://.a:1",
        "tcp://\xc3\xa4:1",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct address address;
        if (address_parse(bytes_of_text(bad[i]), &address) == OK)
            fail_msg("%s was taken", bad[i]);
    }
    char longer[ENDPOINT_SIZE_MAX + 2];
    struct address address;
    memset(longer, 'a', sizeof longer);
    assert_int_equal(address_parse((struct bytes){(uint8_t *)longer, sizeof longer}, &address),
                     ERR_TOO_LARGE);
    assert_int_equal(address_parse((struct bytes){(const uint8_t *)"tcp://a\0b:1", 11}, &address),
                     ERR_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_ones_come_back_as_written),
        cmocka_unit_test(bad_ones_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
