/* Clinicians of three hospitals, each at the socket of their own node. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/node/desk_room.h"

enum { A, B, C };

static const char *const logins[] = {"anna", "bela", "chen"};

/* Adds who signs. */
static json_t *signed_by(int which, json_t *body)
{
    json_object_set_new(body, "clinician", json_string(logins[which]));
    json_object_set_new(body, "passphrase", json_string("correct horse"));
    return body;
}

static json_t *a_draft(void)
{
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:i,s:s,s:s,s:s,s:s}", "question",
                     "Is the marrow what it seems to be?", "description", "A long story.",
                     "specialty", "hematology", "service", "clinical-consult", "reason", "rare",
                     "wanted_count", 2, "deadline", "2099-01-01", "language", "en", "mode",
                     "independent-first", "age", "40-49");
}

/* A deadline that the federation allows. */
static json_t *a_good_draft(void)
{
    char text[40];
    json_t *draft = a_draft();
    time_t then = time(NULL) + 3 * 24 * 3600;
    struct tm parts;
    gmtime_r(&then, &parts);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    json_object_set_new(draft, "deadline", json_string(text));
    return draft;
}

static void refused(struct desk_room *room, const char *what, json_t *body, const char *error)
{
    int status = 0;
    json_t *json = desk_ask(room, A, what, body, &status);
    if (status < 400 || strcmp(desk_text(json, "error"), error) != 0)
        print_error("%s: %d %s\n", what, status, json_string_value(json_object_get(json, "error")));
    assert_true(status >= 400);
    assert_string_equal(error, desk_text(json, "error"));
    assert_true(strlen(desk_text(json, "message")) > 0);
    assert_true(strlen(desk_text(json, "hint")) > 0);
    json_decref(json);
}

static void refused_saying(struct desk_room *room, const char *what, json_t *body,
                           const char *message)
{
    int status = 0;
    json_t *json = desk_ask(room, A, what, body, &status);
    assert_true(status >= 400);
    if (strstr(desk_text(json, "message"), message) == NULL)
        print_error("%s: %s\n", what, desk_text(json, "message"));
    assert_non_null(strstr(desk_text(json, "message"), message));
    json_decref(json);
}

static uint64_t records_of(struct desk_room *room, int which)
{
    struct store_usage usage;
    assert_int_equal(OK, store_usage(shell_store(room->town->houses[which].shell), &usage));
    return usage.record_count;
}

/* API-1 */
static void status_says_what_this_is_not(void **state)
{
    struct desk_room *room = *state;
    json_t *json = desk_do(room, A, "GET /v1/status", NULL);
    json_t *notices = json_object_get(json, "notices");
    assert_non_null(strstr(json_string_value(json_array_get(notices, 0)), "no real patients"));
    assert_non_null(strstr(json_string_value(json_array_get(notices, 1)), "call"));
    json_t *federation = json_array_get(json_object_get(json, "federations"), 0);
    assert_string_equal("town", desk_text(federation, "name"));
    json_decref(json);
}

static int status_of(struct desk_room *room, const struct desk_request *request)
{
    char *body;
    int fd = desk_dial(room, A);
    int status = desk_say(room, fd, request, &body);
    close(fd);
    return status;
}

/* API-2, API-3 */
static void requests_of_other_sites_and_of_other_types_are_refused(void **state)
{
    struct desk_room *room = *state;
    static const struct {
        const char *headers;
        int status;
    } cases[] = {
        {"Host: consilium\r\nContent-Type: application/json\r\n", 400},
        {"Host: localhost\r\nContent-Type: application/json; charset=utf-8\r\n", 400},
        {"Host: evil.example\r\nContent-Type: application/json\r\n", 403},
        {"Host: consilium\r\nOrigin: http://evil.example\r\nContent-Type: application/json\r\n",
         403},
        {"Host: consilium\r\nSec-Fetch-Site: cross-site\r\nContent-Type: application/json\r\n",
         403},
        {"Host: consilium\r\nContent-Type: text/plain\r\n", 415},
        {"Host: consilium\r\nContent-Type: application/x-www-form-urlencoded\r\n", 415},
        {"Host: consilium\r\n", 415},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct desk_request request = {.method = "POST",
                                       .path = "/v1/town/drafts",
                                       .headers = cases[i].headers,
                                       .body = "[]",
                                       .size = 2};
        assert_int_equal(cases[i].status, status_of(room, &request));
    }
}

