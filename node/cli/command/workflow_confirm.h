/* Questions to the person at the terminal before something is signed. */
#ifndef CONSILIUM_NODE_CLI_COMMAND_WORKFLOW_CONFIRM_H
#define CONSILIUM_NODE_CLI_COMMAND_WORKFLOW_CONFIRM_H

#include "node/cli/command/command.h"

/* True when the person types yes in full. */
bool workflow_confirm_ask(const char *question);

/* Shows the case and `body`, which is to be signed, and asks the question of the command. True
 * without asking when the command has no question, with --yes or --json, or when standard input is
 * no terminal. False when the answer is not yes, or after an error; either was printed. */
bool workflow_confirm_sign(struct command_run *run, const json_t *body);

#endif
