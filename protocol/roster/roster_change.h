/* What may follow what in the entry of one member, from one head to a later one. */
#ifndef CONSILIUM_PROTOCOL_ROSTER_ROSTER_CHANGE_H
#define CONSILIUM_PROTOCOL_ROSTER_ROSTER_CHANGE_H

#include "protocol/base/bytes.h"
#include "protocol/base/error.h"
#include "protocol/member/member.h"

/* What leads from the content in force to the next. */
struct roster_change {
    struct bytes items;
    bool snapshot;       /* `items` hold everything, not only what changed */
    bool split_recovery; /* the head heals: members may be dated anew */
    uint64_t low;        /* epoch of the content in force; 0 when none */
    uint64_t high;       /* epoch of the head to come */
};

/* OK when the entry `now` may follow `before` (NULL: it is new). `*ret_proved` tells whether the
 * last change of keys was signed by keys that we know to be the old ones. */
MUST_USE err roster_change_check(const struct federation_id *federation,
                                 const struct roster_change *change, const struct member *before,
                                 const struct member *now, bool *ret_proved);

#endif
