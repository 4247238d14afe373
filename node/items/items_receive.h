/* The chunks that come. */
#ifndef CONSILIUM_NODE_ITEMS_ITEMS_RECEIVE_H
#define CONSILIUM_NODE_ITEMS_ITEMS_RECEIVE_H

#include "node/items/items_internal.h"

void items_receive_chunk(struct items *items, struct link_id link, struct bytes frame);

#endif
