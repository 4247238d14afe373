/* Direct links: dialing endpoints, and inbound links. */
#ifndef CONSILIUM_NODE_LINKS_LINKS_DIRECT_H
#define CONSILIUM_NODE_LINKS_LINKS_DIRECT_H

#include "node/links/links_internal.h"

void links_direct_dial(struct links *links, struct links_member *member);
void links_direct_up(struct links *links, struct hub_link link, const struct transport_key *key,
                     enum hub_direction direction);
/* True when the link was a member's. */
bool links_direct_down(struct links *links, struct hub_link link, enum hub_reason reason);
void links_direct_close(struct links *links, struct links_member *member);
/* NULL when the link is no member's. */
struct links_member *links_direct_member(struct links *links, struct hub_link link);

#endif
