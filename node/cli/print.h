/* Answers of the API as people read them: at most 80 columns. */
#ifndef CONSILIUM_NODE_CLI_PRINT_H
#define CONSILIUM_NODE_CLI_PRINT_H

#include <jansson.h>

void print_members(const json_t *answer);
void print_boards(const json_t *answer);
void print_inbox(const json_t *answer);
void print_requests(const json_t *answer);
void print_cases(const json_t *answer);
void print_sent(const json_t *answer);
void print_done(const json_t *answer);
void print_grant(const json_t *answer);
void print_audit(const json_t *answer);

/* Tables: one line for each entry. */
void print_relays(const json_t *answer);
/* One account, just made. */
void print_account(const json_t *answer);
void print_revoked(const json_t *answer);
void print_clinicians(const json_t *answer);
void print_specialists(const json_t *answer);
void print_deleted(const json_t *answer);
void print_drafts(const json_t *answer);
void print_items(const json_t *answer);
/* The files that `read` wrote. */
void print_written(const json_t *answer);
void print_joins(const json_t *answer);
void print_erasure(const json_t *answer);
void print_entries(const json_t *answer);

#endif
