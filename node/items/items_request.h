/* What is asked of a source, and what it still owes. */
#ifndef CONSILIUM_NODE_ITEMS_ITEMS_REQUEST_H
#define CONSILIUM_NODE_ITEMS_ITEMS_REQUEST_H

#include "node/items/items_internal.h"

/* Frees it; the wants that are out are forgotten. */
void items_request_end(struct items *items, struct items_entry *entry);
/* What was asked of the source is missing again; it is asked nothing more for `pause_ms`. */
void items_request_silence(struct items *items, struct items_fetch *fetch,
                           struct items_source *source, uint64_t pause_ms);
/* What a source owes for a chunk; NULL when it was not asked for it. */
struct items_source *items_request_source(struct items_fetch *fetch, struct link_id link);
struct items_want *items_request_want(struct items_source *source, uint32_t index);
/* The chunk is missing again. */
void items_request_return(struct items *items, struct items_fetch *fetch, uint32_t index);

#endif
