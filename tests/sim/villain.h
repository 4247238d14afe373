/* A hostile relay: what it may do with the frames that it carries. It has all of them, knows every
 * transport key, and lacks every secret. */
#ifndef CONSILIUM_TESTS_SIM_VILLAIN_H
#define CONSILIUM_TESTS_SIM_VILLAIN_H

#include "tests/sim/world.h"

enum villain_malice {
    VILLAIN_DROPS = 1 << 0,
    VILLAIN_DELAYS = 1 << 1, /* and lets others overtake */
    VILLAIN_DOUBLES = 1 << 2,
    VILLAIN_REPLAYS = 1 << 3,  /* what passed long ago, also under another name */
    VILLAIN_FORGES = 1 << 4,   /* bits, senders, whole boxes */
    VILLAIN_LIES = 1 << 5,     /* about presence, credit, heads */
    VILLAIN_SWALLOWS = 1 << 6, /* lets sessions come up, then passes nothing on, and lures */
    VILLAIN_STARVES = 1 << 7,  /* gives no credit back */
    VILLAIN_SHRINKS = 1 << 8,  /* names windows through which no frame goes */
    VILLAIN_ALL = (1 << 6) - 1,
};

/* What the relay's rendezvous wants sent to the hospital, honestly or not. */
void villain_carry(struct relay *relay, struct hospital *hospital, struct bytes frame);

#endif
