/* Who may make an account, change its passphrase, end it. As root only: it is about other users. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <grp.h>

#include "protocol/engine/engine.h"
#include "protocol/state/engine_state.h"
#include "tests/harness/service_fixture.h"

enum { GUEST_UID = 65534, MANY = 70 };

/* A's socket lets the group `users` in; `games` are administrators. */
static int guests_setup(void **state)
{
    const struct group *users = getgrnam("users"), *games = getgrnam("games");
    assert_non_null(users);
    assert_non_null(games);
    if (geteuid() != 0)
        return 0; /* each test skips */
    assert_int_equal(0, service_setup(state));
    struct service_fixture *room = *state;
    service_shut(room, A);
    room->houses[A].group = "users";
    room->houses[A].administrators = "games";
    service_open(room, A);
    assert_int_equal(0, chmod(room->network->folder, 0755));
    assert_int_equal(0, chmod(room->houses[A].socket, 0666));
    return 0;
}

static int guests_teardown(void **state)
{
    return geteuid() == 0 ? service_teardown(state) : 0;
}

static void as_member_of(struct service_fixture *room, const char *group)
{
    room->guest = (struct service_guest){GUEST_UID, getgrnam(group)->gr_gid};
}

static json_t *a_new_account(const char *login, int uid)
{
    return json_pack("{s:s,s:s,s:s,s:[s],s:s,s:s,s:i}", "login", login, "name", "New Nina",
                     "credentials", "MD", "specialties", "hematology", "country", "DE",
                     "passphrase", "long enough", "uid", uid);
}

static size_t accounts_of(struct service_fixture *room)
{
    json_t *json = service_do(room, A, "GET /v1/town/clinicians", NULL);
    size_t count = json_array_size(json_object_get(json, "clinicians"));
    json_decref(json);
    return count;
}

/* API-6 */
static void who_may_use_the_socket_may_not_make_an_account(void **state)
{
    struct service_fixture *room = *state;
    if (geteuid() != 0)
        skip();
    size_t before = accounts_of(room);
    as_member_of(room, "users");
    service_refused(room, "POST /v1/town/clinicians", a_new_account("nina", GUEST_UID),
                    "ERR_NOT_ENTITLED");
    service_refused(room, "POST /v1/town/clinicians/anna/revoke",
                    json_pack("{s:s}", "reason", "issued-wrongly"), "ERR_NOT_ENTITLED");
    assert_int_equal(before, accounts_of(room));
}

/* API-6 */
static void an_administrator_makes_one_for_the_user_that_is_named(void **state)
{
    struct service_fixture *room = *state;
    if (geteuid() != 0)
        skip();
    as_member_of(room, "games");
    json_t *nobody = a_new_account("nina", 0);
    json_object_del(nobody, "uid");
    service_refused(room, "POST /v1/town/clinicians", nobody, "ERR_INVALID");
    service_refused(room, "POST /v1/town/clinicians", a_new_account("nina", -1), "ERR_INVALID");
    json_t *made = service_do(room, A, "POST /v1/town/clinicians", a_new_account("nina", 4321));
    assert_string_equal("nina", service_text(made, "login"));
    assert_int_equal(4321, json_integer_value(json_object_get(made, "uid")));
    json_decref(made);
    json_t *log = service_do(room, A, "GET /v1/town/audit", NULL);
    json_t *entries = json_object_get(log, "entries");
    json_t *last = json_array_get(entries, json_array_size(entries) - 1);
    assert_string_equal("account-made", service_text(last, "what"));
    assert_string_equal("nina", service_text(last, "login"));
    assert_string_equal("of user 4321", service_text(last, "note"));
    assert_int_equal(GUEST_UID, json_integer_value(json_object_get(last, "uid")));
    json_decref(log);
}

