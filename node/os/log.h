/* Lines for whoever runs the program: one event, then key=value, on standard error.
 *
 * Under systemd (JOURNAL_STREAM names our standard error) each line begins with `<N>`, the
 * journal's priority, else with the time. Values that are not plain are quoted; control
 * characters, bytes that are not UTF-8 and the characters that turn the direction of text are
 * escaped, so no value can forge a line or disguise itself. Never pass the text of a case, a name
 * of a patient or a secret. Any thread may log; a line is one write(2). */
#ifndef CONSILIUM_NODE_OS_LOG_H
#define CONSILIUM_NODE_OS_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "protocol/base/bytes.h"
#include "protocol/base/error.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

enum log_kind { LOG_KIND_NONE, LOG_KIND_TEXT, LOG_KIND_COUNT, LOG_KIND_SIGNED, LOG_KIND_HEX };

/* Borrows `key` and what it points at, for the call. Made by the LOG_* below. */
struct log_field {
    const char *key;
    enum log_kind kind;
    struct bytes bytes;
    uint64_t number;
};

/* Text of ours or of others; NULL is written as -. */
struct log_field log_text(const char *key, const char *text);
struct log_field log_bytes(const char *key, struct bytes text);
struct log_field log_count(const char *key, uint64_t number);
struct log_field log_signed(const char *key, int64_t number);
/* The first 8 bytes of an id or public key, in hexadecimal. */
struct log_field log_hex(const char *key, struct bytes id);
/* The sentence of an error. */
struct log_field log_err(const char *key, err code);
/* strerror of an errno value. */
struct log_field log_errno(const char *key, int number);

#define LOG_NONE ((struct log_field){.kind = LOG_KIND_NONE})

/* log_warn("link-refused", log_hex("peer", key), log_text("why", "not listed"));
 * log_info("started", LOG_NONE); */
#define LOG_AT(level, event, ...)                                                                  \
    log_write(level, event, (const struct log_field[]){__VA_ARGS__},                               \
              sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field))
#define log_error(event, ...) LOG_AT(LOG_LEVEL_ERROR, event, __VA_ARGS__)
#define log_warn(event, ...) LOG_AT(LOG_LEVEL_WARN, event, __VA_ARGS__)
#define log_info(event, ...) LOG_AT(LOG_LEVEL_INFO, event, __VA_ARGS__)
#define log_debug(event, ...) LOG_AT(LOG_LEVEL_DEBUG, event, __VA_ARGS__)

/* Looks whether the journal listens, and sets what is written: `level` and what is worse.
 * Without it: LOG_LEVEL_INFO with the time. Call once, before other threads start. */
void log_init(enum log_level level);

/* "error", "warn", "info", "debug"; ERR_NOT_FOUND else. */
MUST_USE err log_level_of(const char *name, enum log_level *ret_level);

void log_write(enum log_level level, const char *event, const struct log_field *fields,
               size_t count);

/* Writes `event key=value ...` and a NUL, without time, priority and newline, cut at `capacity`
 * (at least 1). What log_write prints, for tests. */
void log_format(char *ret_line, size_t capacity, const char *event, const struct log_field *fields,
                size_t count);

#endif
