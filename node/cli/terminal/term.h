/* Output for people. Text of other institutions cannot control the terminal: control characters,
 * escape sequences and marks that change the writing direction are removed. */
#ifndef CONSILIUM_NODE_CLI_TERMINAL_TERM_H
#define CONSILIUM_NODE_CLI_TERMINAL_TERM_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* `consilium: ...` on standard error. */
void term_problem(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The API's error object: sentence and hint. */
void term_error(const json_t *answer);

/* Any JSON, for people: `name  value` lines, lists indented, text wrapped at 80 columns; ids are
 * cut to 16 digits, but those that are compared whole (federation, head, preview). */
void term_value(const json_t *value);
/* As JSON, indented, for programs. */
void term_json(const json_t *value);

/* One paragraph or several, each line begun with `indent` blanks, wrapped at 80 columns. */
void term_text(const char *text, size_t indent);
/* The same, of at most `line_max` lines; the last ends with "..." when there is more. */
void term_excerpt(const char *text, size_t indent, size_t line_max);
/* The same, with `lead` (`lead_indent` blanks before it) in front of the first line. */
void term_pair(size_t lead_indent, const char *lead, size_t indent, const char *text);
/* One line, cut at `width` columns, with an ellipsis when it was longer; answers how many it took.
 */
size_t term_short(const char *text, size_t width);
/* The same, filled up with blanks: a column. */
void term_line(const char *text, size_t width);

/* A copy without what could control a terminal; caller frees. `keep_lines`: newlines stay. */
char *term_clean(const char *text, bool keep_lines);

/* "2025-02-14T09:30:00.000Z" as "2025-02-14 09:30"; borrowed static memory. */
const char *term_time(const char *rfc3339);

/* "6.0 KiB"; borrowed static memory. */
const char *term_size(long long bytes);
/* How long until then: "14 days", "5 hours", "over"; borrowed static memory. */
const char *term_left(const char *rfc3339);

/* "1 opinion", "2 opinions": the word in the singular, its plural with an s ("reply": "replies").
 * Borrowed static memory, of the last four calls. */
const char *term_count(long long count, const char *word);

/* Columns that the text takes on a terminal. */
size_t term_width(const char *text);

#endif
