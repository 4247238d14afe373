/* inih splits the lines; the reader below hands them to it one by one, and so knows where each
 * stands and sees the section headers, which inih keeps to itself. */
#include "node/config/config_read.h"

#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <ini.h>

#include "node/config/config_value.h"

/* "[section] ", and nothing for settings above all sections. */
#define SECTION_PLACE "%s%s%s"
#define SECTION_OF(name) (name)[0] == '\0' ? "" : "[", (name), (name)[0] == '\0' ? "" : "] "

enum {
    CONFIG_LINE_MAX = 190,   /* inih is built for lines of 200 */
    CONFIG_SECTION_MAX = 48, /* and for section names of 50 */
};

struct config_reading {
    struct config *config;
    struct config_trouble *trouble;
    err result; /* the first thing that was wrong */
    char *rest; /* of the file */
    unsigned line;
    struct config_section *section;
};

/* ---- troubles ---- */

__attribute__((format(printf, 3, 4))) static void
config_wrong(struct config_reading *reading, unsigned line, const char *format, ...)
{
    if (reading->result != OK)
        return;
    reading->result = ERR_INVALID;
    char *text = reading->trouble->line;
    size_t capacity = sizeof reading->trouble->line;
    int size = line == 0 ? snprintf(text, capacity, "%s: ", reading->config->path)
                         : snprintf(text, capacity, "%s:%u: ", reading->config->path, line);
    if (size < 0 || (size_t)size >= capacity)
        return;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text + size, capacity - (size_t)size, format, arguments);
    va_end(arguments);
    for (char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?';
}

/* The number of single edits between two words (Levenshtein), for words of up to 63 letters. */
static unsigned config_distance(const char *a, const char *b)
{
    unsigned row[64];
    size_t a_size = strlen(a);
    size_t b_size = strlen(b);
    if (a_size >= 64 || b_size >= 64)
        return UINT_MAX;
    for (unsigned j = 0; j <= b_size; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_size; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b_size; j++) {
            unsigned change = diagonal + (a[i - 1] != b[j - 1]);
            unsigned least = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;
            diagonal = row[j];
            row[j] = change < least ? change : least;
        }
    }
    return row[b_size];
}

/* True when `b` is nearer to `a` than `*nearest`, and near enough to be meant. */
static bool config_nearer(const char *a, const char *b, unsigned *nearest)
{
    unsigned distance = config_distance(a, b);
    if (distance >= *nearest || distance > 1 + strlen(a) / 3)
        return false;
    *nearest = distance;
    return true;
}

/* ---- sections ---- */

/* "federation *" fits "federation north"; the name is 1 to 32 letters, digits, - _ . */
bool config_read_section_fits(const char *kind, const char *name)
{
    size_t size = strlen(kind);
    if (size < 2 || strcmp(kind + size - 2, " *") != 0)
        return strcmp(kind, name) == 0;
    if (strncmp(kind, name, size - 1) != 0)
        return false;
    name += size - 1;
    size_t name_size = strlen(name);
    return name_size >= 1 && name_size <= 32 &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") ==
               name_size;
}

static void config_section_unknown(struct config_reading *reading, const char *name)
{
    const struct config_schema *schema = reading->config->schema;
    const char *meant = NULL;
    unsigned nearest = UINT_MAX;
    for (size_t i = 0; i < schema->count; i++)
        if (config_nearer(name, schema->settings[i].section, &nearest))
            meant = schema->settings[i].section;
    for (size_t i = 0; meant == NULL && i < schema->count; i++) {
        const char *kind = schema->settings[i].section;
        const char *star = strstr(kind, " *");
        if (star != NULL && strncmp(kind, name, (size_t)(star - kind)) == 0)
            meant = kind;
    }
    if (meant != NULL && strchr(meant, '*') != NULL)
        config_wrong(reading, reading->line,
                     "unknown section [%s]; did you mean [%.*sNAME], with a NAME of letters, "
                     "digits, - _ . ?",
                     name, (int)strcspn(meant, "*"), meant);
    else if (meant != NULL && meant[0] != '\0')
        config_wrong(reading, reading->line, "unknown section [%s]; did you mean [%s]?", name,
                     meant);
    else
        config_wrong(reading, reading->line, "unknown section [%s]; remove it", name);
}

static struct config_section *config_section_add(struct config_reading *reading, const char *name)
{
    struct config_section *section = calloc(1, sizeof *section);
    char *copy = strdup(name);
    if (section == NULL || copy == NULL) {
        free(section);
        free(copy);
        reading->result = ERR_NO_MEMORY;
        return NULL;
    }
    section->name = copy;
    section->line = reading->line;
    struct config_section **end = &reading->config->sections;
    while (*end != NULL)
        end = &(*end)->next;
    *end = section;
    return section;
}

