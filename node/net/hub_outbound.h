/* Links that we dial. */
#ifndef CONSILIUM_NODE_NET_HUB_OUTBOUND_H
#define CONSILIUM_NODE_NET_HUB_OUTBOUND_H

#include "node/net/hub_peer.h"

MUST_USE err hub_outbound_open(struct hub *hub, const struct address *address,
                               const struct transport_key *peer, struct hub_link *ret_link);
MUST_USE err hub_outbound_send(struct hub_outbound *outbound, struct bytes head, struct bytes rest);
/* ERR_INVALID: none of them can be dialed. */
MUST_USE err hub_outbound_redirect(struct hub_outbound *outbound, const struct address *addresses,
                                   size_t count);
/* Gives up this connection and dials again after a wait. */
void hub_outbound_retry(struct hub_outbound *outbound, enum hub_reason reason);
void hub_outbound_end(struct hub_outbound *outbound, enum hub_reason reason);

#endif
