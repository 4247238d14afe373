/* What hospitals say to a core that stands alone, and what it says itself: greetings, certificates,
 * statements that clinicians sign, records, a case. */
#ifndef CONSILIUM_TESTS_HARNESS_SINGLE_SAID_H
#define CONSILIUM_TESTS_HARNESS_SINGLE_SAID_H

#include "protocol/contents/announcement.h"
#include "protocol/contents/case_record.h"
#include "protocol/contents/content_registry.h"
#include "protocol/record/certificate.h"
#include "protocol/record/statement.h"
#include "tests/harness/single.h"

/* ---- the others ---- */

/* Hospital `who` connects by the link of its number, and greets. */
void single_meet(struct single *single, uint32_t who);

/* A statement as hospital `who` writes it; its clinician signs when the kind wants that. */
void single_statement(const struct single *single, uint32_t who, const struct scope *scope,
                      struct statement *statement, struct buffer *out);

/* The header of the next record in a stream that hospital `who` begins. */
struct record_header single_header(const struct single *single, uint32_t who,
                                   const struct scope *scope);

/* Seals and signs a record into a RECORDS frame; the header becomes that of the next. */
bool single_record(struct single *single, uint32_t who, struct record_header *header,
                   struct bytes plaintext, struct buffer *frame);

/* ---- making one ---- */

/* Hospital 1 writes a record; `done_verdict` and `done` say what became of it. */
void single_post(struct single *single, const struct scope *scope, enum audience audience,
                 struct bytes plaintext);

/* Makes a core that holds so many envelopes for others; 0: it takes no part in custody. */
struct single *single_new_holding(uint32_t held_count_max);

/* Makes one that takes no part in custody. */
struct single *single_new(void);

/* Each of its clinicians has a certificate that this core knows; its links 2 and 3 are up. */
void single_introduce(struct single *single);

/* Hospital 1 writes a content of its own. */
void single_say(struct single *single, const struct scope *scope, uint16_t kind, const void *value);

/* Hospital 1 announces a case, and grants both others access to it. */
struct scope single_ask(struct single *single);

/* Notes the present state for single_restore. */
void single_save(struct single *single);

/* Goes back to the state at single_save; records that were filled or destroyed since stay so. */
void single_restore(struct single *single);

/* Releases all of it. */
void single_free(struct single *single);

#endif
