/* Fetching: sources, which of them is asked, and the end. */
#ifndef CONSILIUM_NODE_ITEMS_ITEMS_FETCH_H
#define CONSILIUM_NODE_ITEMS_ITEMS_FETCH_H

#include "node/items/items_internal.h"

/* Makes the row's fetch go on; `entry` has none yet. */
void items_fetch_begin(struct items *items, struct items_entry *entry);
/* When all chunks are durable: the fetch is over, and the row says so. */
void items_fetch_whole(struct items *items, struct items_entry *entry);
/* Sources come and go, time passes; then asks for what is missing. */
void items_fetch_tick(struct items *items);
void items_fetch_pump(struct items *items, struct items_entry *entry);
enum items_state items_fetch_state(const struct items_entry *entry);
/* A chunk that was thought durable is not what it should be. */
void items_fetch_mend(struct items *items, struct items_entry *entry, uint32_t index);
void items_fetch_status(struct items *items, struct link_id link, struct bytes frame);

#endif
