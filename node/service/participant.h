/* What a participant does in a case of another institution; discussing and flagging are the
 * requester's too. See action.h for how actions are called. */
#ifndef CONSILIUM_NODE_SERVICE_PARTICIPANT_H
#define CONSILIUM_NODE_SERVICE_PARTICIPANT_H

#include "node/service/action.h"
#include "protocol/contents/case_record.h"
#include "protocol/contents/opinion.h"

/* By a record of the case, or by mail if this institution has no access. */
void participant_decline(const struct action *action, const struct case_record_decline *decline);

/* What the clinician wrote; announcement, heads, case file, opened items and the sentence are
 * filled in here: the items are those that this very clinician has receipts for (API-9).
 *
 * One clinician gives one opinion (API-14). A second one is refused, unless it replaces an earlier
 * one of the same clinician or `is_additional` says that one more is meant. */
void participant_give_opinion(const struct action *action, const struct opinion *opinion,
                              bool is_additional);

/* Asks the requester for more. */
void participant_ask(const struct action *action, const struct case_record_ask *ask);

void participant_discuss(const struct action *action, const struct case_record_post *post);

/* The author's own opinion; after the deadline. */
void participant_release(const struct action *action, const struct case_record_release *release);

void participant_flag(const struct action *action, const struct case_record_flag *flag);

#endif
