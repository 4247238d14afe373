/* Who is connected, and by which way: direct ZeroMQ links, and boxed ones through relays.
 *
 * One face to the driver: a member is connected or it is not. Behind it, each member has up to two
 * ways (direct, inbound or outbound; boxed, through any relay). What is sent takes the best one
 * that is up, direct before boxed; what comes is taken from either. When the best way changes, the
 * driver hears down and up again, for nothing about a peer is trusted across a connection.
 *
 *   links.c         the table of members, the choice of the way, what the runtime calls
 *   links_direct.c  dialing endpoints, inbound links
 *   links_relay.c   relays: hello, presence, boxes, credit */
#ifndef CONSILIUM_NODE_LINKS_LINKS_H
#define CONSILIUM_NODE_LINKS_LINKS_H

#include "node/driver/driver.h"
#include "node/net/hub.h"

struct links;

/* Borrowed until links_free, `listen` only for the call. */
struct links_config {
    struct driver *driver;
    struct zap_authenticator *zap_authenticator;
    uv_loop_t *loop;
    struct transport_key public_key;
    const uint8_t *secret_key; /* 32 bytes, in locked memory */
    const struct address *listen;
    size_t listen_count; /* 0: no listening socket; relays are the only way in */
};

/* Attaches itself to the runtime and starts to dial. Errors as hub_new. */
MUST_USE err links_new(const struct links_config *config, struct links **ret_links);
/* Accepts NULL. Memory goes as the loop turns. */
void links_free(struct links *links);

/* ---- for screens ---- */

enum links_way { LINKS_NONE, LINKS_DIRECT, LINKS_BOXED };

/* How a member is reached now; `ret_relay` (may be NULL) gets the relay of a boxed way. */
enum links_way links_way(const struct links *links, const struct node_id *node,
                         struct transport_key *ret_relay);

/* How the dialing of a relay or member goes; times of 0: never, or not planned. */
struct links_tries {
    struct wall last, last_success, next;
    const char *why; /* why it is not up; NULL: it is, or nothing failed yet; static */
};

/* The n-th place for a member; false past the end. `ret_tries->why` is NULL where none is dialed in
 * vain: the place is empty, or its member names no endpoint. */
bool links_member_tries(const struct links *links, uint32_t n, struct node_id *ret_node,
                        struct links_tries *ret_tries);

struct links_relay {
    struct transport_key key;
    bool is_up; /* it welcomed us */
    uint64_t epoch;
    struct links_tries tries;
};
/* The n-th relay; false past the end. */
bool links_relay(const struct links *links, uint32_t n, struct links_relay *ret_relay);

#endif
