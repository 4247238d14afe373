/* A hostile relay: what it may do with the frames that it carries. It has all of them, knows every
 * transport key, and lacks every secret. */
#ifndef CONSILIUM_TESTS_SIM_ADVERSARY_H
#define CONSILIUM_TESTS_SIM_ADVERSARY_H

#include "tests/sim/world.h"

enum adversary_malice {
    ADVERSARY_DROPS = 1 << 0,
    ADVERSARY_DELAYS = 1 << 1, /* and lets others overtake */
    ADVERSARY_DOUBLES = 1 << 2,
    ADVERSARY_REPLAYS = 1 << 3,  /* what passed long ago, also under another name */
    ADVERSARY_FORGES = 1 << 4,   /* bits, senders, whole boxes */
    ADVERSARY_LIES = 1 << 5,     /* about presence, credit, heads */
    ADVERSARY_SWALLOWS = 1 << 6, /* lets sessions come up, then passes nothing on, and lures */
    ADVERSARY_STARVES = 1 << 7,  /* gives no credit back */
    ADVERSARY_SHRINKS = 1 << 8,  /* names windows through which no frame goes */
    ADVERSARY_ALL = (1 << 6) - 1,
};

/* What the relay's rendezvous wants sent to the hospital, honestly or not. */
void adversary_carry(struct relay *relay, struct hospital *hospital, struct bytes frame);

#endif
