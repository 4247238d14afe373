/* Drafts of cases: with options as one request; at a terminal without options, field by field. Each
 * command returns the exit status. */
#ifndef CONSILIUM_NODE_CLI_COMMAND_WORKFLOW_DRAFT_H
#define CONSILIUM_NODE_CLI_COMMAND_WORKFLOW_DRAFT_H

#include "node/cli/command/command.h"

/* Each answer is stored in the draft at once, of a text each line: it is there after Ctrl-C, and
 * `draft edit` continues. An answer that the node refuses is asked for again. */
int workflow_draft_new(struct command_run *run);
int workflow_draft_edit(struct command_run *run);

#endif
