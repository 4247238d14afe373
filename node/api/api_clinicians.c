/* Accounts of this institution's clinicians. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "node/api/api_state.h"
#include "node/audit/audit.h"
#include "node/onboarding/identity.h"
#include "node/os/passphrase.h"
#include "node/views/view_json.h"
#include "protocol/member/tag.h"

enum { API_VALID_DAYS = 1825, API_VALID_DAYS_MAX = 3653, API_CERTIFICATES_AT_ONCE = 64 };

static json_t *api_account(const struct api_federation *federation, const struct account *account)
{
    const struct clinician *known =
        engine_clinician(runtime_engine(federation->runtime), &account->certificate.cert_id);
    json_t *json = view_json_certificate(federation->runtime, &account->certificate);
    json_object_set_new(json, "login", json_string(account->login));
    json_object_set_new(json, "uid", json_integer((json_int_t)account->uid));
    json_object_set_new(json, "published", json_boolean(known != NULL));
    json_object_set_new(json, "revoked", json_boolean(known != NULL && known->is_revoked));
    return json;
}

static void api_get_clinicians(struct api_call *call)
{
    json_t *list = json_array();
    const struct account *account = NULL;
    for (size_t i = 0; (account = account_at(call->federation->accounts, i)) != NULL; i++)
        json_array_append_new(list, api_account(call->federation, account));
    api_answer(call, json_pack("{s:o}", "clinicians", list));
}

/* ---- making one ---- */

static void api_note_account(struct api_call *call, enum audit_what what,
                             const struct account *account)
{
    char note[64];
    snprintf(note, sizeof note, "of user %u", (unsigned)account->uid);
    struct audit_fact fact = {.what = what,
                              .login = bytes_of_text(account->login),
                              .clinician = account->certificate.cert_id,
                              .uid = (uint64_t)http_peer(call->request).uid + 1,
                              .note = bytes_of_text(note)};
    audit_note(runtime_audit(call->federation->runtime), &fact);
}

static void api_on_published(void *arg, const struct service_done *done)
{
    struct api_call *call = arg;
    json_t *json = api_account(call->federation, call->account);
    if (done->verdict != OK) /* at the next start it is published by itself */
        json_object_set_new(json, "waits", json_string(err_sentence(done->verdict)));
    api_created(call, json);
}

static err api_add_certificate(const struct account *account, struct service_order *order)
{
    struct service_letter letter = {
        .kind = KIND_CERTIFICATE,
        .scope = scope_federation(),
        .audience = AUDIENCE_CLEAR,
        .content = {account->certificate_bytes, account->certificate_size}};
    return service_add(order, &letter);
}

/* The account's certificate goes into the federation stream; then the call is answered. */
static void api_publish(struct api_call *call)
{
    struct service_order *order = service_order_new(call->federation->runtime);
    if (order != NULL && api_add_certificate(call->account, order) == OK) {
        service_post(order, api_on_published, call);
        return;
    }
    service_order_free(order);
    api_refuse_err(call, ERR_NO_MEMORY);
}

static void api_on_made(void *arg, err result, const struct account *account)
{
    struct api_call *call = arg;
    if (result != OK) {
        api_refuse(call, result,
                   result == ERR_EXISTS ? "there is a key file of this login already" : NULL, NULL);
        return;
    }
    call->account = account;
    api_note_account(call, AUDIT_ACCOUNT_MADE, account);
    api_publish(call);
}

/* Whose account it is, the administrator says: the caller is mostly somebody else. */
static err api_read_uid(const struct api_call *call, uid_t *ret_uid, struct refusal *problem)
{
    const json_t *uid = json_object_get(call->form, "uid");
    json_int_t number = json_integer_value(uid);
    if (!json_is_integer(uid) || number < 0 || number >= UINT32_MAX) {
        refusal_set(problem, ERR_INVALID, NULL,
                    "uid: the number of the user who may sign with it is wanted");
        return ERR_INVALID;
    }
    *ret_uid = (uid_t)number;
    return OK;
}

