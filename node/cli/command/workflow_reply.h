/* An opinion to fill in, and giving it. Each command returns the exit status. */
#ifndef CONSILIUM_NODE_CLI_COMMAND_WORKFLOW_REPLY_H
#define CONSILIUM_NODE_CLI_COMMAND_WORKFLOW_REPLY_H

#include "node/cli/command/command.h"

int workflow_reply_template(struct command_run *run);

/* What is still as in the template is not signed. */
int workflow_reply_give(struct command_run *run);

#endif
