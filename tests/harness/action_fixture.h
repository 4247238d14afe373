/* The services of three hospitals without HTTP, and what their clinicians do through them. Include
 * after cmocka. */
#ifndef CONSILIUM_TESTS_HARNESS_ACTION_FIXTURE_H
#define CONSILIUM_TESTS_HARNESS_ACTION_FIXTURE_H

#include "node/drafts/outgoing_preview.h"
#include "node/service/case_access.h"
#include "node/service/case_items.h"
#include "node/service/case_mail.h"
#include "node/service/drafting.h"
#include "node/service/participant.h"
#include "node/service/requester.h"
#include "node/service/sending.h"
#include "tests/harness/service_fixture.h"

/* What came of the last action. */
struct action_fixture_result {
    bool is_done;
    err code; /* OK: done */
    char message[REFUSAL_MESSAGE_SIZE];
    char hint[REFUSAL_TEXT_SIZE];
    struct record_id record;
    struct case_id case_id;
    uint16_t kind;
    size_t posted_count;
    bool is_done_already;
};

struct action_fixture {
    struct service_fixture room; /* its API is not opened */
    struct service *services[NETWORK_HOUSE_COUNT];
    struct passphrase_checks *checks; /* of all of them */
    struct case_id case_id;           /* of the case at hand */
    struct draft *draft;              /* that was written last */
    struct action_fixture_result last;
};

static inline int action_fixture_setup(void **state)
{
    static const char *const names[] = {"Anna Alt", "Béla Bartók", "陈 晨"};
    struct action_fixture *fixture = calloc(1, sizeof *fixture);
    struct service_fixture *room = &fixture->room;
    room->network = network_new();
    fixture->checks = passphrase_checks_new(room->network->workers);
    for (int i = 0; i < NETWORK_HOUSE_COUNT; i++)
        assert_int_equal(OK, secure_arena_new(64 * 1024, &room->houses[i].secrets));
    for (int i = 0; i < NETWORK_HOUSE_COUNT; i++) {
        for (int j = i + 1; j < NETWORK_HOUSE_COUNT; j++)
            network_connect(room->network, i, j);
        service_make_account(room, i, service_logins[i], names[i], getuid());
    }
    service_make_account(room, A, "other", "Otto Other", getuid() + 1);
    for (int i = 0; i < NETWORK_HOUSE_COUNT; i++) {
        char accounts[200];
        snprintf(accounts, sizeof accounts, "%s/clinicians/town", room->houses[i].data);
        struct service_config config = {.runtime = room->network->houses[i].runtime,
                                        .items = room->network->houses[i].items,
                                        .workers = room->network->workers,
                                        .checks = fixture->checks,
                                        .secrets = room->houses[i].secrets,
                                        .accounts = accounts};
        assert_int_equal(OK, service_new(&config, &fixture->services[i]));
    }
    assert_true(network_until(room->network, service_is_quiet, room));
    *state = fixture;
    return 0;
}

static inline int action_fixture_teardown(void **state)
{
    struct action_fixture *fixture = *state;
    for (int i = 0; i < NETWORK_HOUSE_COUNT; i++) {
        service_stop(fixture->services[i]);
        service_free(fixture->services[i]);
        secure_arena_free(fixture->room.houses[i].secrets);
    }
    network_free(fixture->room.network);
    passphrase_checks_free(fixture->checks);
    free(fixture);
    return 0;
}

/* ---- results ---- */

static inline void action_fixture_refused(struct action_fixture *fixture,
                                          const struct refusal *refusal)
{
    fixture->last.code = refusal->code;
    snprintf(fixture->last.message, sizeof fixture->last.message, "%s", refusal->message);
    snprintf(fixture->last.hint, sizeof fixture->last.hint, "%s", refusal->hint);
}

static inline void action_fixture_on_done(void *arg, const struct action_result *result)
{
    struct action_fixture *fixture = arg;
    assert_false(fixture->last.is_done); /* exactly once */
    fixture->last = (struct action_fixture_result){.is_done = true,
                                                   .case_id = result->case_id,
                                                   .kind = result->kind,
                                                   .posted_count = result->posted_count,
                                                   .is_done_already = result->is_done_already};
    if (result->posted_count > 0)
        fixture->last.record = result->posted[0].record;
    if (result->refusal != NULL)
        action_fixture_refused(fixture, result->refusal);
}

static inline bool action_fixture_is_done(void *arg)
{
    return ((struct action_fixture *)arg)->last.is_done;
}

/* The next action of `which`'s clinician in the case at hand. */
static inline struct action action_fixture_begin(struct action_fixture *fixture, int which)
{
    struct refusal refusal;
    struct action action = {
        .service = fixture->services[which],
        .case_id = fixture->case_id,
        .on_done = action_fixture_on_done,
        .arg = fixture,
        .signer = {.passphrase = bytes_of_text("correct horse"), .uid = getuid()}};
    assert_int_equal(OK, action_find_signer(action.service, service_logins[which], getuid(),
                                            &action.signer.account, &refusal));
    fixture->last.is_done = false;
    return action;
}

static inline void action_fixture_did(struct action_fixture *fixture)
{
    assert_true(network_until(fixture->room.network, action_fixture_is_done, fixture));
    if (fixture->last.code != OK)
        print_error("%s; %s\n", fixture->last.message, fixture->last.hint);
    assert_int_equal(OK, fixture->last.code);
}

