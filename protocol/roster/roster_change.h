/* Which changes to a member's entry are valid from one head to a later one. */
#ifndef CONSILIUM_PROTOCOL_ROSTER_ROSTER_CHANGE_H
#define CONSILIUM_PROTOCOL_ROSTER_ROSTER_CHANGE_H

#include "protocol/base/bytes.h"
#include "protocol/base/error.h"
#include "protocol/member/member.h"

/* The step from the content in force to the next. */
struct roster_change {
    struct bytes items;
    bool snapshot;       /* `items` hold everything, not only the changes */
    bool split_recovery; /* the head heals: members may get new dates */
    uint64_t low;        /* epoch of the content in force; 0 when none */
    uint64_t high;       /* epoch of the next head */
};

/* OK when the entry `now` may follow `before` (NULL: it is new). `*ret_proved` is true when the old
 * keys, known here, signed the last change of keys. */
MUST_USE err roster_change_check(const struct federation_id *federation,
                                 const struct roster_change *change, const struct member *before,
                                 const struct member *now, bool *ret_proved);

#endif
