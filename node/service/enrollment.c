#include "node/service/enrollment.h"

#include <stdio.h>
#include <stdlib.h>

#include "node/audit/audit.h"
#include "node/os/passphrase.h"
#include "node/signing/write_request.h"
#include "node/views/standing.h"
#include "node/views/view_json.h"
#include "protocol/member/tag.h"

enum { ENROLLMENT_DAYS = 1825, ENROLLMENT_DAYS_MAX = 3653, ENROLLMENT_AT_ONCE = 64 };

/* ---- the end ---- */

static void enrollment_refuse(const struct enrollment *enrollment, const struct refusal *refusal)
{
    struct enrollment_result result = {.refusal = refusal};
    enrollment->on_done(enrollment->arg, &result);
}

/* `message` NULL: the sentence of the code. */
static void enrollment_refuse_err(const struct enrollment *enrollment, err code,
                                  const char *message)
{
    struct refusal refusal;
    if (code == ERR_OVER_BUDGET)
        refusal_set(&refusal, ERR_BUSY, "wait for the answers to the others, and try again",
                    PASSPHRASE_CHECKS_REFUSAL);
    else if (message == NULL)
        refusal_of(&refusal, code);
    else
        refusal_set(&refusal, code, NULL, "%s", message);
    enrollment_refuse(enrollment, &refusal);
}

/* API-6: the institution says who its clinicians are. */
static bool enrollment_is_administrator(const struct enrollment *enrollment)
{
    struct refusal refusal;
    if (enrollment->is_administrator)
        return true;
    refusal_set(&refusal, ERR_NOT_ENTITLED,
                "administrators are root, the daemon's user, and the group `administrators` of the "
                "configuration: sudo consilium clinician ...",
                "only an administrator makes and renews accounts");
    enrollment_refuse(enrollment, &refusal);
    return false;
}

/* An administrator may act on any account, others on their own. */
static bool enrollment_may_change(const struct enrollment *enrollment)
{
    struct refusal refusal;
    if (enrollment->is_administrator || (uint64_t)enrollment->account->uid == enrollment->uid)
        return true;
    refusal_set(&refusal, ERR_NOT_ENTITLED,
                "log in as that user, or ask an administrator: sudo consilium clinician ...",
                "the account %s belongs to another user of this machine",
                enrollment->account->login);
    enrollment_refuse(enrollment, &refusal);
    return false;
}

/* API-22: what is published would reach nobody. */
static bool enrollment_may_publish(const struct enrollment *enrollment)
{
    struct refusal refusal;
    if (standing_check(enrollment->service->runtime, KIND_NONE, &refusal) == OK)
        return true;
    enrollment_refuse(enrollment, &refusal);
    return false;
}

static void enrollment_note(const struct enrollment *enrollment, enum audit_what what)
{
    const struct account *account = enrollment->account;
    char note[64];
    snprintf(note, sizeof note, "of user %u", (unsigned)account->uid);
    struct audit_fact fact = {.what = what,
                              .login = bytes_of_text(account->login),
                              .clinician = account->certificate.cert_id,
                              .uid = enrollment->uid + 1,
                              .note = bytes_of_text(note)};
    audit_note(runtime_audit(enrollment->service->runtime), &fact);
}

static struct account_room enrollment_room(const struct enrollment *enrollment)
{
    struct account_room room = enrollment->service->room;
    room.asker = enrollment->asker;
    return room;
}

/* An action with its own copy of who does it. */
struct enrollment_step {
    struct enrollment enrollment;
    struct enrollment_renewal renewal;
    struct bytes specialties[SPECIALTY_COUNT_MAX]; /* of the renewal */
    struct certificate_revocation wanted;          /* enrollment_revoke */
    bool has_more;
};

static struct enrollment_step *enrollment_step_new(const struct enrollment *enrollment)
{
    struct enrollment_step *step = calloc(1, sizeof *step);
    if (step != NULL)
        step->enrollment = *enrollment;
    else
        enrollment_refuse_err(enrollment, ERR_NO_MEMORY, NULL);
    return step;
}

