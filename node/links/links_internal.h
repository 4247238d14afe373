/* The struct of links, for the files of this folder alone: links.c (what the runtime and the hub
 * call), links_route.c (which way is taken), links_direct.c, links_relay.c. */
#ifndef CONSILIUM_NODE_LINKS_LINKS_INTERNAL_H
#define CONSILIUM_NODE_LINKS_LINKS_INTERNAL_H

#include "node/links/links.h"
#include "protocol/wire/relay_choice.h"
#include "protocol/wire/relay_credit.h"
#include "protocol/wire/relay_frame.h"

enum {
    LINKS_RELAY_MAX = 4,             /* connected at once; the first in the settings' order */
    LINKS_QUIET_MS = 30 * 1000,      /* after the engine hung up */
    LINKS_SECOND_DIAL_MS = 4 * 1000, /* the larger key dials when the smaller did not */
    LINKS_TICK_MS = 500,
};

/* What the log said last of a dialed link that does not come up; it is said once for each change.
 */
struct links_told {
    bool is_told;
    enum hub_reason reason;
};

/* A member, or a publisher of the settings: it brings roster heads, and nothing else is heard. */
struct links_member {
    struct node_id node; /* zeros: free; a publisher's are the first bytes of its key */
    struct transport_key key;
    struct link_id link; /* as the driver knows it; 0: down */
    enum links_way route;
    uint32_t way_relay;
    struct mono quiet_until;
    struct hub_link inbound;  /* up; 0: none */
    struct hub_link outbound; /* dialed; 0: none */
    bool is_outbound_up;
    bool is_listed; /* still in the roster */
    bool is_publisher;
    struct links_told told;
    struct {
        struct tunnel *tunnel; /* NULL until first used */
        struct relay_choice choice;
        bool is_present; /* the relay says it is connected there */
        struct mono present_since;
    } at[LINKS_RELAY_MAX];
};

/* A box that was sealed but found the hub's queue full; order must hold. */
struct links_waiting {
    struct links_waiting *next;
    size_t size;
    uint8_t data[];
};

struct links_relay_state {
    struct transport_key key; /* zeros: free */
    struct hub_link link;
    bool is_up;
    bool is_welcome;
    uint64_t epoch;
    struct links_told told;
    struct relay_credit credit;
    struct links_waiting *waiting_first;
    struct links_waiting *waiting_last;
};

struct links {
    struct driver *driver;
    struct runtime *runtime; /* the driver's */
    struct hub *hub;
    struct tunnel_identity identity;
    struct links_member members[LINK_COUNT_MAX];
    struct links_relay_state relays[LINKS_RELAY_MAX];
    struct tunnel_step box_step;
    uint32_t link_last;
    uv_timer_t tick;
    uint8_t frame_memory[FRAME_SIZE_MAX + RELAY_WRAP_SIZE];
};

#endif