/* What others find specialists by: tags of the federation's boards, or of parts of their fields. */
static err api_check_specialties(const struct api_call *call,
                                 const struct certificate_request *request, struct refusal *problem)
{
    const struct settings *settings = roster_settings(runtime_roster(call->federation->runtime));
    char list[VIEW_JSON_BOARDS_SIZE];
    for (size_t i = 0; i < request->specialty_count; i++) {
        struct bytes wanted = request->specialties[i];
        bool is_known = settings == NULL || settings->board_count == 0;
        for (uint32_t board = 0; !is_known && board < settings->board_count; board++)
            is_known = tag_covers(settings->boards[board].tag, wanted) ||
                       tag_covers(wanted, settings->boards[board].tag);
        if (is_known)
            continue;
        view_json_boards(call->federation->runtime, list);
        refusal_set(problem, ERR_INVALID, NULL,
                    "specialties: %.*s is of no board; there are %s, and what is below them",
                    (int)wanted.size, (const char *)wanted.data, list);
        return ERR_INVALID;
    }
    return OK;
}

static struct wall api_valid_until(const struct api_call *call, struct wall from)
{
    json_int_t days = json_integer_value(json_object_get(call->form, "valid_days"));
    days = days < 1 || days > API_VALID_DAYS_MAX ? API_VALID_DAYS : days;
    return (struct wall){from.ms + (uint64_t)days * 24 * 3600 * 1000};
}

static err api_read_wish(struct api_call *call, struct account_wish *wish, struct refusal *problem)
{
    static const char *const ignored[] = {"login", "passphrase", "valid_days", "uid", NULL};
    struct content_json_take how = {.table = &certificate_request_table, .ignored = ignored};
    const char *passphrase = NULL;
    err failure = content_json_take(&how, call->form, &wish->request, problem);
    if (failure == OK)
        failure = content_json_need_text(call->form, "login", 64, &wish->login, problem);
    if (failure == OK)
        failure = content_json_need_text(call->form, "passphrase", PASSPHRASE_SIZE_MAX, &passphrase,
                                         problem);
    if (failure == OK)
        failure = api_read_uid(call, &wish->uid, problem);
    if (failure == OK)
        failure = api_check_specialties(call, &wish->request, problem);
    if (failure != OK)
        return failure;
    const struct runtime_config *settings = runtime_settings(call->federation->runtime);
    wish->request.federation = settings->federation;
    wish->request.node_id = settings->self;
    wish->passphrase = bytes_of_text(passphrase);
    wish->valid_from = runtime_wall();
    wish->valid_until = api_valid_until(call, wish->valid_from);
    wish->institution_secret = settings->sign_secret;
    wish->cost = keyfile_cost_moderate();
    if (!account_login_valid(wish->login))
        refusal_set(problem, ERR_INVALID, NULL,
                    "login: 1 to 32 of a-z, 0-9, '.', '_', '-', a letter first");
    else if (wish->passphrase.size < PASSPHRASE_NEW_SIZE_MIN)
        refusal_set(problem, ERR_INVALID, NULL, "passphrase: at least %d bytes",
                    PASSPHRASE_NEW_SIZE_MIN);
    else
        return OK;
    return ERR_INVALID;
}

static void api_refuse_administrator(struct api_call *call)
{
    api_refuse(call, ERR_NOT_ENTITLED, "only an administrator makes and renews accounts",
               "root, the daemon's user, and the group `administrators` of the configuration are: "
               "sudo consilium clinician ...");
}

static void api_post_clinician(struct api_call *call)
{
    if (!api_is_administrator(call)) { /* API-6: the institution says who its clinicians are */
        api_refuse_administrator(call);
        return;
    }
    struct account_wish *wish = calloc(1, sizeof *wish);
    struct refusal problem = {.code = ERR_NO_MEMORY};
    struct account_room room = api_room(call);
    err failure = wish == NULL ? ERR_NO_MEMORY : api_read_wish(call, wish, &problem);
    if (failure != OK) {
        free(wish);
        api_refuse_problem(call, &problem);
        return;
    }
    failure = account_make(&room, wish, api_on_made, call);
    free(wish);
    if (failure == OK)
        return;
    api_refuse(call, failure,
               failure == ERR_EXISTS      ? "there is an account of this login already"
               : failure == ERR_MALFORMED ? "a field is missing: login, name, credentials, "
                                            "specialties, country"
                                          : NULL,
               NULL);
}

