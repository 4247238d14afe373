/* Who asks to join a case: waits, is refused with a word, may ask again, is given access once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/harness/service_fixture.h"

/* B's own asking, as B's page tells it; a new reference, NULL when there is none. */
static json_t *own_join(struct service_fixture *room, const char *in_case)
{
    json_t *about = service_look(room, B, in_case, "");
    json_t *join = json_incref(json_object_get(about, "own_join"));
    json_decref(about);
    return join;
}

static void assert_state(struct service_fixture *room, const char *in_case, const char *state)
{
    json_t *join = own_join(room, in_case);
    assert_non_null(join);
    assert_string_equal(state, service_text(join, "state"));
    json_decref(join);
}

static void join_and_wait(struct service_fixture *room, const char *in_case, const char *note)
{
    char path[200];
    service_did(room, B, in_case, "join", json_pack("{s:s}", "note", note));
    snprintf(path, sizeof path, "GET /v1/town/cases/%s/joins", in_case);
    service_wait_for(room, A, path, "joins", 1);
}

static bool is_refused(void *arg)
{
    const struct service_sought *sought = arg;
    json_t *join = own_join(sought->room, sought->in_case);
    bool is = join != NULL && strcmp(service_text(join, "state"), "refused") == 0;
    json_decref(join);
    return is;
}

static size_t joins_of(struct service_fixture *room, const char *in_case)
{
    json_t *joins = service_look(room, A, in_case, "/joins");
    size_t count = json_array_size(json_object_get(joins, "joins"));
    json_decref(joins);
    return count;
}

/* The first waiting join's path of refusal; its note is there to read. */
static void refusal_of(struct service_fixture *room, const char *in_case, const char *note,
                       char ret_what[static 120])
{
    json_t *joins = service_look(room, A, in_case, "/joins");
    json_t *join = json_array_get(json_object_get(joins, "joins"), 0);
    assert_string_equal(note, service_text(json_object_get(join, "content"), "note"));
    snprintf(ret_what, 120, "joins/%.16s/refuse", service_text(join, "record"));
    json_decref(joins);
}

static void announced_by_hand(struct service_fixture *room, char in_case[static 80])
{
    service_by_hand(room);
    service_announced(room, in_case);
    service_wait_for(room, B, "GET /v1/town/inbox", "inbox", 1);
}

static void who_asked_waits_and_asks_no_second_time(void **state)
{
    struct service_fixture *room = *state;
    char in_case[80];
    announced_by_hand(room, in_case);
    assert_null(own_join(room, in_case));
    join_and_wait(room, in_case, "I have seen thirty.");
    assert_state(room, in_case, "waiting");
    service_refused_saying(room, B, in_case, "join", json_object(), "waits for the requester");
    assert_int_equal(1, joins_of(room, in_case));
    service_shut(room, B);
    service_open(room, B);
    assert_state(room, in_case, "waiting");
}

/* C-49 */
static void a_join_is_refused_with_a_word_and_may_be_asked_anew(void **state)
{
    struct service_fixture *room = *state;
    char in_case[80], what[120];
    struct service_sought sought = {room, B, in_case, NULL};
    announced_by_hand(room, in_case);
    join_and_wait(room, in_case, "Let me see it.");
    refusal_of(room, in_case, "Let me see it.", what);
    service_refused_saying(room, B, in_case, what, json_object(), "not a case of this institution");
    service_refused_saying(room, A, in_case, "joins/0000/refuse", json_object(),
                           "no such request to join");
    service_did(room, A, in_case, what, json_pack("{s:s}", "note", "Two have it already."));
    assert_int_equal(0, joins_of(room, in_case));
    service_refused_saying(room, A, in_case, what, json_object(), "no such request to join");
    assert_true(network_until(room->network, is_refused, &sought));
    json_t *join = own_join(room, in_case);
    json_t *content = json_object_get(json_object_get(join, "refusal"), "content");
    assert_string_equal("Two have it already.", service_text(content, "text"));
    json_decref(join);
    join_and_wait(room, in_case, "Please.");
    assert_state(room, in_case, "waiting");
    service_shut(room, A);
    service_open(room, A);
    assert_int_equal(1, joins_of(room, in_case)); /* the refused one is not shown again */
}

static bool is_told_of_a_refusal(void *arg)
{
    const struct service_fixture *room = arg;
    return room->network->houses[B].told[KIND_MAIL_DECLINE] > 0;
}

/* C-49: what somebody else writes about B's JOIN refuses nothing. */
static void nobody_but_the_requester_refuses(void **state)
{
    struct service_fixture *room = *state;
    char in_case[80];
    announced_by_hand(room, in_case);
    service_wait_for(room, C, "GET /v1/town/inbox", "inbox", 1);
    join_and_wait(room, in_case, "Let me see it.");
    json_t *join = own_join(room, in_case);
    struct mail_decline decline = {.reason = CASERECORD_DECLINE_OTHER};
    struct scope scope = scope_mail(&room->network->houses[B].node);
    assert_int_equal(OK, ids_from_hex(in_case, decline.case_id.bytes, HASH_SIZE));
    assert_int_equal(OK, ids_from_hex(service_text(json_object_get(join, "letter"), "record"),
                                      decline.announcement.bytes, HASH_SIZE));
    (void)network_write(&room->network->houses[C], &scope, KIND_MAIL_DECLINE, &decline);
    assert_true(network_until(room->network, is_told_of_a_refusal, room));
    assert_state(room, in_case, "waiting");
    json_decref(join);
}

