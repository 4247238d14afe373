/* Where the result of a command goes: the terminal, or files in a folder. */
#ifndef CONSILIUM_NODE_CLI_COMMAND_WORKFLOW_OUTPUT_H
#define CONSILIUM_NODE_CLI_COMMAND_WORKFLOW_OUTPUT_H

#include "node/cli/command/command.h"

/* Prints an answer as JSON or for people, and drops it. Returns the exit status: 1 when it is NULL.
 */
int workflow_output_print(const struct command_run *run, json_t *answer,
                          void (*print)(const json_t *answer));

/* The folder to write to, created if missing; NULL: the current one. False after an error, which
 * was printed. */
bool workflow_output_folder(const char *wanted, const char **ret_folder);
/* "FOLDER/3-letter.pdf": a name from another institution is never used as a path. */
void workflow_output_file(const char *folder, const char *name, size_t number, char *ret_file,
                          size_t size);

#endif
