/* A name that is asked for, off the loop, and which of its addresses are tried. Part of hub. */
#ifndef CONSILIUM_NODE_NET_HUB_LOOKUP_H
#define CONSILIUM_NODE_NET_HUB_LOOKUP_H

#include <netdb.h>

#include "node/net/hub_peer.h"

/* Asks for the name in `address`. `on_found` is called on the loop with `outbound`, what was found
 * (NULL: nothing), borrowed for the call, and the port; before it the lookup is over. The hub stays
 * until then. NULL: it could not be asked for. */
struct hub_lookup *hub_lookup_begin(struct hub_outbound *outbound, const struct address *address,
                                    void (*on_found)(struct hub_outbound *outbound,
                                                     const struct addrinfo *found, uint16_t port));

/* `on_found` will not be called. */
void hub_lookup_forget(struct hub_lookup *lookup);

/* Which two of the addresses found are tried in this round: the nth of each family in turn, the
 * family first that getaddrinfo put first (RFC 6724); of one family alone, two that follow each
 * other. Returns how many. */
size_t hub_lookup_pick(const struct addrinfo *found, unsigned round, uint16_t port,
                       struct address ret_picked[static HUB_RACE_COUNT]);

#endif
