/* The audit heads that this institution wrote into its federation stream, where others keep them.
 */
#ifndef CONSILIUM_NODE_AUDIT_AUDIT_HEADS_H
#define CONSILIUM_NODE_AUDIT_AUDIT_HEADS_H

#include "node/runtime/runtime.h"
#include "protocol/record/audit_evidence.h"

struct audit_heads;

/* NULL: no memory. */
struct audit_heads *audit_heads_new(struct runtime *runtime);
/* Accepts NULL. */
void audit_heads_free(struct audit_heads *heads);

/* Reads one page of records, in order through all generations, and calls `on_head` for each head in
 * it. `ret_done`: that was the last. ERR_CORRUPT. */
MUST_USE err audit_heads_next(struct audit_heads *heads,
                              void (*on_head)(void *arg,
                                              const struct audit_evidence_audit_head *head,
                                              struct wall time),
                              void *arg, bool *ret_done);

#endif