/* Ends the action. */
static void enrollment_end(struct enrollment_step *step, err verdict, const char *waits)
{
    struct enrollment enrollment = step->enrollment;
    struct enrollment_result result = {.account = enrollment.account, .waits = waits};
    free(step);
    if (verdict != OK)
        enrollment_refuse_err(&enrollment, verdict,
                              verdict == ERR_EXISTS ? "a key file of this login already exists"
                                                    : NULL);
    else
        enrollment.on_done(enrollment.arg, &result);
}

/* ---- publishing ---- */

static err enrollment_add_certificate(const struct account *account, struct write_request *request)
{
    struct write_request_record record = {
        .kind = KIND_CERTIFICATE,
        .scope = scope_federation(),
        .audience = AUDIENCE_CLEAR,
        .content = {account->certificate_bytes, account->certificate_size}};
    return write_request_add(request, &record);
}

static bool enrollment_is_published(const struct service *service, const struct account *account)
{
    return engine_clinician(runtime_engine(service->runtime), &account->certificate.cert_id) !=
           NULL;
}

/* NULL: no memory. */
static struct write_request *enrollment_publication(const struct service *service,
                                                    const struct account *account)
{
    struct write_request *request = write_request_new(service->runtime);
    if (request != NULL && enrollment_add_certificate(account, request) == OK)
        return request;
    write_request_free(request);
    return NULL;
}

void enrollment_publish_all(const struct service *service)
{
    const struct account *account = NULL;
    for (size_t i = 0; (account = account_at(service->accounts, i)) != NULL; i++) {
        if (enrollment_is_published(service, account))
            continue;
        struct write_request *request = enrollment_publication(service, account);
        if (request != NULL)
            write_request_post(request, NULL, NULL);
    }
}

/* The account exists: a certificate that cannot be published now is published at the next start. */
static void enrollment_on_published(void *arg, const struct write_request_done *done)
{
    enrollment_end(arg, OK, done->verdict == OK ? NULL : err_sentence(done->verdict));
}

static void enrollment_publish(struct enrollment_step *step)
{
    struct write_request *request =
        enrollment_publication(step->enrollment.service, step->enrollment.account);
    if (request == NULL)
        enrollment_end(step, ERR_NO_MEMORY, NULL);
    else
        write_request_post(request, enrollment_on_published, step);
}

/* ---- making one ---- */

/* Others find specialists by these: tags of the federation's boards, or of what they cover. */
static err enrollment_check_specialties(const struct enrollment *enrollment,
                                        const struct certificate_request *request,
                                        struct refusal *problem)
{
    const struct settings *settings = roster_settings(runtime_roster(enrollment->service->runtime));
    char list[VIEW_JSON_BOARDS_SIZE];
    for (size_t i = 0; i < request->specialty_count; i++) {
        struct bytes wanted = request->specialties[i];
        bool is_known = settings == NULL || settings->board_count == 0;
        for (uint32_t board = 0; !is_known && board < settings->board_count; board++)
            is_known = tag_covers(settings->boards[board].tag, wanted) ||
                       tag_covers(wanted, settings->boards[board].tag);
        if (is_known)
            continue;
        view_json_boards(enrollment->service->runtime, list);
        return refusal_set(problem, ERR_INVALID, "`consilium boards` lists the boards",
                           "specialties: %.*s belongs to no board; the boards are: %s",
                           (int)wanted.size, (const char *)wanted.data, list);
    }
    return OK;
}

static struct wall enrollment_valid_until(struct wall from, uint64_t days)
{
    days = days < 1 || days > ENROLLMENT_DAYS_MAX ? ENROLLMENT_DAYS : days;
    return (struct wall){from.ms + days * 24 * 3600 * 1000};
}

static void enrollment_on_made(void *arg, err result, const struct account *account)
{
    struct enrollment_step *step = arg;
    step->enrollment.account = account;
    if (result != OK) {
        enrollment_end(step, result, NULL);
        return;
    }
    enrollment_note(&step->enrollment, AUDIT_ACCOUNT_MADE);
    enrollment_publish(step);
}

