/* Erasing a case here: bodies, keys and items go, headers and clear records stay, and a tombstone
 * keeps them from coming back. The engine is told when it is durable, and posts a receipt.
 *
 *   1. A row keeps how the case stood (who took part, who is to erase), which its records will not
 *      tell any more. Batches keep their order: when the row is durable, so is every record of the
 *      case that was on its way, and the engine accepts no more of them.
 *   2. Everything is looked for and destroyed, in as many batches as it takes.
 *   3. The tombstone comes with the last batch: an erased case without one is erased again at the
 *      next start. */
#ifndef CONSILIUM_NODE_ERASURE_CASE_ERASURE_H
#define CONSILIUM_NODE_ERASURE_CASE_ERASURE_H

#include "node/audit/audit.h"
#include "node/runtime/batch_buffer.h"
#include "node/runtime/runtime.h"

struct case_erasure;

/* `waiting` are the batches that the store has not taken yet. NULL: no memory. */
struct case_erasure *case_erasure_new(struct runtime *runtime, struct audit *audit,
                                      const struct batch_buffer_queue *waiting);
/* When nobody calls back any more. Accepts NULL. */
void case_erasure_free(struct case_erasure *case_erasure);

/* EFFECT_DESTROY: destroys what the case holds here; EVENT_DESTROYED follows. Once at a time for
 * each case. */
void case_erasure_case(struct case_erasure *case_erasure, const struct scope *scope,
                       const struct record_id *erase);
/* At the start: goes on with what an earlier process did not end. */
void case_erasure_resume(struct case_erasure *case_erasure);

#endif
