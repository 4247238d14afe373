/* Links through relays: hello, presence, tunnels, credit. */
#ifndef CONSILIUM_NODE_LINKS_LINKS_RELAY_H
#define CONSILIUM_NODE_LINKS_LINKS_RELAY_H

#include "node/links/links_internal.h"

void links_relay_refresh(struct links *links); /* dial the relays that the settings list */
struct links_relay_state *links_relay_of_link(struct links *links, struct hub_link link);
void links_relay_up(struct links *links, struct links_relay_state *relay);
void links_relay_down(struct links *links, struct links_relay_state *relay);
void links_relay_frame(struct links *links, struct links_relay_state *relay, struct bytes frame);
void links_relay_drained(struct links *links, struct links_relay_state *relay);
void links_relay_watch(struct links *links, struct links_relay_state *relay);
void links_relay_tick(struct links *links);
MUST_USE err links_relay_send(struct links *links, struct links_member *member, struct bytes frame);
void links_relay_hang_up(struct links *links, struct links_member *member);
void links_relay_forget(struct links_member *member);

#endif
