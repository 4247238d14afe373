/* Connections to the listening socket, by descriptor. */
#ifndef CONSILIUM_NODE_NET_HUB_CONNECTION_H
#define CONSILIUM_NODE_NET_HUB_CONNECTION_H

#include "node/net/hub_peer.h"

/* NULL when nothing was ever told of it. */
struct hub_connection *hub_connection_at(struct hub *hub, int fd);
/* What the monitor tells. */
void hub_connection_begin(struct hub *hub, int fd);
void hub_connection_end(struct hub *hub, int fd);
/* A stranger is a member from now on. */
void hub_connection_bind(struct hub *hub, struct hub_inbound *inbound);
/* A member's ended: its link goes down, once what arrived before is read. */
void hub_connection_lose(struct hub_inbound *inbound);
/* Shuts a live one down; passes over all others. */
void hub_connection_cut(struct hub *hub, int fd);
/* Shuts down strangers that have been silent for too long. */
void hub_connection_sweep(struct hub *hub);

#endif
