/* What a person signs at a terminal is checked by the node, shown, and asked for, in this order,
 * before the passphrase. */
#ifndef CONSILIUM_NODE_CLI_COMMAND_WORKFLOW_CONFIRM_H
#define CONSILIUM_NODE_CLI_COMMAND_WORKFLOW_CONFIRM_H

#include "node/cli/command/command.h"

/* True when the person types yes in full. */
bool workflow_confirm_ask(const char *question);

/* Will the command ask before it signs? Not without a question of its own, not with --yes or
 * --json, and not when standard input is no terminal. */
bool workflow_confirm_is_asked(const struct command_run *run);

/* Has the node check `body`, shows the case and what is to be signed (`shown`; NULL: `body`), warns
 * of what may have been overlooked, asks the question of the command, and signs. Where nothing is
 * asked, a warning goes to standard error and it is signed.
 *
 * Returns the answer, which the caller drops; NULL when the answer is not yes, or after an error:
 * either was printed. */
json_t *workflow_confirm_post(struct command_run *run, const char *path, json_t *body,
                              const json_t *shown);

#endif