/* API-4: who made it cannot use it. */
static void an_administrator_does_not_sign_for_others(void **state)
{
    struct service_fixture *room = *state;
    if (geteuid() != 0)
        skip();
    as_member_of(room, "games");
    service_refused(
        room, "POST /v1/town/clinicians/anna/passphrase",
        json_pack("{s:s,s:s}", "passphrase", "correct horse", "new_passphrase", "quite another"),
        "ERR_NOT_ENTITLED");
    json_t *made = service_do(room, A, "POST /v1/town/drafts", service_a_good_draft());
    char path[160], get[200], send[200];
    snprintf(path, sizeof path, "/v1/town/drafts/%s", service_text(made, "draft"));
    snprintf(get, sizeof get, "GET %s/preview", path);
    snprintf(send, sizeof send, "POST %s/send", path);
    json_t *preview = service_do(room, A, get, NULL);
    service_refused(room, send, service_sending(service_text(preview, "preview"), "Anna Alt"),
                    "ERR_NOT_ENTITLED");
    json_decref(preview);
    json_decref(made);
}

static void open_again(struct service_fixture *room)
{
    service_shut(room, A);
    service_open(room, A);
    assert_int_equal(0, chmod(room->houses[A].socket, 0666));
}

static size_t audit_entries(struct service_fixture *room, const char *what)
{
    size_t index, count = 0;
    json_t *entry, *json = service_do(room, A, "GET /v1/town/audit?limit=200", NULL);
    json_array_foreach(json_object_get(json, "entries"), index, entry) count +=
        strcmp(service_text(entry, "what"), what) == 0;
    json_decref(json);
    return count;
}

/* API-21: one begins a draft, a colleague of the same node reads and signs it. */
static void a_colleague_with_whom_a_draft_is_shared_signs_it(void **state)
{
    struct service_fixture *room = *state;
    char path[160], get[200], share[200], remove[200], send[200];
    if (geteuid() != 0)
        skip();
    service_make_account(room, A, "nina", "Nina Neu", GUEST_UID);
    open_again(room);
    assert_true(network_until(room->network, service_is_quiet, room));
    json_t *made = service_do(room, A, "POST /v1/town/drafts", service_a_good_draft());
    snprintf(path, sizeof path, "/v1/town/drafts/%s", service_text(made, "draft"));
    snprintf(get, sizeof get, "GET %s/preview", path);
    snprintf(share, sizeof share, "POST %s/share", path);
    snprintf(remove, sizeof remove, "DELETE %s", path);
    snprintf(send, sizeof send, "POST %s/send", path);
    json_decref(made);
    as_member_of(room, "users");
    service_refused(room, get, NULL, "ERR_NOT_FOUND");
    room->guest.uid = 0;
    service_refused(room, share, json_pack("{s:s}", "login", "nobody"), "ERR_NOT_FOUND");
    service_refused(room, share, json_pack("{s:s}", "login", service_logins[A]), "ERR_INVALID");
    assert_int_equal(0, audit_entries(room, "draft-shared"));
    json_decref(service_do(room, A, share, json_pack("{s:s}", "login", "nina")));
    assert_int_equal(1, audit_entries(room, "draft-shared"));
    assert_int_equal(0, audit_entries(room, "draft-share-ended"));
    json_decref(service_do(room, A, share, json_pack("{s:s,s:b}", "login", "nina", "end", 1)));
    assert_int_equal(1, audit_entries(room, "draft-share-ended"));
    as_member_of(room, "users");
    service_refused(room, get, NULL, "ERR_NOT_FOUND");
    room->guest.uid = 0;
    json_decref(service_do(room, A, share, json_pack("{s:s}", "login", "nina")));
    open_again(room); /* it is stored */
    as_member_of(room, "users");
    service_refused(room, share, json_pack("{s:s}", "login", "nina"), "ERR_NOT_ENTITLED");
    service_refused(room, remove, NULL, "ERR_NOT_ENTITLED");
    json_t *preview = service_do(room, A, get, NULL);
    json_t *signing = service_sending(service_text(preview, "preview"), "Nina Neu");
    json_object_set_new(signing, "clinician", json_string("nina"));
    json_t *sent = service_do(room, A, send, signing);
    json_decref(sent);
    json_decref(preview);
    room->guest.uid = 0;
    service_refused(room, get, NULL, "ERR_NOT_FOUND"); /* it is a case now */
}