static void what_is_not_there_is_refused(void **state)
{
    struct desk_room *room = *state;
    refused(room, "GET /v1/nowhere/status", NULL, "ERR_NOT_FOUND");
    refused(room, "GET /v1/town/nothing", NULL, "ERR_NOT_FOUND");
    refused(room, "GET /v2/town/status", NULL, "ERR_NOT_FOUND");
    refused(room, "GET /", NULL, "ERR_NOT_FOUND");
    refused(room, "POST /v1/town/status", json_object(), "ERR_UNSUPPORTED");
    refused(room, "GET /v1/town/cases/0123abcd", NULL, "ERR_NOT_FOUND");
    refused(room, "GET /v1/town/cases/x", NULL, "ERR_NOT_FOUND");
    refused(room, "GET /v1/town/drafts/0123", NULL, "ERR_NOT_FOUND");
}

static void json_that_is_none_is_refused(void **state)
{
    struct desk_room *room = *state;
    static const char *const bodies[] = {"",
                                         "{",
                                         "[]",
                                         "{\"question\": \"a\", \"question\": \"b\"}",
                                         "{\"a\":[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]}",
                                         "{\"question\": 1}",
                                         "{\"questoin\": \"a\"}"};
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        struct desk_request request = {.method = "POST",
                                       .path = "/v1/town/drafts",
                                       .body = bodies[i],
                                       .size = strlen(bodies[i])};
        int status = status_of(room, &request);
        assert_true(status == 400 || status == 413);
    }
    json_t *json = desk_do(room, A, "GET /v1/town/drafts", NULL);
    assert_int_equal(0, json_array_size(json_object_get(json, "drafts")));
    json_decref(json);
}

/* API-5 */
static void an_emergency_is_refused_with_the_advice_to_call(void **state)
{
    struct desk_room *room = *state;
    json_t *draft = a_good_draft();
    json_object_set_new(draft, "emergency", json_true());
    refused_saying(room, "POST /v1/town/drafts", draft, "Call");
}

