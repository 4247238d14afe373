/* Answers of the API as people read them: at most 80 columns. */
#ifndef CONSILIUM_NODE_CLI_PRINT_H
#define CONSILIUM_NODE_CLI_PRINT_H

#include <jansson.h>

void print_status(const json_t *answer);
void print_members(const json_t *answer);
void print_boards(const json_t *answer);
void print_preview(const json_t *answer);
void print_inbox(const json_t *answer);
void print_cases(const json_t *answer);
void print_case(const json_t *answer);
void print_thread(const json_t *answer);
void print_done(const json_t *answer);
void print_audit(const json_t *answer);

#endif
