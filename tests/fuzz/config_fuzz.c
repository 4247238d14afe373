/* Whatever stands in a configuration file, it is read, or refused with one line that says why; what
 * was read answers every question within its type and range. */
#include <stdlib.h>
#include <string.h>

#include "node/config/config_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const choices[] = {"one", "two", NULL};
static const struct config_setting settings[] = {
    {.section = "", .key = "text", .type = CONFIG_TEXT, .fallback = "otherwise"},
    {.section = "", .key = "path", .type = CONFIG_PATH},
    {.section = "", .key = "int", .type = CONFIG_INT, .min = 3, .max = 70},
    {.section = "", .key = "bool", .type = CONFIG_BOOL},
    {.section = "one", .key = "choice", .type = CONFIG_CHOICE, .choices = choices},
    {.section = "one", .key = "listen", .type = CONFIG_ENDPOINT, .many = true},
    {.section = "part *", .key = "wait", .type = CONFIG_DURATION, .min = 250, .max = 86400000},
    {.section = "part *", .key = "room", .type = CONFIG_SIZE, .required = true},
};
static const struct config_schema schema = {settings, sizeof settings / sizeof settings[0]};

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void ask(const struct config *config)
{
    const char *path = config_text(config, "", "path");
    must(!config_has(config, "", "path") || path[0] == '/');
    int64_t number = config_int(config, "", "int");
    must(!config_has(config, "", "int") || (number >= 3 && number <= 70));
    must(config_text(config, "", "text") != NULL);
    for (size_t i = 0; i < config_count(config, "one", "listen"); i++)
        must(strncmp(config_item(config, "one", "listen", i), "tcp://", 6) == 0);
    for (size_t i = 0; i < config_section_count(config, "part *"); i++) {
        const char *section = config_section(config, "part *", i);
        must(config_has(config, section, "room"));
        must(!config_has(config, section, "wait") || config_int(config, section, "wait") >= 250);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config config = {.schema = &schema};
    struct config_trouble trouble = {.line = ""};
    char *text = malloc(size + 1);
    config.path = strdup("/etc/consilium/test.conf");
    config.directory = strdup("/etc/consilium/");
    must(text != NULL && config.path != NULL && config.directory != NULL);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = 0; /* config_load refuses a file with zeros in it */
    if (config_read_text(&config, text, &trouble) == OK)
        ask(&config);
    else
        must(trouble.line[0] != 0 && strchr(trouble.line, '\n') == NULL);
    config_read_free(&config);
    free(config.path);
    free(config.directory);
    free(text);
    return 0;
}
