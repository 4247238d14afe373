/* The structs and functions of this folder: only its own files include this. */
#ifndef CONSILIUM_NODE_API_API_INTERNAL_H
#define CONSILIUM_NODE_API_API_INTERNAL_H

#include <jansson.h>

#include "node/api/api.h"
#include "node/http/http.h"
#include "node/service/service.h"
#include "node/views/content_json.h"
#include "node/views/refusal.h"

enum { API_FEDERATION_COUNT_MAX = 16, API_UPLOAD_COUNT_MAX = 2, API_PAGE_MAX = 200 };

struct api_federation {
    struct api *api;
    const char *name;
    struct runtime *runtime;
    struct links *links;
    struct service *service;
    struct api_checking *checking; /* the check of the audit log that runs; NULL */
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
    unsigned uses; /* calls that are not answered, and one for the API itself */
    unsigned upload_count;
    struct api_reader *readers;
    struct api_federation federations[API_FEDERATION_COUNT_MAX];
    size_t federation_count;
};

/* One request, from its head to its answer. Answering frees it. */
struct api_call {
    struct api *api;
    struct api_federation *federation; /* NULL: about the whole node */
    struct http_request *request;
    const struct api_route *route;
    json_t *form; /* NULL without a body */
    bool is_upload_counted;
    struct stored_record_memory *memory; /* of the call's own reads; made when asked for */
    const struct account *account;       /* who signs, or reads */
    struct case_id case_id;              /* after api_find_case */
    bool is_new;                         /* what is being written did not exist before */
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

/* ---- api_call.c: answers and arguments of one call ---- */

struct api_call *api_call_new(struct api *api, struct http_request *request);
void api_call_free(struct api_call *call);
/* One user of the API less; the last one frees it. */
void api_call_release(struct api *api);

/* Each answers the call, and frees it. */
void api_call_answer(struct api_call *call, json_t *json);
void api_call_created(struct api_call *call, json_t *json);
void api_call_refuse(struct api_call *call, const struct refusal *refusal);
void api_call_refuse_err(struct api_call *call, err code);
void api_call_refuse_saying(struct api_call *call, err code, const char *message, const char *hint);

/* The n-th segment after /v1/{federation}/. */
const char *api_call_part(const struct api_call *call, size_t n);
uint64_t api_call_uid(const struct api_call *call);
bool api_call_is_administrator(const struct api_call *call);
/* `limit`, between 1 and API_PAGE_MAX; `after`, 0 when missing. */
size_t api_call_limit(const struct api_call *call);
uint64_t api_call_after(const struct api_call *call);
/* There is more: goes into `after`. */
void api_call_set_next(json_t *json, uint64_t next);

/* Each of these returns false when it has refused the call. */
bool api_call_find_case(struct api_call *call); /* the segment after "cases" */
bool api_call_find_case_named(struct api_call *call, const char *name);
/* The caller's account; the one that may sign for the caller. */
bool api_call_find_account(struct api_call *call, const char *login);
bool api_call_find_signer(struct api_call *call, const char *login);
/* Put full ids in place of the names in a field of the form. True when the field is not there. */
bool api_call_resolve_members(struct api_call *call, const char *field);
bool api_call_resolve_records(struct api_call *call, const char *field);
/* A boolean field of the form, which is then removed. False is its default. */
bool api_call_take_flag(struct api_call *call, const char *field, bool *ret_flag);

/* NULL when the case is only announced here. */
const struct consult *api_call_consult(const struct api_call *call);
/* NULL: no memory. */
struct stored_record_memory *api_call_memory(struct api_call *call);

/* ---- the others ---- */

/* Are the filters and the page of a GET such as can be answered? False: refused. */
bool api_query_check(struct api_call *call);

/* Answers with the item's bytes. */
void api_items_answer(struct api_call *call, const struct case_file_item *item);

enum links_way api_status_way(const struct api_federation *federation, const struct node_id *node);
json_t *api_status_node(struct api *api);

/* Ends the check of the audit log that is under way, and answers it. */
void api_audit_stop(struct api_federation *federation);
/* Listens to the news of a federation; ends all streams of events. */
void api_events_listen(struct api_federation *federation);
void api_events_stop(struct api *api);

/* Routes; each list ends with a NULL handler. */
extern const struct api_route api_status_routes[];
extern const struct api_route api_directory_routes[];
extern const struct api_route api_clinicians_routes[];
extern const struct api_route api_drafts_routes[];
extern const struct api_route api_cases_routes[];
extern const struct api_route api_items_routes[];
extern const struct api_route api_actions_routes[];
extern const struct api_route api_audit_routes[];
extern const struct api_route api_events_routes[];

#endif
