/* Drafts and clinicians' accounts: who may do what, without HTTP. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/service/enrollment.h"
#include "tests/harness/action_fixture.h"

/* ---- drafts ---- */

static void a_user_sees_only_drafts_of_its_own(void **state)
{
    struct action_fixture *fixture = *state;
    struct refusal refusal;
    char name[2 * DRAFT_ID_SIZE + 1];
    action_fixture_draft(fixture);
    ids_to_hex((struct bytes){fixture->draft->id, DRAFT_ID_SIZE}, name);
    assert_non_null(drafting_find(fixture->services[A], getuid(), name, &refusal));
    assert_null(drafting_find(fixture->services[A], getuid() + 1, name, &refusal));
    assert_int_equal(ERR_NOT_FOUND, refusal.code);
    name[3] = '\0'; /* too short */
    assert_null(drafting_find(fixture->services[A], getuid(), name, &refusal));
}

/* API-5 */
static void what_is_refused_leaves_no_draft_behind(void **state)
{
    struct action_fixture *fixture = *state;
    json_t *fields = service_a_good_draft();
    json_object_set_new(fields, "emergency", json_true());
    struct drafting drafting = action_fixture_drafting(fixture);
    drafting_make(&drafting, getuid(), NULL, fields);
    action_fixture_was_refused(fixture, ERR_STATE, "Call");
    json_decref(fields);
    assert_null(draft_at(fixture->services[A]->drafts, getuid(), 0));
}

static void nothing_is_drafted_for_a_case_that_takes_nothing(void **state)
{
    struct action_fixture *fixture = *state;
    struct case_id unknown = {{1}};
    json_t *fields = json_pack("{s:s}", "note", "No more is known.");
    struct drafting drafting = action_fixture_drafting(fixture);
    drafting_make(&drafting, getuid(), &unknown, fields);
    action_fixture_was_refused(fixture, ERR_STATE, "no access");
    json_decref(fields);
    assert_null(draft_at(fixture->services[A]->drafts, getuid(), 0));
}

static void a_draft_that_is_being_sent_is_not_changed(void **state)
{
    struct action_fixture *fixture = *state;
    struct refusal refusal;
    char name[2 * DRAFT_ID_SIZE + 1];
    action_fixture_draft(fixture);
    ids_to_hex((struct bytes){fixture->draft->id, DRAFT_ID_SIZE}, name);
    struct sending_confirmation confirmation = action_fixture_confirm(fixture);
    struct action action = action_fixture_begin(fixture, A);
    sending_send(&action, fixture->draft, &confirmation);
    assert_null(drafting_find_open(fixture->services[A], getuid(), name, &refusal));
    assert_int_equal(ERR_STATE, refusal.code);
    assert_int_equal(ERR_BUSY, drafting_delete(fixture->services[A], fixture->draft,
                                               fixture->draft->uid, &refusal));
    action_fixture_did(fixture);
}

static void a_file_that_is_no_picture_is_not_attached(void **state)
{
    struct action_fixture *fixture = *state;
    action_fixture_draft(fixture);
    struct drafting_file file = {.name = "scan.png", .size = 4};
    file.content = malloc(file.size);
    memcpy(file.content, "none", file.size);
    struct draft *draft = fixture->draft;
    struct drafting drafting = action_fixture_drafting(fixture);
    drafting_attach(&drafting, draft, &file);
    action_fixture_was_refused(fixture, ERR_INVALID, "scan.png");
    assert_int_equal(1, draft->attachment_count);
    assert_int_equal(0, draft->in_progress);
}

/* ---- accounts ---- */

static void on_enrolled(void *arg, const struct enrollment_result *result)
{
    struct action_fixture *fixture = arg;
    assert_false(fixture->last.is_done);
    fixture->last = (struct action_fixture_result){.is_done = true};
    if (result->refusal != NULL)
        action_fixture_refused(fixture, result->refusal);
}

static struct enrollment enrolling(struct action_fixture *fixture, const char *login,
                                   bool is_administrator)
{
    fixture->last.is_done = false;
    return (struct enrollment){
        .service = fixture->services[A],
        .uid = getuid(),
        .is_administrator = is_administrator,
        .account = login == NULL ? NULL : account_find(fixture->services[A]->accounts, login),
        .on_done = on_enrolled,
        .arg = fixture};
}

static void add(struct action_fixture *fixture, const char *login, const char *specialty,
                bool is_administrator)
{
    struct certificate_request request = {.name = bytes_of_text("New Nina"),
                                          .credentials = bytes_of_text("MD"),
                                          .specialties = {bytes_of_text(specialty)},
                                          .specialty_count = 1,
                                          .country = bytes_of_text("DE")};
    struct enrollment_applicant applicant = {.login = login,
                                             .uid = getuid(),
                                             .passphrase = bytes_of_text("long enough"),
                                             .request = &request};
    struct enrollment enrollment = enrolling(fixture, NULL, is_administrator);
    enrollment_add(&enrollment, &applicant);
}

