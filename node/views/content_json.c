#include "node/views/content_json.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "protocol/base/utf8.h"

/* ---- memory that is wiped ---- */

union content_json_block {
    size_t size;
    max_align_t aligned;
};

static void *content_json_malloc(size_t size)
{
    if (size > SIZE_MAX - sizeof(union content_json_block))
        return NULL;
    union content_json_block *block = malloc(sizeof *block + size);
    if (block == NULL)
        return NULL;
    block->size = size;
    return block + 1;
}

static void content_json_free(void *memory)
{
    if (memory == NULL)
        return;
    union content_json_block *block = (union content_json_block *)memory - 1;
    sodium_memzero(memory, block->size);
    free(block);
}

void content_json_harden(void)
{
    json_set_alloc_funcs(content_json_malloc, content_json_free);
}

/* ---- problems ---- */

/* ---- reading JSON ---- */

/* Nesting is counted before anything is built, so that no input can make the parser recurse. */
static bool content_json_depth_ok(struct bytes text)
{
    size_t depth = 0;
    bool is_quoted = false;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t letter = text.data[i];
        if (is_quoted && letter == '\\')
            i++;
        else if (letter == '"')
            is_quoted = !is_quoted;
        else if (!is_quoted && (letter == '[' || letter == '{'))
            depth++;
        else if (!is_quoted && (letter == ']' || letter == '}') && depth > 0)
            depth--;
        if (depth > CONTENT_JSON_DEPTH_MAX)
            return false;
    }
    return true;
}

static struct bytes content_json_unmarked(struct bytes text)
{
    static const uint8_t mark[] = {0xef, 0xbb, 0xbf};
    bool is_marked = text.size >= sizeof mark && memcmp(text.data, mark, sizeof mark) == 0;
    return is_marked ? (struct bytes){text.data + sizeof mark, text.size - sizeof mark} : text;
}

static void content_json_plain_text(json_t *string)
{
    struct bytes text = {(const uint8_t *)json_string_value(string), json_string_length(string)};
    struct bytes rest = content_json_unmarked(text);
    char *plain = memmem(rest.data, rest.size, "\r\n", 2) == NULL && rest.size == text.size
                      ? NULL
                      : content_json_malloc(rest.size + 1);
    size_t size = 0;
    for (size_t i = 0; plain != NULL && i < rest.size; i++) {
        if (rest.data[i] != '\r' || i + 1 == rest.size || rest.data[i + 1] != '\n')
            plain[size++] = (char)rest.data[i];
    }
    if (plain != NULL)
        (void)json_string_setn(string, plain, size);
    content_json_free(plain);
}

/* A passphrase stays as it was typed. */
static void content_json_plain(json_t *value)
{
    const char *key = NULL;
    json_t *inner = NULL;
    size_t index = 0;
    if (json_is_string(value))
        content_json_plain_text(value);
    json_array_foreach(value, index, inner) content_json_plain(inner);
    json_object_foreach(value, key, inner)
    {
        if (strstr(key, "passphrase") == NULL)
            content_json_plain(inner);
    }
}

err content_json_parse(struct bytes text, json_t **ret_form, struct refusal *ret_problem)
{
    text = content_json_unmarked(text);
    if (!content_json_depth_ok(text)) {
        refusal_set(ret_problem, ERR_TOO_LARGE, NULL, "the JSON is nested deeper than %d",
                    CONTENT_JSON_DEPTH_MAX);
        return ERR_TOO_LARGE;
    }
    json_error_t error;
    json_t *form = json_loadb((const char *)text.data, text.size, JSON_REJECT_DUPLICATES, &error);
    if (form == NULL) {
        refusal_set(ret_problem, ERR_INVALID, NULL, "not JSON: line %d, column %d: %s", error.line,
                    error.column, error.text);
        return ERR_INVALID;
    }
    if (!json_is_object(form)) {
        json_decref(form);
        refusal_set(ret_problem, ERR_INVALID, NULL, "not a JSON object");
        return ERR_INVALID;
    }
    content_json_plain(form);
    *ret_form = form;
    return OK;
}

void content_json_add_unknown(const json_t *form, const char *const *known, struct refusal *problem)
{
    json_t *mutable = json_incref((json_t *)(uintptr_t)form);
    for (void *at = json_object_iter(mutable); at != NULL;
         at = json_object_iter_next(mutable, at)) {
        const char *name = json_object_iter_key(at);
        size_t i = 0;
        while (known[i] != NULL && strcmp(known[i], name) != 0)
            i++;
        if (known[i] == NULL)
            (void)refusal_add(problem, ERR_INVALID, "unknown field: \"%.60s\"", name);
    }
    json_decref(mutable);
}

