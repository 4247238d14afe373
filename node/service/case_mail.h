/* Mail between the requester of a case and institutions that are no participants (yet): asking to
 * join, declining, refusing a request to join, the end of access. What people see of it is read
 * from the mail itself: ours is in the other's mailbox, theirs in ours. */
#ifndef CONSILIUM_NODE_SERVICE_CASE_MAIL_H
#define CONSILIUM_NODE_SERVICE_CASE_MAIL_H

#include "node/service/action.h"
#include "protocol/contents/mail.h"

/* ---- reading ---- */

/* The next mail of this kind about the case, from number `*n` on, which moves behind it; of JOINs
 * only those that wait for a decision. NULL past the last. */
const struct inbox_letter *case_mail_next(const struct service *service,
                                          const struct case_id *case_id, uint16_t kind, size_t *n);

/* What became of our own request to join a case of another institution. */
enum case_mail_state {
    CASE_MAIL_NONE,     /* none was made, or it was granted */
    CASE_MAIL_WAITING,  /* no answer yet */
    CASE_MAIL_REFUSED,  /* by the requester, in `refusal` */
    CASE_MAIL_DECLINED, /* we declined the case ourselves, after any request */
};
struct case_mail_own {
    enum case_mail_state state;
    struct record_id record;  /* our JOIN or MAIL_DECLINE */
    struct record_id refusal; /* with CASE_MAIL_REFUSED */
};
struct case_mail_own case_mail_own(const struct service *service, const struct case_id *case_id);

/* The mail by which the requester ended our access, if it has ended; NULL. */
const struct inbox_letter *case_mail_end_of_access(const struct service *service,
                                                   const struct consult *consult);

/* ---- actions ---- */

/* Asks the requester for access. Refused if we have access or an earlier request waits. */
void case_mail_join(const struct action *action, struct bytes note);

/* Declines a case that we are no participant of (participant_decline calls it). */
void case_mail_decline(const struct action *action, const struct case_record_decline *decline);

/* The requester refuses a waiting JOIN, named by its record or its member (C-49). Without a reason
 * in `decline` it is "other". */
void case_mail_refuse_join(const struct action *action, const char *join,
                           const struct case_record_decline *decline);

/* Adds the mail that tells a participant of the end of its access (C-49). */
MUST_USE err case_mail_add_end(const struct action *action, const struct case_record_grant_end *end,
                               struct write_request *request);

#endif
