/* Builds the content of a head beside the content in force, and proves it. Only roster.c and
 * roster_export.c use it. */
#ifndef CONSILIUM_PROTOCOL_ROSTER_ROSTER_SIDE_H
#define CONSILIUM_PROTOCOL_ROSTER_ROSTER_SIDE_H

#include "protocol/roster/roster.h"
#include "protocol/roster/roster_change.h"

/* Builds `next` from `base` (NULL: from nothing) and `change`; `base` does not change. Afterwards
 * `next->head` has its roots, its hashes and its member count. ERR_MALFORMED, ERR_FULL,
 * ERR_OUT_OF_ORDER or an error of reading. */
MUST_USE err roster_side_build(const struct roster *roster, const struct roster_side *base,
                               const struct roster_change *change, struct roster_side *next);

/* Index of `node_id`, or member_count when it is not listed. */
uint32_t roster_side_find(const struct roster_side *side, const struct node_id *node_id);

#endif
