#include "node/api/api_call.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "node/service/action.h"
#include "node/service/lookup.h"
#include "node/views/content_json_encode.h"

void api_call_release(struct api *api)
{
    if (--api->uses > 0)
        return;
    for (size_t i = 0; i < api->federation_count; i++)
        service_free(api->federations[i].service);
    passphrase_checks_free(api->checks);
    secure_arena_free(api->secrets);
    free(api);
}

struct api_call *api_call_new(struct api *api, struct http_request *request)
{
    struct api_call *call = calloc(1, sizeof *call);
    if (call == NULL)
        return NULL;
    call->api = api;
    call->request = request;
    api->uses++;
    return call;
}

void api_call_free(struct api_call *call)
{
    for (size_t i = 0; i < API_UPLOAD_COUNT_MAX; i++) {
        if (call->api->uploads[i] == call)
            call->api->uploads[i] = NULL;
    }
    json_decref(call->form);
    stored_record_memory_free(call->memory);
    api_call_release(call->api);
    free(call);
}

/* ---- answering ---- */

static void api_call_answer_with(struct api_call *call, int status, json_t *json)
{
    struct http_request *request = call->request;
    http_request_set_own(request, NULL, NULL);
    api_call_free(call);
    http_response_answer_json(request, json == NULL ? 500 : status, json);
}

void api_call_answer(struct api_call *call, json_t *json)
{
    api_call_answer_with(call, 200, json);
}

void api_call_created(struct api_call *call, json_t *json)
{
    api_call_answer_with(call, 201, json);
}

void api_call_checked(struct api_call *call)
{
    api_call_answer(call, json_pack("{s:b}", "checked", 1));
}

static int api_call_status_of(err code)
{
    static const struct {
        err code;
        int status;
    } table[] = {
        {ERR_NOT_ENTITLED, 403}, {ERR_PASSPHRASE, 403}, {ERR_UNKNOWN_MEMBER, 403},
        {ERR_COOLING_OFF, 403},  {ERR_NOT_FOUND, 404},  {ERR_STATE, 409},
        {ERR_EXISTS, 409},       {ERR_DUPLICATE, 409},  {ERR_EXPIRED, 409},
        {ERR_FORKED, 409},       {ERR_DESTROYED, 410},  {ERR_TOO_LARGE, 413},
        {ERR_UNSUPPORTED, 405},  {ERR_BUSY, 503},       {ERR_FUTURE, 503},
        {ERR_UNKNOWN_HEAD, 503}, {ERR_FULL, 507},       {ERR_IO, 500},
        {ERR_NO_MEMORY, 500},    {ERR_CORRUPT, 500},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (table[i].code == code)
            return table[i].status;
    }
    return 400;
}

void api_call_refuse(struct api_call *call, const struct refusal *refusal)
{
    json_t *json = json_pack("{s:s,s:s,s:s}", "error", err_name(refusal->code), "message",
                             refusal->message, "hint", refusal->hint);
    api_call_answer_with(call, api_call_status_of(refusal->code), json);
}

void api_call_refuse_err(struct api_call *call, err code)
{
    api_call_refuse_saying(call, code, NULL, NULL);
}

void api_call_refuse_saying(struct api_call *call, err code, const char *message, const char *hint)
{
    struct refusal refusal;
    refusal_set(&refusal, code, hint, "%s", message == NULL ? err_sentence(code) : message);
    api_call_refuse(call, &refusal);
}

/* ---- arguments ---- */

const char *api_call_part(const struct api_call *call, size_t n)
{
    return http_request_part(call->request, n + 2);
}

uint64_t api_call_uid(const struct api_call *call)
{
    return http_request_peer(call->request).uid;
}

static bool api_call_is_wanted(void *arg)
{
    const struct api_call *call = arg;
    return http_request_is_wanted(call->request);
}

struct passphrase_asker api_call_asker(struct api_call *call)
{
    return (struct passphrase_asker){.uid = api_call_uid(call),
                                     .is_privileged = api_call_is_administrator(call),
                                     .is_wanted = api_call_is_wanted,
                                     .arg = call};
}

bool api_call_is_administrator_peer(const struct api *api, const struct http_peer *peer)
{
    return peer->is_known &&
           (peer->uid == 0 || peer->uid == geteuid() ||
            (api->has_administrators && http_peer_in_group(peer, api->administrators)));
}

