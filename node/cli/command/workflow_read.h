/* Opens what arrived: signs a receipt, then writes the items to files. */
#ifndef CONSILIUM_NODE_CLI_COMMAND_WORKFLOW_READ_H
#define CONSILIUM_NODE_CLI_COMMAND_WORKFLOW_READ_H

#include "node/cli/command/command.h"

/* Returns the exit status. */
int workflow_read(struct command_run *run);

#endif
