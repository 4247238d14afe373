/* Who may read, as far as the roster says. Cases add their own grants.
 *
 * Cooling-off counts from the receipt, here, of the head that brought the change (admission,
 * reinstatement, a board, a key not signed over by the old one). Changes no later than our own
 * first admission have none: we came after them. */
#ifndef CONSILIUM_PROTOCOL_ROSTER_ROSTER_ENTITLED_H
#define CONSILIUM_PROTOCOL_ROSTER_ROSTER_ENTITLED_H

#include "protocol/roster/roster.h"

/* May `member` get keys of records of the federation, of a case or of mail, now?
 *
 *   OK
 *   ERR_UNKNOWN_HEAD    we know of a newer head without its content: nobody gets keys
 *   ERR_UNKNOWN_MEMBER  suspended, removed or not a member
 *   ERR_COOLING_OFF     not yet; roster_entitled_from says when */
MUST_USE err roster_entitled_member(const struct roster *roster, const struct node_id *member,
                                    struct wall now);

/* May `member` get the key of a record of the board `scope` that names `record_head`?
 *
 *   as above, and
 *   ERR_UNKNOWN_HEAD    also: the record's head is not known here
 *   ERR_NOT_ENTITLED    no such board, not served, or the record is older than the admission to it
 */
MUST_USE err roster_entitled_board(const struct roster *roster, const struct node_id *member,
                                   const struct scope *scope, const struct head_id *record_head,
                                   struct wall now);

/* When the cooling-off of `member` (for `board` >= 0: also on that board) is over; zero when it is
 * over or there is none. For screens and for the timer of a core. */
struct wall roster_entitled_from(const struct roster *roster, const struct roster_entry *member,
                                 int board, struct wall now);

/* How many members, self left out, are entitled to new records of the board now: the M of
 * "reached N of M". */
uint32_t roster_entitled_count(const struct roster *roster, const struct scope *scope,
                               struct wall now);

#endif
