/* Sealing this node's own attachments into the store. */
#ifndef CONSILIUM_NODE_ITEMS_ITEMS_IMPORT_H
#define CONSILIUM_NODE_ITEMS_ITEMS_IMPORT_H

#include "node/items/items_internal.h"

/* As items_put. */
void items_import_put(struct items *items, const struct case_id *case_id,
                      struct items_content content,
                      void (*on_done)(void *arg, const struct items_put *put), void *arg);
/* Answers ERR_BUSY to all. */
void items_import_stop(struct items *items);

#endif