/* ---- renewing ---- */

/* The account of the path; of the caller, or of anybody for the administrator. */
static bool api_own_account(struct api_call *call)
{
    const char *login = api_part(call, 1);
    if (!api_is_administrator(call))
        return api_find_account(call, login);
    call->account = account_find(call->federation->accounts, login);
    if (call->account != NULL)
        return true;
    api_refuse(call, ERR_NOT_FOUND, "there is no such clinician at this institution", NULL);
    return false;
}

static void api_renew(struct api_call *call, const struct account_renewal *changed)
{
    struct account_renewal renewal = *changed;
    renewal.valid_from = runtime_wall();
    renewal.valid_until = api_valid_until(call, runtime_wall());
    renewal.institution_secret = runtime_settings(call->federation->runtime)->sign_secret;
    err failure = account_renew(call->federation->accounts, call->account->login, &renewal);
    if (failure != OK) {
        api_refuse_err(call, failure);
        return;
    }
    api_note_account(call, AUDIT_ACCOUNT_RENEWED, call->account);
    api_publish(call);
}

/* The request of the certificate in force, with the specialties of the form, which it borrows. */
static err api_new_specialties(const struct api_call *call, struct certificate_request *request,
                               struct refusal *problem)
{
    const json_t *list = json_object_get(call->form, "specialties");
    *request = call->account->certificate.request;
    request->specialty_count = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *tag = json_string_value(json_array_get(list, i));
        if (tag == NULL || request->specialty_count == SPECIALTY_COUNT_MAX) {
            refusal_set(problem, ERR_INVALID, NULL, "specialties: a list of at most %d tags",
                        SPECIALTY_COUNT_MAX);
            return ERR_INVALID;
        }
        request->specialties[request->specialty_count++] = bytes_of_text(tag);
    }
    if (request->specialty_count == 0) {
        refusal_set(problem, ERR_INVALID, NULL, "specialties: at least one");
        return ERR_INVALID;
    }
    return api_check_specialties(call, request, problem);
}

static void api_on_renewing(void *arg, err result, const uint8_t *secret)
{
    struct api_call *call = arg;
    struct refusal problem;
    struct certificate_request request;
    if (result == OK && call->api->is_closing)
        result = ERR_BUSY;
    if (result != OK) {
        api_refuse_err(call, result);
        return;
    }
    if (api_new_specialties(call, &request, &problem) != OK) {
        api_refuse_problem(call, &problem);
        return;
    }
    struct account_renewal renewal = {.request = &request, .clinician_secret = secret};
    api_renew(call, &renewal);
}

/* C-20: other specialties are another request, which the clinician's own key proves. */
static void api_renew_with_specialties(struct api_call *call)
{
    struct refusal problem;
    struct certificate_request request;
    const char *passphrase = NULL;
    struct account_room room = api_room(call);
    if (content_json_need_text(call->form, "passphrase", PASSPHRASE_SIZE_MAX, &passphrase,
                               &problem) != OK ||
        api_new_specialties(call, &request, &problem) != OK) {
        api_refuse_problem(call, &problem);
        return;
    }
    err failure =
        account_unseal(&room, call->account, bytes_of_text(passphrase), api_on_renewing, call);
    if (failure != OK)
        api_refuse_err(call, failure);
}