/* It was refused with this error and these words, and with a hint; nothing was written. */
static inline void action_fixture_was_refused(struct action_fixture *fixture, err code,
                                              const char *words)
{
    assert_true(network_until(fixture->room.network, action_fixture_is_done, fixture));
    if (strstr(fixture->last.message, words) == NULL)
        print_error("%s\n", fixture->last.message);
    assert_int_equal(code, fixture->last.code);
    assert_non_null(strstr(fixture->last.message, words));
    assert_true(strlen(fixture->last.hint) > 0);
    assert_int_equal(0, fixture->last.posted_count);
}

/* ---- a case ---- */

static inline void action_fixture_on_drafted(void *arg, const struct draft *draft,
                                             const struct refusal *refusal)
{
    struct action_fixture *fixture = arg;
    struct refusal unused;
    fixture->last = (struct action_fixture_result){.is_done = true};
    if (refusal != NULL) {
        action_fixture_refused(fixture, refusal);
        return;
    }
    char name[2 * DRAFT_ID_SIZE + 1];
    ids_to_hex((struct bytes){draft->id, DRAFT_ID_SIZE}, name);
    fixture->draft = drafting_find(fixture->services[A], getuid(), name, &unused);
    assert_ptr_equal(draft, fixture->draft);
}

static inline struct drafting action_fixture_drafting(struct action_fixture *fixture)
{
    fixture->last.is_done = false;
    return (struct drafting){
        .service = fixture->services[A], .on_done = action_fixture_on_drafted, .arg = fixture};
}

/* A drafts a case with one attachment. */
static inline void action_fixture_draft(struct action_fixture *fixture)
{
    static const char text[] = "CT: a mass of 3 cm.\n";
    json_t *fields = service_a_good_draft();
    struct drafting drafting = action_fixture_drafting(fixture);
    drafting_make(&drafting, getuid(), NULL, fields);
    action_fixture_did(fixture);
    json_decref(fields);
    struct drafting_file file = {.name = "report.txt", .size = sizeof text - 1};
    file.content = malloc(file.size);
    memcpy(file.content, text, file.size);
    drafting = action_fixture_drafting(fixture);
    drafting_attach(&drafting, fixture->draft, &file);
    action_fixture_did(fixture);
}

static inline struct sending_confirmation action_fixture_confirm(struct action_fixture *fixture)
{
    struct outgoing_preview preview = {.memory = NULL};
    struct refusal refusal;
    assert_int_equal(OK, outgoing_preview_make(fixture->services[A]->runtime, fixture->draft,
                                               &preview, &refusal));
    struct sending_confirmation confirmation = {.preview = preview.preview,
                                                .full_name = bytes_of_text("Anna Alt")};
    outgoing_preview_clear(&preview);
    return confirmation;
}

struct action_fixture_place {
    struct action_fixture *fixture;
    int which;
};

static inline bool action_fixture_is_announced(void *arg)
{
    const struct action_fixture_place *place = arg;
    return inbox_find(place->fixture->services[place->which]->inbox, &place->fixture->case_id) !=
           NULL;
}

static inline bool action_fixture_has_case_file(void *arg)
{
    const struct action_fixture_place *place = arg;
    struct case_items *items = NULL;
    struct refusal refusal;
    struct service *service = place->fixture->services[place->which];
    bool has =
        case_items_load(service, &place->fixture->case_id, &items, &refusal) == OK &&
        case_access_is_open(service, runtime_case(service->runtime, &place->fixture->case_id));
    case_items_free(items);
    return has;
}

/* A announces a case. */
static inline void action_fixture_announce(struct action_fixture *fixture)
{
    action_fixture_draft(fixture);
    struct sending_confirmation confirmation = action_fixture_confirm(fixture);
    struct action action = action_fixture_begin(fixture, A);
    sending_send(&action, fixture->draft, &confirmation);
    action_fixture_did(fixture);
    fixture->case_id = fixture->last.case_id;
}

static inline void action_fixture_join(struct action_fixture *fixture, int which)
{
    struct action_fixture_place place = {fixture, which};
    assert_true(network_until(fixture->room.network, action_fixture_is_announced, &place));
    struct action action = action_fixture_begin(fixture, which);
    case_mail_join(&action, bytes_of_text("I have seen thirty."));
    action_fixture_did(fixture);
    assert_true(network_until(fixture->room.network, action_fixture_has_case_file, &place));
}

static inline struct opinion *action_fixture_opinion(const char *text)
{
    static struct opinion opinion;
    opinion = (struct opinion){.text = bytes_of_text(text), .language = bytes_of_text("en")};
    return &opinion;
}

/* Has A taken in so many opinions? */
struct action_fixture_count {
    struct action_fixture *fixture;
    size_t opinions;
};

static inline bool action_fixture_is_counted(void *arg)
{
    const struct action_fixture_count *count = arg;
    const struct consult *consult =
        runtime_case(count->fixture->services[A]->runtime, &count->fixture->case_id);
    return consult_view(consult, runtime_wall()).opinion_count >= count->opinions;
}

static inline void action_fixture_taken_in(struct action_fixture *fixture, size_t opinions)
{
    struct action_fixture_count count = {fixture, opinions};
    assert_true(network_until(fixture->room.network, action_fixture_is_counted, &count));
}

#endif
