/* What the rooms of the API share. One room for each noun:
 *
 *   api.c             the socket, who may speak, which route
 *   api_call.c        one call: answers, refusals, arguments; api_query.c filters
 *   api_status.c      the node and its federations
 *   api_directory.c   members, specialists, boards, relays
 *   api_clinicians.c  accounts
 *   api_drafts.c      drafts, attachments, preview; api_send.c sending
 *   api_signed.c      writing in the clinician's name
 *   api_cases.c       inbox, cases; api_thread.c their records
 *   api_joins.c       letters: asking to join, declining, refusing
 *   api_items.c       fetching and reading items
 *   api_requester.c         what the requester does in a case
 *   api_participant.c       what a participant does
 *   api_audit.c       the audit log
 *   api_roster.c      what a person decides about the roster
 *   api_events.c      news as they come */
#ifndef CONSILIUM_NODE_API_API_STATE_H
#define CONSILIUM_NODE_API_API_STATE_H

#include <jansson.h>

#include "node/api/api.h"
#include "node/drafts/draft.h"
#include "node/http/http.h"
#include "node/service/account.h"
#include "node/service/service.h"
#include "node/views/content_json.h"
#include "node/views/inbox.h"

enum { API_FEDERATION_COUNT_MAX = 16, API_UPLOAD_COUNT_MAX = 2, API_PAGE_MAX = 200 };

struct api_federation {
    struct api *api;
    const char *name;
    struct runtime *runtime;
    struct links *links;
    struct items *items;
    struct account_book *accounts;
    struct inbox *inbox;
    struct draft_book *drafts;
    struct membership_proofs *proofs;
    struct api_checking *checking; /* the audit log is being checked for a call */
};

struct api_reader; /* of events */

struct api {
    struct api_config config;
    struct http *http;
    struct secure_arena *secrets;
    gid_t group;
    gid_t administrators;
    bool has_group;
    bool has_administrators;
    bool is_closing;
    unsigned uses; /* by calls that are not answered; one for the API itself */
    unsigned upload_count;
    struct api_reader *readers;
    struct api_federation federations[API_FEDERATION_COUNT_MAX];
    size_t federation_count;
};

/* One request, from its head to its answer. Freed by answering. */
struct api_call {
    struct api *api;
    struct api_federation *federation; /* NULL: about the whole node */
    struct http_request *request;
    const struct api_route *route;
    json_t *form; /* NULL without a body */
    bool is_upload_counted;
    struct stored_record_memory *memory; /* of the call's own reads; made when asked for */
    /* what the call's rooms need between its steps */
    const struct account *account;
    struct case_id case_id;
    uint16_t kind; /* of the record that is written */
    void *own;
    void (*free_own)(void *own);
};

enum api_flags {
    API_SIGNED = 1,  /* needs "clinician" and "passphrase" */
    API_UPLOAD = 2,  /* the body is bytes */
    API_NO_BODY = 4, /* a write without a body is fine */
};

struct api_route {
    enum http_method method;
    const char *pattern; /* "cases/?/join", below /v1/{federation}; "?" is any one segment */
    unsigned flags;
    void (*handle)(struct api_call *call);
};

/* One user of the API less; the last one frees it. */
void api_state_release(struct api *api);

/* ---- api_call.c ---- */

struct api_call *api_call_new(struct api *api, struct http_request *request);
void api_call_free(struct api_call *call);

/* Each answers the call, and frees it. */
void api_answer(struct api_call *call, json_t *json);
void api_created(struct api_call *call, json_t *json);
void api_refuse(struct api_call *call, err code, const char *message, const char *hint);
void api_refuse_err(struct api_call *call, err code);
void api_refuse_problem(struct api_call *call, const struct refusal *problem);
int api_status_of(err code);

/* The n-th segment after /v1/{federation}/. */
const char *api_part(const struct api_call *call, size_t n);
/* `limit`, between 1 and API_PAGE_MAX; `after`, 0 when missing. */
size_t api_limit(const struct api_call *call);
uint64_t api_after(const struct api_call *call);
/* There is more: goes into `after`. */
void api_set_next(json_t *json, uint64_t next);

/* Each of these answers false, and has refused and freed the call, when it cannot be. */
bool api_find_case(struct api_call *call); /* the segment after "cases" */
bool api_find_case_named(struct api_call *call, const char *name);
bool api_find_member(struct api_call *call, const char *name, struct node_id *ret_node);
bool api_find_record(struct api_call *call, const char *name, struct record_id *ret_record);
/* The records that a field of the form names, as full ids: one, or a list. True when the field is
 * not there. */
bool api_resolve_record(struct api_call *call, const char *field);
bool api_resolve_records(struct api_call *call, const char *field);
/* The account named in the form, bound to the caller's uid. */
bool api_find_account(struct api_call *call, const char *login);
/* Is the certificate of the call's account in force? */
bool api_may_sign(struct api_call *call);

