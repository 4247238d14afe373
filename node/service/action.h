/* One thing that a clinician does in a case: who does it, where, and whom the result goes to; and
 * the steps that all such actions share. The actions themselves are in requester.h, participant.h,
 * case_mail.h, case_items.h and sending.h.
 *
 * Each action is called with a `struct action`, copied, and plain input, borrowed for the call
 * unless its header says more. It calls `on_done` exactly once, before it returns or later. */
#ifndef CONSILIUM_NODE_SERVICE_ACTION_H
#define CONSILIUM_NODE_SERVICE_ACTION_H

#include "node/service/service.h"
#include "node/signing/write_request.h"
#include "node/views/refusal.h"
#include "protocol/record/content.h"

struct action_result {
    const struct refusal *refusal; /* NULL: it was done */
    struct case_id case_id;
    uint16_t kind; /* of the first record */
    /* The records that are durable now, in order; also when a later one was refused. */
    const struct runtime_done *posted;
    size_t posted_count;
    struct wall time;     /* when the clinician signed */
    bool is_done_already; /* nothing was written: it is so already */
    bool is_checked;      /* nothing was written: it was only checked */
};

struct action {
    struct service *service;
    struct write_request_signer signer; /* action_find_signer */
    struct case_id case_id;
    bool is_check; /* finds all that would be refused, then ends: without passphrase or record
                      (API-20) */
    void (*on_done)(void *arg, const struct action_result *result);
    void *arg;
};

/* The account of this user: it exists and is bound to the uid (API-4). */
MUST_USE err action_find_account(const struct service *service, const char *login, uid_t uid,
                                 const struct account **ret_account, struct refusal *ret_refusal);
/* The same, and it may sign: its certificate is in force (API-13). */
MUST_USE err action_find_signer(const struct service *service, const char *login, uid_t uid,
                                const struct account **ret_account, struct refusal *ret_refusal);

/* May this institution write a record of this kind into the case now? If so, the case is in the
 * table: runtime_case is not NULL. */
MUST_USE err action_check(const struct service *service, const struct case_id *case_id,
                          uint16_t kind, struct refusal *ret_refusal);

/* ---- the steps of an action ---- */

struct action_record {
    uint16_t kind;
    enum audience audience;
    const struct content_table *table;
    const void *value; /* the struct of the table */
};

/* Ends the action. */
void action_refuse(const struct action *action, const struct refusal *refusal);
void action_refuse_err(const struct action *action, err code);
/* `hint` may be NULL. */
void action_refuse_saying(const struct action *action, err code, const char *message,
                          const char *hint);

/* action_check; if it refuses, the action has ended. */
MUST_USE bool action_may_write(const struct action *action, uint16_t kind);

/* NULL if this node only knows the announcement of the case. */
const struct consult *action_consult(const struct action *action);
bool action_is_requester(const struct action *action);

/* The requester alone, for what a participant writes in an independent-first case before the
 * reveal; else everyone in the case. */
enum audience action_audience(const struct action *action);

/* Adds a record of the case to the request. ERR_MALFORMED: a required field is missing. */
MUST_USE err action_add(const struct action *action, const struct action_record *record,
                        struct write_request *request);

/* Ends an action that is a check, and would not be refused. */
void action_checked(const struct action *action);

/* Signs and posts what was added, unless `failure` tells that adding failed; takes the request
 * over, which may then be NULL. A check ends here. */
void action_sign(const struct action *action, struct write_request *request, err failure);

/* The whole of a plain action: action_may_write, then one record. */
void action_write(const struct action *action, const struct action_record *record);

#endif
