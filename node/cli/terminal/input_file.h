/* Files that the user names: read with checks, and an error that says what to do. */
#ifndef CONSILIUM_NODE_CLI_TERMINAL_INPUT_FILE_H
#define CONSILIUM_NODE_CLI_TERMINAL_INPUT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/base/error.h"

/* Says what to do about `path`, of which reading failed. `size_max` as there. */
void input_file_explain(const char *path, size_t size_max, err failure);

/* Reads a regular file into memory of the heap, which the caller frees; a NUL that is not counted
 * follows. False after an error, which was printed. */
bool input_file_read(const char *path, size_t size_max, uint8_t **ret_data, size_t *ret_size);

/* The same for text; "-" is standard input. A byte-order mark is removed, a Windows line end (CR
 * LF) becomes LF, and newlines at the end are removed. False, with an error printed, when it is not
 * UTF-8. */
bool input_file_text(const char *path, size_t size_max, char **ret_text, size_t *ret_size);

/* True when `text` is UTF-8. */
bool input_file_is_utf8(const char *text, size_t size);

#endif