/* Are the filters and the page of a GET such as can be answered? api_query.c; false: refused. */
bool api_check_query(struct api_call *call);
/* NULL when the case is only announced here. */
const struct consult *api_consult(const struct api_call *call);
/* This institution as a participant of the call's case; NULL when it is none. */
const struct consult_participant *api_own_part(const struct api_call *call);
/* What the requester's stream says of grants to us; `is_answer`: one of them answers the JOIN that
 * was asked about (NULL: none). api_access.c */
struct api_granted {
    struct node_id self;
    struct node_id requester;
    struct record_id join; /* does one of them answer it? */
    bool is_answer;
    struct wall last; /* when the last was written; 0: never */
};
struct api_granted api_granted(const struct api_federation *federation,
                               const struct consult *consult, const struct record_id *join);
/* Has this institution's access to the case ended? Who reads no more of the case's stream learns it
 * by mail (C-49). */
bool api_has_ended(const struct api_federation *federation, const struct consult *consult);
/* Has it access, now? */
bool api_takes_part(const struct api_call *call);
struct stored_record_memory *api_memory(struct api_call *call);

bool api_is_administrator(const struct api_call *call);
struct account_room api_room(const struct api_call *call);
enum links_way api_way(const struct api_federation *federation, const struct node_id *node);

/* ---- writing in the clinician's name: api_signed.c ---- */

/* Signs and posts the order with the account and passphrase of the form, and answers with the first
 * record. Frees order and call. */
void api_sign(struct api_call *call, struct service_order *order);

/* One record of `kind` in the case, from the fields of the form. `fix` (may be NULL) fills in what
 * the clinician does not write; it refuses the call and answers false when it cannot. */
struct api_writing {
    uint16_t kind;
    enum audience audience;
    const struct content_table *table;
    bool (*fix)(struct api_call *call, void *value);
    const char *aside; /* a field of the form that is not of the content; may be NULL */
    /* letters that go out behind it, in the same order; may be NULL */
    err (*add)(struct api_call *call, const void *value, struct service_order *order);
};
void api_write(struct api_call *call, const struct api_writing *writing);
/* Is the state of the case such that this kind may be written now? Refuses and answers false. */
bool api_may_write(struct api_call *call, uint16_t kind);
/* requester until revealed, as long as the case is independent-first and none is revealed. */
enum audience api_audience(const struct api_call *call);

/* ---- api_send.c, api_items.c ---- */

/* Sends a draft whose preview the clinician of the call has confirmed, and answers. */
void api_send(struct api_call *call, struct draft *draft);
/* Answers with the item's bytes. */
void api_answer_item(struct api_call *call, const struct case_file_item *item);

/* ---- api_joins.c ---- */

/* How many letters of this kind there are about a case of ours, of the JOINs only those that wait;
 * the records go into `list`, which may be NULL. */
size_t api_letters(const struct api_call *call, uint16_t kind, json_t *list);
/* What became of this institution's own asking to join: {"state": "waiting", "refused", or
 * "declined" by ourselves, "letter", "refusal"?}. NULL when it did not ask, or takes part. */
json_t *api_own_join(const struct api_call *call);
/* The letter by which the requester ended our access; NULL. */
json_t *api_end_of_access(const struct api_call *call, const struct consult *consult);
/* Tells a participant that its access has ended, in the same order as the GRANT_END. */
MUST_USE err api_add_end(struct api_call *call, const struct case_record_grant_end *end,
                         struct service_order *order);
/* Declines by mail, as one who is no participant. */
void api_mail_decline(struct api_call *call);

/* ---- api_thread.c, api_export.c ---- */

/* A signed opinion as a file of its own. */
void api_post_export(struct api_call *call);
void api_get_thread(struct api_call *call);

/* ---- routes, each list ends with a NULL handler ---- */

extern const struct api_route api_status_routes[];
extern const struct api_route api_directory_routes[];
extern const struct api_route api_clinicians_routes[];
extern const struct api_route api_drafts_routes[];
extern const struct api_route api_cases_routes[];
extern const struct api_route api_joins_routes[];
extern const struct api_route api_items_routes[];
extern const struct api_route api_requester_routes[];
extern const struct api_route api_participant_routes[];
extern const struct api_route api_audit_routes[];
extern const struct api_route api_events_routes[];
extern const struct api_route api_report_routes[];
extern const struct api_route api_roster_routes[];

json_t *api_status_node(struct api *api);
/* Ends the check of the audit log that is under way, and answers it. */
void api_audit_stop(struct api_federation *federation);
/* Ends all streams of events. */
void api_events_stop(struct api *api);
/* Listens to the news of a federation. */
void api_events_listen(struct api_federation *federation);

#endif
