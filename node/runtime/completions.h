/* Results of the one store, sorted back to who asked: rows of other rooms, item files, and the
 * core's own batches all come through one store_drain. */
#ifndef CONSILIUM_NODE_RUNTIME_COMPLETIONS_H
#define CONSILIUM_NODE_RUNTIME_COMPLETIONS_H

#include "node/runtime/runtime.h"

struct completions;

struct completions *completions_new(void);
/* Answers ERR_BUSY to whoever still waits. Accepts NULL. */
void completions_free(struct completions *completions);

/* A token whose result goes to `on_done` (may be NULL), once. 0: no memory. */
uint64_t completions_add(struct completions *completions, void (*on_done)(void *arg, err result),
                         void *arg);
void completions_forget(struct completions *completions, uint64_t token);
/* The result came. */
void completions_settle(struct completions *completions, uint64_t token, err result);

/* Submits the batch; what could not be queued is committed before this returns. The result is told
 * later in any case: by completions_settle, or by completions_tell when it is known at once. */
void completions_keep(struct completions *completions, struct store *store,
                      const struct runtime_keep *keep);
/* Tells one result that is known already; true when there was one. */
bool completions_tell(struct completions *completions);

#endif
