/* How much of what a link brought lately was refused after a dear check: who brings signatures that
 * do not fit is not heard for a while, so that looking at them stalls nobody else. Later, not
 * never. */
#ifndef CONSILIUM_NODE_FEDERATION_REFUSALS_H
#define CONSILIUM_NODE_FEDERATION_REFUSALS_H

#include "protocol/core/step.h"

enum {
    REFUSALS_LINK_COUNT =
        64,            /* the worst of them; a link that comes new takes the place of the best */
    REFUSALS_MAX = 16, /* at once; one more each second */
};

/* Zeros: nobody did anything. */
struct refusals {
    struct {
        struct link_id link;
        unsigned count;
    } of[REFUSALS_LINK_COUNT];
};

/* One more by this link. */
void refusals_add(struct refusals *refusals, struct link_id link);

/* True when the link is not to be heard now. */
bool refusals_spent(const struct refusals *refusals, struct link_id link);

/* A second passed. */
void refusals_tick(struct refusals *refusals);

#endif