static void a_draft_says_what_is_missing(void **state)
{
    struct desk_room *room = *state;
    static const struct {
        const char *name;
        const char *value;
        const char *says;
    } cases[] = {
        {"question", NULL, "question: missing"},
        {"description", NULL, "description: missing"},
        {"specialty", "astrology", "specialty: no such board"},
        {"deadline", "2020-01-01", "deadline: it is past"},
        {"deadline", "2099-01-01", "deadline: further away"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *draft = a_good_draft();
        json_object_del(draft, cases[i].name);
        if (cases[i].value != NULL)
            json_object_set_new(draft, cases[i].name, json_string(cases[i].value));
        json_t *made = desk_do(room, A, "POST /v1/town/drafts", draft);
        assert_non_null(strstr(desk_text(made, "missing"), cases[i].says));
        json_decref(made);
    }
}

/* Writes a draft and gives its preview. */
static json_t *previewed(struct desk_room *room, char path[static 160])
{
    json_t *made = desk_do(room, A, "POST /v1/town/drafts", a_good_draft());
    char get[200];
    snprintf(path, 160, "/v1/town/drafts/%s", desk_text(made, "draft"));
    snprintf(get, sizeof get, "GET %s/preview", path);
    json_decref(made);
    return desk_do(room, A, get, NULL);
}

static json_t *sending(const char *preview, const char *name)
{
    return signed_by(A, json_pack("{s:s,s:s}", "preview", preview, "confirmed_by", name));
}

/* API-7 */
static void only_what_was_shown_is_sent(void **state)
{
    struct desk_room *room = *state;
    char path[160], send[200], put[200];
    json_t *preview = previewed(room, path);
    char hash[80];
    snprintf(hash, sizeof hash, "%s", desk_text(preview, "preview"));
    assert_non_null(strstr(desk_text(preview, "text"), "Is the marrow what it seems to be?"));
    assert_non_null(strstr(desk_text(preview, "text"), "A long story."));
    snprintf(send, sizeof send, "POST %s/send", path);
    snprintf(put, sizeof put, "PUT %s", path);
    uint64_t before = records_of(room, A);
    refused(room, send, sending(hash, "Otto Other"), "ERR_INVALID");
    json_decref(desk_do(room, A, put, json_pack("{s:s}", "age", "50-59")));
    refused(room, send, sending(hash, "Anna Alt"), "ERR_STATE");
    assert_int_equal(before, records_of(room, A));
    json_decref(desk_do(room, A, put, json_pack("{s:s}", "age", "40-49")));
    json_decref(desk_do(room, A, send, sending(hash, "Anna Alt")));
    assert_int_equal(before + 3, records_of(room, A));
    json_decref(preview);
}

/* API-4, API-6 */
static void nobody_signs_without_the_passphrase_or_for_somebody_else(void **state)
{
    struct desk_room *room = *state;
    char path[160], send[200];
    json_t *preview = previewed(room, path);
    snprintf(send, sizeof send, "POST %s/send", path);
    const char *hash = desk_text(preview, "preview");
    uint64_t before = records_of(room, A);
    json_t *body = sending(hash, "Anna Alt");
    json_object_set_new(body, "passphrase", json_string("correct horsf"));
    refused(room, send, body, "ERR_PASSPHRASE");
    body = sending(hash, "Anna Alt");
    json_object_del(body, "passphrase");
    refused(room, send, body, "ERR_INVALID");
    body = sending(hash, "Otto Other");
    json_object_set_new(body, "clinician", json_string("other"));
    refused(room, send, body, "ERR_NOT_ENTITLED");
    body = sending(hash, "Anna Alt");
    json_object_set_new(body, "clinician", json_string("nobody"));
    refused(room, send, body, "ERR_NOT_FOUND");
    assert_int_equal(before, records_of(room, A));
    json_decref(preview);
}

static void drafts_outlive_a_restart_and_belong_to_who_made_them(void **state)
{
    struct desk_room *room = *state;
    char path[160], get[200];
    json_t *preview = previewed(room, path);
    snprintf(get, sizeof get, "GET %s/preview", path);
    desk_shut(room, A);
    desk_open(room, A);
    json_t *again = desk_do(room, A, get, NULL);
    assert_string_equal(desk_text(preview, "preview"), desk_text(again, "preview"));
    json_decref(preview);
    json_decref(again);
}

/* ---- a whole case ---- */

struct expected {
    struct desk_room *room;
    int which;
    const char *what;
    const char *list;
    size_t count;
};

static bool has_come(void *arg)
{
    const struct expected *expected = arg;
    json_t *json = desk_do(expected->room, expected->which, expected->what, NULL);
    bool has = json_array_size(json_object_get(json, expected->list)) >= expected->count;
    json_decref(json);
    return has;
}

static void wait_for(struct desk_room *room, int which, const char *what, const char *list,
                     size_t count)
{
    struct expected expected = {room, which, what, list, count};
    assert_true(town_until(room->town, has_come, &expected));
}

static void attach(struct desk_room *room, const char *path, const char *name, const char *content,
                   int wanted)
{
    char where[300];
    snprintf(where, sizeof where, "%s/attachments?name=%s", path, name);
    struct desk_request request = {
        .method = "POST",
        .path = where,
        .headers = "Host: consilium\r\nContent-Type: application/octet-stream\r\n",
        .body = content,
        .size = strlen(content)};
    assert_int_equal(wanted, status_of(room, &request));
}

/* A sends a case with one attachment; its id. */
static void announced(struct desk_room *room, char ret_case[static 80])
{
    char path[160], get[200], send[200];
    json_decref(previewed(room, path));
    attach(room, path, "report.txt", "CT: a mass of 3 cm.\n", 200);
    attach(room, path, "report.pdf", "CT: a mass of 3 cm.\n", 400);
    attach(room, path, "scan.dcm", "not a picture", 400);
    snprintf(get, sizeof get, "GET %s/preview", path);
    snprintf(send, sizeof send, "POST %s/send", path);
    json_t *preview = desk_do(room, A, get, NULL);
    json_t *sent = desk_do(room, A, send, sending(desk_text(preview, "preview"), "Anna Alt"));
    snprintf(ret_case, 80, "%s", desk_text(sent, "case"));
    json_decref(sent);
    json_decref(preview);
}

static json_t *act(struct desk_room *room, int which, const char *in_case, const char *what,
                   json_t *body)
{
    char path[300];
    snprintf(path, sizeof path, "POST /v1/town/cases/%.16s/%s", in_case, what);
    return desk_do(room, which, path, body);
}

static void did(struct desk_room *room, int which, const char *in_case, const char *what,
                json_t *body)
{
    json_decref(act(room, which, in_case, what, signed_by(which, body)));
}

static json_t *look(struct desk_room *room, int which, const char *in_case, const char *what)
{
    char path[300];
    snprintf(path, sizeof path, "GET /v1/town/cases/%.16s%s", in_case, what);
    return desk_do(room, which, path, NULL);
}

/* The first record of that kind in the thread as `which` sees it; a new reference, or NULL. */
static json_t *record_of(struct desk_room *room, int which, const char *in_case, const char *kind)
{
    json_t *thread = look(room, which, in_case, "/thread?limit=200"), *record, *found = NULL;
    size_t index;
    json_array_foreach(json_object_get(thread, "thread"), index, record)
    {
        if (found == NULL && strcmp(desk_text(record, "kind"), kind) == 0)
            found = json_incref(record);
    }
    json_decref(thread);
    return found;
}

struct sought {
    struct desk_room *room;
    int which;
    const char *in_case;
    const char *kind;
};

static bool is_seen(void *arg)
{
    const struct sought *sought = arg;
    json_t *record = record_of(sought->room, sought->which, sought->in_case, sought->kind);
    bool is = record != NULL;
    json_decref(record);
    return is;
}

static void seen(struct desk_room *room, int which, const char *in_case, const char *kind)
{
    struct sought sought = {room, which, in_case, kind};
    assert_true(town_until(room->town, is_seen, &sought));
}

static bool is_fetched(void *arg)
{
    const struct sought *sought = arg;
    json_t *json = look(sought->room, sought->which, sought->in_case, "/items");
    json_t *item = json_array_get(json_object_get(json, "items"), 0);
    bool is = strcmp(desk_text(item, "state"), "here") == 0;
    json_decref(json);
    return is;
}

/* API-8, API-9: first the receipt, then the bytes; the opinion signs what was opened. */
static void read_the_item(struct desk_room *room, const char *in_case)
{
    struct sought sought = {room, B, in_case, NULL};
    char path[300], *body;
    json_decref(act(room, B, in_case, "fetch", json_object()));
    assert_true(town_until(room->town, is_fetched, &sought));
    json_t *items = look(room, B, in_case, "/items");
    const char *item = desk_text(json_array_get(json_object_get(items, "items"), 0), "item");
    snprintf(path, sizeof path, "/v1/town/cases/%s/items/%s?clinician=bela", in_case, item);
    struct desk_request request = {.method = "GET", .path = path};
    int fd = desk_dial(room, B);
    assert_int_equal(403, desk_say(room, fd, &request, &body));
    close(fd);
    did(room, B, in_case, "opened", json_pack("{s:[s]}", "items", item));
    fd = desk_dial(room, B);
    assert_int_equal(200, desk_say(room, fd, &request, &body));
    assert_string_equal("CT: a mass of 3 cm.\n", body);
    close(fd);
    json_decref(items);
}

static void a_case_goes_from_question_to_outcome(void **state)
{
    struct desk_room *room = *state;
    char in_case[80];
    wait_for(room, A, "GET /v1/town/specialists", "specialists", 4);
    announced(room, in_case);
    wait_for(room, B, "GET /v1/town/inbox", "inbox", 1);
    wait_for(room, C, "GET /v1/town/inbox?specialty=hematology&language=en", "inbox", 1);
    did(room, B, in_case, "join", json_pack("{s:s}", "note", "I have seen thirty."));
    did(room, C, in_case, "join", json_object());
    seen(room, B, in_case, "MANIFEST");
    seen(room, C, in_case, "MANIFEST");
    read_the_item(room, in_case);
    did(room, B, in_case, "opinion",
        json_pack("{s:s,s:s,s:s}", "text", "It is.", "language", "en", "diagnosis", "confirmed"));
    did(room, C, in_case, "ask",
        json_pack("{s:[{s:s,s:s}]}", "items", "wanted", "test", "text", "Ferritin"));
    seen(room, A, in_case, "OPINION");
    seen(room, A, in_case, "ASK");

    json_t *opinion = record_of(room, A, in_case, "OPINION");
    json_t *content = json_object_get(opinion, "content");
    assert_string_equal("good", desk_text(opinion, "signature"));
    assert_string_equal("Béla Bartók", desk_text(json_object_get(opinion, "clinician"), "name"));
    assert_int_equal(1, json_array_size(json_object_get(content, "items_opened")));
    assert_string_equal(OPINION_SENTENCE, desk_text(content, "sentence"));
    assert_null(record_of(room, C, in_case, "OPINION")); /* independent first */
    json_t *about = look(room, A, in_case, "");
    json_t *asked = json_array_get(json_object_get(about, "asked"), 0);
    assert_string_equal("open", desk_text(asked, "state"));
    json_decref(about);

    seen(room, A, in_case, "TAKE_IN");
    did(room, A, in_case, "reveal", json_object());
    seen(room, C, in_case, "OPINION");
    did(room, A, in_case, "post", json_pack("{s:s}", "text", "Thank you."));
    did(room, A, in_case, "synthesis", json_pack("{s:s}", "text", "It is what it seems."));
    did(room, A, in_case, "close", json_object());
    did(room, A, in_case, "outcome",
        json_pack("{s:i,s:s,s:s}", "day", 21, "followed", "followed", "result", "improved"));
    seen(room, B, in_case, "OUTCOME");
    about = look(room, B, in_case, "");
    assert_string_equal("followed-up", desk_text(about, "state"));
    json_decref(about);
    json_decref(opinion);

    json_t *verdict = desk_do(room, A, "GET /v1/town/audit/verify", NULL);
    assert_true(json_is_true(json_object_get(verdict, "sound")));
    assert_true(json_integer_value(json_object_get(verdict, "count")) > 8);
    json_decref(verdict);
}

/* The same house, but a person there decides who gets the case file. */
static void by_hand(struct desk_room *room)
{
    desk_shut(room, A);
    town_shut(room->town, A);
    room->town->grants_by_hand = true;
    town_open(room->town, A);
    town_connect(room->town, A, B);
    town_connect(room->town, A, C);
    desk_open(room, A);
}

static void a_person_grants_and_ends_a_grant(void **state)
{
    struct desk_room *room = *state;
    char in_case[80], node[40], path[200];
    by_hand(room);
    announced(room, in_case);
    wait_for(room, B, "GET /v1/town/inbox", "inbox", 1);
    did(room, B, in_case, "join", json_object());
    snprintf(path, sizeof path, "GET /v1/town/cases/%s/joins", in_case);
    wait_for(room, A, path, "joins", 1);
    json_t *joins = look(room, A, in_case, "/joins");
    json_t *join = json_array_get(json_object_get(joins, "joins"), 0);
    snprintf(node, sizeof node, "%s", desk_text(json_object_get(join, "writer"), "node"));
    json_decref(joins);
    town_pass(room->town, 300);
    assert_null(record_of(room, B, in_case, "MANIFEST"));
    did(room, A, in_case, "grants", json_pack("{s:s}", "participant", node));
    seen(room, B, in_case, "MANIFEST");
    joins = look(room, A, in_case, "/joins");
    assert_int_equal(0, json_array_size(json_object_get(joins, "joins")));
    json_decref(joins);
    snprintf(path, sizeof path, "POST /v1/town/cases/%s/grants", in_case);
    refused(room, path, signed_by(A, json_pack("{s:s}", "participant", "nobody")), "ERR_NOT_FOUND");
    did(room, A, in_case, "grants/end",
        json_pack("{s:s,s:s}", "participant", node, "note", "enough"));
    did(room, A, in_case, "post", json_pack("{s:s}", "text", "Not for B any more."));
    seen(room, B, in_case, "unreadable");
    assert_null(record_of(room, B, in_case, "POST"));
    json_t *about = look(room, A, in_case, "");
    json_t *participant = json_array_get(json_object_get(about, "participants"), 0);
    assert_true(json_is_true(json_object_get(participant, "ended")));
    json_decref(about);
}

/* What is asked for is supplied, with one more attachment, after its preview was confirmed. */
static void what_was_asked_for_is_supplied(void **state)
{
    struct desk_room *room = *state;
    char in_case[80], path[160], what[300];
    announced(room, in_case);
    wait_for(room, B, "GET /v1/town/inbox", "inbox", 1);
    did(room, B, in_case, "join", json_object());
    seen(room, B, in_case, "MANIFEST");
    did(room, B, in_case, "ask",
        json_pack("{s:[{s:s,s:s},{s:s,s:s}]}", "items", "wanted", "test", "text", "Ferritin",
                  "wanted", "image", "text", "MRI"));
    seen(room, A, in_case, "ASK");
    json_t *ask = record_of(room, A, in_case, "ASK");
    json_t *draft = desk_do(room, A, "POST /v1/town/drafts",
                            json_pack("{s:s,s:s,s:[{s:i,s:s},{s:i,s:s}]}", "supplies", in_case,
                                      "ask", desk_text(ask, "record"), "answers", "index", 0,
                                      "answer", "supplied", "index", 1, "answer", "not-available"));
    snprintf(path, sizeof path, "/v1/town/drafts/%s", desk_text(draft, "draft"));
    attach(room, path, "ferritin.txt", "Ferritin 12\n", 200);
    snprintf(what, sizeof what, "GET %s/preview", path);
    json_t *preview = desk_do(room, A, what, NULL);
    assert_non_null(strstr(desk_text(preview, "text"), "ferritin.txt"));
    assert_non_null(strstr(desk_text(preview, "text"), "not-available"));
    snprintf(what, sizeof what, "POST %s/send", path);
    json_decref(desk_do(room, A, what, sending(desk_text(preview, "preview"), "Anna Alt")));
    seen(room, B, in_case, "SUPPLY");
    json_t *about = look(room, B, in_case, "");
    json_t *asked = json_object_get(about, "asked");
    assert_string_equal("supplied", desk_text(json_array_get(asked, 0), "state"));
    assert_string_equal("not-available", desk_text(json_array_get(asked, 1), "state"));
    json_t *items = look(room, B, in_case, "/items");
    assert_int_equal(2, json_array_size(json_object_get(items, "items")));
    json_decref(items);
    json_decref(about);
    json_decref(preview);
    json_decref(draft);
    json_decref(ask);
}

/* Nothing of B's copy can be read any more, and B's receipt says so. */
static void an_erased_case_leaves_receipts(void **state)
{
    struct desk_room *room = *state;
    char in_case[80], path[200];
    announced(room, in_case);
    wait_for(room, B, "GET /v1/town/inbox", "inbox", 1);
    did(room, B, in_case, "join", json_object());
    seen(room, B, in_case, "MANIFEST");
    did(room, A, in_case, "erase", json_object());
    snprintf(path, sizeof path, "GET /v1/town/cases/%s/erasure", in_case);
    wait_for(room, A, path, "receipts", 1);
    json_t *manifest = record_of(room, B, in_case, "MANIFEST");
    assert_null(manifest);
    json_t *inbox = desk_do(room, C, "GET /v1/town/inbox?state=all", NULL);
    json_t *entry = json_array_get(json_object_get(inbox, "inbox"), 0);
    struct expected gone = {room, C, "GET /v1/town/inbox?state=closed", "inbox", 1};
    assert_true(town_until(room->town, has_come, &gone));
    json_decref(inbox);
    inbox = desk_do(room, C, "GET /v1/town/inbox?state=closed", NULL);
    entry = json_array_get(json_object_get(inbox, "inbox"), 0);
    assert_string_equal("erased", desk_text(entry, "state"));
    assert_null(json_object_get(entry, "question"));
    json_decref(inbox);
}

static void a_request_reaches_the_one_who_is_asked(void **state)
{
    struct desk_room *room = *state;
    char what[300];
    json_t *wish = a_good_draft();
    json_t *about = desk_do(room, C, "GET /v1/town/status", NULL);
    json_object_set_new(wish, "directed",
                        json_pack("[s]", desk_text(json_object_get(about, "institution"), "node")));
    json_t *draft = desk_do(room, A, "POST /v1/town/drafts", wish);
    snprintf(what, sizeof what, "GET /v1/town/drafts/%s/preview", desk_text(draft, "draft"));
    json_t *preview = desk_do(room, A, what, NULL);
    snprintf(what, sizeof what, "POST /v1/town/drafts/%s/send", desk_text(draft, "draft"));
    json_t *sent = desk_do(room, A, what, sending(desk_text(preview, "preview"), "Anna Alt"));
    wait_for(room, C, "GET /v1/town/requests", "requests", 1);
    json_t *inbox = desk_do(room, B, "GET /v1/town/inbox?state=all", NULL);
    assert_int_equal(0, json_array_size(json_object_get(inbox, "inbox")));
    did(room, C, desk_text(sent, "case"), "decline", json_pack("{s:s}", "reason", "not-my-field"));
    snprintf(what, sizeof what, "GET /v1/town/cases/%s", desk_text(sent, "case"));
    wait_for(room, A, what, "declined_by_mail", 1);
    json_decref(inbox);
    json_decref(sent);
    json_decref(preview);
    json_decref(draft);
    json_decref(about);
}

static void what_the_state_forbids_is_refused(void **state)
{
    struct desk_room *room = *state;
    char in_case[80], path[200];
    announced(room, in_case);
    snprintf(path, sizeof path, "POST /v1/town/cases/%s/outcome", in_case);
    refused(room, path,
            signed_by(A, json_pack("{s:i,s:s,s:s}", "day", 21, "followed", "followed", "result",
                                   "improved")),
            "ERR_STATE");
    snprintf(path, sizeof path, "POST /v1/town/cases/%s/synthesis", in_case);
    refused(room, path, signed_by(A, json_pack("{s:s}", "text", "early")), "ERR_STATE");
    snprintf(path, sizeof path, "POST /v1/town/cases/%s/opinion", in_case);
    refused(room, path, signed_by(A, json_pack("{s:s,s:s}", "text", "mine", "language", "en")),
            "ERR_NOT_ENTITLED");
    snprintf(path, sizeof path, "POST /v1/town/cases/%s/join", in_case);
    refused(room, path, signed_by(A, json_object()), "ERR_STATE");
    snprintf(path, sizeof path, "POST /v1/town/cases/%s/extend", in_case);
    refused(room, path, signed_by(A, json_pack("{s:s}", "deadline", "2020-01-01")), "ERR_INVALID");
    snprintf(path, sizeof path, "POST /v1/town/cases/%s/reveal", in_case);
    refused(room, path, signed_by(A, json_object()), "ERR_STATE");
}

/* API-10 */
static void reading_writes_no_record(void **state)
{
    struct desk_room *room = *state;
    static const char *const paths[] = {
        "GET /v1/status",           "GET /v1/town/status", "GET /v1/town/members",
        "GET /v1/town/specialists", "GET /v1/town/boards", "GET /v1/town/relays",
        "GET /v1/town/clinicians",  "GET /v1/town/drafts", "GET /v1/town/inbox?state=all",
        "GET /v1/town/requests",    "GET /v1/town/cases",  "GET /v1/town/audit",
        "GET /v1/town/audit/verify"};
    char in_case[80], path[200];
    announced(room, in_case);
    town_pass(room->town, 300);
    uint64_t before = records_of(room, A);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        json_decref(desk_do(room, A, paths[i], NULL));
    static const char *const parts[] = {"", "/thread", "/joins", "/items", "/erasure"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        snprintf(path, sizeof path, "GET /v1/town/cases/%s%s", in_case, parts[i]);
        json_decref(desk_do(room, A, path, NULL));
    }
    assert_int_equal(before, records_of(room, A));
}

static void a_stranger_on_this_machine_is_refused(void **state)
{
    struct desk_room *room = *state;
    if (geteuid() != 0)
        skip();
    struct desk_request request = {.method = "GET", .path = "/v1/status"};
    char *body;
    assert_int_equal(0, chmod(room->town->folder, 0755));
    assert_int_equal(0, chmod(room->houses[A].socket, 0666));
    assert_int_equal(0, seteuid(65534));
    int fd = desk_dial(room, A);
    assert_int_equal(0, seteuid(0));
    assert_int_equal(403, desk_say(room, fd, &request, &body));
    assert_non_null(strstr(body, "may not use the socket"));
    close(fd);
}

int main(void)
{
#define STORY(name) cmocka_unit_test_setup_teardown(name, desk_setup, desk_teardown)
    const struct CMUnitTest tests[] = {
        STORY(status_says_what_this_is_not),
        STORY(requests_of_other_sites_and_of_other_types_are_refused),
        STORY(what_is_not_there_is_refused),
        STORY(json_that_is_none_is_refused),
        STORY(an_emergency_is_refused_with_the_advice_to_call),
        STORY(a_draft_says_what_is_missing),
        STORY(only_what_was_shown_is_sent),
        STORY(nobody_signs_without_the_passphrase_or_for_somebody_else),
        STORY(drafts_outlive_a_restart_and_belong_to_who_made_them),
        STORY(a_case_goes_from_question_to_outcome),
        STORY(a_person_grants_and_ends_a_grant),
        STORY(what_was_asked_for_is_supplied),
        STORY(an_erased_case_leaves_receipts),
        STORY(a_request_reaches_the_one_who_is_asked),
        STORY(what_the_state_forbids_is_refused),
        STORY(reading_writes_no_record),
        STORY(a_stranger_on_this_machine_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
