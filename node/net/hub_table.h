/* The table of links, and what every link does. */
#ifndef CONSILIUM_NODE_NET_HUB_TABLE_H
#define CONSILIUM_NODE_NET_HUB_TABLE_H

#include "node/net/hub_peer.h"

/* Puts a line into the table and gives it its id. ERR_FULL, ERR_NO_MEMORY. */
MUST_USE err hub_table_enter(struct hub *hub, struct hub_peer *line);
void hub_table_leave(struct hub_peer *line);
struct hub_peer *hub_table_find(const struct hub *hub, struct hub_link link);
struct hub_link hub_table_link_of(const struct hub_peer *line);
bool hub_table_lists(const struct hub *hub, const struct transport_key *key);
/* For qsort and bsearch. */
int hub_table_compare_keys(const void *a, const void *b);
void hub_table_release(struct hub *hub);
/* Marks the line up or down and tells the caller; the line may be gone when they return. */
void hub_table_raise(struct hub_peer *line);
void hub_table_lower(struct hub_peer *line, enum hub_reason reason);
/* A frame of the hub's own; static. */
struct bytes hub_table_word(uint8_t control);
/* Must a frame of the hub's own be answered, with HUB_CONTROL_PONG? */
bool hub_table_asks(struct bytes frame);

#endif
