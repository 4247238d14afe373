/* The forks that this node found itself: each is a row with both sides, header and signature, so
 * that it proves the fork alone; and each proof is posted until it stands in our federation stream.
 *
 * What keeps a proof from being posted (posting waits, a full disk, the end of the process) delays
 * it: no other node may have seen both sides. A proof may be posted twice, when the process ends
 * between the post and the row that says so; readers take the second for nothing new. */
#ifndef CONSILIUM_NODE_RUNTIME_FORK_PROOFS_H
#define CONSILIUM_NODE_RUNTIME_FORK_PROOFS_H

#include "node/runtime/runtime.h"
#include "protocol/record/record.h"
#include "protocol/step/step.h"

/* EFFECT_FORKED: keeps the row, and posts the proof. */
void fork_proofs_found(struct runtime *runtime, const struct effect *effect);

/* At the start: tells the core of the forks that were found. */
MUST_USE err fork_proofs_restore(struct runtime *runtime);

/* When the core has started: there may be proofs that are not posted. */
void fork_proofs_wake(struct runtime *runtime);

/* Posts what is not posted yet, every 30 s at most, and not while posting waits. */
void fork_proofs_tick(struct runtime *runtime);

#endif