static void config_section_begin(struct config_reading *reading, const char *name)
{
    const struct config_schema *schema = reading->config->schema;
    for (struct config_section *s = reading->config->sections; s != NULL; s = s->next)
        if (strcmp(s->name, name) == 0) {
            config_wrong(reading, reading->line,
                         "section [%s] stands twice; join it with the one in line %u", name,
                         s->line);
            return;
        }
    for (size_t i = 0; i < schema->count; i++) {
        if (config_read_section_fits(schema->settings[i].section, name)) {
            reading->section = config_section_add(reading, name);
            return;
        }
    }
    config_section_unknown(reading, name);
}

/* ---- values ---- */

static void config_drop_value(struct config_value *value)
{
    for (size_t i = 0; value->items != NULL && i < value->count; i++)
        free(value->items[i]);
    free(value->items);
    free(value);
}

struct config_value *config_read_find(const struct config *config, const char *section,
                                      const char *key)
{
    for (struct config_value *v = config->values; v != NULL; v = v->next)
        if (strcmp(v->section->name, section) == 0 && strcmp(v->setting->key, key) == 0)
            return v;
    return NULL;
}

/* Cuts `text` at commas, without the blanks around them; NULL after the last. */
static char *config_cut(char **text, bool many)
{
    char *item = *text;
    if (item == NULL)
        return NULL;
    char *comma = many ? strchr(item, ',') : NULL;
    if (comma != NULL)
        *comma = '\0';
    *text = comma == NULL ? NULL : comma + 1;
    item += strspn(item, " \t");
    for (size_t size = strlen(item); size > 0 && strchr(" \t", item[size - 1]) != NULL; size--)
        item[size - 1] = '\0';
    return item;
}

static char *config_item_copy(const struct config *config, const struct config_setting *setting,
                              const char *text)
{
    char *copy = NULL;
    if (setting->type != CONFIG_PATH || text[0] == '/')
        return strdup(text);
    return asprintf(&copy, "%s%s", config->directory, text) < 0 ? NULL : copy;
}

static err config_fill_value(struct config_reading *reading, struct config_value *value, char *text)
{
    const struct config_setting *setting = value->setting;
    for (char *item; (item = config_cut(&text, setting->many)) != NULL;) {
        if (config_value_read(setting, item, &value->number) != OK) {
            char wanted[256];
            config_value_wanted(setting, wanted, sizeof wanted);
            if (item[0] == '\0')
                config_wrong(reading, value->line, SECTION_PLACE "%s has no value; write %s",
                             SECTION_OF(value->section->name), setting->key, wanted);
            else
                config_wrong(reading, value->line, SECTION_PLACE "%s: '%s' will not do; write %s",
                             SECTION_OF(value->section->name), setting->key, item, wanted);
            return ERR_INVALID;
        }
        char **items = reallocarray(value->items, value->count + 1, sizeof *items);
        if (items == NULL)
            return ERR_NO_MEMORY;
        value->items = items;
        items[value->count] = config_item_copy(reading->config, setting, item);
        if (items[value->count] == NULL)
            return ERR_NO_MEMORY;
        value->count++;
    }
    return OK;
}

static void config_add_value(struct config_reading *reading, const struct config_setting *setting,
                             struct config_section *section, const char *text)
{
    struct config_value *value = calloc(1, sizeof *value);
    char *copy = strdup(text);
    err result = ERR_NO_MEMORY;
    if (value != NULL && copy != NULL) {
        value->setting = setting;
        value->section = section;
        value->line = reading->line;
        result = config_fill_value(reading, value, copy);
    }
    free(copy);
    if (result == OK) {
        value->next = reading->config->values;
        reading->config->values = value;
        return;
    }
    if (value != NULL)
        config_drop_value(value);
    if (reading->result == OK)
        reading->result = result;
}

static void config_key_unknown(struct config_reading *reading, const char *key)
{
    const struct config_schema *schema = reading->config->schema;
    const char *section = reading->section->name;
    const char *meant = NULL;
    const char *elsewhere = NULL;
    unsigned nearest = UINT_MAX;
    for (size_t i = 0; i < schema->count; i++) {
        const struct config_setting *setting = &schema->settings[i];
        if (config_read_section_fits(setting->section, section)) {
            if (config_nearer(key, setting->key, &nearest))
                meant = setting->key;
        } else if (strcmp(setting->key, key) == 0) {
            elsewhere = setting->section;
        }
    }
    if (meant != NULL)
        config_wrong(reading, reading->line,
                     SECTION_PLACE "unknown setting '%s'; did you mean '%s'?", SECTION_OF(section),
                     key, meant);
    else if (elsewhere != NULL)
        config_wrong(reading, reading->line,
                     SECTION_PLACE "unknown setting '%s'; it belongs %s%s%s", SECTION_OF(section),
                     key, elsewhere[0] == '\0' ? "above all sections" : "in [", elsewhere,
                     elsewhere[0] == '\0' ? "" : "]");
    else
        config_wrong(reading, reading->line, SECTION_PLACE "unknown setting '%s'; remove it",
                     SECTION_OF(section), key);
}

