#include "node/config/config.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "node/config/config_read.h"
#include "node/config/config_value.h"
#include "node/os/file.h"

enum { CONFIG_FILE_SIZE_MAX = 1024 * 1024 };

err config_load(const struct config_schema *schema, const char *path, struct config **ret_config,
                struct config_trouble *ret_trouble)
{
    struct config *config = calloc(1, sizeof *config);
    char *trouble = ret_trouble->line;
    uint8_t *data = NULL;
    size_t size = 0;
    trouble[0] = '\0';
    if (config == NULL)
        return ERR_NO_MEMORY;
    const char *slash = strrchr(path, '/');
    config->schema = schema;
    config->path = strdup(path);
    config->directory = strndup(path, slash == NULL ? 0 : (size_t)(slash - path) + 1);
    if (config->path == NULL || config->directory == NULL) {
        config_free(config);
        return ERR_NO_MEMORY;
    }
    err result = file_read(path, CONFIG_FILE_SIZE_MAX, &data, &size);
    if (result != OK) {
        const char *why = result == ERR_IO ? strerrordesc_np(errno) : err_sentence(result);
        (void)snprintf(trouble, sizeof ret_trouble->line, "%s: cannot be read: %s%s", path, why,
                       result == ERR_NOT_FOUND
                           ? "; name yours with --config, --help-config prints one to start from"
                           : "");
    } else if (memchr(data, 0, size) != NULL) {
        (void)snprintf(trouble, sizeof ret_trouble->line, "%s: holds a NUL; it is no text", path);
        result = ERR_INVALID;
    } else {
        result = config_read_text(config, (char *)data, ret_trouble);
    }
    free(data);
    if (result == OK)
        *ret_config = config;
    else
        config_free(config);
    return result;
}

void config_free(struct config *config)
{
    if (config == NULL)
        return;
    config_read_free(config);
    free(config->directory);
    free(config->path);
    free(config);
}

/* ---- asking ---- */

static const struct config_value *config_ask(const struct config *config, const char *section,
                                             const char *key, const struct config_setting **ret)
{
    for (size_t i = 0; i < config->schema->count; i++) {
        const struct config_setting *setting = &config->schema->settings[i];
        if (strcmp(setting->key, key) == 0 && config_read_section_fits(setting->section, section)) {
            *ret = setting;
            return config_read_find(config, section, key);
        }
    }
    assert(!"a setting that is in the schema");
    return NULL;
}

bool config_has(const struct config *config, const char *section, const char *key)
{
    const struct config_setting *setting = NULL;
    return config_ask(config, section, key, &setting) != NULL;
}

const char *config_text(const struct config *config, const char *section, const char *key)
{
    const struct config_setting *setting = NULL;
    const struct config_value *value = config_ask(config, section, key, &setting);
    assert(!setting->many && !config_value_is_number(setting->type) &&
           setting->type != CONFIG_BOOL);
    return value == NULL ? NULL : value->items[0];
}

int64_t config_int(const struct config *config, const char *section, const char *key)
{
    const struct config_setting *setting = NULL;
    const struct config_value *value = config_ask(config, section, key, &setting);
    assert(!setting->many &&
           (config_value_is_number(setting->type) || setting->type == CONFIG_CHOICE));
    return value == NULL ? 0 : value->number;
}

bool config_bool(const struct config *config, const char *section, const char *key)
{
    const struct config_setting *setting = NULL;
    const struct config_value *value = config_ask(config, section, key, &setting);
    assert(!setting->many && setting->type == CONFIG_BOOL);
    return value != NULL && value->number != 0;
}

size_t config_count(const struct config *config, const char *section, const char *key)
{
    const struct config_setting *setting = NULL;
    const struct config_value *value = config_ask(config, section, key, &setting);
    return value == NULL ? 0 : value->count;
}

const char *config_item(const struct config *config, const char *section, const char *key,
                        size_t index)
{
    const struct config_setting *setting = NULL;
    const struct config_value *value = config_ask(config, section, key, &setting);
    assert(value != NULL && index < value->count);
    return value->items[index];
}

const char *config_section(const struct config *config, const char *kind, size_t index)
{
    for (const struct config_section *s = config->sections; s != NULL; s = s->next)
        if (config_read_section_fits(kind, s->name) && index-- == 0)
            return s->name;
    return NULL;
}

size_t config_section_count(const struct config *config, const char *kind)
{
    size_t count = 0;
    while (config_section(config, kind, count) != NULL)
        count++;
    return count;
}

void config_complain(const struct config *config, const char *section, const char *key,
                     const char *what, struct config_trouble *ret_trouble)
{
    const struct config_value *value = config_read_find(config, section, key);
    char place[16] = "";
    unsigned line = value == NULL ? 0 : value->line;
    for (const struct config_section *s = config->sections; line == 0 && s != NULL; s = s->next)
        line = strcmp(s->name, section) == 0 ? s->line : 0;
    if (line != 0)
        (void)snprintf(place, sizeof place, "%u:", line);
    const char *open = section[0] == '\0' ? "" : "[", *close = section[0] == '\0' ? "" : "] ";
    (void)snprintf(ret_trouble->line, sizeof ret_trouble->line, "%s:%s %s%s%s%s: %s", config->path,
                   place, open, section, close, key, what);
}

/* Wrapped at blanks: a terminal, and a mail, have 80 columns. */
static void config_help_comment(const char *text, FILE *out)
{
    enum { CONFIG_HELP_WIDTH = 78 };
    while (*text != '\0') {
        size_t size = strlen(text);
        if (size > CONFIG_HELP_WIDTH) {
            size = CONFIG_HELP_WIDTH;
            while (size > 0 && text[size] != ' ')
                size--;
            size = size == 0 ? strcspn(text, " ") : size; /* a word that fits no line */
        }
        (void)fprintf(out, "# %.*s\n", (int)size, text);
        text += size + strspn(text + size, " ");
    }
}

void config_help(const struct config_schema *schema, FILE *out)
{
    const char *section = "";
    for (size_t i = 0; i < schema->count; i++) {
        const struct config_setting *setting = &schema->settings[i];
        char wanted[256];
        if (strcmp(section, setting->section) != 0) {
            section = setting->section;
            size_t star = strcspn(section, "*");
            (void)fprintf(out, "\n[%.*s%s]\n", (int)star, section,
                          section[star] == '*' ? "NAME" : "");
        }
        config_value_wanted(setting, wanted, sizeof wanted);
        char line[1024];
        (void)snprintf(line, sizeof line, "%s (%s%s%s)", setting->help,
                       setting->many ? "a list, each " : "", wanted,
                       setting->required ? "; required" : "");
        config_help_comment(line, out);
        (void)fprintf(out, "%s%s = %s\n", setting->required ? "" : "#", setting->key,
                      setting->fallback == NULL ? "" : setting->fallback);
    }
}
