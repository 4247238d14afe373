/* Opinions as they are counted, replaced, summed up; and what becomes of a case without them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/views/stored_record.h"
#include "tests/harness/service_fixture.h"

/* A announces; B takes part. */
static void asked(struct service_fixture *room, char in_case[static 80])
{
    service_announced(room, in_case);
    service_wait_for(room, B, "GET /v1/town/inbox", "inbox", 1);
    service_did(room, B, in_case, "join", json_object());
    service_seen(room, B, in_case, "MANIFEST");
}

static json_t *an_opinion(const char *text)
{
    return json_pack("{s:s,s:s}", "text", text, "language", "en");
}

/* B gives an opinion; its id. */
static void replied(struct service_fixture *room, const char *in_case, json_t *opinion,
                    char ret_record[static 80])
{
    json_t *answer = service_act(room, B, in_case, "opinion", service_signed_by(B, opinion));
    snprintf(ret_record, 80, "%s", service_text(answer, "record"));
    json_decref(answer);
}

struct counted {
    struct service_fixture *room;
    const char *in_case;
    int64_t opinions;
};

static bool is_counted(void *arg)
{
    const struct counted *counted = arg;
    json_t *about = service_look(counted->room, A, counted->in_case, "");
    json_t *counts = json_object_get(about, "counts");
    bool is = json_integer_value(json_object_get(counts, "opinions")) == counted->opinions;
    json_decref(about);
    return is;
}

static void taken_in(struct service_fixture *room, const char *in_case, int64_t opinions)
{
    struct counted counted = {room, in_case, opinions};
    assert_true(network_until(room->network, is_counted, &counted));
}

static int64_t institutions(struct service_fixture *room, const char *in_case)
{
    json_t *about = service_look(room, A, in_case, "");
    int64_t count = json_integer_value(
        json_object_get(json_object_get(about, "counts"), "institutions_with_opinion"));
    json_decref(about);
    return count;
}

/* API-14, M5 */
static void a_second_reply_says_what_becomes_of_the_first(void **state)
{
    struct service_fixture *room = *state;
    char in_case[80], first[80], second[80], third[80], words[120];
    asked(room, in_case);
    replied(room, in_case, an_opinion("It is."), first);
    snprintf(words, sizeof words, "--replaces %.16s", first);
    service_refused_saying(room, B, in_case, "opinion", an_opinion("It is not."), words);
    json_t *later = an_opinion("It is not.");
    json_object_set_new(later, "replaces", json_stringn(first, 8));
    replied(room, in_case, later, second);
    snprintf(words, sizeof words, "--replaces %.16s", second); /* the last one stands */
    service_refused_saying(room, B, in_case, "opinion", an_opinion("Or is it?"), words);
    json_t *beside = an_opinion("And another thing.");
    json_object_set_new(beside, "additional", json_true());
    replied(room, in_case, beside, third);
    taken_in(room, in_case, 3);
    assert_int_equal(1, institutions(room, in_case));
}

/* The login of B without a passphrase: the same write, only checked. */
static json_t *a_check(json_t *body)
{
    json_object_set_new(body, "clinician", json_string(service_logins[B]));
    json_object_set_new(body, "check", json_true());
    return body;
}

/* API-20 */
static void a_check_tells_all_that_would_be_refused_and_writes_nothing(void **state)
{
    struct service_fixture *room = *state;
    char in_case[80], first[80], words[120];
    int status = 0;
    asked(room, in_case);
    json_t *answer = service_act(room, B, in_case, "opinion", a_check(an_opinion("It is.")));
    assert_true(json_is_true(json_object_get(answer, "checked")));
    json_decref(answer);
    assert_null(service_record_of(room, B, in_case, "OPINION"));
    replied(room, in_case, an_opinion("It is."), first);
    char what[160];
    snprintf(what, sizeof what, "POST /v1/town/cases/%s/opinion", in_case);
    answer = service_ask(room, B, what, a_check(json_object()), &status);
    assert_int_equal(409, status);
    snprintf(words, sizeof words, ": %.16s; text: missing; language: missing", first);
    assert_non_null(strstr(service_text(answer, "message"), words));
    json_decref(answer);
    snprintf(what, sizeof what, "POST /v1/town/cases/%s/outcome", in_case);
    answer = service_ask(room, B, what, a_check(json_pack("{s:i}", "day", 21)), &status);
    assert_int_equal(400, status);
    const char *message = service_text(answer, "message");
    assert_non_null(strstr(message, "followed: missing; result: missing; "));
    assert_non_null(strstr(message, "the state of the case is: announced"));
    json_decref(answer);
}

/* API-14 */
static void nobody_replaces_what_is_not_their_own(void **state)
{
    struct service_fixture *room = *state;
    char in_case[80], first[80];
    asked(room, in_case);
    service_wait_for(room, C, "GET /v1/town/inbox", "inbox", 1);
    service_did(room, C, in_case, "join", json_object());
    service_seen(room, C, in_case, "MANIFEST");
    replied(room, in_case, an_opinion("It is."), first);
    service_seen(room, C, in_case, "unreadable");
    json_t *other = an_opinion("It is not.");
    json_object_set_new(other, "replaces", json_string(first));
    service_refused_saying(room, C, in_case, "opinion", other, "no opinion of this clinician");
    json_t *wrong = an_opinion("It is not.");
    json_object_set_new(wrong, "additional", json_string("yes"));
    service_refused_saying(room, B, in_case, "opinion", wrong, "true or false");
    service_did(room, C, in_case, "opinion", an_opinion("It is not.")); /* its first */
}