/* ---- reading lines ---- */

/* fgets for inih. Blanks before a line are taken away, so that no line continues another. */
static char *config_next_line(char *line, int capacity, void *stream)
{
    struct config_reading *reading = stream;
    if (reading->rest == NULL || *reading->rest == '\0' || reading->result != OK)
        return NULL;
    reading->line++;
    char *begin = reading->rest;
    char *end = strchr(begin, '\n');
    reading->rest = end == NULL ? NULL : end + 1;
    if (end != NULL)
        *end = '\0';
    begin += strspn(begin, " \t\r");
    size_t size = strlen(begin);
    if (size > CONFIG_LINE_MAX || size + 2 > (size_t)capacity) {
        config_wrong(reading, reading->line, "the line is longer than %d bytes; shorten it",
                     CONFIG_LINE_MAX);
        return NULL;
    }
    if (begin[0] == '[') {
        char name[CONFIG_LINE_MAX + 1];
        size_t name_size = strcspn(begin + 1, "]");
        memcpy(name, begin + 1, name_size);
        name[name_size] = '\0';
        if (begin[1 + name_size] != ']' || name_size == 0 || name_size > CONFIG_SECTION_MAX)
            config_wrong(reading, reading->line,
                         "a section is written [NAME], NAME of 1 to %d "
                         "letters",
                         CONFIG_SECTION_MAX);
        else
            config_section_begin(reading, name);
    }
    memcpy(line, begin, size);
    memcpy(line + size, "\n", 2);
    return line;
}

/* The handler of inih: non-zero to go on. */
static int config_on_setting(void *user, const char *section, const char *key, const char *text)
{
    struct config_reading *reading = user;
    const struct config_schema *schema = reading->config->schema;
    (void)section; /* cut at 50 by inih; ours is whole */
    if (reading->result != OK)
        return 0;
    for (size_t i = 0; i < schema->count; i++) {
        const struct config_setting *setting = &schema->settings[i];
        if (strcmp(setting->key, key) != 0 ||
            !config_read_section_fits(setting->section, reading->section->name))
            continue;
        const struct config_value *before =
            config_read_find(reading->config, reading->section->name, key);
        if (before != NULL)
            config_wrong(reading, reading->line,
                         SECTION_PLACE "%s is set twice; it stands in line %u too",
                         SECTION_OF(reading->section->name), key, before->line);
        else
            config_add_value(reading, setting, reading->section, text);
        return reading->result == OK;
    }
    config_key_unknown(reading, key);
    return 0;
}

/* Adds the fallbacks, and complains about what must be there and is not. */
static void config_complete(struct config_reading *reading, const struct config_setting *setting)
{
    reading->line = 0;
    for (struct config_section *s = reading->config->sections; s != NULL; s = s->next) {
        if (!config_read_section_fits(setting->section, s->name) ||
            config_read_find(reading->config, s->name, setting->key) != NULL)
            continue;
        if (setting->required)
            config_wrong(reading, s->line, SECTION_PLACE "%s is missing; add '%s = ...': %s",
                         SECTION_OF(s->name), setting->key, setting->key, setting->help);
        else if (setting->fallback != NULL)
            config_add_value(reading, setting, s, setting->fallback);
    }
}

/* Sections that stand once are there even when the file leaves them out. */
static void config_complete_sections(struct config_reading *reading)
{
    const struct config_schema *schema = reading->config->schema;
    reading->line = 0;
    for (size_t i = 0; i < schema->count && reading->result == OK; i++) {
        const char *name = schema->settings[i].section;
        bool there = strchr(name, '*') != NULL;
        for (struct config_section *s = reading->config->sections; s != NULL; s = s->next)
            there = there || strcmp(s->name, name) == 0;
        if (!there)
            (void)config_section_add(reading, name);
    }
}

err config_read_text(struct config *config, char *text, struct config_trouble *ret_trouble)
{
    struct config_reading reading = {
        .config = config, .trouble = ret_trouble, .result = OK, .rest = text};
    const struct config_schema *schema = config->schema;
    reading.section = config_section_add(&reading, "");
    if (reading.section == NULL)
        return ERR_NO_MEMORY;
    int bad_line = ini_parse_stream(config_next_line, &reading, config_on_setting, &reading);
    if (bad_line != 0)
        config_wrong(&reading, bad_line > 0 ? (unsigned)bad_line : 0,
                     "not a setting; write 'name = value', or # before a remark");
    if (reading.result == OK)
        config_complete_sections(&reading);
    for (size_t i = 0; i < schema->count && reading.result == OK; i++)
        config_complete(&reading, &schema->settings[i]);
    return reading.result;
}

void config_read_free(struct config *config)
{
    for (struct config_value *v = config->values, *next; v != NULL; v = next) {
        next = v->next;
        config_drop_value(v);
    }
    for (struct config_section *s = config->sections, *next; s != NULL; s = next) {
        next = s->next;
        free(s->name);
        free(s);
    }
}
