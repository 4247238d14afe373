/* The actions of a node that follow from a record of a case, without a person. */
#ifndef CONSILIUM_PROTOCOL_CONSULT_CONSULT_REACT_H
#define CONSILIUM_PROTOCOL_CONSULT_CONSULT_REACT_H

#include "protocol/consult/consult_verdict.h"
#include "protocol/contents/mirror.h"

struct consult;
struct consult_record;

enum consult_action_kind {
    CONSULT_WRITE_GRANT,   /* requester: GRANT node, join, clinician; audit the disclosure first */
    CONSULT_MAIL_NOTICE,   /* requester: GRANT_NOTICE to node about `record` */
    CONSULT_WRITE_TAKE_IN, /* requester: TAKE_IN `record` of `kind` by node */
    CONSULT_WRITE_MIRROR,  /* requester: MIRROR what, until, to the board or to the invited
                              institutions */
    CONSULT_CHECK_READERS, /* access changed: release keys and request them again */
    CONSULT_APPLY_AGAIN,   /* apply the stored records of node again, then react */
    CONSULT_DESTROY,       /* destroy keys, chunks, index entries of the case */
    CONSULT_WRITE_ERASED,  /* participant: ERASED about `record`, after destroying */
};

struct consult_action {
    enum consult_action_kind kind;
    struct node_id node;
    struct record_id record;
    struct cert_id clinician;
    uint16_t record_kind;
    enum mirror_what what;
    struct wall until;
};
enum { CONSULT_ACTION_COUNT_MAX = 4 };

struct consult_situation {
    struct node_id self;
    struct wall now;
    bool grants_automatically;    /* policy of this node for this case */
    bool is_writer_admitted;      /* the roster admits the record's writer now */
    bool is_signature_good;       /* the clinician's signature and certificate were checked */
    enum consult_verdict verdict; /* from consult_apply; CONSULT_AWAITS for a JOIN mail, and
                                   * CONSULT_COUNTS for one that counted before, if is_again */
    bool is_again;                /* applied before: what it changed about readers was done */
};

/* Writes the actions of this node after `record` was applied or, for a JOIN mail, has arrived.
 * Returns their number. An action may be done twice: consult_apply ignores a second GRANT or
 * TAKE_IN. */
size_t consult_react(const struct consult *consult, const struct consult_situation *situation,
                     const struct consult_record *record,
                     struct consult_action ret_actions[static CONSULT_ACTION_COUNT_MAX]);

#endif
