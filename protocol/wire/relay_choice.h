/* Chooses the relay through which to reach a peer, when several of them have a session.
 *
 * A hostile relay can let a session come up and then forward none of its frames, and so lure a node
 * to it. It must not separate peers that share a second relay. So the relay whose sessions with the
 * peer failed longest ago is preferred, and a working relay is kept. */
#ifndef CONSILIUM_PROTOCOL_WIRE_RELAY_CHOICE_H
#define CONSILIUM_PROTOCOL_WIRE_RELAY_CHOICE_H

#include "protocol/wire/tunnel.h"

/* One relay, with respect to one peer; zeros at first. */
struct relay_choice {
    bool is_up;            /* a session is up now */
    struct mono failed_at; /* 0: none failed yet */
};

/* Records what an event did to the session. A session that either side ended in good order did not
 * fail; a relay can cause every other end. */
void relay_choice_note(struct relay_choice *choice, const struct tunnel_step *step,
                       struct mono now);

/* The relay to use out of `count`, or -1: no session is up. `current` is the one in use, or -1. */
int relay_choice_best(const struct relay_choice *all, int count, int current);

#endif