static size_t grants_of(struct service_fixture *room, const char *in_case)
{
    size_t index, count = 0;
    json_t *thread = service_look(room, A, in_case, "/thread?limit=200"), *record;
    json_array_foreach(json_object_get(thread, "thread"), index, record) count +=
        strcmp(service_text(record, "kind"), "GRANT") == 0;
    json_decref(thread);
    return count;
}

static void access_that_is_given_twice_is_written_once(void **state)
{
    struct service_fixture *room = *state;
    char in_case[80];
    json_t *status = service_do(room, B, "GET /v1/town/status", NULL);
    const char *node = service_text(json_object_get(status, "institution"), "node");
    announced_by_hand(room, in_case);
    join_and_wait(room, in_case, "");
    service_did(room, A, in_case, "grants", json_pack("{s:s}", "participant", node));
    json_t *again = service_act(room, A, in_case, "grants",
                                service_signed_by(A, json_pack("{s:s}", "participant", node)));
    assert_true(json_is_true(json_object_get(again, "already")));
    assert_int_equal(1, grants_of(room, in_case));
    service_seen(room, B, in_case, "MANIFEST");
    assert_null(own_join(room, in_case)); /* it takes part: nothing waits */
    service_did(room, A, in_case, "grants/end", json_pack("{s:s}", "participant", node));
    service_did(room, A, in_case, "grants", json_pack("{s:s}", "participant", node));
    assert_int_equal(2, grants_of(room, in_case)); /* given anew, after it ended */
    json_decref(again);
    json_decref(status);
}

static bool has_ended(void *arg)
{
    const struct service_sought *sought = arg;
    json_t *about = service_look(sought->room, B, sought->in_case, "");
    bool is = strcmp(service_text(about, "part"), "ended") == 0;
    json_decref(about);
    return is;
}

static bool has_access(void *arg)
{
    const struct service_sought *sought = arg;
    json_t *about = service_look(sought->room, B, sought->in_case, "");
    bool is = strcmp(service_text(about, "part"), "participant") == 0;
    json_decref(about);
    return is;
}

/* C-49: it cannot read the GRANT_END; a letter says it, until access is given anew. */
static void whose_access_ended_knows_it_and_writes_no_more(void **state)
{
    struct service_fixture *room = *state;
    static const char ended[] = "access of the institution has ended";
    char in_case[80];
    struct service_sought sought = {room, B, in_case, NULL};
    json_t *status = service_do(room, B, "GET /v1/town/status", NULL);
    const char *node = service_text(json_object_get(status, "institution"), "node");
    service_announced(room, in_case);
    service_wait_for(room, B, "GET /v1/town/inbox", "inbox", 1);
    service_did(room, B, in_case, "join", json_object());
    service_seen(room, B, in_case, "MANIFEST");
    json_t *answer = service_act(
        room, A, in_case, "grants/end",
        service_signed_by(A, json_pack("{s:s,s:s}", "participant", node, "note", "enough")));
    assert_string_equal("GRANT_END", service_text(answer, "kind"));
    assert_true(network_until(room->network, has_ended, &sought));
    json_t *about = service_look(room, B, in_case, "");
    json_t *letter = json_object_get(about, "access_ended");
    assert_string_equal("enough", service_text(json_object_get(letter, "content"), "text"));
    assert_null(json_object_get(about, "own_join"));
    service_refused_saying(room, B, in_case, "opinion",
                           json_pack("{s:s,s:s}", "text", "It is.", "language", "en"), ended);
    service_refused_saying(room, B, in_case, "post", json_pack("{s:s}", "text", "Still me."),
                           ended);
    service_refused_saying(room, B, in_case, "fetch", json_object(), ended);
    service_shut(room, B);
    service_open(room, B);
    assert_true(has_ended(&sought));
    service_did(room, B, in_case, "join", json_object());
    assert_state(room, in_case, "waiting"); /* a person decides, for it was sent away */
    service_did(room, A, in_case, "grants", json_pack("{s:s}", "participant", node));
    assert_true(network_until(room->network, has_access, &sought));
    service_did(room, B, in_case, "post", json_pack("{s:s}", "text", "Here again."));
    json_decref(about);
    json_decref(answer);
    json_decref(status);
}

int main(void)
{
#define STORY(name) cmocka_unit_test_setup_teardown(name, service_setup, service_teardown)
    const struct CMUnitTest tests[] = {
        STORY(who_asked_waits_and_asks_no_second_time),
        STORY(a_join_is_refused_with_a_word_and_may_be_asked_anew),
        STORY(nobody_but_the_requester_refuses),
        STORY(access_that_is_given_twice_is_written_once),
        STORY(whose_access_ended_knows_it_and_writes_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
