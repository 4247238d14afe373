/* What a worker finds out about a batch: do the signatures hold, are the bodies what was promised,
 * do they open. Pure, and costly; the engine asks for it (EFFECT_CHECK) and judges the verdicts. */
#ifndef CONSILIUM_PROTOCOL_REPLICATION_BATCH_VERIFY_H
#define CONSILIUM_PROTOCOL_REPLICATION_BATCH_VERIFY_H

#include "protocol/step/step.h"

/* Sets `record->verdict`, and `plaintext` (in `memory`, which has room for the body) when it
 * opened. A bare record and one without its key are OK as far as they go.
 *
 *   ERR_BAD_HASH   the body is not what the header promises: another peer may have it
 *   ERR_BAD_KEY    not the key that the header commits to: another peer may have it
 *   ERR_MALFORMED  it does not open with the right key: its writer's doing */
void batch_verify_open(struct step_record *record, struct buffer *memory);

/* Verifies the last signature of each run (fills need none), and opens the bodies of those that
 * hold. `memory` has room for all of the records. */
void batch_verify_batch(struct step_batch *batch, struct buffer *memory);

/* May `next`, which came over the same link, be checked as one run with `batch`, whose last record
 * it continues (T-29)? Each is one run that extends its stream. The caller bounds the sum. */
bool batch_verify_continues(const struct step_batch *batch, const struct step_batch *next);

enum { BATCH_VERIFY_ANSWER_MAX = 16 }; /* checks for one answer: they are made on the loop */

/* Records that are about to be sent (EFFECT_LOAD): if all are RECORD_UNSIGNED, looks from the last
 * one back for one whose signature is good, and takes its mark away (T-27). */
void batch_verify_answer(struct step_record *records, size_t count, const struct sign_key *signer);

#endif
