/* One call: how it is answered and refused, and what its arguments mean. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "node/api/api_state.h"

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
    if (call->free_own != NULL)
        call->free_own(call->own);
    if (call->is_upload_counted)
        call->api->upload_count--;
    json_decref(call->form);
    stored_record_memory_free(call->memory);
    api_state_release(call->api);
    free(call);
}

/* ---- answering ---- */

static void api_answer_with(struct api_call *call, int status, json_t *json)
{
    struct http_request *request = call->request;
    http_set_own(request, NULL, NULL);
    api_call_free(call);
    http_answer_json(request, json == NULL ? 500 : status, json);
}

void api_answer(struct api_call *call, json_t *json)
{
    api_answer_with(call, 200, json);
}

void api_created(struct api_call *call, json_t *json)
{
    api_answer_with(call, 201, json);
}

int api_status_of(err code)
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

/* What to do, when the one who refuses has nothing better to say. */
static const char *api_hint_of(err code)
{
    static const struct {
        err code;
        const char *hint;
    } table[] = {
        {ERR_PASSPHRASE, "type it again; nobody here can read or reset it"},
        {ERR_INVALID, "nothing was changed; correct the value and try again"},
        {ERR_TOO_LARGE, "nothing was changed; send less"},
        {ERR_NOT_ENTITLED, "nothing was changed; this account or institution may not do that"},
        {ERR_BUSY, "wait a moment and try again; if it stays so, look at `consilium status`"},
        {ERR_FUTURE, "the clock of this machine disagrees with others: set it right"},
        {ERR_FULL, "make room on the disk, or raise the quota in the configuration"},
        {ERR_EXPIRED, "the roster's time is over: the society must sign a new head"},
        {ERR_NOT_FOUND,
         "name it by its id or the first digits of it, at least 4, as the lists show"},
        {ERR_UNKNOWN_HEAD, "the roster is being brought up to date: try again in a minute"},
        {ERR_IO, "look at the daemon's log"},
        {ERR_CORRUPT, "look at the daemon's log"},
        {ERR_DESTROYED, "nothing of it is left here but the receipt"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (table[i].code == code)
            return table[i].hint;
    }
    return "nothing was changed";
}

void api_refuse(struct api_call *call, err code, const char *message, const char *hint)
{
    json_t *json = json_pack("{s:s,s:s,s:s}", "error", err_name(code), "message",
                             message == NULL ? err_sentence(code) : message, "hint",
                             hint == NULL ? api_hint_of(code) : hint);
    api_answer_with(call, api_status_of(code), json);
}

void api_refuse_err(struct api_call *call, err code)
{
    api_refuse(call, code, NULL, NULL);
}

void api_refuse_problem(struct api_call *call, const struct refusal *problem)
{
    api_refuse(call, problem->code, problem->message, NULL);
}

/* ---- arguments ---- */

const char *api_part(const struct api_call *call, size_t n)
{
    return http_part(call->request, n + 2);
}

static uint64_t api_number(const char *text, uint64_t otherwise)
{
    char *end = NULL;
    if (text == NULL || text[0] < '0' || text[0] > '9')
        return otherwise;
    errno = 0;
    uint64_t number = strtoull(text, &end, 10);
    return errno == 0 && *end == 0 ? number : otherwise;
}

size_t api_limit(const struct api_call *call)
{
    uint64_t limit = api_number(http_query(call->request, "limit"), 50);
    return limit < 1 ? 1 : limit > API_PAGE_MAX ? API_PAGE_MAX : (size_t)limit;
}

uint64_t api_after(const struct api_call *call)
{
    return api_number(http_query(call->request, "after"), 0);
}

void api_set_next(json_t *json, uint64_t next)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, next);
    json_object_set_new(json, "next", json_string(text));
}

/* A prefix of at least 4 hexadecimal digits. */
static bool api_prefix_valid(const char *text)
{
    size_t size = text == NULL ? 0 : strlen(text);
    return size >= 4 && size <= 2 * HASH_SIZE && strspn(text, "0123456789abcdefABCDEF") == size;
}