/* API-6 */
static void only_an_administrator_makes_and_renews_accounts(void **state)
{
    struct action_fixture *fixture = *state;
    struct enrollment_renewal renewal = {.valid_days = 0};
    size_t count = account_count(fixture->services[A]->accounts);
    add(fixture, "nina", "hematology", false);
    action_fixture_was_refused(fixture, ERR_NOT_ENTITLED, "only an administrator");
    struct enrollment enrollment = enrolling(fixture, "anna", false);
    enrollment_renew(&enrollment, &renewal);
    action_fixture_was_refused(fixture, ERR_NOT_ENTITLED, "only an administrator");
    assert_int_equal(count, account_count(fixture->services[A]->accounts));
    add(fixture, "nina", "hematology", true);
    action_fixture_did(fixture);
    assert_int_equal(count + 1, account_count(fixture->services[A]->accounts));
    add(fixture, "nina", "hematology", true);
    action_fixture_was_refused(fixture, ERR_EXISTS, "this login already exists");
}

static void an_account_has_a_login_and_specialties_that_others_can_find(void **state)
{
    struct action_fixture *fixture = *state;
    add(fixture, "nina", "astrology", true);
    action_fixture_was_refused(fixture, ERR_INVALID, "belongs to no board");
    add(fixture, "../nina", "hematology", true);
    action_fixture_was_refused(fixture, ERR_INVALID, "login:");
}

/* API-4 */
static void another_users_account_signs_nothing_and_is_not_revoked(void **state)
{
    struct action_fixture *fixture = *state;
    struct certificate_revocation wanted = {.reason = CERTIFICATE_ISSUED_WRONGLY};
    const struct account *account = NULL;
    struct refusal refusal;
    assert_int_equal(ERR_NOT_ENTITLED, action_find_signer(fixture->services[A], "other", getuid(),
                                                          &account, &refusal));
    assert_int_equal(ERR_NOT_FOUND, action_find_signer(fixture->services[A], "nobody", getuid(),
                                                       &account, &refusal));
    struct enrollment enrollment = enrolling(fixture, "other", false);
    enrollment_revoke(&enrollment, &wanted);
    action_fixture_was_refused(fixture, ERR_NOT_ENTITLED, "belongs to another user");
    enrollment = enrolling(fixture, "other", true); /* not even an administrator */
    enrollment_change_passphrase(&enrollment, bytes_of_text("correct horse"),
                                 bytes_of_text("another horse"));
    action_fixture_was_refused(fixture, ERR_NOT_ENTITLED, "belongs to another user");
}

/* API-13 */
static void a_revoked_certificate_signs_nothing_and_is_not_renewed(void **state)
{
    struct action_fixture *fixture = *state;
    struct certificate_revocation wanted = {.reason = CERTIFICATE_REASON_NONE};
    struct enrollment_renewal renewal = {.valid_days = 0};
    const struct account *account = NULL;
    struct refusal refusal;
    struct enrollment enrollment = enrolling(fixture, "anna", false);
    enrollment_revoke(&enrollment, &wanted);
    action_fixture_was_refused(fixture, ERR_INVALID, "reason: missing");
    wanted.reason = CERTIFICATE_KEY_LOST;
    enrollment = enrolling(fixture, "anna", false);
    enrollment_revoke(&enrollment, &wanted);
    action_fixture_did(fixture);
    assert_int_equal(ERR_NOT_ENTITLED, action_find_signer(fixture->services[A], "anna", getuid(),
                                                          &account, &refusal));
    assert_non_null(strstr(refusal.message, "revoked"));
    enrollment = enrolling(fixture, "anna", true);
    enrollment_renew(&enrollment, &renewal);
    action_fixture_was_refused(fixture, ERR_STATE, "revoked");
}

int main(void)
{
#define STORY(name)                                                                                \
    cmocka_unit_test_setup_teardown(name, action_fixture_setup, action_fixture_teardown)
    const struct CMUnitTest tests[] = {
        STORY(a_user_sees_only_drafts_of_its_own),
        STORY(what_is_refused_leaves_no_draft_behind),
        STORY(nothing_is_drafted_for_a_case_that_takes_nothing),
        STORY(a_draft_that_is_being_sent_is_not_changed),
        STORY(a_file_that_is_no_picture_is_not_attached),
        STORY(only_an_administrator_makes_and_renews_accounts),
        STORY(an_account_has_a_login_and_specialties_that_others_can_find),
        STORY(another_users_account_signs_nothing_and_is_not_revoked),
        STORY(a_revoked_certificate_signs_nothing_and_is_not_renewed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