static void api_post_renew(struct api_call *call)
{
    static const char *const names[] = {"valid_days", "specialties", "passphrase", NULL};
    struct refusal problem;
    struct account_renewal as_before = {.request = NULL};
    if (!api_is_administrator(call)) { /* API-6 */
        api_refuse_administrator(call);
        return;
    }
    if (content_json_check_names(call->form, names, &problem) != OK) {
        api_refuse_problem(call, &problem);
        return;
    }
    if (!api_own_account(call))
        return;
    const struct clinician *known = engine_clinician(runtime_engine(call->federation->runtime),
                                                     &call->account->certificate.cert_id);
    if (known != NULL && known->is_revoked)
        api_refuse(call, ERR_STATE, "the certificate of this account is revoked",
                   "make a new account, with a key of its own");
    else if (json_object_get(call->form, "specialties") != NULL)
        api_renew_with_specialties(call);
    else
        api_renew(call, &as_before);
}

/* ---- revoking, changing the passphrase ---- */

/* From the next position of our federation stream on. */
static struct certificate_revocation api_revocation(const struct api_call *call)
{
    const struct engine *engine = runtime_engine(call->federation->runtime);
    struct scope scope = scope_federation();
    struct stream_id stream = engine_own_stream(engine, &scope);
    uint64_t tail = 0, had = 0;
    (void)engine_position(engine, &stream, &tail, &had);
    return (struct certificate_revocation){.cert_id = call->account->certificate.cert_id,
                                           .generation = stream.generation,
                                           .sequence = tail + 1};
}

/* The certificates of one key that are not revoked, some at a time: who was renewed has several. */
struct api_held {
    const struct api_call *call;
    struct cert_id certificates[API_CERTIFICATES_AT_ONCE + 1];
    size_t count;
};

static bool api_on_held(void *arg, const struct stored_record *stored_record)
{
    struct api_held *held = arg;
    const struct account *account = held->call->account;
    struct certificate one;
    if (!stored_record->is_readable || stored_record->statement.kind != KIND_CERTIFICATE ||
        certificate_read(stored_record->statement.content, &one) != OK ||
        !ID_EQUAL(one.request.clinician_key, account->certificate.request.clinician_key) ||
        !ID_EQUAL(one.request.node_id, account->certificate.request.node_id))
        return true;
    const struct clinician *known =
        engine_clinician(runtime_engine(held->call->federation->runtime), &one.cert_id);
    if (known != NULL && !known->is_revoked)
        held->certificates[held->count++] = one.cert_id;
    return held->count < API_CERTIFICATES_AT_ONCE;
}

static err api_find_held(const struct api_call *call, struct api_held *ret_held)
{
    struct scope scope = scope_federation();
    *ret_held = (struct api_held){.call = call};
    return stored_record_scope(runtime_store(call->federation->runtime), &scope, 0, api_on_held,
                               ret_held);
}

static err api_add_revocation(const struct certificate_revocation *revocation,
                              struct service_order *order)
{
    uint8_t memory[NOTE_SIZE_MAX + 256];
    struct buffer content = buffer_over(memory, sizeof memory);
    err failure = certificate_revocation_write(revocation, &content);
    struct service_letter letter = {.kind = KIND_REVOCATION,
                                    .scope = scope_federation(),
                                    .audience = AUDIENCE_CLEAR,
                                    .content = buffer_bytes(&content)};
    return failure == OK ? service_add(order, &letter) : failure;
}

/* What is under way in a call. */
struct api_revoking {
    struct api_call *call;
    struct certificate_revocation wanted;
    bool has_more;
};

/* What is not in the federation stream cannot be revoked there, and would come into it at the next
 * start: so it goes there first. */
static err api_add_account(const struct api_call *call, struct api_held *held,
                           struct service_order *order)
{
    const struct cert_id *id = &call->account->certificate.cert_id;
    bool is_published = engine_clinician(runtime_engine(call->federation->runtime), id) != NULL;
    if (held->count == 0 || !is_published) /* revoked already: once more does no harm */
        held->certificates[held->count++] = *id;
    return is_published ? OK : api_add_certificate(call->account, order);
}

static void api_on_revoked(void *arg, const struct service_done *done);

