/* A node's side of a relay's credit: what may be forwarded now, to whom. One for each link to a
 * relay, begun anew with each WELCOME; the relay keeps the same sums
 * (protocol/relay/forward_queue.h), so a node that asks here first never hears BUSY or LIMITED. */
#ifndef CONSILIUM_PROTOCOL_WIRE_RELAY_CREDIT_H
#define CONSILIUM_PROTOCOL_WIRE_RELAY_CREDIT_H

#include "protocol/wire/relay_frame.h"

enum { RELAY_CREDIT_PEER_COUNT = LINK_COUNT_MAX };

struct relay_credit_peer {
    struct transport_key key;
    uint32_t units; /* under way to it, not 0 */
};

struct relay_credit {
    struct relay_limits limits;
    uint32_t units; /* under way to all */
    uint32_t peer_count;
    struct relay_credit_peer peers[RELAY_CREDIT_PEER_COUNT];
};

void relay_credit_init(struct relay_credit *credit, const struct relay_limits *limits);

/* Charges one FORWARD frame with a box of this size. False, and nothing charged: send it later,
 * when relay_credit_give was called. */
bool relay_credit_take(struct relay_credit *credit, const struct transport_key *peer,
                       size_t box_size);

/* The same for a sealed frame: a little stays free behind it, for KEEP and END cannot be left out
 * once they are sealed. Only a frame that nothing is under way before may take all. */
bool relay_credit_take_frame(struct relay_credit *credit, const struct transport_key *peer,
                             size_t box_size);

/* Takes in an entry of CREDIT, or the key and units of a STATUS. More than is under way is taken
 * as all of it: the relay is no friend, but this harms nobody but its own queue. */
void relay_credit_give(struct relay_credit *credit, const struct transport_key *peer,
                       uint32_t units);

#endif
