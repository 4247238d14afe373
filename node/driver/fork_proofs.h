/* The forks that this node found itself: each is a row with both sides, header and signature, so
 * that it proves the fork alone; and each proof is posted until it stands in our federation stream.
 *
 * What keeps a proof from being posted (posting waits, a full disk, the end of the process) delays
 * it: no other node may have seen both sides. A proof may be posted twice, when the process ends
 * between the post and the row that says so; readers ignore the second. */
#ifndef CONSILIUM_NODE_DRIVER_FORK_PROOFS_H
#define CONSILIUM_NODE_DRIVER_FORK_PROOFS_H

#include "node/runtime/runtime.h"
#include "protocol/record/record.h"
#include "protocol/step/step.h"

struct fork_proofs;

/* NULL: no memory. */
struct fork_proofs *fork_proofs_new(struct runtime *runtime);
/* When nobody calls back any more. Accepts NULL. */
void fork_proofs_free(struct fork_proofs *proofs);

/* EFFECT_FORKED: keeps the row, and posts the proof. */
void fork_proofs_found(struct fork_proofs *proofs, const struct effect *effect);

/* At the start: tells the engine of the forks that were found. */
MUST_USE err fork_proofs_restore(struct runtime *runtime);

/* When the engine has started: there may be proofs that are not posted. */
void fork_proofs_wake(struct fork_proofs *proofs);

/* Posts what is not posted yet, every 30 s at most, and not while posting waits. */
void fork_proofs_tick(struct fork_proofs *proofs);

#endif
