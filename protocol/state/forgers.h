/* Which members sent records under signatures that are not their writers' (T-36): how often, how
 * much of theirs is still checked, and until when their links are refused. By member, not by link:
 * a new connection changes nothing. Not kept on the disk: a start forgets it. */
#ifndef CONSILIUM_PROTOCOL_STATE_FORGERS_H
#define CONSILIUM_PROTOCOL_STATE_FORGERS_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/base/ids.h"
#include "protocol/base/limits.h"

struct forger {
    struct node_id node;   /* zeros: free */
    uint64_t total;        /* forgeries, as long as the member is remembered */
    uint32_t recent;       /* since the last cut, or since an hour without one */
    uint32_t cut_count;    /* how often its link was cut, until a day without a forgery */
    int32_t checks_left;   /* runs that are still checked; below 0 when one frame took more */
    struct mono checks_at; /* when `checks_left` was last added to */
    struct mono last_at;   /* of the last forgery */
    struct mono refused_until;
};

/* Zeros: nobody forged. */
struct forgers {
    struct forger all[FORGER_COUNT_MAX];
};

/* What follows from one more forgery. */
enum forgery {
    FORGERY_FIRST,   /* of this member, or after an hour without one: tell it */
    FORGERY_ANOTHER, /* its frames are checked slowly */
    FORGERY_CUT,     /* one too many: the link is to be cut, and is refused */
};
enum forgery forgers_note(struct forgers *forgers, const struct node_id *node, struct mono now);

/* NULL when nothing is known against the member. Borrowed until the next call. */
const struct forger *forgers_find(const struct forgers *forgers, const struct node_id *node);
/* Is no link to the member wanted now? */
bool forgers_refuses(const struct forgers *forgers, const struct node_id *node, struct mono now);

/* May a frame of the member be checked now? Always, unless it forged within the hour. */
bool forgers_may_check(struct forgers *forgers, const struct node_id *node, struct mono now);
/* So many runs of the member go to be checked. */
void forgers_checks(struct forgers *forgers, const struct node_id *node, uint32_t run_count);

#endif
