/* The documents and images of a case. */
#ifndef CONSILIUM_NODE_CLI_COMMAND_WORKFLOW_ITEMS_H
#define CONSILIUM_NODE_CLI_COMMAND_WORKFLOW_ITEMS_H

#include "node/cli/command/command.h"

/* Downloads them to the node, with progress; returns the exit status. */
int workflow_items_fetch(struct command_run *run);

/* The items of the case; NULL after an error, which was printed. */
json_t *workflow_items_get(struct command_run *run);

#endif
