/* Custody, as far as it is dear or durable (spec/custody.md): mailbox secrets, sealing and opening
 * envelopes, and those that are held for others. All in rows of the store. */
#ifndef CONSILIUM_NODE_RUNTIME_ENVELOPES_H
#define CONSILIUM_NODE_RUNTIME_ENVELOPES_H

#include "node/runtime/runtime_state.h"

/* The secret of deposit_ids, the same at each start. */
void envelopes_secret(const struct runtime *runtime, uint8_t ret_secret[static KEY_SIZE]);

/* EFFECT_CUSTODY. What needs no commit is answered at once, in `followers`. */
void envelopes_perform(struct runtime *runtime, const struct effect *effect);

/* At the start: tells the core what is here, and what was reported to us. */
MUST_USE err envelopes_restore(struct runtime *runtime);
/* And when the core has started: goes on with what an earlier process did not end. */
void envelopes_resume(struct runtime *runtime);

#endif
