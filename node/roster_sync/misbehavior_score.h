/* How much of what a link brought lately was refused after an expensive check: who brings
 * signatures that do not fit is not heard for a while, so that looking at them stalls nobody else.
 * Later, not never. */
#ifndef CONSILIUM_NODE_ROSTER_SYNC_MISBEHAVIOR_SCORE_H
#define CONSILIUM_NODE_ROSTER_SYNC_MISBEHAVIOR_SCORE_H

#include "protocol/step/step.h"

enum {
    MISBEHAVIOR_SCORE_LINK_COUNT =
        64, /* the worst of them; a link that comes new takes the place of the best */
    MISBEHAVIOR_SCORE_MAX = 16, /* at once; one more each second */
};

/* Zeros: nobody did anything. */
struct misbehavior_score {
    struct {
        struct link_id link;
        unsigned count;
    } of[MISBEHAVIOR_SCORE_LINK_COUNT];
};

/* One more by this link. */
void misbehavior_score_add(struct misbehavior_score *misbehavior_score, struct link_id link);

/* True when the link is not to be heard now. */
bool misbehavior_score_spent(const struct misbehavior_score *misbehavior_score,
                             struct link_id link);

/* A second passed. */
void misbehavior_score_tick(struct misbehavior_score *misbehavior_score);

#endif
