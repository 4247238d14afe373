#include "node/api/api_clinicians.h"

#include <stdlib.h>

#include "node/api/api_call.h"
#include "node/os/passphrase.h"
#include "node/service/enrollment.h"
#include "node/views/content_json_decode.h"
#include "node/views/view_json.h"

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
    for (size_t i = 0; (account = account_at(call->federation->service->accounts, i)) != NULL; i++)
        json_array_append_new(list, api_account(call->federation, account));
    api_call_answer(call, json_pack("{s:o}", "clinicians", list));
}

/* ---- the result ---- */

static void api_on_enrolled(void *arg, const struct enrollment_result *result)
{
    struct api_call *call = arg;
    if (result->refusal != NULL) {
        api_call_refuse(call, result->refusal);
        return;
    }
    json_t *json = api_account(call->federation, result->account);
    if (result->waits != NULL)
        json_object_set_new(json, "waits", json_string(result->waits));
    if (call->is_new)
        api_call_created(call, json);
    else
        api_call_answer(call, json);
}

static struct enrollment api_enrollment(struct api_call *call)
{
    return (struct enrollment){.service = call->federation->service,
                               .uid = api_call_uid(call),
                               .asker = api_call_asker(call),
                               .is_administrator = api_call_is_administrator(call),
                               .account = call->account,
                               .on_done = api_on_enrolled,
                               .arg = call};
}

/* The account that the path names; false, and refused. */
static bool api_find_enrolled(struct api_call *call)
{
    call->account = account_find(call->federation->service->accounts, api_call_part(call, 1));
    if (call->account == NULL)
        api_call_refuse_saying(call, ERR_NOT_FOUND,
                               "this institution has no clinician account of that name",
                               "`consilium clinician list` shows the accounts");
    return call->account != NULL;
}

static bool api_is_read(struct api_call *call, err failure, const struct refusal *refusal)
{
    if (failure != OK)
        api_call_refuse(call, refusal);
    return failure == OK;
}

static uint64_t api_valid_days(const struct api_call *call)
{
    json_int_t days = json_integer_value(json_object_get(call->form, "valid_days"));
    return days < 0 ? 0 : (uint64_t)days;
}

/* ---- the routes ---- */

/* The user that the account is bound to: mostly not the caller. */
static err api_read_uid(const struct api_call *call, uid_t *ret_uid, struct refusal *refusal)
{
    const json_t *uid = json_object_get(call->form, "uid");
    json_int_t number = json_integer_value(uid);
    if (!json_is_integer(uid) || number < 0 || number >= UINT32_MAX)
        return refusal_set(refusal, ERR_INVALID, "`id -u LOGIN` prints it",
                           "uid: must be the number of the user who may sign with the account");
    *ret_uid = (uid_t)number;
    return OK;
}

static void api_post_clinician(struct api_call *call)
{
    static const char *const ignored[] = {"login", "passphrase", "valid_days", "uid", NULL};
    struct certificate_request request;
    struct content_json_take how = {.table = &certificate_request_table, .ignored = ignored};
    struct enrollment_applicant applicant = {.request = &request,
                                             .valid_days = api_valid_days(call)};
    const char *passphrase = NULL;
    struct refusal refusal;
    err failure = content_json_decode(&how, call->form, &request, &refusal);
    if (failure == OK)
        failure = content_json_need_text(call->form, "login", 64, &applicant.login, &refusal);
    if (failure == OK)
        failure = content_json_need_text(call->form, "passphrase", PASSPHRASE_SIZE_MAX, &passphrase,
                                         &refusal);
    if (failure == OK)
        failure = api_read_uid(call, &applicant.uid, &refusal);
    if (!api_is_read(call, failure, &refusal))
        return;
    applicant.passphrase = bytes_of_text(passphrase);
    call->is_new = true;
    struct enrollment enrollment = api_enrollment(call);
    enrollment_add(&enrollment, &applicant);
}

static err api_read_specialties(const struct api_call *call, struct bytes *specialties,
                                struct enrollment_renewal *renewal, struct refusal *refusal)
{
    const json_t *list = json_object_get(call->form, "specialties");
    const char *passphrase = NULL;
    if (list == NULL)
        return OK;
    renewal->specialties = specialties;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *tag = json_string_value(json_array_get(list, i));
        if (tag == NULL || renewal->specialty_count == SPECIALTY_COUNT_MAX)
            return refusal_set(refusal, ERR_INVALID,
                               "`consilium boards` lists the boards of the federation",
                               "specialties: a list of at most %d tags", SPECIALTY_COUNT_MAX);
        specialties[renewal->specialty_count++] = bytes_of_text(tag);
    }
    err failure =
        content_json_need_text(call->form, "passphrase", PASSPHRASE_SIZE_MAX, &passphrase, refusal);
    if (failure == OK)
        renewal->passphrase = bytes_of_text(passphrase);
    return failure;
}

static void api_post_renew(struct api_call *call)
{
    static const char *const names[] = {"valid_days", "specialties", "passphrase", NULL};
    struct bytes specialties[SPECIALTY_COUNT_MAX];
    struct enrollment_renewal renewal = {.valid_days = api_valid_days(call)};
    struct refusal refusal;
    err failure = content_json_check_names(call->form, names, &refusal);
    if (failure == OK)
        failure = api_read_specialties(call, specialties, &renewal, &refusal);
    if (!api_is_read(call, failure, &refusal) || !api_find_enrolled(call))
        return;
    call->is_new = true;
    struct enrollment enrollment = api_enrollment(call);
    enrollment_renew(&enrollment, &renewal);
}

static void api_post_revoke(struct api_call *call)
{
    struct certificate_revocation wanted;
    struct content_json_take how = {.table = &certificate_revocation_table};
    struct refusal refusal;
    if (!api_find_enrolled(call) ||
        !api_is_read(call, content_json_decode(&how, call->form, &wanted, &refusal), &refusal))
        return;
    struct enrollment enrollment = api_enrollment(call);
    enrollment_revoke(&enrollment, &wanted);
}

static void api_post_passphrase(struct api_call *call)
{
    static const char *const names[] = {"passphrase", "new_passphrase", NULL};
    struct refusal refusal;
    const char *before = NULL, *after = NULL;
    err failure = content_json_check_names(call->form, names, &refusal);
    if (failure == OK)
        failure = content_json_need_text(call->form, "passphrase", PASSPHRASE_SIZE_MAX, &before,
                                         &refusal);
    if (failure == OK)
        failure = content_json_need_text(call->form, "new_passphrase", PASSPHRASE_SIZE_MAX, &after,
                                         &refusal);
    if (!api_is_read(call, failure, &refusal) || !api_find_enrolled(call))
        return;
    struct enrollment enrollment = api_enrollment(call);
    enrollment_change_passphrase(&enrollment, bytes_of_text(before), bytes_of_text(after));
}

const struct api_route api_clinicians_routes[] = {
    {HTTP_GET, "clinicians", 0, api_get_clinicians},
    {HTTP_POST, "clinicians", 0, api_post_clinician},
    {HTTP_POST, "clinicians/?/renew", 0, api_post_renew},
    {HTTP_POST, "clinicians/?/revoke", 0, api_post_revoke},
    {HTTP_POST, "clinicians/?/passphrase", 0, api_post_passphrase},
    {HTTP_GET, "", 0, NULL},
};
