/* Each wrong setting of a relay is one line that names it; its key is made once and read by it
 * alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bootstrap/relay/relay_config.h"
#include "bootstrap/relay/relay_key.h"

#define ID "1111111111111111111111111111111111111111111111111111111111111111"

static char directory[64], file[96];

static int set_up(void **state)
{
    (void)state;
    snprintf(directory, sizeof directory, "/tmp/relay_config_XXXXXX");
    assert_non_null(mkdtemp(directory));
    snprintf(file, sizeof file, "%s/relay.conf", directory);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    (void)unlink(file);
    return rmdir(directory);
}

static err load(const char *text, struct relay_config *config, struct config_trouble *trouble)
{
    FILE *out = fopen(file, "w");
    assert_non_null(out);
    fputs(text, out);
    fclose(out);
    return relay_config_load(file, config, trouble);
}

static void good_settings_become_what_they_say(void **state)
{
    (void)state;
    struct relay_config config;
    struct config_trouble trouble;
    assert_int_equal(load("data = d\nlisten = tcp://127.0.0.1:7800, tcp://[::1]:7800\n"
                          "federation = " ID "\npublisher = " ID "\n"
                          "[limits]\nlinks = 50\nmember-window = 1M\npair-window = 256K\n",
                          &config, &trouble),
                     OK);
    assert_int_equal(config.listen_count, 2);
    assert_int_equal(config.federation.bytes[31], 0x11);
    assert_int_equal(config.link_count, 50);
    assert_int_equal(config.limits.member_units, 2048);
    assert_int_equal(config.limits.pair_units, 512);
    assert_int_equal(config.limits.session_count, 256);
    relay_config_free(&config);
}

static void each_wrong_setting_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *text, *named;
    } wrong[] = {
        {"listen = tcp://127.0.0.1:1\nfederation = " ID "\npublisher = " ID "\n", "data"},
        {"data = d\nfederation = " ID "\npublisher = " ID "\n", "listen"},
        {"data = d\nlisten = here\nfederation = " ID "\npublisher = " ID "\n", "listen"},
        {"data = d\nlisten = tcp://a:1\nfederation = 12\npublisher = " ID "\n", "federation"},
        {"data = d\nlisten = tcp://a:1\nfederation = " ID "\npublisher = x\n", "publisher"},
        {"data = d\nlisten = tcp://a:1\nfederation = " ID "\npublisher = " ID "\ncolour = red\n",
         "colour"},
        {"data = d\nlisten = tcp://a:1\nfederation = " ID "\npublisher = " ID
         "\n[limits]\nmember-window = 100K\npair-window = 200K\n",
         "pair-window"},
        {"data = d\nlisten = tcp://a:1\nfederation = " ID "\npublisher = " ID
         "\n[limits]\nlinks = 1\n",
         "links"},
        {"data = d\nlisten = tcp://a:1,tcp://a:2,tcp://a:3,tcp://a:4,tcp://a:5\n"
         "federation = " ID "\npublisher = " ID "\n",
         "listen"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct relay_config config;
        struct config_trouble trouble;
        assert_int_equal(load(wrong[i].text, &config, &trouble), ERR_INVALID);
        if (strstr(trouble.line, wrong[i].named) == NULL || strstr(trouble.line, file) == NULL)
            fail_msg("should name %s and the file: %s", wrong[i].named, trouble.line);
    }
}

static void a_key_is_made_once_and_read_back(void **state)
{
    (void)state;
    struct transport_key made, read, again;
    uint8_t secret[KEY_SIZE];
    char data[96], path[128];
    snprintf(data, sizeof data, "%s/data", directory);
    snprintf(path, sizeof path, "%s/relay.key", data);
    assert_int_equal(relay_key_make(data, &made), OK);
    assert_int_equal(relay_key_load(data, secret, &read), OK);
    assert_true(ID_EQUAL(made, read));
    assert_int_equal(relay_key_make(data, &again), ERR_EXISTS);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(relay_key_load(data, secret, &read), ERR_NOT_ENTITLED);
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(truncate(path, 50), 0);
    assert_int_equal(relay_key_load(data, secret, &read), ERR_MALFORMED);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(relay_key_load(data, secret, &read), ERR_NOT_FOUND);
    assert_int_equal(rmdir(data), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(good_settings_become_what_they_say, set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_wrong_setting_is_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_key_is_made_once_and_read_back, set_up, tear_down),
    };
    if (sodium_init() < 0)
        return 1;
    (void)umask(022);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
