/* Error messages, warnings and questions of consilium-society. */
#ifndef CONSILIUM_BOOTSTRAP_TERMINAL_TERMINAL_H
#define CONSILIUM_BOOTSTRAP_TERMINAL_TERMINAL_H

#include <stdbool.h>
#include <stdio.h>

#include "protocol/base/bytes.h"
#include "protocol/base/error.h"
#include "protocol/base/hash.h"
#include "protocol/base/ids.h"

/* "consilium-society: ..." on standard error; returns 1, the exit status. */
int terminal_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same for a wrong command line; returns 2. */
int terminal_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Why a file could not be read or written, for an error message; reads errno. */
const char *terminal_reason(err failure);

/* The same as terminal_error, for a warning. */
void terminal_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The arguments of one "%.*s". Names and tags of a roster hold nothing that controls a terminal
 * (ROSTER-10); other text must not be printed so. */
#define TERMINAL_TEXT(text) (int)(text).size, (const char *)(text).data

enum { TERMINAL_DATE_SIZE = 32 };

/* "2025-03-01T12:00:00Z" */
void terminal_date(struct wall time, char ret_text[static TERMINAL_DATE_SIZE]);

/* Now, by this machine's clock. */
struct wall terminal_now(void);

/* Asks at the terminal; true when the first word of the answer is "yes". Without a terminal:
 * false after an error message that names `option`. */
bool terminal_confirm(const char *question, const char *option);

/* Asks for a line at the terminal. False without a terminal. */
bool terminal_ask(const char *question, char *ret_line, size_t size);

/* True when `typed`, or when it is NULL the answer at the terminal, is the fingerprint that `whom`
 * ("the institution") reads out on the phone. When it asks, it does not show the fingerprint first:
 * the officer must hear it. */
bool terminal_fingerprint(const struct hash *hash, const char *typed, const char *whom);

#endif
