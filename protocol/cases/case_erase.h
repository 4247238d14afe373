/* What this node owes to an erased case: a receipt of what it destroyed, and the ERASE itself for
 * participants whom no comparison of streams brings it. */
#ifndef CONSILIUM_PROTOCOL_CASES_CASE_ERASE_H
#define CONSILIUM_PROTOCOL_CASES_CASE_ERASE_H

#include "protocol/step/step.h"

struct engine;
struct peer;

/* EVENT_DESTROYED: keys and bodies of a case are gone: say so, with a receipt, when it was
 * another's case. */
void case_erase_destroyed(struct engine *engine, const struct event *event, struct step *step);
/* Writes receipts that are still owed. */
void case_erase_write_receipts(struct engine *engine, struct step *step);

/* Is this the receipt of a participant for a case of ours that we erased? It is let in where the
 * disk is full, once for each since the start: what else it sends has to wait (C-55). */
bool case_erase_awaits_receipt(const struct engine *engine, const struct step_record *record);

/* Gives the peer each ERASE that no comparison of streams brings it, because its stream stands
 * still; again on each call until the peer has said that it erased the case. */
void case_erase_push(struct engine *engine, struct peer *peer, struct step *step);

#endif
