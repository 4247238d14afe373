/* How far one of our own records got: of those who may read it now, and those whom it reached while
 * they could, how many reported it durable. Sends are never counted. */
#ifndef CONSILIUM_NODE_DESK_REACH_H
#define CONSILIUM_NODE_DESK_REACH_H

#include "node/federation/shell.h"

struct reach {
    uint32_t reached;
    uint32_t audience; /* institutions other than this one */
};

/* Zeros for records of others. */
struct reach reach_of(struct shell *shell, const struct record_claim *claim);

#endif