static void without_an_opinion_there_is_nothing_to_sum_up(void **state)
{
    struct service_fixture *room = *state;
    char in_case[80];
    asked(room, in_case);
    service_refused_saying(room, A, in_case, "synthesis", json_pack("{s:s}", "text", "Nothing."),
                           "nothing to sum up");
    service_did(room, A, in_case, "close", json_object());
    service_seen(room, B, in_case, "CLOSE");
}

static void a_case_with_opinions_is_closed_after_their_synthesis_or_on_purpose(void **state)
{
    struct service_fixture *room = *state;
    char in_case[80], first[80];
    asked(room, in_case);
    replied(room, in_case, an_opinion("It is."), first);
    taken_in(room, in_case, 1);
    service_refused_saying(room, A, in_case, "synthesis", json_pack("{s:s}", "text", "Early."),
                           "reveal the opinions first");
    service_refused_saying(room, A, in_case, "close", json_object(), "--without-synthesis");
    service_refused_saying(room, A, in_case, "close", json_pack("{s:i}", "without_synthesis", 1),
                           "true or false");
    service_did(room, A, in_case, "close", json_pack("{s:b}", "without_synthesis", 1));
    service_seen(room, B, in_case, "CLOSE");
}

/* The first OPINION that A holds, as a statement that says the same. */
struct copied {
    struct statement statement;
    uint8_t content[STATEMENT_CONTENT_SIZE_MAX];
    bool is_there;
};

static bool copy_opinion(void *arg, const struct stored_record *stored_record)
{
    struct copied *copied = arg;
    if (!stored_record->is_readable || stored_record->statement.kind != KIND_OPINION)
        return true;
    copied->statement = stored_record->statement;
    memcpy(copied->content, stored_record->statement.content.data,
           stored_record->statement.content.size);
    copied->statement.content.data = copied->content;
    copied->is_there = true;
    return false;
}

/* C writes it into its own stream, under whatever certificate it names. */
static struct record_id passed_off(struct service_fixture *room, const struct scope *scope,
                                   const struct statement *statement)
{
    static uint8_t memory[RECORD_SIZE_MAX];
    struct buffer body = buffer_over(memory, sizeof memory);
    struct network_posted posted = {.is_done = false};
    assert_int_equal(OK, statement_write(statement, &body));
    struct runtime_post post = {
        .scope = *scope, .audience = AUDIENCE_SCOPE, .plaintext = buffer_bytes(&body)};
    runtime_post(room->network->houses[C].runtime, &post, network_on_posted, &posted);
    assert_true(network_until(room->network, network_is_posted, &posted));
    assert_int_equal(OK, posted.done.verdict);
    return posted.done.record;
}

static void assert_bad(struct service_fixture *room, const char *in_case,
                       const struct record_id *id)
{
    char hex[IDS_HEX_MAX];
    size_t index;
    bool is_found = false;
    json_t *thread = service_look(room, A, in_case, "/thread?limit=200"), *record;
    ids_to_hex(ID_BYTES(*id), hex);
    json_array_foreach(json_object_get(thread, "thread"), index, record)
    {
        if (strcmp(service_text(record, "record"), hex) != 0)
            continue;
        is_found = true;
        assert_string_equal("bad", service_text(record, "signature"));
        assert_null(json_object_get(record, "taken_in"));
    }
    assert_true(is_found);
    json_decref(thread);
}

/* C-6, C-37: word for word what B's clinician signed, or with a certificate of C's over it. */
static void anothers_opinion_under_a_certificate_of_ones_own_is_not_taken_in(void **state)
{
    struct service_fixture *room = *state;
    static struct copied copied;
    char in_case[80], first[80];
    asked(room, in_case);
    service_wait_for(room, C, "GET /v1/town/inbox", "inbox", 1);
    service_did(room, C, in_case, "join", json_object());
    service_seen(room, C, in_case, "MANIFEST");
    replied(room, in_case, an_opinion("It is."), first);
    taken_in(room, in_case, 1);
    struct case_id case_id;
    assert_int_equal(OK, ids_from_hex(in_case, case_id.bytes, HASH_SIZE));
    struct scope scope = scope_case(&case_id);
    struct store *store = runtime_store(room->network->houses[A].runtime);
    assert_int_equal(OK, stored_record_scope(store, &scope, 0, copy_opinion, &copied));
    assert_true(copied.is_there);
    struct record_id same = passed_off(room, &scope, &copied.statement);
    json_t *accounts = service_do(room, C, "GET /v1/town/clinicians", NULL);
    json_t *account = json_array_get(json_object_get(accounts, "clinicians"), 0);
    assert_int_equal(OK, ids_from_hex(service_text(account, "certificate"),
                                      copied.statement.author.cert_id.bytes, HASH_SIZE));
    struct record_id own = passed_off(room, &scope, &copied.statement);
    service_did(room, C, in_case, "opinion",
                json_pack("{s:s,s:s,s:b}", "text", "My own.", "language", "en", "additional", 1));
    taken_in(room, in_case, 2); /* B's, and the one that C signed; what came before it is judged */
    assert_bad(room, in_case, &same);
    assert_bad(room, in_case, &own);
    json_decref(accounts);
}

int main(void)
{
#define STORY(name) cmocka_unit_test_setup_teardown(name, service_setup, service_teardown)
    const struct CMUnitTest tests[] = {
        STORY(a_second_reply_says_what_becomes_of_the_first),
        STORY(a_check_tells_all_that_would_be_refused_and_writes_nothing),
        STORY(nobody_replaces_what_is_not_their_own),
        STORY(anothers_opinion_under_a_certificate_of_ones_own_is_not_taken_in),
        STORY(without_an_opinion_there_is_nothing_to_sum_up),
        STORY(a_case_with_opinions_is_closed_after_their_synthesis_or_on_purpose),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