/* API-23: of two who change one draft at once, the second is told, and overwrites nothing. */
static void who_changes_a_draft_that_has_changed_is_told(void **state)
{
    struct service_fixture *room = *state;
    char get[160], put[160];
    json_t *made = service_do(room, A, "POST /v1/town/drafts", service_a_good_draft());
    snprintf(get, sizeof get, "GET /v1/town/drafts/%s", service_text(made, "draft"));
    snprintf(put, sizeof put, "PUT /v1/town/drafts/%s", service_text(made, "draft"));
    json_t *first =
        json_pack("{s:s,s:s}", "question", "first?", "revision", service_text(made, "revision"));
    json_t *second =
        json_pack("{s:s,s:s}", "question", "second?", "revision", service_text(made, "revision"));
    json_decref(service_do(room, A, put, first));
    service_refused(room, put, second, "ERR_STATE");
    json_t *shown = service_do(room, A, get, NULL);
    assert_string_equal("first?", service_text(json_object_get(shown, "fields"), "question"));
    assert_string_not_equal(service_text(made, "revision"), service_text(shown, "revision"));
    second =
        json_pack("{s:s,s:s}", "question", "second?", "revision", service_text(shown, "revision"));
    json_t *changed = service_do(room, A, put, second);
    json_t *again = service_do(room, A, put, json_pack("{s:s}", "question", "third?"));
    assert_string_equal("third?", service_text(json_object_get(again, "fields"), "question"));
    assert_null(json_object_get(json_object_get(again, "fields"), "revision"));
    json_decref(made);
    json_decref(shown);
    json_decref(changed);
    json_decref(again);
}

static size_t certificates_in_force(struct service_fixture *room, const char *name)
{
    size_t index, count = 0;
    json_t *json = service_do(room, A, "GET /v1/town/specialists?limit=200", NULL), *one;
    json_array_foreach(json_object_get(json, "specialists"), index, one) count +=
        strcmp(service_text(one, "name"), name) == 0;
    json_decref(json);
    return count;
}

/* API-6, API-13: the key of a certificate that was renewed signs on, over a restart too, until it
 * is revoked; then no certificate of it is left. */
static void a_certificate_is_renewed_over_the_same_key_and_revoked_with_all_others(void **state)
{
    struct service_fixture *room = *state;
    if (geteuid() != 0)
        skip();
    json_t *before = service_do(room, A, "GET /v1/town/clinicians", NULL);
    json_t *first = json_array_get(json_object_get(before, "clinicians"), 0);
    assert_string_equal("anna", service_text(first, "login"));
    as_member_of(room, "users");
    service_refused(room, "POST /v1/town/clinicians/anna/renew", json_object(), "ERR_NOT_ENTITLED");
    as_member_of(room, "games");
    json_t *renewed = service_do(room, A, "POST /v1/town/clinicians/anna/renew",
                                 json_pack("{s:i}", "valid_days", 100));
    assert_string_not_equal(service_text(first, "certificate"),
                            service_text(renewed, "certificate"));
    assert_string_equal(service_text(first, "name"), service_text(renewed, "name"));
    assert_true(json_is_true(json_object_get(renewed, "published")));
    room->guest.uid = 0;
    service_shut(room, A);
    service_open(room, A);
    json_t *after = service_do(room, A, "GET /v1/town/clinicians", NULL);
    json_t *again = json_array_get(json_object_get(after, "clinicians"), 0);
    assert_string_equal(service_text(renewed, "certificate"), service_text(again, "certificate"));
    char in_case[80];
    service_announced(room, in_case);
    json_t *opening = service_record_of(room, A, in_case, "OPEN");
    assert_string_equal("good", service_text(opening, "signature"));
    assert_string_equal(service_text(renewed, "certificate"),
                        service_text(json_object_get(opening, "clinician"), "certificate"));
    assert_int_equal(2, certificates_in_force(room, "Anna Alt"));
    json_decref(service_do(room, A, "POST /v1/town/clinicians/anna/revoke",
                           json_pack("{s:s}", "reason", "key-lost")));
    assert_int_equal(0, certificates_in_force(room, "Anna Alt"));
    service_refused(room, "POST /v1/town/clinicians/anna/renew", json_object(), "ERR_STATE");
    json_decref(opening);
    json_decref(after);
    json_decref(renewed);
    json_decref(before);
}

