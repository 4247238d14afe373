/* Answers of the API as tables for people, at most 80 columns wide. */
#ifndef CONSILIUM_NODE_CLI_PRESENT_TABLE_H
#define CONSILIUM_NODE_CLI_PRESENT_TABLE_H

#include <jansson.h>

void table_members(const json_t *answer);
void table_boards(const json_t *answer);
void table_inbox(const json_t *answer);
void table_requests(const json_t *answer);
void table_cases(const json_t *answer);
void table_sent(const json_t *answer);
void table_done(const json_t *answer);
void table_grant(const json_t *answer);
void table_audit(const json_t *answer);

/* Tables: one line for each entry. */
void table_relays(const json_t *answer);
/* A new account. */
void table_account(const json_t *answer);
void table_revoked(const json_t *answer);
void table_clinicians(const json_t *answer);
void table_specialists(const json_t *answer);
void table_deleted(const json_t *answer);
void table_drafts(const json_t *answer);
void table_draft_owners(const json_t *answer);
void table_draft_cleared(const json_t *answer);
void table_items(const json_t *answer);
/* The files that `read` wrote. */
void table_written(const json_t *answer);
void table_joins(const json_t *answer);
void table_erasure(const json_t *answer);
void table_entries(const json_t *answer);

#endif