bool api_call_is_administrator(const struct api_call *call)
{
    struct http_peer peer = http_request_peer(call->request);
    return api_call_is_administrator_peer(call->api, &peer);
}

static uint64_t api_call_number(const char *text, uint64_t otherwise)
{
    char *end = NULL;
    if (text == NULL || text[0] < '0' || text[0] > '9')
        return otherwise;
    errno = 0;
    uint64_t number = strtoull(text, &end, 10);
    return errno == 0 && *end == 0 ? number : otherwise;
}

size_t api_call_limit(const struct api_call *call)
{
    uint64_t limit = api_call_number(http_request_query(call->request, "limit"), 50);
    return limit < 1 ? 1 : limit > API_PAGE_MAX ? API_PAGE_MAX : (size_t)limit;
}

uint64_t api_call_after(const struct api_call *call)
{
    return api_call_number(http_request_query(call->request, "after"), 0);
}

void api_call_set_next(json_t *json, uint64_t next)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, next);
    json_object_set_new(json, "next", json_string(text));
}

bool api_call_find_case(struct api_call *call)
{
    return api_call_find_case_named(call, api_call_part(call, 1));
}

/* `failure`: of a lookup. */
static bool api_call_is_found(struct api_call *call, err failure, const struct refusal *refusal)
{
    if (failure != OK)
        api_call_refuse(call, refusal);
    return failure == OK;
}

bool api_call_find_case_named(struct api_call *call, const char *name)
{
    struct refusal refusal;
    err failure = lookup_case(call->federation->service, name, &call->case_id, &refusal);
    return api_call_is_found(call, failure, &refusal);
}

bool api_call_find_account(struct api_call *call, const char *login)
{
    struct refusal refusal;
    err failure =
        action_find_account(call->federation->service, login == NULL ? "" : login,
                            http_request_peer(call->request).uid, &call->account, &refusal);
    return api_call_is_found(call, failure, &refusal);
}

bool api_call_find_signer(struct api_call *call, const char *login)
{
    struct refusal refusal;
    err failure =
        action_find_signer(call->federation->service, login, http_request_peer(call->request).uid,
                           &call->account, &refusal);
    return api_call_is_found(call, failure, &refusal);
}

/* The full id of what `name` names; NULL, and refused. */
static json_t *api_call_resolve(struct api_call *call, const json_t *name, bool is_member)
{
    const struct service *service = call->federation->service;
    const char *text = json_string_value(name);
    struct node_id node;
    struct record_id record;
    struct refusal refusal;
    err failure = is_member ? lookup_member(service, text, &node, &refusal)
                            : lookup_record(service, &call->case_id, text, &record, &refusal);
    if (!api_call_is_found(call, failure, &refusal))
        return NULL;
    return content_json_encode_hex(is_member ? ID_BYTES(node) : ID_BYTES(record));
}

static bool api_call_resolve_field(struct api_call *call, const char *field, bool is_member)
{
    json_t *said = json_object_get(call->form, field), *id = NULL;
    if (said == NULL || json_is_null(said))
        return true;
    if (!json_is_array(said)) {
        id = api_call_resolve(call, said, is_member);
        return id != NULL && json_object_set_new(call->form, field, id) == 0;
    }
    for (size_t i = 0; i < json_array_size(said); i++) {
        id = api_call_resolve(call, json_array_get(said, i), is_member);
        if (id == NULL)
            return false;
        json_array_set_new(said, i, id);
    }
    return true;
}

bool api_call_resolve_members(struct api_call *call, const char *field)
{
    return api_call_resolve_field(call, field, true);
}

bool api_call_resolve_records(struct api_call *call, const char *field)
{
    return api_call_resolve_field(call, field, false);
}

bool api_call_take_flag(struct api_call *call, const char *field, bool *ret_flag)
{
    const json_t *said = json_object_get(call->form, field);
    struct refusal refusal;
    if (said != NULL && !json_is_boolean(said)) {
        refusal_set(&refusal, ERR_INVALID, NULL, "%s: must be true or false", field);
        api_call_refuse(call, &refusal);
        return false;
    }
    *ret_flag = json_is_true(said);
    json_object_del(call->form, field);
    return true;
}

const struct consult *api_call_consult(const struct api_call *call)
{
    return runtime_case(call->federation->runtime, &call->case_id);
}

struct stored_record_memory *api_call_memory(struct api_call *call)
{
    if (call->memory == NULL)
        call->memory = stored_record_memory_new();
    return call->memory;
}
