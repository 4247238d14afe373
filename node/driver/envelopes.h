/* Custody, as far as it is expensive or durable (spec/custody.md): mailbox secrets, sealing and
 * opening envelopes, and those that are held for others. All in rows of the store. */
#ifndef CONSILIUM_NODE_DRIVER_ENVELOPES_H
#define CONSILIUM_NODE_DRIVER_ENVELOPES_H

#include "node/runtime/runtime.h"

/* EFFECT_CUSTODY. What needs no commit is answered at once, by the queue. */
void envelopes_perform(struct runtime *runtime, const struct effect *effect);

/* At the start: tells the engine what is here, and what was reported to us. */
MUST_USE err envelopes_restore(struct runtime *runtime);
/* And when the engine has started: goes on with what an earlier process did not end. */
void envelopes_resume(struct runtime *runtime);

#endif
