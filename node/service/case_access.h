/* This institution's access to a case: what the requester says of it in its stream, and by mail. */
#ifndef CONSILIUM_NODE_SERVICE_CASE_ACCESS_H
#define CONSILIUM_NODE_SERVICE_CASE_ACCESS_H

#include "node/service/service.h"

/* NULL if this institution is no participant. */
const struct consult_participant *case_access_participant(const struct service *service,
                                                          const struct consult *consult);

/* Has our access ended? The requester tells by mail, because who has no access receives no more of
 * the case's stream (C-49). */
bool case_access_has_ended(const struct service *service, const struct consult *consult);

/* Are we a participant whose access has not ended? `consult` may be NULL. */
bool case_access_is_open(const struct service *service, const struct consult *consult);

/* Did the requester answer this JOIN of ours with a grant? */
bool case_access_answers(const struct service *service, const struct consult *consult,
                         const struct record_id *join);

/* "none" (only announced here), "requester", "granted" (the grant is not here yet), "participant",
 * "ended". */
const char *case_access_role(const struct service *service, const struct case_id *case_id);

#endif
