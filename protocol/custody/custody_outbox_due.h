/* What is to be left with whom, and what is to be withdrawn. */
#ifndef CONSILIUM_PROTOCOL_CUSTODY_CUSTODY_OUTBOX_DUE_H
#define CONSILIUM_PROTOCOL_CUSTODY_CUSTODY_OUTBOX_DUE_H

#include "protocol/step/step.h"

struct engine;

/* Looks through our streams, some at a time, and tells custodians of erased cases. */
void custody_outbox_due_tick(struct engine *engine, struct step *step);
/* Leaves and withdraws what is due, some at a time. */
void custody_outbox_due_react(struct engine *engine, struct step *step);
/* Is more to be done at once? */
bool custody_outbox_due_busy(const struct engine *engine);

#endif