static void api_revoke(struct api_revoking *revoking)
{
    struct api_call *call = revoking->call;
    struct certificate_revocation revocation = api_revocation(call);
    struct api_held held;
    struct service_order *order = service_order_new(call->federation->runtime);
    revocation.reason = revoking->wanted.reason;
    revocation.note = revoking->wanted.note;
    err failure = order == NULL ? ERR_NO_MEMORY : api_find_held(call, &held);
    if (failure == OK) {
        revoking->has_more = held.count == API_CERTIFICATES_AT_ONCE;
        failure = api_add_account(call, &held, order);
    }
    for (size_t i = 0; failure == OK && i < held.count; i++) {
        revocation.cert_id = held.certificates[i];
        failure = api_add_revocation(&revocation, order);
    }
    if (failure == OK) {
        service_post(order, api_on_revoked, revoking);
        return;
    }
    service_order_free(order);
    api_refuse_err(call, failure);
}

static void api_on_revoked(void *arg, const struct service_done *done)
{
    struct api_revoking *revoking = arg;
    struct api_call *call = revoking->call;
    if (done->verdict != OK) {
        api_refuse_err(call, done->verdict);
    } else if (revoking->has_more) {
        api_revoke(revoking);
    } else {
        api_note_account(call, AUDIT_ACCOUNT_REVOKED, call->account);
        api_answer(call, api_account(call->federation, call->account));
    }
}

static void api_post_revoke(struct api_call *call)
{
    struct certificate_revocation wanted;
    struct refusal problem;
    struct content_json_take how = {.table = &certificate_revocation_table};
    struct api_revoking *revoking;
    if (!api_own_account(call))
        return;
    if (content_json_take(&how, call->form, &wanted, &problem) != OK)
        api_refuse_problem(call, &problem);
    else if (wanted.reason == CERTIFICATE_REASON_NONE)
        api_refuse(call, ERR_INVALID, "reason: missing", NULL);
    else if ((revoking = calloc(1, sizeof *revoking)) == NULL)
        api_refuse_err(call, ERR_NO_MEMORY);
    else {
        *revoking = (struct api_revoking){.call = call, .wanted = wanted};
        call->own = revoking;
        call->free_own = free;
        api_revoke(revoking);
    }
}

static void api_on_changed(void *arg, err result)
{
    struct api_call *call = arg;
    if (result != OK)
        api_refuse_err(call, result);
    else {
        api_note_account(call, AUDIT_PASSPHRASE_CHANGED, call->account);
        api_answer(call, api_account(call->federation, call->account));
    }
}

static void api_post_passphrase(struct api_call *call)
{
    static const char *const names[] = {"passphrase", "new_passphrase", NULL};
    struct refusal problem;
    const char *old = NULL, *later = NULL;
    struct account_room room = api_room(call);
    if (!api_find_account(call, api_part(call, 1)))
        return;
    if (content_json_check_names(call->form, names, &problem) != OK ||
        content_json_need_text(call->form, "passphrase", PASSPHRASE_SIZE_MAX, &old, &problem) !=
            OK ||
        content_json_need_text(call->form, "new_passphrase", PASSPHRASE_SIZE_MAX, &later,
                               &problem) != OK) {
        api_refuse_problem(call, &problem);
        return;
    }
    struct account_change change = {.account = call->account,
                                    .old = bytes_of_text(old),
                                    .new = bytes_of_text(later),
                                    .cost = keyfile_cost_moderate()};
    err failure = account_change_passphrase(&room, &change, api_on_changed, call);
    if (failure != OK)
        api_refuse(call, failure,
                   failure == ERR_INVALID ? "new_passphrase: at least 8 bytes" : NULL, NULL);
}

const struct api_route api_clinicians_routes[] = {
    {HTTP_GET, "clinicians", 0, api_get_clinicians},
    {HTTP_POST, "clinicians", 0, api_post_clinician},
    {HTTP_POST, "clinicians/?/renew", 0, api_post_renew},
    {HTTP_POST, "clinicians/?/revoke", 0, api_post_revoke},
    {HTTP_POST, "clinicians/?/passphrase", 0, api_post_passphrase},
    {HTTP_GET, "", 0, NULL},
};
