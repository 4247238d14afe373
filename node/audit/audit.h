/* The audit log: who did what to which case, each entry chained to the one before.
 *
 * An entry is a canonical msgpack map (spec/api.md, "Audit") that names the hash of the entry
 * before it; its own hash is hash(AUDIT; entry). So an altered, dropped, reordered or inserted
 * entry is found by walking the chain. A log cut short is found against the heads that this
 * institution wrote into its federation stream (AUDIT_HEAD), which other members hold: once a day
 * when something happened, and after each AUDIT_HEAD_EVERY entries.
 *
 * Entries never hold clinical text. */
#ifndef CONSILIUM_NODE_AUDIT_AUDIT_H
#define CONSILIUM_NODE_AUDIT_AUDIT_H

#include "node/audit/audit_entry.h"
#include "node/runtime/runtime.h"

struct audit;

/* Finds the end of the log in the runtime's store; call it when the store is open.
 * ERR_CORRUPT, ERR_NO_MEMORY. */
MUST_USE err audit_open(struct runtime *runtime, struct audit **ret_audit);
/* Accepts NULL. */
void audit_close(struct audit *audit);

/* ---- writing ---- */

/* Makes the next entry as an op for a batch that is submitted at once; `ret_op` borrows from the
 * audit until the next call. Tell audit_settle what became of the batch. */
void audit_stage(struct audit *audit, const struct audit_fact *fact, struct store_op *ret_op);
/* The batch with the entry `number` was kept or refused. A refused entry is written again, as
 * AUDIT_REFUSED, so that the chain can be followed through it. */
void audit_settle(struct audit *audit, uint64_t number, err result);

/* Stage, keep and settle in one, for what needs no other batch. */
void audit_note(struct audit *audit, const struct audit_fact *fact);

/* A second passed: writes an AUDIT_HEAD record when one is due. */
void audit_tick(struct audit *audit);

#endif
