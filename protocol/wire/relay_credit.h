/* A node's side of a relay's credit: how much it may forward now, and to whom. One for each link to
 * a relay, new with each WELCOME. The relay keeps the same sums (protocol/relay/forward_queue.h),
 * so a node that asks here first never receives BUSY or LIMITED. */
#ifndef CONSILIUM_PROTOCOL_WIRE_RELAY_CREDIT_H
#define CONSILIUM_PROTOCOL_WIRE_RELAY_CREDIT_H

#include "protocol/wire/relay_frame.h"

enum { RELAY_CREDIT_PEER_COUNT = LINK_COUNT_MAX };

struct relay_credit_peer {
    struct transport_key key;
    uint32_t units; /* in flight to it, not 0 */
};

struct relay_credit {
    struct relay_limits limits;
    uint32_t units; /* in flight to all */
    uint32_t peer_count;
    struct relay_credit_peer peers[RELAY_CREDIT_PEER_COUNT];
};

void relay_credit_init(struct relay_credit *credit, const struct relay_limits *limits);

/* Charges one FORWARD frame with a box of this size. False, and nothing charged: send it after a
 * later relay_credit_give. */
bool relay_credit_take(struct relay_credit *credit, const struct transport_key *peer,
                       size_t box_size);

/* The same for a sealed frame. It leaves a small reserve, because KEEP and END cannot be dropped
 * after they are sealed. Only a frame with nothing in flight before it may use all. */
bool relay_credit_take_frame(struct relay_credit *credit, const struct transport_key *peer,
                             size_t box_size);

/* Applies an entry of CREDIT, or the key and units of a STATUS. More units than are in flight count
 * as all of them: a hostile relay harms only its own queue. */
void relay_credit_give(struct relay_credit *credit, const struct transport_key *peer,
                       uint32_t units);

#endif
