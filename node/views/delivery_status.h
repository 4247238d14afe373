/* How far one of our own records got: of those who may read it now, and those whom it reached while
 * they could, how many reported it durable. Sends are never counted. */
#ifndef CONSILIUM_NODE_VIEWS_DELIVERY_STATUS_H
#define CONSILIUM_NODE_VIEWS_DELIVERY_STATUS_H

#include "node/runtime/runtime.h"

struct delivery_status {
    uint32_t reached;
    uint32_t audience; /* institutions other than this one */
};

/* Zeros for records of others. */
struct delivery_status delivery_status_of(struct runtime *runtime,
                                          const struct record_claim *claim);

#endif