static err enrollment_check(const struct enrollment *enrollment,
                            const struct enrollment_applicant *applicant, struct refusal *problem)
{
    err failure = enrollment_check_specialties(enrollment, applicant->request, problem);
    if (failure != OK)
        return failure;
    if (!account_login_valid(applicant->login))
        return refusal_set(problem, ERR_INVALID, "for example --login grey",
                           "login: 1 to 32 of a-z, 0-9, '.', '_', '-', beginning with a letter");
    if (applicant->passphrase.size < PASSPHRASE_NEW_SIZE_MIN)
        return refusal_set(problem, ERR_INVALID, "choose a longer one",
                           "passphrase: at least %d bytes", PASSPHRASE_NEW_SIZE_MIN);
    return OK;
}

void enrollment_add(const struct enrollment *enrollment,
                    const struct enrollment_applicant *applicant)
{
    struct refusal refusal;
    if (!enrollment_is_administrator(enrollment) || !enrollment_may_publish(enrollment))
        return;
    if (enrollment_check(enrollment, applicant, &refusal) != OK) {
        enrollment_refuse(enrollment, &refusal);
        return;
    }
    struct enrollment_step *step = enrollment_step_new(enrollment);
    if (step == NULL)
        return;
    const struct runtime_config *settings = runtime_settings(enrollment->service->runtime);
    struct account_wish wish = {.login = applicant->login,
                                .uid = applicant->uid,
                                .request = *applicant->request,
                                .valid_from = runtime_wall(),
                                .passphrase = applicant->passphrase,
                                .institution_secret = settings->sign_secret,
                                .cost = keyfile_cost_moderate()};
    wish.valid_until = enrollment_valid_until(wish.valid_from, applicant->valid_days);
    wish.request.federation = settings->federation;
    wish.request.node_id = settings->self;
    struct account_room room = enrollment_room(enrollment);
    err failure = account_make(&room, &wish, enrollment_on_made, step);
    if (failure == OK)
        return;
    free(step);
    enrollment_refuse_err(enrollment, failure,
                          failure == ERR_EXISTS ? "an account of this login already exists"
                          : failure == ERR_MALFORMED
                              ? "a field is missing: login, name, credentials, specialties, country"
                              : NULL);
}

/* ---- renewing ---- */

/* The request of the certificate in force with other specialties. */
static err enrollment_request(const struct enrollment *enrollment,
                              const struct enrollment_renewal *renewal,
                              struct certificate_request *request, struct refusal *problem)
{
    *request = enrollment->account->certificate.request;
    request->specialty_count = renewal->specialty_count;
    if (renewal->specialty_count < 1 || renewal->specialty_count > SPECIALTY_COUNT_MAX)
        return refusal_set(problem, ERR_INVALID,
                           "`consilium boards` lists the boards of the federation",
                           "specialties: 1 to %d tags", SPECIALTY_COUNT_MAX);
    for (size_t i = 0; i < renewal->specialty_count; i++)
        request->specialties[i] = renewal->specialties[i];
    return enrollment_check_specialties(enrollment, request, problem);
}

/* `request`: with other specialties, and the clinician's secret that proves it; both may be NULL.
 */
static void enrollment_reissue(struct enrollment_step *step,
                               const struct certificate_request *request, const uint8_t *secret)
{
    const struct enrollment *enrollment = &step->enrollment;
    struct account_renewal renewal = {
        .valid_from = runtime_wall(),
        .valid_until = enrollment_valid_until(runtime_wall(), step->renewal.valid_days),
        .institution_secret = runtime_settings(enrollment->service->runtime)->sign_secret,
        .request = request,
        .clinician_secret = secret};
    err failure =
        account_renew(enrollment->service->accounts, enrollment->account->login, &renewal);
    if (failure != OK) {
        enrollment_end(step, failure, NULL);
        return;
    }
    enrollment_note(enrollment, AUDIT_ACCOUNT_RENEWED);
    enrollment_publish(step);
}

static void enrollment_on_unsealed(void *arg, err result, const uint8_t *secret)
{
    struct enrollment_step *step = arg;
    struct certificate_request request;
    struct refusal refusal;
    if (result == OK && step->enrollment.service->is_stopped)
        result = ERR_BUSY;
    if (result == OK)
        result = enrollment_request(&step->enrollment, &step->renewal, &request, &refusal);
    if (result != OK)
        enrollment_end(step, result, NULL);
    else
        enrollment_reissue(step, &request, secret);
}

