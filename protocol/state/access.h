/* Who may write, name and read what: the roster's answer and the case's, in one place. */
#ifndef CONSILIUM_PROTOCOL_STATE_ACCESS_H
#define CONSILIUM_PROTOCOL_STATE_ACCESS_H

#include "protocol/record/record.h"

struct engine;

/* May the writer of `header` put a record there, and which key must have signed it?
 *
 *   ERR_UNKNOWN_MEMBER  not a member, suspended, or removed: nothing new is accepted
 *   ERR_BEYOND_CUT      removed, and the position lies beyond the cut
 *   ERR_FORKED          it said two things at one position, and the officers have not decided yet
 *   ERR_NOT_ENTITLED    no such scope here, or not a place where this member writes */
MUST_USE err access_write(const struct engine *engine, const struct record_header *header,
                          struct sign_key *ret_key);

/* Does this scope exist here, and does `writer`, a member now or once, write in it? True for every
 * case of our own making: the first record makes it known. */
bool access_has_place(const struct engine *engine, const struct scope *scope,
                      const struct node_id *writer);

/* May the stream be named to `node`, and from it? True also for those who may not read yet. */
bool access_shares(const struct engine *engine, const struct node_id *node,
                   const struct stream_id *stream);

/* May `node` have body and key of the record now? A writer always may have its own.
 * OK, or the reason: as roster_entitled_board, roster_entitled_member and case_table_may_read. */
MUST_USE err access_read(const struct engine *engine, const struct node_id *node,
                         const struct record_claim *claim);

#endif
