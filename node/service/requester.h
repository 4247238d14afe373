/* What the requester does in a case of its own. See action.h for how actions are called. */
#ifndef CONSILIUM_NODE_SERVICE_REQUESTER_H
#define CONSILIUM_NODE_SERVICE_REQUESTER_H

#include "node/service/action.h"
#include "protocol/contents/case_record.h"

/* Gives a member access. `join`: the first digits of the waiting JOIN that the grant answers; NULL:
 * the member's latest, if there is one. For a member that has access already nothing is written:
 * the result is is_done_already. */
void requester_grant(const struct action *action, const struct node_id *participant,
                     const char *join);

/* Ends a participant's access from here on, and tells it so by mail (C-49). */
void requester_end_access(const struct action *action, const struct case_record_grant_end *end);

/* Without a list: all opinions that were taken in and are not revealed; with them what was asked,
 * posted and declined to the requester alone, which no one else could read later. */
void requester_reveal(const struct action *action, const struct case_record_reveal *reveal);

/* Refused while there is no opinion, and in an independent-first case before the reveal. */
void requester_synthesise(const struct action *action,
                          const struct case_record_synthesis *synthesis);

/* Those who gave opinions learn from the synthesis what was made of them: without one, a case with
 * opinions is closed only if `is_without_synthesis` says that this is meant. */
void requester_close(const struct action *action, const struct case_record_close *end,
                     bool is_without_synthesis);

/* Refused unless the deadline is later than now and than the one in force. */
void requester_extend(const struct action *action, const struct case_record_extend *extend);

void requester_report_outcome(const struct action *action,
                              const struct case_record_outcome *outcome);

void requester_withdraw(const struct action *action, const struct case_record_withdraw *withdraw);

/* Every participant's node erases the case and sends a receipt. */
void requester_erase(const struct action *action);

#endif