void enrollment_renew(const struct enrollment *enrollment, const struct enrollment_renewal *renewal)
{
    const struct clinician *known = NULL;
    struct refusal refusal;
    if (!enrollment_is_administrator(enrollment) || !enrollment_may_publish(enrollment))
        return;
    known = engine_clinician(runtime_engine(enrollment->service->runtime),
                             &enrollment->account->certificate.cert_id);
    if (known != NULL && known->is_revoked) {
        refusal_set(&refusal, ERR_STATE, "make a new account, with a key of its own",
                    "the certificate of this account is revoked");
        enrollment_refuse(enrollment, &refusal);
        return;
    }
    struct enrollment_step *step = enrollment_step_new(enrollment);
    if (step == NULL)
        return;
    step->renewal = *renewal;
    if (renewal->specialties == NULL) {
        enrollment_reissue(step, NULL, NULL);
        return;
    }
    /* C-20: other specialties are another request, which the clinician's own key proves */
    struct certificate_request request;
    err failure = enrollment_request(enrollment, renewal, &request, &refusal);
    if (failure == OK) {
        for (size_t i = 0; i < renewal->specialty_count; i++)
            step->specialties[i] = renewal->specialties[i];
        step->renewal.specialties = step->specialties;
        struct account_room room = enrollment_room(enrollment);
        failure = account_unseal(&room, enrollment->account, renewal->passphrase,
                                 enrollment_on_unsealed, step);
        if (failure != OK) {
            free(step);
            enrollment_refuse_err(enrollment, failure, NULL);
        }
        return;
    }
    free(step);
    enrollment_refuse(enrollment, &refusal);
}

/* ---- revoking ---- */

/* A revocation counts from the next position of our federation stream on. */
static struct certificate_revocation enrollment_revocation(const struct enrollment *enrollment)
{
    const struct engine *engine = runtime_engine(enrollment->service->runtime);
    struct scope scope = scope_federation();
    struct stream_id stream = engine_own_stream(engine, &scope);
    uint64_t tail = 0, had = 0;
    (void)engine_position(engine, &stream, &tail, &had);
    return (struct certificate_revocation){.cert_id = enrollment->account->certificate.cert_id,
                                           .generation = stream.generation,
                                           .sequence = tail + 1};
}

/* The certificates of one key that are not revoked, some at a time: each renewal adds one. */
struct enrollment_held {
    const struct enrollment *enrollment;
    struct cert_id certificates[ENROLLMENT_AT_ONCE + 1];
    size_t count;
};

static bool enrollment_on_held(void *arg, const struct stored_record *stored_record)
{
    struct enrollment_held *held = arg;
    const struct account *account = held->enrollment->account;
    struct certificate one;
    if (!stored_record->is_readable || stored_record->statement.kind != KIND_CERTIFICATE ||
        certificate_read(stored_record->statement.content, &one) != OK ||
        !ID_EQUAL(one.request.clinician_key, account->certificate.request.clinician_key) ||
        !ID_EQUAL(one.request.node_id, account->certificate.request.node_id))
        return true;
    const struct clinician *known =
        engine_clinician(runtime_engine(held->enrollment->service->runtime), &one.cert_id);
    if (known != NULL && !known->is_revoked)
        held->certificates[held->count++] = one.cert_id;
    return held->count < ENROLLMENT_AT_ONCE;
}

static err enrollment_find_held(const struct enrollment *enrollment,
                                struct enrollment_held *ret_held)
{
    struct scope scope = scope_federation();
    *ret_held = (struct enrollment_held){.enrollment = enrollment};
    return stored_record_scope(runtime_store(enrollment->service->runtime), &scope, 0,
                               enrollment_on_held, ret_held);
}