/* Tags that are no board's find nobody; others than before are proved by the clinician's key. */
static void specialties_are_those_of_the_federation(void **state)
{
    struct service_fixture *room = *state;
    if (geteuid() != 0)
        skip();
    int status = 0;
    json_t *wrong = a_new_account("nina", 4321);
    json_object_set_new(wrong, "specialties", json_pack("[s]", "astrology"));
    json_t *refused = service_ask(room, A, "POST /v1/town/clinicians", wrong, &status);
    assert_int_equal(400, status);
    assert_non_null(strstr(service_text(refused, "message"), "astrology belongs to no board"));
    assert_non_null(strstr(service_text(refused, "message"), "oncology"));
    static const char renew[] = "POST /v1/town/clinicians/anna/renew";
    service_refused(room, renew, json_pack("{s:[s]}", "specialties", "oncology"), "ERR_INVALID");
    service_refused(room, renew,
                    json_pack("{s:[],s:s}", "specialties", "passphrase", "correct horse"),
                    "ERR_INVALID");
    service_refused(
        room, renew,
        json_pack("{s:[s],s:s}", "specialties", "oncology", "passphrase", "a wrong one"),
        "ERR_PASSPHRASE");
    service_refused(
        room, renew,
        json_pack("{s:[s],s:s}", "specialties", "astrology", "passphrase", "correct horse"),
        "ERR_INVALID");
    json_t *renewed = service_do(room, A, renew,
                                 json_pack("{s:[s,s],s:s}", "specialties", "oncology", "hematology",
                                           "passphrase", "correct horse"));
    const json_t *first = json_array_get(json_object_get(renewed, "specialties"), 0);
    assert_string_equal("oncology", json_string_value(first));
    assert_true(json_is_true(json_object_get(renewed, "published")));
    service_shut(room, A);
    service_open(room, A);
    char in_case[80];
    service_announced(room, in_case);
    json_t *opening = service_record_of(room, A, in_case, "OPEN");
    assert_string_equal("good", service_text(opening, "signature"));
    assert_string_equal(service_text(renewed, "certificate"),
                        service_text(json_object_get(opening, "clinician"), "certificate"));
    json_decref(opening);
    json_decref(renewed);
    json_decref(refused);
}

/* There are more of them than are revoked at once. */
static void who_was_renewed_often_is_revoked_whole(void **state)
{
    struct service_fixture *room = *state;
    if (geteuid() != 0)
        skip();
    as_member_of(room, "games");
    for (int i = 0; i < MANY; i++)
        json_decref(service_do(room, A, "POST /v1/town/clinicians/anna/renew",
                               json_pack("{s:i}", "valid_days", 100 + i)));
    room->guest.uid = 0;
    assert_int_equal(MANY + 1, certificates_in_force(room, "Anna Alt"));
    json_decref(service_do(room, A, "POST /v1/town/clinicians/anna/revoke",
                           json_pack("{s:s}", "reason", "key-lost")));
    assert_int_equal(0, certificates_in_force(room, "Anna Alt"));
}

/* The last that a house keeps by itself at its start. */
static bool has_all_mailbox_keys(void *arg)
{
    const struct service_fixture *room = arg;
    return room->network->houses[A].told[KIND_MAILBOX_KEY] >= NETWORK_HOUSE_COUNT;
}

/* API-19 */
static void the_whole_audit_log_is_for_administrators_and_privacy_officers(void **state)
{
    if (geteuid() != 0)
        skip();
    struct service_fixture *room = *state;
    char in_case[80], what[160];
    service_announced(room, in_case);
    service_shut(room, A);
    room->houses[A].privacy_officers = "operator";
    service_open(room, A);
    assert_int_equal(0, chmod(room->houses[A].socket, 0666));
    snprintf(what, sizeof what, "GET /v1/town/audit?case=%s", in_case);
    as_member_of(room, "users");
    service_refused(room, "GET /v1/town/audit", NULL, "ERR_NOT_ENTITLED");
    service_refused(room, "GET /v1/town/audit?after=1", NULL, "ERR_NOT_ENTITLED");
    service_refused(room, "POST /v1/town/audit/export", NULL, "ERR_NOT_ENTITLED");
    json_decref(service_do(room, A, what, NULL));
    json_decref(service_do(room, A, "GET /v1/town/audit/verify", NULL));
    as_member_of(room, "operator");
    json_decref(service_do(room, A, "GET /v1/town/audit", NULL));
    struct service_request request = {.method = "POST", .path = "/v1/town/audit/export"};
    assert_int_equal(200, service_status_of(room, &request));
    service_refused(room, "POST /v1/town/clinicians", a_new_account("nina", GUEST_UID),
                    "ERR_NOT_ENTITLED"); /* they are no administrators */
    as_member_of(room, "games");
    json_decref(service_do(room, A, "GET /v1/town/audit", NULL));
}

