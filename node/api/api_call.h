/* One call: how it is answered and refused, and what its arguments mean. */
#ifndef CONSILIUM_NODE_API_API_CALL_H
#define CONSILIUM_NODE_API_API_CALL_H

#include "node/api/api_internal.h"

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
/* Who has a passphrase checked; the call must outlive the check. */
struct passphrase_asker api_call_asker(struct api_call *call);
bool api_call_is_administrator(const struct api_call *call);
bool api_call_is_administrator_peer(const struct api *api, const struct http_peer *peer);
/* `limit`, between 1 and API_PAGE_MAX; `after`, 0 when missing. */
size_t api_call_limit(const struct api_call *call);
uint64_t api_call_after(const struct api_call *call);
/* There is more: goes into `after`. */
void api_call_set_next(json_t *json, uint64_t next);

/* The answer to a write that was only checked (API-20). */
void api_call_checked(struct api_call *call);

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

#endif
