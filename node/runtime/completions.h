/* Who waits for which write of the store, by token; the results go into the event queue. */
#ifndef CONSILIUM_NODE_RUNTIME_COMPLETIONS_H
#define CONSILIUM_NODE_RUNTIME_COMPLETIONS_H

#include "node/runtime/event_queue.h"
#include "store/store.h"

struct completions;

/* NULL: no memory. `events` is borrowed until completions_free. */
struct completions *completions_new(struct event_queue *events);
/* Answers ERR_BUSY to all that still wait, at once. Accepts NULL. */
void completions_free(struct completions *completions);

/* A token for what is about to be submitted: odd, so that it is never the address of a batch. 0: no
 * memory. `on_done` may be NULL. */
uint64_t completions_add(struct completions *completions, void (*on_done)(void *arg, err result),
                         void *arg);
/* The result of what was submitted with it. */
void completions_settle(struct completions *completions, uint64_t token, err result);
/* Nothing was submitted with it. */
void completions_forget(struct completions *completions, uint64_t token);

#endif
