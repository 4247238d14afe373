/* Checking the whole audit log in bounded steps: the log grows for decades, and the loop that walks
 * it serves everybody else. */
#ifndef CONSILIUM_NODE_AUDIT_AUDIT_CHECK_H
#define CONSILIUM_NODE_AUDIT_AUDIT_CHECK_H

#include "node/audit/audit.h"
#include "node/audit/audit_walk.h"

/* First the heads in this institution's federation stream, then the log twice: for entries that
 * were refused and told again, and for the chain. What is written meanwhile is not looked at. */
struct audit_check;

/* NULL: no memory. The runtime outlives it. */
struct audit_check *audit_check_new(struct runtime *runtime);
/* Accepts NULL. */
void audit_check_free(struct audit_check *check);

enum { AUDIT_STEP_ENTRY_MAX = 256 };

/* Looks at no more than AUDIT_STEP_ENTRY_MAX entries or records. `ret_done`: there is nothing left.
 * ERR_CORRUPT, ERR_NO_MEMORY: the walk cannot go on. */
MUST_USE err audit_check_step(struct audit_check *check, bool *ret_done);

struct audit_progress {
    uint64_t done;
    uint64_t all; /* 0: not known yet */
};
struct audit_progress audit_check_progress(const struct audit_check *check);

/* After the last step. */
struct audit_verdict audit_check_verdict(struct audit_check *check);

#endif