static err enrollment_add_revocation(const struct certificate_revocation *revocation,
                                     struct write_request *request)
{
    uint8_t memory[NOTE_SIZE_MAX + 256];
    struct buffer content = buffer_over(memory, sizeof memory);
    err failure = certificate_revocation_write(revocation, &content);
    struct write_request_record record = {.kind = KIND_REVOCATION,
                                          .scope = scope_federation(),
                                          .audience = AUDIENCE_CLEAR,
                                          .content = buffer_bytes(&content)};
    return failure == OK ? write_request_add(request, &record) : failure;
}

/* A certificate that is not in the federation stream could not be revoked there, and would be
 * published at the next start: so it is published first. */
static err enrollment_add_account(const struct enrollment *enrollment, struct enrollment_held *held,
                                  struct write_request *request)
{
    bool is_published = enrollment_is_published(enrollment->service, enrollment->account);
    if (held->count == 0 || !is_published) /* revoked already: once more does no harm */
        held->certificates[held->count++] = enrollment->account->certificate.cert_id;
    return is_published ? OK : enrollment_add_certificate(enrollment->account, request);
}

static void enrollment_on_revoked(void *arg, const struct write_request_done *done);

static void enrollment_revoke_some(struct enrollment_step *step)
{
    const struct enrollment *enrollment = &step->enrollment;
    struct certificate_revocation revocation = enrollment_revocation(enrollment);
    struct enrollment_held held;
    struct write_request *request = write_request_new(enrollment->service->runtime);
    revocation.reason = step->wanted.reason;
    revocation.note = step->wanted.note;
    err failure = request == NULL ? ERR_NO_MEMORY : enrollment_find_held(enrollment, &held);
    if (failure == OK) {
        step->has_more = held.count == ENROLLMENT_AT_ONCE;
        failure = enrollment_add_account(enrollment, &held, request);
    }
    for (size_t i = 0; failure == OK && i < held.count; i++) {
        revocation.cert_id = held.certificates[i];
        failure = enrollment_add_revocation(&revocation, request);
    }
    if (failure == OK) {
        write_request_post(request, enrollment_on_revoked, step);
        return;
    }
    write_request_free(request);
    enrollment_end(step, failure, NULL);
}

static void enrollment_on_revoked(void *arg, const struct write_request_done *done)
{
    struct enrollment_step *step = arg;
    if (done->verdict == OK && step->has_more) {
        enrollment_revoke_some(step);
        return;
    }
    if (done->verdict == OK)
        enrollment_note(&step->enrollment, AUDIT_ACCOUNT_REVOKED);
    enrollment_end(step, done->verdict, NULL);
}

void enrollment_revoke(const struct enrollment *enrollment,
                       const struct certificate_revocation *wanted)
{
    if (!enrollment_may_change(enrollment) || !enrollment_may_publish(enrollment))
        return;
    if (wanted->reason == CERTIFICATE_REASON_NONE) {
        enrollment_refuse_err(enrollment, ERR_INVALID, "reason: missing");
        return;
    }
    struct enrollment_step *step = enrollment_step_new(enrollment);
    if (step == NULL)
        return;
    step->wanted = *wanted;
    enrollment_revoke_some(step);
}

/* ---- the passphrase ---- */

static void enrollment_on_changed(void *arg, err result)
{
    struct enrollment_step *step = arg;
    if (result == OK)
        enrollment_note(&step->enrollment, AUDIT_PASSPHRASE_CHANGED);
    enrollment_end(step, result, NULL);
}

void enrollment_change_passphrase(const struct enrollment *enrollment, struct bytes before,
                                  struct bytes after)
{
    struct enrollment own = *enrollment;
    own.is_administrator = false; /* only the account's own user */
    if (!enrollment_may_change(&own))
        return;
    struct enrollment_step *step = enrollment_step_new(enrollment);
    if (step == NULL)
        return;
    struct account_room room = enrollment_room(enrollment);
    struct account_change change = {.account = enrollment->account,
                                    .old = before,
                                    .new = after,
                                    .cost = keyfile_cost_moderate()};
    err failure = account_change_passphrase(&room, &change, enrollment_on_changed, step);
    if (failure == OK)
        return;
    free(step);
    enrollment_refuse_err(enrollment, failure,
                          failure == ERR_INVALID ? "new_passphrase: at least 8 bytes" : NULL);
}
