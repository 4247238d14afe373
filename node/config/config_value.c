#include "node/config/config_value.h"

#include <stdio.h>
#include <string.h>

#include "node/os/address.h"

struct config_unit {
    const char *name;
    int64_t factor;
};

/* largest first, the bare unit last */
static const struct config_unit config_durations[] = {
    {"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};
static const struct config_unit config_sizes[] = {
    {"G", 1 << 30}, {"M", 1 << 20}, {"K", 1 << 10}, {"", 1}};

enum { CONFIG_DURATION_UNITS = 5, CONFIG_SIZE_UNITS = 4 };

static int64_t config_value_max(const struct config_setting *setting)
{
    return setting->min == 0 && setting->max == 0 ? INT64_MAX : setting->max;
}

/* Decimal digits, up to the first character that is none. */
static err config_value_digits(const char **text, int64_t *ret_number)
{
    int64_t number = 0;
    bool negative = **text == '-';
    const char *c = *text + (negative ? 1 : 0);
    if (*c < '0' || *c > '9')
        return ERR_INVALID;
    for (; *c >= '0' && *c <= '9'; c++)
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, *c - '0', &number))
            return ERR_INVALID;
    *text = c;
    *ret_number = negative ? -number : number;
    return OK;
}

static err config_value_units(const char *text, const struct config_unit *units, size_t unit_count,
                              int64_t *ret_number)
{
    int64_t number = 0;
    if (config_value_digits(&text, &number) != OK)
        return ERR_INVALID;
    for (size_t i = 0; i < unit_count; i++)
        if (strcmp(text, units[i].name) == 0)
            return __builtin_mul_overflow(number, units[i].factor, ret_number) ? ERR_INVALID : OK;
    return ERR_INVALID;
}

static err config_value_bool(const char *text, int64_t *ret_number)
{
    static const char *const words[] = {"no", "yes", "false", "true", "off", "on"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(text, words[i]) == 0) {
            *ret_number = (int64_t)(i % 2);
            return OK;
        }
    }
    return ERR_INVALID;
}

static err config_value_choice(const char *const *choices, const char *text, int64_t *ret_number)
{
    for (size_t i = 0; choices[i] != NULL; i++) {
        if (strcmp(text, choices[i]) == 0) {
            *ret_number = (int64_t)i;
            return OK;
        }
    }
    return ERR_INVALID;
}

bool config_value_is_number(enum config_type type)
{
    return type == CONFIG_INT || type == CONFIG_DURATION || type == CONFIG_SIZE;
}

err config_value_read(const struct config_setting *setting, const char *text, int64_t *ret_number)
{
    struct address address;
    int64_t number = 0;
    err result = text[0] == '\0' ? ERR_INVALID : OK;
    if (result != OK)
        return result;
    switch (setting->type) {
    case CONFIG_TEXT:
    case CONFIG_PATH:
        break;
    case CONFIG_INT:
        result = config_value_digits(&text, &number);
        if (result == OK && *text != '\0')
            result = ERR_INVALID;
        break;
    case CONFIG_BOOL:
        result = config_value_bool(text, &number);
        break;
    case CONFIG_CHOICE:
        result = config_value_choice(setting->choices, text, &number);
        break;
    case CONFIG_ENDPOINT:
        result = address_parse(bytes_of_text(text), &address) == OK ? OK : ERR_INVALID;
        break;
    case CONFIG_DURATION:
        result = config_value_units(text, config_durations, CONFIG_DURATION_UNITS, &number);
        break;
    case CONFIG_SIZE:
        result = config_value_units(text, config_sizes, CONFIG_SIZE_UNITS, &number);
        break;
    }
    if (result == OK && config_value_is_number(setting->type) &&
        (number < setting->min || number > config_value_max(setting)))
        result = ERR_INVALID;
    if (result == OK)
        *ret_number = number;
    return result;
}

/* ---- saying what is wanted ---- */

static void config_value_number(char *text, size_t capacity, int64_t number,
                                const struct config_unit *units, size_t unit_count)
{
    size_t i = 0;
    while (i + 1 < unit_count && (number == 0 || number % units[i].factor != 0))
        i++;
    (void)snprintf(text, capacity, "%lld%s", (long long)(number / units[i].factor), units[i].name);
}

static void config_value_range(const struct config_setting *setting, const char *what, char *text,
                               size_t capacity)
{
    static const struct config_unit bare[] = {{"", 1}};
    const struct config_unit *units = setting->type == CONFIG_DURATION ? config_durations
                                      : setting->type == CONFIG_SIZE   ? config_sizes
                                                                       : bare;
    size_t unit_count = setting->type == CONFIG_DURATION ? CONFIG_DURATION_UNITS
                        : setting->type == CONFIG_SIZE   ? CONFIG_SIZE_UNITS
                                                         : 1;
    char least[32];
    char most[32];
    config_value_number(least, sizeof least, setting->min, units, unit_count);
    config_value_number(most, sizeof most, setting->max, units, unit_count);
    if (setting->min == 0 && setting->max == 0)
        (void)snprintf(text, capacity, "%s", what);
    else
        (void)snprintf(text, capacity, "%s from %s to %s", what, least, most);
}

static void config_value_choices(const char *const *choices, char *text, size_t capacity)
{
    size_t size = 0;
    text[0] = '\0';
    for (size_t i = 0; choices[i] != NULL && size < capacity; i++) {
        const char *between = i == 0 ? "" : choices[i + 1] == NULL ? " or " : ", ";
        int added = snprintf(text + size, capacity - size, "%s%s", between, choices[i]);
        size += added < 0 ? 0 : (size_t)added;
    }
}

void config_value_wanted(const struct config_setting *setting, char *ret_text, size_t capacity)
{
    switch (setting->type) {
    case CONFIG_TEXT:
        (void)snprintf(ret_text, capacity, "some text");
        break;
    case CONFIG_PATH:
        (void)snprintf(ret_text, capacity, "a path");
        break;
    case CONFIG_INT:
        config_value_range(setting, "a whole number", ret_text, capacity);
        break;
    case CONFIG_BOOL:
        (void)snprintf(ret_text, capacity, "yes or no");
        break;
    case CONFIG_CHOICE:
        config_value_choices(setting->choices, ret_text, capacity);
        break;
    case CONFIG_ENDPOINT:
        (void)snprintf(ret_text, capacity, "an endpoint like tcp://host.example:7801");
        break;
    case CONFIG_DURATION:
        config_value_range(setting, "a duration like 250ms, 30s, 5m, 2h, 7d", ret_text, capacity);
        break;
    case CONFIG_SIZE:
        config_value_range(setting, "a size like 512, 64K, 10M, 4G", ret_text, capacity);
        break;
    }
}
