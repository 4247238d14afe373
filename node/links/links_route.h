/* Which way to a member is taken: direct before relayed. */
#ifndef CONSILIUM_NODE_LINKS_LINKS_ROUTE_H
#define CONSILIUM_NODE_LINKS_LINKS_ROUTE_H

#include "node/links/links_internal.h"

/* NULL when the key is no member's and no publisher's. */
struct links_member *links_route_member(struct links *links, const struct transport_key *key);

/* A way came up or went down: chooses again, and tells the driver. */
void links_route_choose(struct links *links, struct links_member *member);
/* The way that is used went: the driver hears it at once, for what was under way is lost. */
void links_route_lose(struct links *links, struct links_member *member, const char *why);
/* A frame came from a member, by whichever way. */
void links_route_heard(struct links *links, struct links_member *member, struct bytes frame);

#endif
