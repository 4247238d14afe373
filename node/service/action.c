#include "node/service/action.h"

#include <stdlib.h>

#include "node/service/case_access.h"
#include "node/views/standing.h"

err action_find_account(const struct service *service, const char *login, uid_t uid,
                        const struct account **ret_account, struct refusal *ret_refusal)
{
    const struct account *account = account_find(service->accounts, login);
    if (account == NULL)
        return refusal_set(ret_refusal, ERR_NOT_FOUND,
                           "`consilium clinician list` shows the accounts",
                           "this institution has no clinician account of that name");
    if (account->uid != uid)
        return refusal_set(ret_refusal, ERR_NOT_ENTITLED,
                           "log in as that user: no one signs for another person",
                           "the account %s belongs to another user of this machine", login);
    *ret_account = account;
    return OK;
}

err action_find_signer(const struct service *service, const char *login, uid_t uid,
                       const struct account **ret_account, struct refusal *ret_refusal)
{
    const struct account *account = NULL;
    err failure = action_find_account(service, login, uid, &account, ret_refusal);
    if (failure != OK)
        return failure;
    const struct certificate *certificate = &account->certificate;
    const struct clinician *known =
        engine_clinician(runtime_engine(service->runtime), &certificate->cert_id);
    if (known != NULL && known->is_revoked)
        return refusal_set(ret_refusal, ERR_NOT_ENTITLED,
                           "an administrator makes a new account: sudo consilium clinician add",
                           "the certificate of %s is revoked: it can sign nothing", login);
    if (certificate->issue.valid_until.ms <= runtime_wall().ms)
        return refusal_set(ret_refusal, ERR_NOT_ENTITLED,
                           "an administrator renews it: sudo consilium clinician renew",
                           "the certificate of %s has expired: it can sign nothing", login);
    *ret_account = account;
    return OK;
}

/* ---- the end ---- */

void action_refuse(const struct action *action, const struct refusal *refusal)
{
    struct action_result result = {.refusal = refusal, .case_id = action->case_id};
    action->on_done(action->arg, &result);
}

void action_refuse_err(const struct action *action, err code)
{
    action_refuse_saying(action, code, NULL, NULL);
}

void action_refuse_saying(const struct action *action, err code, const char *message,
                          const char *hint)
{
    struct refusal refusal;
    if (message == NULL)
        refusal_set(&refusal, code, hint, NULL);
    else
        refusal_set(&refusal, code, hint, "%s", message);
    action_refuse(action, &refusal);
}

/* ---- the case ---- */

const struct consult *action_consult(const struct action *action)
{
    return runtime_case(action->service->runtime, &action->case_id);
}

bool action_is_requester(const struct action *action)
{
    const struct consult *consult = action_consult(action);
    return consult != NULL &&
           ID_EQUAL(consult->requester, runtime_settings(action->service->runtime)->self);
}

err action_check(const struct service *service, const struct case_id *case_id, uint16_t kind,
                 struct refusal *ret_refusal)
{
    const struct consult *consult = runtime_case(service->runtime, case_id);
    if (consult == NULL || consult->state == CASE_DRAFT)
        return refusal_set(ret_refusal, ERR_STATE,
                           "ask to join it: `consilium join CASE`; then wait for the grant",
                           "this institution has no access to the case");
    if (consult->state == CASE_ERASED && kind != KIND_ERASE)
        return refusal_set(ret_refusal, ERR_STATE,
                           "nothing of it is left; `consilium erasure CASE` lists the receipts",
                           "%s", consult_verdict_sentence(CONSULT_ERASED));
    enum consult_verdict verdict =
        case_access_has_ended(service, consult)
            ? CONSULT_GRANT_ENDED
            : consult_allows(consult, &runtime_settings(service->runtime)->self, kind);
    if (verdict == CONSULT_COUNTS || verdict == CONSULT_AWAITS)
        return OK;
    bool is_right = verdict == CONSULT_WRONG_WRITER || verdict == CONSULT_NOT_GRANTED ||
                    verdict == CONSULT_GRANT_ENDED;
    return refusal_set(ret_refusal, is_right ? ERR_NOT_ENTITLED : ERR_STATE,
                       "`consilium show CASE` shows its state and what can be done next",
                       "%s; the state of the case is: %s", consult_verdict_sentence(verdict),
                       consult_state_name(consult->state));
}

