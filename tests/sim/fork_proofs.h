/* As node/driver/fork_proofs.h: a fork that a hospital found is durable with both sides, and
 * its proof is posted until it stands in the hospital's federation stream. */
#ifndef CONSILIUM_TESTS_SIM_FORK_PROOFS_H
#define CONSILIUM_TESTS_SIM_FORK_PROOFS_H

#include "tests/sim/world.h"

/* EFFECT_FORKED. */
void fork_proofs_found(struct hospital *hospital, const struct effect *effect);
/* Posts what is not posted yet. */
void fork_proofs_tick(struct hospital *hospital);
/* A post ended. */
void fork_proofs_done(struct hospital *hospital, struct token token, err verdict);
/* A crash: what was being posted is forgotten. */
void fork_proofs_forget(struct hospital *hospital);

#endif
