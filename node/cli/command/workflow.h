/* Commands that are more than one request: the node, drafts, reading and leading a case, audit.
 * Each command returns the exit status. */
#ifndef CONSILIUM_NODE_CLI_COMMAND_WORKFLOW_H
#define CONSILIUM_NODE_CLI_COMMAND_WORKFLOW_H

#include "node/cli/command/command.h"

int workflow_status(struct command_run *run);
int workflow_doctor(struct command_run *run);
int workflow_metrics(struct command_run *run);
int workflow_watch(struct command_run *run);
int workflow_report(struct command_run *run);
int workflow_attach(struct command_run *run);
int workflow_preview(struct command_run *run);
int workflow_announce(struct command_run *run);
int workflow_show(struct command_run *run);
int workflow_ask(struct command_run *run);
int workflow_supply(struct command_run *run);
int workflow_close(struct command_run *run);
int workflow_erase(struct command_run *run);
int workflow_audit_verify(struct command_run *run);
int workflow_audit_export(struct command_run *run);

#endif
