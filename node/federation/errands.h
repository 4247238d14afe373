/* Results of the one store, sorted back to who asked: rows of other rooms, item files, and the
 * core's own batches all come through one store_drain. */
#ifndef CONSILIUM_NODE_FEDERATION_ERRANDS_H
#define CONSILIUM_NODE_FEDERATION_ERRANDS_H

#include "node/federation/shell.h"

struct errands;

struct errands *errands_new(void);
/* Answers ERR_BUSY to whoever still waits. Accepts NULL. */
void errands_free(struct errands *errands);

/* A token whose result goes to `on_done` (may be NULL), once. 0: no memory. */
uint64_t errands_add(struct errands *errands, void (*on_done)(void *arg, err result), void *arg);
void errands_forget(struct errands *errands, uint64_t token);
/* The result came. */
void errands_settle(struct errands *errands, uint64_t token, err result);

/* Submits the batch; what could not be queued is committed before this returns. The result is told
 * later in any case: by errands_settle, or by errands_tell when it is known at once. */
void errands_keep(struct errands *errands, struct store *store, const struct shell_keep *keep);
/* Tells one result that is known already; true when there was one. */
bool errands_tell(struct errands *errands);

#endif
