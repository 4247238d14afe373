#include "node/os/log.h"
#include "node/os/hidden_character.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "protocol/base/ids.h"

enum { LOG_LINE_MAX = 2048, LOG_HEX_SHOWN = 8 };

static atomic_int log_level_now = LOG_LEVEL_INFO;
static atomic_bool log_journal;

static const char *const log_level_names[] = {"error", "warn", "info", "debug"};

/* ---- fields ---- */

struct log_field log_bytes(const char *key, struct bytes text)
{
    return (struct log_field){.key = key, .kind = LOG_KIND_TEXT, .bytes = text};
}

struct log_field log_text(const char *key, const char *text)
{
    return log_bytes(key, bytes_of_text(text == NULL ? "-" : text));
}

struct log_field log_count(const char *key, uint64_t number)
{
    return (struct log_field){.key = key, .kind = LOG_KIND_COUNT, .number = number};
}

struct log_field log_signed(const char *key, int64_t number)
{
    return (struct log_field){.key = key, .kind = LOG_KIND_SIGNED, .number = (uint64_t)number};
}

struct log_field log_hex(const char *key, struct bytes id)
{
    return (struct log_field){.key = key, .kind = LOG_KIND_HEX, .bytes = id};
}

struct log_field log_err(const char *key, err code)
{
    return log_text(key, err_sentence(code));
}

struct log_field log_errno(const char *key, int number)
{
    const char *text = strerrordesc_np(number);
    return log_text(key, text == NULL ? "unknown error" : text);
}

/* ---- escaping ---- */

struct log_line {
    char *text;
    size_t capacity; /* without the NUL */
    size_t size;
};

static void log_put(struct log_line *line, const char *text, size_t size)
{
    if (size > line->capacity - line->size)
        size = line->capacity - line->size;
    if (size != 0)
        memcpy(line->text + line->size, text, size);
    line->size += size;
}

static void log_put_text(struct log_line *line, const char *text)
{
    log_put(line, text, strlen(text));
}

/* The size and code point of the UTF-8 character at `text`; 0 when it is none (RFC 3629). */
static size_t log_utf8(const uint8_t *text, size_t size, uint32_t *ret_point)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    uint8_t first = text[0];
    size_t length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (length == 0 || first > 0xf4 || length > size)
        return 0;
    uint32_t point = length == 1 ? first : first & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        point = point << 6 | (text[i] & 0x3fu);
    }
    if (point > 0x10ffff || (point >= 0xd800 && point < 0xe000) ||
        (length > 1 && point < least[length]))
        return 0;
    *ret_point = point;
    return length;
}

static bool log_plain(struct bytes text)
{
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        if (c <= ' ' || c >= 0x7f || c == '"' || c == '=' || c == '\\')
            return false;
    }
    return text.size != 0;
}

static void log_put_value(struct log_line *line, struct bytes text)
{
    if (log_plain(text)) {
        log_put(line, (const char *)text.data, text.size);
        return;
    }
    log_put_text(line, "\"");
    for (size_t i = 0; i < text.size;) {
        char escaped[16];
        uint32_t point = 0;
        size_t length = log_utf8(text.data + i, text.size - i, &point);
        if (length == 0) {
            (void)snprintf(escaped, sizeof escaped, "\\x%02x", text.data[i]);
            log_put_text(line, escaped);
            i++;
            continue;
        }
        if (hidden_character_is(point)) {
            (void)snprintf(escaped, sizeof escaped, "\\u{%x}", point);
            log_put_text(line, escaped);
        } else {
            if (point == '"' || point == '\\')
                log_put_text(line, "\\");
            log_put(line, (const char *)text.data + i, length);
        }
        i += length;
    }
    log_put_text(line, "\"");
}

static void log_put_field(struct log_line *line, const struct log_field *field)
{
    char number[32];
    char hex[2 * LOG_HEX_SHOWN + 1];
    log_put_text(line, " ");
    log_put_text(line, field->key);
    log_put_text(line, "=");
    switch (field->kind) {
    case LOG_KIND_NONE:
        break;
    case LOG_KIND_TEXT:
        log_put_value(line, field->bytes);
        break;
    case LOG_KIND_COUNT:
        (void)snprintf(number, sizeof number, "%llu", (unsigned long long)field->number);
        log_put_text(line, number);
        break;
    case LOG_KIND_SIGNED:
        (void)snprintf(number, sizeof number, "%lld", (long long)field->number);
        log_put_text(line, number);
        break;
    case LOG_KIND_HEX:
        ids_to_hex((struct bytes){field->bytes.data, field->bytes.size < LOG_HEX_SHOWN
                                                         ? field->bytes.size
                                                         : LOG_HEX_SHOWN},
                   hex);
        log_put_text(line, hex);
        break;
    }
}

void log_format(char *ret_line, size_t capacity, const char *event, const struct log_field *fields,
                size_t count)
{
    struct log_line line = {.text = ret_line, .capacity = capacity - 1, .size = 0};
    log_put_text(&line, event);
    for (size_t i = 0; i < count; i++)
        if (fields[i].kind != LOG_KIND_NONE)
            log_put_field(&line, &fields[i]);
    ret_line[line.size] = '\0';
}

/* ---- writing ---- */

/* systemd names in JOURNAL_STREAM the device and inode of the stream it gave us. */
static bool log_stream_is_journal(void)
{
    const char *named = getenv("JOURNAL_STREAM");
    struct stat ours;
    if (named == NULL || fstat(STDERR_FILENO, &ours) != 0)
        return false;
    char expected[64];
    (void)snprintf(expected, sizeof expected, "%llu:%llu", (unsigned long long)ours.st_dev,
                   (unsigned long long)ours.st_ino);
    return strcmp(named, expected) == 0;
}

void log_init(enum log_level level)
{
    atomic_store(&log_level_now, (int)level);
    atomic_store(&log_journal, log_stream_is_journal());
}

err log_level_of(const char *name, enum log_level *ret_level)
{
    for (int i = LOG_LEVEL_ERROR; i <= LOG_LEVEL_DEBUG; i++) {
        if (strcmp(name, log_level_names[i]) == 0) {
            *ret_level = (enum log_level)i;
            return OK;
        }
    }
    return ERR_NOT_FOUND;
}

static int log_prefix(char *line, size_t capacity, enum log_level level)
{
    static const int priorities[] = {3, 4, 6, 7};
    if (atomic_load(&log_journal))
        return snprintf(line, capacity, "<%d>", priorities[level]);
    struct timespec now;
    struct tm parts;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &parts);
    return snprintf(line, capacity, "%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ %s ",
                    parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour,
                    parts.tm_min, parts.tm_sec, now.tv_nsec / 1000000, log_level_names[level]);
}

void log_write(enum log_level level, const char *event, const struct log_field *fields,
               size_t count)
{
    if ((int)level > atomic_load(&log_level_now))
        return;
    int error_before = errno;
    char line[LOG_LINE_MAX];
    int prefix = log_prefix(line, sizeof line, level);
    size_t used = prefix < 0 ? 0 : (size_t)prefix;
    log_format(line + used, sizeof line - used - 1, event, fields, count);
    used += strlen(line + used);
    line[used++] = '\n';
    if (write(STDERR_FILENO, line, used) < 0) {
        /* there is nobody left to tell */
    }
    errno = error_before;
}
