/* By which relay to reach a peer, when sessions are up through several of them.
 *
 * A hostile relay can let a session come up and pass on nothing of what it carries, and can lure a
 * node to open another one. It must not part those who have a second relay: so the relay whose
 * sessions with the peer failed longest ago goes first, and a way that works is not left. */
#ifndef CONSILIUM_PROTOCOL_WIRE_RELAY_CHOICE_H
#define CONSILIUM_PROTOCOL_WIRE_RELAY_CHOICE_H

#include "protocol/wire/tunnel.h"

/* One relay, as far as one peer is concerned; zeros at first. */
struct relay_choice {
    bool is_up;            /* a session is, now */
    struct mono failed_at; /* 0: none failed yet */
};

/* Takes in what an event did to the session. Whoever ends one in good order did not fail; all other
 * ends a relay can cause. */
void relay_choice_note(struct relay_choice *choice, const struct tunnel_step *step,
                       struct mono now);

/* The relay to use out of `count`, or -1: no session is up. `current` is the one in use, or -1. */
int relay_choice_best(const struct relay_choice *all, int count, int current);

#endif