bool action_may_write(const struct action *action, uint16_t kind)
{
    struct refusal refusal;
    if (action_check(action->service, &action->case_id, kind, &refusal) == OK)
        return true;
    action_refuse(action, &refusal);
    return false;
}

enum audience action_audience(const struct action *action)
{
    const struct consult *consult = action_consult(action);
    return consult != NULL && !action_is_requester(action) &&
                   consult->mode == ANNOUNCEMENT_INDEPENDENT_FIRST &&
                   consult->state == CASE_ANNOUNCED
               ? AUDIENCE_REQUESTER
               : AUDIENCE_SCOPE;
}

/* ---- writing ---- */

err action_add(const struct action *action, const struct action_record *record,
               struct write_request *request)
{
    uint8_t *memory = malloc(STATEMENT_CONTENT_SIZE_MAX);
    if (memory == NULL)
        return ERR_NO_MEMORY;
    struct buffer content = buffer_over(memory, STATEMENT_CONTENT_SIZE_MAX);
    err failure = content_write(record->table, record->value, &content);
    struct write_request_record written = {.kind = record->kind,
                                           .scope = scope_case(&action->case_id),
                                           .audience = record->audience,
                                           .content = buffer_bytes(&content),
                                           .case_id = action->case_id};
    if (failure == OK)
        failure = write_request_add(request, &written);
    free(memory);
    return failure;
}

struct action_signing {
    struct action action;
    uint16_t kind;
};

/* API-11: the result comes when the last record is durable. */
static void action_on_signed(void *arg, const struct write_request_done *done)
{
    struct action_signing *signing = arg;
    struct refusal refusal;
    struct action_result result = {.case_id = signing->action.case_id,
                                   .kind = signing->kind,
                                   .posted = done->posted,
                                   .posted_count = done->posted_count,
                                   .time = done->time};
    if (done->verdict == ERR_BUSY)
        refusal_set(&refusal, ERR_BUSY,
                    "see `consilium status`; try again when a peer or a relay is connected",
                    "nothing can be posted now: roster heads were not compared yet, or the stream "
                    "is being written");
    else if (done->verdict == ERR_OVER_BUDGET)
        refusal_set(&refusal, ERR_BUSY, "wait for the answers to the others, and try again",
                    PASSPHRASE_CHECKS_REFUSAL);
    else if (done->verdict != OK && done->posted_count > 0)
        refusal_set(&refusal, done->verdict, "do the same again: it continues where it stopped",
                    "%s; %zu of its records were posted", err_sentence(done->verdict),
                    done->posted_count);
    else if (done->verdict != OK)
        refusal_of(&refusal, done->verdict);
    if (done->verdict != OK)
        result.refusal = &refusal;
    signing->action.on_done(signing->action.arg, &result);
    free(signing);
}

void action_checked(const struct action *action)
{
    struct action_result result = {.case_id = action->case_id, .is_checked = true};
    action->on_done(action->arg, &result);
}

void action_sign(const struct action *action, struct write_request *request, err failure)
{
    struct action_signing *signing = calloc(1, sizeof *signing);
    if (request == NULL || signing == NULL)
        failure = ERR_NO_MEMORY;
    if (failure != OK) {
        free(signing);
        write_request_free(request);
        action_refuse_saying(action, failure,
                             failure == ERR_MALFORMED       ? "a required field is missing"
                             : failure == ERR_NOT_CANONICAL ? "a list names the same thing twice"
                                                            : NULL,
                             NULL);
        return;
    }
    struct refusal refusal;
    uint16_t kind = write_request_kind(request);
    if (standing_check(action->service->runtime, kind, &refusal) != OK) {
        free(signing);
        write_request_free(request);
        action_refuse(action, &refusal);
        return;
    }
    if (action->is_check) {
        free(signing);
        write_request_free(request);
        action_checked(action);
        return;
    }
    *signing = (struct action_signing){.action = *action, .kind = kind};
    write_request_sign(request, &action->service->room, &action->signer, action_on_signed, signing);
}

void action_write(const struct action *action, const struct action_record *record)
{
    if (!action_may_write(action, record->kind))
        return;
    struct write_request *request = write_request_new(action->service->runtime);
    err failure = request == NULL ? ERR_NO_MEMORY : action_add(action, record, request);
    action_sign(action, request, failure);
}
