/* Building the content of a head beside the one in force, and proving it. Inside of roster.c and
 * roster_export.c; nobody else needs it. */
#ifndef CONSILIUM_PROTOCOL_ROSTER_ROSTER_SIDE_H
#define CONSILIUM_PROTOCOL_ROSTER_ROSTER_SIDE_H

#include "protocol/roster/roster.h"
#include "protocol/roster/roster_change.h"

/* Builds `next` from `base` (NULL: from nothing) and `change`; `base` stays as it is. Afterwards
 * `next->head` names its roots, its hashes and its member count.
 * ERR_MALFORMED, ERR_FULL, ERR_OUT_OF_ORDER or an error of reading. */
MUST_USE err roster_side_build(const struct roster *roster, const struct roster_side *base,
                               const struct roster_change *change, struct roster_side *next);

/* Index of `node_id`, or member_count when it is not there. */
uint32_t roster_side_find(const struct roster_side *side, const struct node_id *node_id);

#endif
