/* Answering institutions that ask for chunks. */
#ifndef CONSILIUM_NODE_ITEMS_ITEMS_SERVE_H
#define CONSILIUM_NODE_ITEMS_ITEMS_SERVE_H

#include "node/items/items_internal.h"

void items_serve_want(struct items *items, struct link_id link, struct bytes frame);

#endif
