/* Links that others opened to us. */
#ifndef CONSILIUM_NODE_NET_HUB_INBOUND_H
#define CONSILIUM_NODE_NET_HUB_INBOUND_H

#include "node/net/hub_peer.h"

MUST_USE err hub_inbound_open(struct hub *hub);
void hub_inbound_close(struct hub *hub);
MUST_USE err hub_inbound_send(struct hub_inbound *inbound, struct bytes head, struct bytes rest);
/* Ends the link: off the table, disconnected, told. */
void hub_inbound_end(struct hub_inbound *inbound, enum hub_reason reason);
void hub_inbound_sweep(struct hub *hub);

#endif
