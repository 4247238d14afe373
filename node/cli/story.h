/* Commands that are more than one request. Each returns the exit status. */
#ifndef CONSILIUM_NODE_CLI_STORY_H
#define CONSILIUM_NODE_CLI_STORY_H

#include "node/cli/command.h"

int story_status(struct run *run);
int story_watch(struct run *run);
int story_report(struct run *run);
int story_clinician_add(struct run *run);
int story_clinician_renew(struct run *run);
int story_clinician_passphrase(struct run *run);
int story_attach(struct run *run);
int story_preview(struct run *run);
int story_announce(struct run *run);
int story_show(struct run *run);
int story_fetch(struct run *run);
int story_read(struct run *run);
int story_reply(struct run *run);
int story_ask(struct run *run);
int story_supply(struct run *run);
int story_close(struct run *run);
int story_erase(struct run *run);
int story_template(struct run *run);
int story_export(struct run *run);
int story_verify(struct run *run);
int story_received(struct run *run);
int story_audit_verify(struct run *run);
int story_audit_export(struct run *run);

/* Prints an answer as JSON or for people, drops it. 0, or 1 when it is NULL. */
int story_print(const struct run *run, json_t *answer, void (*print)(const json_t *answer));

/* A folder to write into, made when missing; NULL: here. False, and said. */
bool story_folder(const char *wanted, const char **ret_folder);
/* "FOLDER/3-letter.pdf": a name of others is never a path. */
void story_file(const char *folder, const char *name, size_t number, char *ret_file, size_t size);

/* The case's items, and its whole thread, all pages of it; NULL, and said. */
json_t *story_case_items(struct run *run);
json_t *story_thread(struct run *run);

#endif
