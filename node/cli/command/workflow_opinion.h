/* Opinions as files: exported, and checked without a node. Each command returns the exit status. */
#ifndef CONSILIUM_NODE_CLI_COMMAND_WORKFLOW_OPINION_H
#define CONSILIUM_NODE_CLI_COMMAND_WORKFLOW_OPINION_H

#include "node/cli/command/command.h"

int workflow_opinion_export(struct command_run *run);
int workflow_opinion_verify(struct command_run *run);

#endif
