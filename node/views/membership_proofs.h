/* Proofs that members stood in the roster with their keys, kept while they can be made: after a
 * rotation or a removal no node could make one any more, and an opinion could not be shown alone.
 *
 * A row of STORE_TABLE_MEMBER for each member and signing key that wrote in a case or certified a
 * clinician (key: "proof", node_id, sign_key), with the newest proof for that key:
 *   node_id 16 | sign_key 32 | inclusion proof (protocol/roster/inclusion.h) */
#ifndef CONSILIUM_NODE_VIEWS_MEMBERSHIP_PROOFS_H
#define CONSILIUM_NODE_VIEWS_MEMBERSHIP_PROOFS_H

#include "node/runtime/runtime.h"
#include "protocol/roster/inclusion.h"

struct membership_proofs;

/* Listens to the runtime's news. NULL: no memory. */
struct membership_proofs *membership_proofs_new(struct runtime *runtime);
/* After runtime_unlisten(runtime, proofs). Accepts NULL. */
void membership_proofs_free(struct membership_proofs *proofs);

/* The newest proof for the key that signed this record: kept, or made from the roster in force.
 * Appends it to `out`. ERR_NOT_FOUND: none was kept and none can be made any more. */
MUST_USE err membership_proofs_find(struct membership_proofs *proofs,
                                    const struct record_claim *claim, struct buffer *out);

#endif
