/* A wrong setting is one line that says where it stands and what to do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "node/config/config.h"
#include "node/os/file.h"

static const char *const levels[] = {"error", "warn", "info", NULL};
static const struct config_setting settings[] = {
    {.section = "", .key = "data", .type = CONFIG_PATH, .required = true, .help = "Where."},
    {.section = "",
     .key = "log",
     .type = CONFIG_CHOICE,
     .choices = levels,
     .fallback = "info",
     .help = "How much."},
    {.section = "listen",
     .key = "endpoint",
     .type = CONFIG_ENDPOINT,
     .many = true,
     .help = "Where to."},
    {.section = "listen",
     .key = "backlog",
     .type = CONFIG_INT,
     .min = 1,
     .max = 100,
     .fallback = "10",
     .help = "How many wait."},
    {.section = "store",
     .key = "quota",
     .type = CONFIG_SIZE,
     .min = 1 << 20,
     .max = (int64_t)1 << 40,
     .fallback = "10G",
     .help = "How much."},
    {.section = "store",
     .key = "pause",
     .type = CONFIG_DURATION,
     .min = 100,
     .max = 60000,
     .fallback = "1s",
     .help = "How long."},
    {.section = "store",
     .key = "sync",
     .type = CONFIG_BOOL,
     .fallback = "yes",
     .help =
         "Whether what is written is on the disk before anybody else is told of it, which is what "
         "keeps a promise when the power fails."},
    {.section = "federation *",
     .key = "relay",
     .type = CONFIG_ENDPOINT,
     .required = true,
     .help = "Its relay."},
    {.section = "federation *", .key = "note", .type = CONFIG_TEXT, .help = "A remark."},
};
static const struct config_schema schema = {settings, sizeof settings / sizeof settings[0]};

static char path[64];
static struct config_trouble trouble;

static struct config *load(const char *text)
{
    struct config *config = NULL;
    assert_int_equal(file_write(path, bytes_of_text(text), 0600), OK);
    err result = config_load(&schema, path, &config, &trouble);
    assert_true((result == OK) == (config != NULL));
    return config;
}

/* Loads and compares the trouble, without the name of the file before it. */
static void complains(const char *text, const char *expected)
{
    struct config *config = load(text);
    if (config != NULL)
        fail_msg("taken: %s", text);
    assert_memory_equal(trouble.line, path, strlen(path));
    assert_string_equal(trouble.line + strlen(path), expected);
}

static int enter(void **state)
{
    (void)state;
    (void)snprintf(path, sizeof path, "/tmp/consilium-config-%d", (int)getpid());
    return 0;
}

static int leave(void **state)
{
    (void)state;
    return unlink(path);
}

static void every_type_is_read(void **state)
{
    (void)state;
    struct config *config = load("data = here ; a remark\n"
                                 "log=warn\n"
                                 "  [listen]\n"
                                 "  endpoint = tcp://*:0 , tcp://[::1]:7801\n"
                                 "# nothing\n"
                                 "[store]\nquota = 3M\npause = 250ms\nsync = off\n"
                                 "[federation north]\nrelay = tcp://n.example:1\n"
                                 "[federation south]\nrelay = tcp://s.example:2\nnote = a b");
    assert_non_null(config);
    assert_string_equal(config_text(config, "", "data"), "/tmp/here");
    assert_string_equal(config_text(config, "", "log"), "warn");
    assert_int_equal(config_int(config, "", "log"), 1);
    assert_int_equal(config_count(config, "listen", "endpoint"), 2);
    assert_string_equal(config_item(config, "listen", "endpoint", 0), "tcp://*:0");
    assert_string_equal(config_item(config, "listen", "endpoint", 1), "tcp://[::1]:7801");
    assert_int_equal(config_int(config, "listen", "backlog"), 10);
    assert_int_equal(config_int(config, "store", "quota"), 3 << 20);
    assert_int_equal(config_int(config, "store", "pause"), 250);
    assert_false(config_bool(config, "store", "sync"));
    assert_int_equal(config_section_count(config, "federation *"), 2);
    assert_string_equal(config_section(config, "federation *", 1), "federation south");
    assert_string_equal(config_text(config, "federation north", "relay"), "tcp://n.example:1");
    assert_false(config_has(config, "federation north", "note"));
    assert_null(config_text(config, "federation north", "note"));
    assert_string_equal(config_text(config, "federation south", "note"), "a b");
    config_complain(config, "federation south", "note", "is rude", &trouble);
    assert_string_equal(trouble.line + strlen(path), ":14: [federation south] note: is rude");
    config_free(config);
}

static void what_is_left_out_has_its_fallback(void **state)
{
    (void)state;
    struct config *config = load("data = /x\n");
    assert_non_null(config);
    assert_string_equal(config_text(config, "", "data"), "/x");
    assert_int_equal(config_int(config, "", "log"), 2);
    assert_int_equal(config_int(config, "store", "quota"), (int64_t)10 << 30);
    assert_int_equal(config_int(config, "store", "pause"), 1000);
    assert_true(config_bool(config, "store", "sync"));
    assert_int_equal(config_count(config, "listen", "endpoint"), 0);
    assert_int_equal(config_section_count(config, "federation *"), 0);
    config_free(config);
}