static bool api_prefix_fits(const char *text, struct bytes id)
{
    char hex[2 * HASH_SIZE + 1];
    ids_to_hex(id, hex);
    return strncasecmp(text, hex, strlen(text)) == 0;
}

struct api_search {
    const char *prefix;
    uint8_t found[HASH_SIZE];
    size_t size;
    bool is_found;
    bool is_ambiguous;
};

static void api_search_try(struct api_search *search, struct bytes id)
{
    if (!api_prefix_fits(search->prefix, id))
        return;
    if (search->is_found && memcmp(search->found, id.data, id.size) != 0)
        search->is_ambiguous = true;
    memcpy(search->found, id.data, id.size);
    search->is_found = true;
}

static bool api_search_end(struct api_call *call, const struct api_search *search, const char *what,
                           const char *hint)
{
    char message[160];
    if (search->is_found && !search->is_ambiguous)
        return true;
    snprintf(message, sizeof message, "%s %s%.64s", what,
             search->is_ambiguous ? "is not the only one that begins with " : "not known here: ",
             search->prefix == NULL ? "" : search->prefix);
    api_refuse(call, search->is_ambiguous ? ERR_INVALID : ERR_NOT_FOUND, message,
               search->is_ambiguous ? "give more digits" : hint);
    return false;
}

static bool api_search_entry(void *arg, const struct inbox_entry *entry)
{
    api_search_try(arg, ID_BYTES(entry->case_id));
    return true;
}

bool api_find_case(struct api_call *call)
{
    return api_find_case_named(call, api_part(call, 1));
}

bool api_find_case_named(struct api_call *call, const char *name)
{
    struct api_search search = {.prefix = name};
    const struct engine *engine = runtime_engine(call->federation->runtime);
    struct engine_case_brief brief;
    if (api_prefix_valid(search.prefix)) {
        for (uint32_t i = 0; engine_case_at(engine, i, &brief); i++)
            api_search_try(&search, ID_BYTES(brief.case_id));
        inbox_scan(call->federation->inbox, 0, api_search_entry, &search);
    }
    if (!api_search_end(
            call, &search, "a case",
            "`consilium cases` and `consilium inbox --state all` list them; at least 4 digits"))
        return false;
    memcpy(call->case_id.bytes, search.found, HASH_SIZE);
    return true;
}

bool api_find_member(struct api_call *call, const char *name, struct node_id *ret_node)
{
    struct api_search search = {.prefix = name};
    const struct roster *roster = runtime_roster(call->federation->runtime);
    bool is_prefix = api_prefix_valid(name) && strlen(name) <= 2 * NODE_ID_SIZE;
    for (uint32_t i = 0; name != NULL && i < roster_count(roster); i++) {
        const struct roster_entry *entry = roster_at(roster, i);
        struct bytes said = roster_name(roster, entry);
        if (said.size == strlen(name) && memcmp(said.data, name, said.size) == 0) {
            *ret_node = entry->node_id;
            return true;
        }
        if (is_prefix)
            api_search_try(&search, ID_BYTES(entry->node_id));
    }
    if (!api_search_end(call, &search, "a member",
                        "`consilium members` lists them; the whole name, or at least 4 digits"))
        return false;
    memcpy(ret_node->bytes, search.found, NODE_ID_SIZE);
    return true;
}

static bool api_search_record(void *arg, const struct stored_record *stored_record)
{
    api_search_try(arg, ID_BYTES(stored_record->claim.id));
    return true;
}

bool api_find_record(struct api_call *call, const char *name, struct record_id *ret_record)
{
    struct api_search search = {.prefix = name};
    struct scope scope = scope_case(&call->case_id);
    err failure = OK;
    if (api_prefix_valid(name))
        failure = stored_record_scope(runtime_store(call->federation->runtime), &scope, 0,
                                      api_search_record, &search);
    if (failure != OK) {
        api_refuse_err(call, failure);
        return false;
    }
    if (!api_search_end(call, &search, "a record",
                        "`consilium thread CASE` lists them; at least 4 digits"))
        return false;
    memcpy(ret_record->bytes, search.found, HASH_SIZE);
    return true;
}

