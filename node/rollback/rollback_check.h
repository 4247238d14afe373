/* Is this store an older copy of itself? What its marker tells the engine at the start, and what is
 * written to the marker from then on. */
#ifndef CONSILIUM_NODE_ROLLBACK_ROLLBACK_CHECK_H
#define CONSILIUM_NODE_ROLLBACK_ROLLBACK_CHECK_H

#include "node/runtime/runtime.h"

struct rollback_check;

enum { ROLLBACK_CHECK_INTERVAL_MS = 1000 };

/* NULL: no memory. */
struct rollback_check *rollback_check_new(struct runtime *runtime);
/* Syncs the file first. Accepts NULL. */
void rollback_check_free(struct rollback_check *check);

/* At the start: tells the engine what the store holds of generations, and what the marker says. */
MUST_USE err rollback_check_restore(struct rollback_check *check, enum event_marker *ret_marker);
/* When the engine has started: goes on with the file; it is begun once the store is proven. */
void rollback_check_start(struct rollback_check *check, enum event_marker marker);
/* What others wrote under this node's name is not here: at the next start the store counts as an
 * older copy (T-35). */
void rollback_check_distrust(struct rollback_check *check);
void rollback_check_tick(struct rollback_check *check);

/* A batch is durable: before anything of it leaves. */
void rollback_check_kept(struct rollback_check *check, const struct step_batch *batch);
/* EFFECT_GENERATION: keeps its row. */
void rollback_check_generation(struct rollback_check *check, const struct effect *effect);

#endif
