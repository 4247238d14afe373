/* Contents of mail between two members: a request to join, a direct request to one institution, a
 * notice of a grant, a refusal. */
#ifndef CONSILIUM_PROTOCOL_CONTENTS_MAIL_H
#define CONSILIUM_PROTOCOL_CONTENTS_MAIL_H

#include "protocol/base/ids.h"
#include "protocol/contents/case_record.h"
#include "protocol/record/content.h"

/* To the requester. The clinician is the one who signs the statement. */
struct mail_join {
    struct case_id case_id;
    struct record_id announcement; /* the ANNOUNCEMENT or DIRECTED that it answers */
    struct bytes note;             /* optional: why the clinician can help */
};
CONTENT_DECLARE(mail_join, struct mail_join);

/* A request to one institution, without a board (M33). */
struct mail_directed {
    struct bytes announcement;          /* content; it carries the case_id */
    struct cert_id clinician;           /* optional: the requested specialist */
    struct case_record_opening opening; /* proves that the sender speaks for the case */
};
CONTENT_DECLARE(mail_directed, struct mail_directed);

/* To a new participant, which cannot know the case's stream before. */
struct mail_grant_notice {
    struct case_id case_id;
    struct node_id requester;
    struct record_id grant;             /* the GRANT record */
    struct bytes copy;                  /* its content */
    struct case_record_opening opening; /* proves that the sender speaks for the case */
};
CONTENT_DECLARE(mail_grant_notice, struct mail_grant_notice);

/* To the requester, from an invited institution that is no participant; or from the requester, to
 * refuse a request to join: then `announcement` names the JOIN. */
struct mail_decline {
    struct case_id case_id;
    struct record_id announcement;
    enum case_record_decline_reason reason;
    struct bytes text; /* optional */
};
CONTENT_DECLARE(mail_decline, struct mail_decline);

#endif