/* The disk is full, and has room again. */
static void fill_the_disk(struct service_fixture *room, bool is_full)
{
    struct engine *engine =
        (struct engine *)(uintptr_t)runtime_engine(room->network->houses[A].runtime);
    engine->is_full = is_full;
    engine->full_until.ms = UINT64_MAX;
}

static int revoked_with(struct service_fixture *room, const char *login)
{
    char what[100];
    int status = 0;
    snprintf(what, sizeof what, "POST /v1/town/clinicians/%s/revoke", login);
    json_decref(
        service_ask(room, A, what, json_pack("{s:s}", "reason", "left-the-institution"), &status));
    return status;
}

/* C-58: who left must not sign until there is room. Once; a second one of the same waits. */
static void a_certificate_is_revoked_on_a_full_disk(void **state)
{
    struct service_fixture *room = *state;
    if (geteuid() != 0)
        skip();
    as_member_of(room, "games");
    assert_true(network_until(room->network, has_all_mailbox_keys, room));
    json_decref(service_do(room, A, "POST /v1/town/clinicians", a_new_account("nina", 4321)));
    fill_the_disk(room, true);
    assert_int_equal(200, revoked_with(room, "nina"));
    assert_int_equal(0, certificates_in_force(room, "New Nina"));
    fill_the_disk(room, true);
    assert_int_equal(507, revoked_with(room, "nina"));
    fill_the_disk(room, false);
}

static void what_was_never_published_is_revoked_and_does_not_come_back(void **state)
{
    struct service_fixture *room = *state;
    if (geteuid() != 0)
        skip();
    as_member_of(room, "games");
    /* whatever is kept meanwhile shows that there is room */
    assert_true(network_until(room->network, has_all_mailbox_keys, room));
    fill_the_disk(room, true);
    json_t *made = service_do(room, A, "POST /v1/town/clinicians", a_new_account("nina", 4321));
    assert_true(json_is_false(json_object_get(made, "published")));
    fill_the_disk(room, false);
    json_t *revoked = service_do(room, A, "POST /v1/town/clinicians/nina/revoke",
                                 json_pack("{s:s}", "reason", "issued-wrongly"));
    assert_true(json_is_true(json_object_get(revoked, "revoked")));
    room->guest.uid = 0;
    service_shut(room, A);
    service_open(room, A);
    network_pass(room->network, 100);
    assert_int_equal(0, certificates_in_force(room, "New Nina"));
    json_decref(revoked);
    json_decref(made);
}

int main(void)
{
#define STORY(name) cmocka_unit_test_setup_teardown(name, guests_setup, guests_teardown)
    const struct CMUnitTest tests[] = {
        STORY(who_may_use_the_socket_may_not_make_an_account),
        STORY(an_administrator_makes_one_for_the_user_that_is_named),
        STORY(an_administrator_does_not_sign_for_others),
        STORY(who_changes_a_draft_that_has_changed_is_told),
        STORY(a_colleague_with_whom_a_draft_is_shared_signs_it),
        STORY(a_certificate_is_renewed_over_the_same_key_and_revoked_with_all_others),
        STORY(who_was_renewed_often_is_revoked_whole),
        STORY(a_certificate_is_revoked_on_a_full_disk),
        STORY(what_was_never_published_is_revoked_and_does_not_come_back),
        STORY(the_whole_audit_log_is_for_administrators_and_privacy_officers),
        STORY(specialties_are_those_of_the_federation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
