/* Commands that are more than one request. Each returns the exit status. */
#ifndef CONSILIUM_NODE_CLI_WORKFLOW_H
#define CONSILIUM_NODE_CLI_WORKFLOW_H

#include "node/cli/command.h"

int workflow_status(struct run *run);
int workflow_watch(struct run *run);
int workflow_report(struct run *run);
int workflow_clinician_add(struct run *run);
int workflow_clinician_renew(struct run *run);
int workflow_clinician_passphrase(struct run *run);
int workflow_attach(struct run *run);
int workflow_preview(struct run *run);
int workflow_announce(struct run *run);
int workflow_show(struct run *run);
int workflow_fetch(struct run *run);
int workflow_read(struct run *run);
int workflow_reply(struct run *run);
int workflow_ask(struct run *run);
int workflow_supply(struct run *run);
int workflow_close(struct run *run);
int workflow_erase(struct run *run);
int workflow_template(struct run *run);
int workflow_export(struct run *run);
int workflow_verify(struct run *run);
int workflow_received(struct run *run);
int workflow_audit_verify(struct run *run);
int workflow_audit_export(struct run *run);

/* Prints an answer as JSON or for people, and drops it. 0, or 1 when it is NULL. */
int workflow_print(const struct run *run, json_t *answer, void (*print)(const json_t *answer));

/* The folder to write to, created if missing; NULL: the current one. False after an error, which
 * was printed. */
bool workflow_folder(const char *wanted, const char **ret_folder);
/* "FOLDER/3-letter.pdf": a name from another institution is never used as a path. */
void workflow_file(const char *folder, const char *name, size_t number, char *ret_file,
                   size_t size);

/* The items of the case, and all pages of its thread; NULL after an error, which was printed. */
json_t *workflow_case_items(struct run *run);
json_t *workflow_thread(struct run *run);

#endif
