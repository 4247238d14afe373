/* What this node does for a case by itself: grants, notices, take-ins, mirrors.
 *
 * Each duty follows from a durable record. If it cannot be done at once (the stream is being
 * written, the disk is full, the process ended), the record is put on the list of reviews and read
 * again; doing a duty twice is harmless, and what is done already is seen before reading. */
#ifndef CONSILIUM_PROTOCOL_CASES_CASE_AUTOMATION_H
#define CONSILIUM_PROTOCOL_CASES_CASE_AUTOMATION_H

#include "protocol/cases/case_retry.h"
#include "protocol/record/statement.h"
#include "protocol/state/case_table.h"
#include "protocol/step/step.h"

/* What was just said in a case, and what the case made of it. */
struct case_automation_said {
    const struct record_claim *claim;
    const struct statement *statement;
    enum consult_verdict verdict;
};

/* Does what this node owes to a record that was just applied; before the start: notes it. */
void case_automation_respond(struct engine *engine, struct case_table_entry *entry,
                             const struct case_automation_said *said, struct step *step);

/* Posts a content as an unsigned statement; errors as publish_post. */
MUST_USE err case_automation_post(struct engine *engine, const struct scope *scope, uint16_t kind,
                                  struct bytes content, struct step *step);

/* What this node wrote by itself could not be kept: what led to it is looked at again. */
void case_automation_write_failed(struct engine *engine, const struct record_header *header,
                                  struct bytes plaintext);

/* The state stands before a position that is here: read it, and what comes behind it, in order. */
void case_automation_replay(struct engine *engine, struct case_table_entry *entry);
/* True when the record read is the one that the replay waited for: it counts, readable or not. */
bool case_automation_replayed(struct engine *engine, const struct record_claim *claim);

/* Is anything still owed for this record, as far as can be told without reading it? */
bool case_automation_is_due(const struct engine *engine, const struct case_retry_review *review);
/* Was all told that the case's own records ask this node to tell? */
bool case_automation_has_told(const struct engine *engine, const struct case_table_entry *entry);

#endif
