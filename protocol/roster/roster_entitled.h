/* Which members the roster entitles to read. Cases add their own grants.
 *
 * Cooling-off counts from the receipt, here, of the head that brought the change: admission,
 * reinstatement, a board, a key not signed by the old one. Changes no later than this node's own
 * first admission have no cooling-off. */
#ifndef CONSILIUM_PROTOCOL_ROSTER_ROSTER_ENTITLED_H
#define CONSILIUM_PROTOCOL_ROSTER_ROSTER_ENTITLED_H

#include "protocol/roster/roster.h"

/* Whether `member` may get keys of records of the federation, of a case or of mail now.
 *
 *   OK
 *   ERR_UNKNOWN_HEAD    a newer head is known without its content: release no keys
 *   ERR_UNKNOWN_MEMBER  suspended, removed or not a member
 *   ERR_COOLING_OFF     not yet; roster_entitled_from says when */
MUST_USE err roster_entitled_member(const struct roster *roster, const struct node_id *member,
                                    struct wall now);

/* Whether `member` may get the key of a record of the board `scope` that names `record_head`.
 *
 *   as above, and
 *   ERR_UNKNOWN_HEAD    also: the record's head is not known here
 *   ERR_NOT_ENTITLED    no such board, not served, or the record is older than the admission to
 * it */
MUST_USE err roster_entitled_board(const struct roster *roster, const struct node_id *member,
                                   const struct scope *scope, const struct head_id *record_head,
                                   struct wall now);

/* When the cooling-off of `member` ends (for `board` >= 0: also on that board); zero when it has
 * ended or there is none. For display and for timers. */
struct wall roster_entitled_from(const struct roster *roster, const struct roster_entry *member,
                                 int board, struct wall now);

/* How many members, without self, are entitled to new records of the board now: the M of "reached N
 * of M". */
uint32_t roster_entitled_count(const struct roster *roster, const struct scope *scope,
                               struct wall now);

#endif
