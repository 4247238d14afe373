/* Who keeps mail for whom: the same eight for everybody who holds the same roster. */
#ifndef CONSILIUM_PROTOCOL_CUSTODY_CUSTODIANS_H
#define CONSILIUM_PROTOCOL_CUSTODY_CUSTODIANS_H

#include "protocol/roster/roster.h"

struct custodians {
    struct node_id nodes[CUSTODIAN_ASKED_COUNT]; /* first in rank first */
    uint32_t count;
};

/* The first of all admitted members but the recipient, by rendezvous hash. Hashes once for each
 * member. */
void custodians_of(const struct roster *roster, const struct node_id *recipient,
                   struct custodians *ret_custodians);

/* The rank of `node`, or -1. */
int custodians_rank(const struct custodians *custodians, const struct node_id *node);

#endif
