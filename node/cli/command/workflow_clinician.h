/* Accounts of clinicians. Each command returns the exit status. */
#ifndef CONSILIUM_NODE_CLI_COMMAND_WORKFLOW_CLINICIAN_H
#define CONSILIUM_NODE_CLI_COMMAND_WORKFLOW_CLINICIAN_H

#include "node/cli/command/command.h"

int workflow_clinician_add(struct command_run *run);
int workflow_clinician_renew(struct command_run *run);
int workflow_clinician_passphrase(struct command_run *run);

#endif