bool api_resolve_record(struct api_call *call, const char *field)
{
    const json_t *said = json_object_get(call->form, field);
    struct record_id record;
    if (said == NULL || json_is_null(said))
        return true;
    if (!api_find_record(call, json_string_value(said), &record))
        return false;
    json_object_set_new(call->form, field, content_json_show_hex(ID_BYTES(record)));
    return true;
}

bool api_resolve_records(struct api_call *call, const char *field)
{
    json_t *list = json_object_get(call->form, field);
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct record_id record;
        if (!api_find_record(call, json_string_value(json_array_get(list, i)), &record))
            return false;
        json_array_set_new(list, i, content_json_show_hex(ID_BYTES(record)));
    }
    return true;
}

/* What is revoked or over signs nothing: others would not believe it. */
bool api_may_sign(struct api_call *call)
{
    const struct engine *engine = runtime_engine(call->federation->runtime);
    const struct certificate *certificate = &call->account->certificate;
    const struct clinician *known = engine_clinician(engine, &certificate->cert_id);
    char message[160];
    if (known != NULL && known->is_revoked) {
        snprintf(message, sizeof message, "the certificate of %s is revoked: nothing can be signed",
                 call->account->login);
        api_refuse(call, ERR_NOT_ENTITLED, message,
                   "an administrator makes a new account: sudo consilium clinician add");
        return false;
    }
    if (certificate->issue.valid_until.ms <= runtime_wall().ms) {
        snprintf(message, sizeof message, "the certificate of %s is over: nothing can be signed",
                 call->account->login);
        api_refuse(call, ERR_NOT_ENTITLED, message,
                   "an administrator renews it: sudo consilium clinician renew");
        return false;
    }
    return true;
}

bool api_find_account(struct api_call *call, const char *login)
{
    const struct account *account =
        login == NULL ? NULL : account_find(call->federation->accounts, login);
    if (account == NULL) {
        api_refuse(call, ERR_NOT_FOUND, "there is no such clinician at this institution",
                   "`consilium clinician list` shows the accounts");
        return false;
    }
    if (account->uid != http_peer(call->request).uid) {
        api_refuse(call, ERR_NOT_ENTITLED, "this clinician's account belongs to another user",
                   "log in as that user: nobody signs for somebody else");
        return false;
    }
    call->account = account;
    return true;
}

const struct consult *api_consult(const struct api_call *call)
{
    return runtime_case(call->federation->runtime, &call->case_id);
}

const struct consult_participant *api_own_part(const struct api_call *call)
{
    const struct consult *consult = api_consult(call);
    return consult == NULL ? NULL
                           : consult_participant_of(
                                 consult, &runtime_settings(call->federation->runtime)->self);
}

bool api_takes_part(const struct api_call *call)
{
    return api_own_part(call) != NULL && !api_has_ended(call->federation, api_consult(call));
}

struct stored_record_memory *api_memory(struct api_call *call)
{
    if (call->memory == NULL)
        call->memory = stored_record_memory_new();
    return call->memory;
}

bool api_is_administrator(const struct api_call *call)
{
    struct http_peer peer = http_peer(call->request);
    return peer.is_known && (peer.uid == 0 || peer.uid == geteuid() ||
                             (call->api->has_administrators &&
                              http_peer_in_group(call->request, call->api->administrators)));
}

enum links_way api_way(const struct api_federation *federation, const struct node_id *node)
{
    return federation->links == NULL ? LINKS_NONE : links_way(federation->links, node, NULL);
}

struct account_room api_room(const struct api_call *call)
{
    return (struct account_room){.book = call->federation->accounts,
                                 .workers = call->api->config.workers,
                                 .secrets = call->api->secrets};
}