err content_json_check_names(const json_t *form, const char *const *known,
                             struct refusal *ret_problem)
{
    refusal_clear(ret_problem);
    content_json_add_unknown(form, known, ret_problem);
    return ret_problem->code;
}

err content_json_text(const json_t *form, const char *name, size_t size_max, const char **ret_text,
                      struct refusal *ret_problem)
{
    const json_t *value = json_object_get(form, name);
    *ret_text = NULL;
    if (value == NULL || json_is_null(value))
        return OK;
    if (!json_is_string(value)) {
        refusal_set(ret_problem, ERR_INVALID, NULL, "%s: must be a text", name);
        return ERR_INVALID;
    }
    if (json_string_length(value) > size_max) {
        refusal_set(ret_problem, ERR_TOO_LARGE, NULL, "%s: longer than %zu bytes", name, size_max);
        return ERR_TOO_LARGE;
    }
    *ret_text = json_string_value(value);
    return OK;
}

err content_json_need_text(const json_t *form, const char *name, size_t size_max,
                           const char **ret_text, struct refusal *ret_problem)
{
    err failure = content_json_text(form, name, size_max, ret_text, ret_problem);
    if (failure == OK && (*ret_text == NULL || **ret_text == 0)) {
        refusal_set(ret_problem, ERR_INVALID, NULL, "%s: missing", name);
        return ERR_INVALID;
    }
    return failure;
}

/* ---- times: RFC 3339, UTC ---- */

void content_json_time(struct wall time, char ret_text[static CONTENT_JSON_TIME_SIZE])
{
    time_t seconds = (time_t)(time.ms / 1000);
    struct tm parts;
    char text[CONTENT_JSON_TIME_SIZE];
    if (time.ms / 1000 > UINT64_C(253402300799) || gmtime_r(&seconds, &parts) == NULL ||
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts) == 0) {
        snprintf(ret_text, CONTENT_JSON_TIME_SIZE, "9999-12-31T23:59:59.999Z");
        return;
    }
    snprintf(ret_text, CONTENT_JSON_TIME_SIZE, "%.19s.%03uZ", text, (unsigned)(time.ms % 1000));
}

static bool content_json_digits(const char **at, size_t count, unsigned max, unsigned *ret_number)
{
    unsigned number = 0;
    for (size_t i = 0; i < count; i++, (*at)++) {
        if (**at < '0' || **at > '9')
            return false;
        number = number * 10 + (unsigned)(**at - '0');
    }
    *ret_number = number;
    return number <= max;
}

static bool content_json_mark(const char **at, char mark)
{
    if (**at != mark)
        return false;
    (*at)++;
    return true;
}

/* 0 when it is no time. */
static uint64_t content_json_unix_ms(const unsigned date[static 3], const unsigned clock[static 4])
{
    struct tm parts = {.tm_year = (int)date[0] - 1900,
                       .tm_mon = (int)date[1] - 1,
                       .tm_mday = (int)date[2],
                       .tm_hour = (int)clock[0],
                       .tm_min = (int)clock[1],
                       .tm_sec = (int)clock[2]};
    time_t seconds = timegm(&parts);
    bool is_real = parts.tm_mday == (int)date[2] && parts.tm_mon == (int)date[1] - 1;
    return is_real && seconds > 0 ? (uint64_t)seconds * 1000 + clock[3] : 0;
}

err content_json_read_time(const char *text, struct wall *ret_time)
{
    unsigned date[3] = {0}, clock[4] = {23, 59, 59, 0};
    const char *at = text;
    bool is_good = content_json_digits(&at, 4, 9999, &date[0]) && content_json_mark(&at, '-') &&
                   content_json_digits(&at, 2, 12, &date[1]) && content_json_mark(&at, '-') &&
                   content_json_digits(&at, 2, 31, &date[2]) && date[0] >= 1970;
    if (is_good && *at != 0) {
        is_good = content_json_mark(&at, 'T') && content_json_digits(&at, 2, 23, &clock[0]) &&
                  content_json_mark(&at, ':') && content_json_digits(&at, 2, 59, &clock[1]) &&
                  content_json_mark(&at, ':') && content_json_digits(&at, 2, 59, &clock[2]);
        if (is_good && *at == '.')
            is_good = content_json_mark(&at, '.') && content_json_digits(&at, 3, 999, &clock[3]);
        is_good = is_good && content_json_mark(&at, 'Z') && *at == 0;
    }
    uint64_t ms = is_good ? content_json_unix_ms(date, clock) : 0;
    if (ms == 0)
        return ERR_MALFORMED;
    ret_time->ms = ms;
    return OK;
}
