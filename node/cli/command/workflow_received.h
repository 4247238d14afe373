/* Who received a case, from the audit log of this node (M27). */
#ifndef CONSILIUM_NODE_CLI_COMMAND_WORKFLOW_RECEIVED_H
#define CONSILIUM_NODE_CLI_COMMAND_WORKFLOW_RECEIVED_H

#include "node/cli/command/command.h"

/* Returns the exit status. */
int workflow_received(struct command_run *run);

#endif