static void unknown_names_get_a_hint(void **state)
{
    (void)state;
    complains("data = /x\n[listen]\nendpont = tcp://*:1\n",
              ":3: [listen] unknown setting 'endpont'; did you mean 'endpoint'?");
    complains("data = /x\nquota = 3M\n", ":2: unknown setting 'quota'; it belongs in [store]");
    complains("data = /x\nwhatever = 3M\n", ":2: unknown setting 'whatever'; remove it");
    complains("data = /x\n[lisen]\n", ":2: unknown section [lisen]; did you mean [listen]?");
    complains("data = /x\n[federation]\n",
              ":2: unknown section [federation]; did you mean [federation NAME], with a NAME of "
              "letters, digits, - _ . ?");
    complains("data = /x\n[federation a b]\n",
              ":2: unknown section [federation a b]; did you mean [federation NAME], with a NAME "
              "of letters, digits, - _ . ?");
    complains("data = /x\n[nonsense]\n", ":2: unknown section [nonsense]; remove it");
}

static void wrong_values_say_what_is_wanted(void **state)
{
    (void)state;
    complains("data = /x\nlog = loud\n", ":2: log: 'loud' will not do; write error, warn or info");
    complains("data =\n", ":1: data has no value; write a path");
    complains("data = /x\n[listen]\nbacklog = 0\n",
              ":3: [listen] backlog: '0' will not do; write a whole number from 1 to 100");
    complains("data = /x\n[listen]\nbacklog = 7x\n",
              ":3: [listen] backlog: '7x' will not do; write a whole number from 1 to 100");
    complains("data = /x\n[listen]\nbacklog = 99999999999999999999\n",
              ":3: [listen] backlog: '99999999999999999999' will not do; write a whole number from "
              "1 to 100");
    complains("data = /x\n[listen]\nendpoint = tcp://*:1,,\n",
              ":3: [listen] endpoint has no value; write an endpoint like "
              "tcp://host.example:7801");
    complains("data = /x\n[store]\npause = 2h\n",
              ":3: [store] pause: '2h' will not do; write a duration like 250ms, 30s, 5m, 2h, 7d "
              "from 100ms to 1m");
    complains("data = /x\n[store]\nquota = 9223372036854775807G\n",
              ":3: [store] quota: '9223372036854775807G' will not do; write a size like 512, 64K, "
              "10M, 4G from 1M to 1024G");
    complains("data = /x\n[store]\nsync = maybe\n",
              ":3: [store] sync: 'maybe' will not do; write yes or no");
    complains("data = /x\nlog = \x1b[2J\n",
              ":2: log: '?[2J' will not do; write error, warn or info");
}

static void what_must_be_there_is_asked_for(void **state)
{
    (void)state;
    complains("log = info\n", ": data is missing; add 'data = ...': Where.");
    complains("data = /x\n[federation north]\nnote = x\n",
              ":2: [federation north] relay is missing; add 'relay = ...': Its relay.");
}

static void nothing_is_said_twice(void **state)
{
    (void)state;
    complains("data = /x\ndata = /y\n", ":2: data is set twice; it stands in line 1 too");
    complains("data = /x\n[store]\n[store]\n",
              ":3: section [store] stands twice; join it with the one in line 2");
    /* a line that begins with a blank is a line of its own, not the end of the one before */
    complains("data = /x\n  more\n",
              ":2: not a setting; write 'name = value', or # before a remark");
}

static void what_is_no_configuration_is_refused(void **state)
{
    (void)state;
    char longer[300];
    struct config *config = NULL;
    memset(longer, 'x', sizeof longer);
    memcpy(longer, "data = ", 7);
    longer[sizeof longer - 1] = '\0';
    complains(longer, ":1: the line is longer than 190 bytes; shorten it");
    complains("data = /x\n[store\n", ":2: a section is written [NAME], NAME of 1 to 48 letters");
    assert_int_equal(config_load(&schema, "/nowhere/c.conf", &config, &trouble), ERR_NOT_FOUND);
    assert_string_equal(
        trouble.line,
        "/nowhere/c.conf: cannot be read: it does not exist here; name yours with --config, "
        "--help-config prints one to start from");
    assert_int_equal(file_write(path, (struct bytes){(const uint8_t *)"data\0=x", 7}, 0600), OK);
    assert_int_equal(config_load(&schema, path, &config, &trouble), ERR_INVALID);
}

static void the_help_is_a_configuration(void **state)
{
    (void)state;
    char text[4096] = "";
    FILE *out = fmemopen(text, sizeof text, "w");
    config_help(&schema, out);
    assert_int_equal(fclose(out), 0);
    assert_non_null(strstr(text, "\n[federation NAME]\n# Its relay. (an endpoint like "
                                 "tcp://host.example:7801; required)\nrelay = \n"));
    assert_non_null(strstr(text, "#quota = 10G\n"));
    for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1)
        assert_in_range(strcspn(line, "\n"), 0, 80);
    assert_memory_equal(text, "# Where. (a path; required)\ndata = \n", 36);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_is_read),
        cmocka_unit_test(what_is_left_out_has_its_fallback),
        cmocka_unit_test(unknown_names_get_a_hint),
        cmocka_unit_test(wrong_values_say_what_is_wanted),
        cmocka_unit_test(what_must_be_there_is_asked_for),
        cmocka_unit_test(nothing_is_said_twice),
        cmocka_unit_test(what_is_no_configuration_is_refused),
        cmocka_unit_test(the_help_is_a_configuration),
    };
    return cmocka_run_group_tests(tests, enter, leave);
}
