/* What three hospitals do with a case, each at the socket of its own node. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "protocol/wire/frame.h"
#include "tests/harness/service_fixture.h"

static bool is_fetched(void *arg)
{
    const struct service_sought *sought = arg;
    json_t *json = service_look(sought->room, sought->which, sought->in_case, "/items");
    json_t *item = json_array_get(json_object_get(json, "items"), 0);
    bool is = strcmp(service_text(item, "state"), "here") == 0;
    json_decref(json);
    return is;
}

/* API-8, API-9: first the receipt, then the bytes; the opinion signs what was opened. */
static void read_the_item(struct service_fixture *room, const char *in_case)
{
    struct service_sought sought = {room, B, in_case, NULL};
    char path[300], *body;
    json_decref(service_act(room, B, in_case, "fetch", json_object()));
    assert_true(network_until(room->network, is_fetched, &sought));
    json_t *items = service_look(room, B, in_case, "/items");
    const char *item = service_text(json_array_get(json_object_get(items, "items"), 0), "item");
    snprintf(path, sizeof path, "/v1/town/cases/%s/items/%s?clinician=bela", in_case, item);
    struct service_request request = {.method = "GET", .path = path};
    int fd = service_dial(room, B);
    assert_int_equal(403, service_say(room, fd, &request, &body));
    close(fd);
    service_did(room, B, in_case, "opened", json_pack("{s:[s]}", "items", item));
    fd = service_dial(room, B);
    assert_int_equal(200, service_say(room, fd, &request, &body));
    assert_string_equal("CT: a mass of 3 cm.\n", body);
    close(fd);
    json_decref(items);
}

/* The author sees who opened the opinion, and how many hold it. */
static bool is_opened_by(void *arg)
{
    const struct service_sought *sought = arg;
    json_t *opinion = service_record_of(sought->room, sought->which, sought->in_case, "OPINION");
    const json_t *delivery = json_object_get(opinion, "delivery");
    const json_t *who = json_array_get(json_object_get(delivery, "opened_by"), 0);
    bool is = who != NULL && strcmp(service_text(who, "name"), sought->kind) == 0 &&
              json_integer_value(json_object_get(delivery, "reached")) > 0;
    json_decref(opinion);
    return is;
}

/* What the requester took in it can reveal; what it only holds it cannot. */
static bool is_taken_in(void *arg)
{
    const struct service_sought *sought = arg;
    json_t *record = service_record_of(sought->room, sought->which, sought->in_case, sought->kind);
    bool is = json_is_true(json_object_get(record, "taken_in"));
    json_decref(record);
    return is;
}

static void a_case_goes_from_question_to_outcome(void **state)
{
    struct service_fixture *room = *state;
    char in_case[80];
    service_wait_for(room, A, "GET /v1/town/specialists", "specialists", 4);
    service_announced(room, in_case);
    service_wait_for(room, B, "GET /v1/town/inbox", "inbox", 1);
    service_wait_for(room, C, "GET /v1/town/inbox?specialty=hematology&language=en", "inbox", 1);
    service_did(room, B, in_case, "join", json_pack("{s:s}", "note", "I have seen thirty."));
    service_did(room, C, in_case, "join", json_object());
    service_seen(room, B, in_case, "MANIFEST");
    service_seen(room, C, in_case, "MANIFEST");
    read_the_item(room, in_case);
    service_did(
        room, B, in_case, "opinion",
        json_pack("{s:s,s:s,s:s}", "text", "It is.", "language", "en", "diagnosis", "confirmed"));
    service_did(room, C, in_case, "ask",
                json_pack("{s:[{s:s,s:s}]}", "items", "wanted", "test", "text", "Ferritin"));
    service_seen(room, A, in_case, "OPINION");
    service_seen(room, A, in_case, "ASK");

    json_t *opinion = service_record_of(room, A, in_case, "OPINION");
    json_t *content = json_object_get(opinion, "content");
    assert_string_equal("good", service_text(opinion, "signature"));
    assert_string_equal("Béla Bartók", service_text(json_object_get(opinion, "clinician"), "name"));
    assert_int_equal(1, json_array_size(json_object_get(content, "items_opened")));
    assert_string_equal(OPINION_SENTENCE, service_text(content, "sentence"));
    assert_null(service_record_of(room, C, in_case, "OPINION")); /* independent first */
    assert_null(service_record_of(room, B, in_case, "ASK"));
    json_t *about = service_look(room, A, in_case, "");
    json_t *asked = json_array_get(json_object_get(about, "asked"), 0);
    assert_string_equal("open", service_text(asked, "state"));
    json_decref(about);

    struct service_sought opined = {room, A, in_case, "OPINION"};
    struct service_sought wanted = {room, A, in_case, "ASK"};
    assert_true(network_until(room->network, is_taken_in, &opined));
    assert_true(network_until(room->network, is_taken_in, &wanted));
    service_did(room, A, in_case, "reveal", json_object());
    service_seen(room, C, in_case, "OPINION");
    service_seen(room, B, in_case, "ASK");
    service_did(room, A, in_case, "opened",
                json_pack("{s:[s]}", "records", service_text(opinion, "record")));
    struct service_sought sought = {room, B, in_case, "Anna Alt"};
    assert_true(network_until(room->network, is_opened_by, &sought));
    service_did(room, A, in_case, "post", json_pack("{s:s}", "text", "Thank you."));
    service_did(room, A, in_case, "synthesis", json_pack("{s:s}", "text", "It is what it seems."));
    service_did(room, A, in_case, "close", json_object());
    service_did(
        room, A, in_case, "outcome",
        json_pack("{s:i,s:s,s:s}", "day", 21, "followed", "followed", "result", "improved"));
    service_seen(room, B, in_case, "OUTCOME");
    about = service_look(room, B, in_case, "");
    assert_string_equal("followed-up", service_text(about, "state"));
    json_decref(about);
    json_decref(opinion);

    json_t *verdict = service_do(room, A, "GET /v1/town/audit/verify", NULL);
    assert_true(json_is_true(json_object_get(verdict, "sound")));
    assert_true(json_integer_value(json_object_get(verdict, "count")) > 8);
    json_decref(verdict);
}

static bool is_told(void *arg)
{
    const struct service_fixture *room = arg;
    return room->network->houses[A].told[KIND_REVOCATION] > 0;
}

static void assert_signature(struct service_fixture *room, int which, const char *in_case,
                             const char *kind)
{
    json_t *record = service_record_of(room, which, in_case, kind);
    assert_non_null(record);
    assert_string_equal("good", service_text(record, "signature"));
    json_decref(record);
}

/* API-13 */
static void who_is_revoked_signs_nothing_more_and_what_was_signed_before_stays_good(void **state)
{
    struct service_fixture *room = *state;
    char in_case[80], path[200];
    service_announced(room, in_case);
    service_wait_for(room, B, "GET /v1/town/inbox", "inbox", 1);
    service_did(room, B, in_case, "join", json_object());
    service_seen(room, B, in_case, "MANIFEST");
    service_did(room, B, in_case, "ask",
                json_pack("{s:[{s:s,s:s}]}", "items", "wanted", "test", "text", "Ferritin"));
    service_did(room, B, in_case, "opinion",
                json_pack("{s:s,s:s}", "text", "It is.", "language", "en"));
    service_seen(room, A, in_case, "OPINION");
    service_seen(room, B, in_case, "TAKE_IN");
    json_decref(service_do(room, B, "POST /v1/town/clinicians/bela/revoke",
                           json_pack("{s:s}", "reason", "left-the-institution")));
    assert_true(network_until(room->network, is_told, room));
    for (int which = A; which <= B; which++) {
        assert_signature(room, which, in_case, "ASK");
        assert_signature(room, which, in_case, "OPINION");
    }
    snprintf(path, sizeof path, "POST /v1/town/cases/%.16s/post", in_case);
    int status = 0;
    json_t *refused = service_ask(
        room, B, path, service_signed_by(B, json_pack("{s:s}", "text", "Still me.")), &status);
    assert_int_equal(403, status);
    assert_non_null(strstr(service_text(refused, "message"), "revoked"));
    json_decref(refused);
    assert_null(service_record_of(room, B, in_case, "POST"));
}

static void assert_joins(struct service_fixture *room, const char *in_case, size_t count)
{
    json_t *joins = service_look(room, A, in_case, "/joins");
    assert_int_equal(count, json_array_size(json_object_get(joins, "joins")));
    json_decref(joins);
}

static void a_person_grants_and_ends_a_grant(void **state)
{
    struct service_fixture *room = *state;
    char in_case[80], node[40], path[200];
    service_by_hand(room);
    service_announced(room, in_case);
    service_wait_for(room, B, "GET /v1/town/inbox", "inbox", 1);
    service_did(room, B, in_case, "join", json_object());
    snprintf(path, sizeof path, "GET /v1/town/cases/%s/joins", in_case);
    service_wait_for(room, A, path, "joins", 1);
    json_t *joins = service_look(room, A, in_case, "/joins");
    json_t *join = json_array_get(json_object_get(joins, "joins"), 0);
    snprintf(node, sizeof node, "%s", service_text(json_object_get(join, "writer"), "node"));
    json_decref(joins);
    network_pass(room->network, 300);
    assert_null(service_record_of(room, B, in_case, "MANIFEST"));
    service_did(room, A, in_case, "grants", json_pack("{s:s}", "participant", node));
    service_seen(room, B, in_case, "MANIFEST");
    assert_joins(room, in_case, 0);
    snprintf(path, sizeof path, "POST /v1/town/cases/%s/grants", in_case);
    service_refused(room, path, service_signed_by(A, json_pack("{s:s}", "participant", "nobody")),
                    "ERR_NOT_FOUND");
    service_did(room, A, in_case, "grants/end",
                json_pack("{s:s,s:s}", "participant", node, "note", "enough"));
    service_did(room, A, in_case, "post", json_pack("{s:s}", "text", "Not for B any more."));
    service_seen(room, B, in_case, "unreadable");
    assert_null(service_record_of(room, B, in_case, "POST"));
    assert_joins(room, in_case, 0); /* it was answered, and is not asked again by itself */
    json_t *about = service_look(room, A, in_case, "");
    json_t *participant = json_array_get(json_object_get(about, "participants"), 0);
    assert_true(json_is_true(json_object_get(participant, "ended")));
    json_decref(about);
}

/* What is asked for is supplied, with one more attachment, after its preview was confirmed. */
static void what_was_asked_for_is_supplied(void **state)
{
    struct service_fixture *room = *state;
    char in_case[80], path[160], what[300];
    service_announced(room, in_case);
    service_wait_for(room, B, "GET /v1/town/inbox", "inbox", 1);
    service_did(room, B, in_case, "join", json_object());
    service_seen(room, B, in_case, "MANIFEST");
    service_did(room, B, in_case, "ask",
                json_pack("{s:[{s:s,s:s},{s:s,s:s}]}", "items", "wanted", "test", "text",
                          "Ferritin", "wanted", "image", "text", "MRI"));
    service_seen(room, A, in_case, "ASK");
    json_t *ask = service_record_of(room, A, in_case, "ASK");
    json_t *draft =
        service_do(room, A, "POST /v1/town/drafts",
                   json_pack("{s:s,s:s,s:[{s:i,s:s},{s:i,s:s}]}", "supplies", in_case, "ask",
                             service_text(ask, "record"), "answers", "index", 0, "answer",
                             "supplied", "index", 1, "answer", "not-available"));
    snprintf(path, sizeof path, "/v1/town/drafts/%s", service_text(draft, "draft"));
    service_attach(room, path, "ferritin.txt", "Ferritin 12\n", 200);
    snprintf(what, sizeof what, "GET %s/preview", path);
    json_t *preview = service_do(room, A, what, NULL);
    assert_non_null(strstr(service_text(preview, "text"), "ferritin.txt"));
    assert_non_null(strstr(service_text(preview, "text"), "not-available"));
    assert_non_null(strstr(service_text(preview, "text"), "test: Ferritin"));
    assert_non_null(strstr(service_text(preview, "text"), "answer 0"));
    assert_null(strstr(service_text(preview, "text"), "NOT ANSWERED"));
    snprintf(what, sizeof what, "POST %s/send", path);
    json_decref(
        service_do(room, A, what, service_sending(service_text(preview, "preview"), "Anna Alt")));
    service_seen(room, B, in_case, "SUPPLY");
    json_t *about = service_look(room, B, in_case, "");
    json_t *asked = json_object_get(about, "asked");
    assert_string_equal("supplied", service_text(json_array_get(asked, 0), "state"));
    assert_string_equal("not-available", service_text(json_array_get(asked, 1), "state"));
    json_t *items = service_look(room, B, in_case, "/items");
    assert_int_equal(2, json_array_size(json_object_get(items, "items")));
    json_decref(items);
    json_decref(about);
    json_decref(preview);
    json_decref(draft);
    json_decref(ask);
}

static void assert_missing(struct service_fixture *room, json_t *wish, const char *words)
{
    json_t *draft = service_do(room, A, "POST /v1/town/drafts", wish);
    const char *missing = json_string_value(json_object_get(draft, "missing"));
    assert_non_null(missing);
    assert_non_null(strstr(missing, words));
    json_decref(draft);
}

static void an_answer_is_to_an_item_that_was_asked_for(void **state)
{
    struct service_fixture *room = *state;
    char in_case[80], path[160];
    service_announced(room, in_case);
    service_wait_for(room, B, "GET /v1/town/inbox", "inbox", 1);
    service_did(room, B, in_case, "join", json_object());
    service_seen(room, B, in_case, "MANIFEST");
    service_did(room, B, in_case, "ask",
                json_pack("{s:[{s:s,s:s},{s:s,s:s}]}", "items", "wanted", "test", "text",
                          "Ferritin", "wanted", "image", "text", "MRI"));
    service_seen(room, A, in_case, "ASK");
    json_t *ask = service_record_of(room, A, in_case, "ASK");
    json_t *open = service_record_of(room, A, in_case, "OPEN");
    const char *id = service_text(ask, "record"), *other = service_text(open, "record");
    assert_missing(room,
                   json_pack("{s:s,s:s,s:[{s:i,s:s}]}", "supplies", in_case, "ask", id, "answers",
                             "index", 2, "answer", "supplied"),
                   "has 2 items, counted from 0");
    assert_missing(room,
                   json_pack("{s:s,s:[{s:i,s:s}]}", "supplies", in_case, "answers", "index", 0,
                             "answer", "supplied"),
                   "which ASK");
    assert_missing(room,
                   json_pack("{s:s,s:s,s:[{s:i,s:s}]}", "supplies", in_case, "ask", other,
                             "answers", "index", 0, "answer", "supplied"),
                   "is no ASK");
    json_t *draft = service_do(room, A, "POST /v1/town/drafts",
                               json_pack("{s:s,s:s,s:[{s:i,s:s}]}", "supplies", in_case, "ask", id,
                                         "answers", "index", 1, "answer", "not-given"));
    snprintf(path, sizeof path, "GET /v1/town/drafts/%s/preview", service_text(draft, "draft"));
    json_t *preview = service_do(room, A, path, NULL);
    assert_non_null(strstr(service_text(preview, "text"), "NOT ANSWERED"));
    json_decref(preview);
    json_decref(draft);
    json_decref(open);
    json_decref(ask);
}

/* Nothing of B's copy can be read any more, and B's receipt says so. */
static bool service_is_gone(void *arg)
{
    return !service_has_come(arg);
}

static void an_erased_case_leaves_receipts(void **state)
{
    struct service_fixture *room = *state;
    char in_case[80], path[200];
    service_announced(room, in_case);
    service_wait_for(room, B, "GET /v1/town/inbox", "inbox", 1);
    service_did(room, B, in_case, "join", json_object());
    service_seen(room, B, in_case, "MANIFEST");
    service_did(room, A, in_case, "erase", json_object());
    snprintf(path, sizeof path, "GET /v1/town/cases/%s/erasure", in_case);
    service_wait_for(room, A, path, "receipts", 1);
    json_t *manifest = service_record_of(room, B, in_case, "MANIFEST");
    assert_null(manifest);
    /* the board knows no more of it */
    struct service_expected listed = {room, C, "GET /v1/town/inbox?state=all", "inbox", 1};
    assert_true(network_until(room->network, service_is_gone, &listed));
}

/* The officers suspend a house, and A hears of it from its first peer. */
static void suspend(struct service_fixture *room, int which)
{
    static uint8_t frame_memory[FRAME_SIZE_MAX], out_memory[FRAME_SIZE_MAX];
    static uint8_t part_memory[DELTA_PART_SIZE_MAX];
    struct buffer frame = buffer_over(frame_memory, sizeof frame_memory);
    struct buffer out = buffer_over(out_memory, sizeof out_memory);
    struct buffer part = buffer_over(part_memory, sizeof part_memory);
    struct federation *society = &room->network->society;
    struct runtime *runtime = room->network->houses[A].runtime;
    struct member member;
    struct engine_peer peer;
    size_t offset = 0;
    roster_member(&society->roster,
                  roster_find(&society->roster, &room->network->houses[which].node), &member);
    member.state = MEMBER_SUSPENDED;
    member.state_since_epoch = roster_current_head(&society->roster)->epoch + 1;
    federation_put_member(society, &member);
    assert_int_equal(OK, federation_draft(society));
    frame_heads_begin(&frame);
    assert_true(frame_head_write(&frame, society->signed_head));
    assert_true(delta_part_write(&society->delta, 0, &offset, &part));
    frame_roster_part_write(&out, buffer_bytes(&part));
    assert_int_equal(OK, federation_take(society));
    assert_true(engine_peer(runtime_engine(runtime), 0, &peer));
    driver_frame(room->network->houses[A].driver, peer.link, buffer_bytes(&frame));
    driver_frame(room->network->houses[A].driver, peer.link, buffer_bytes(&out));
}

static bool is_suspended(void *arg)
{
    const struct service_fixture *room = arg;
    const struct roster_entry *entry = roster_find(runtime_roster(room->network->houses[A].runtime),
                                                   &room->network->houses[C].node);
    return entry->state == MEMBER_SUSPENDED;
}

static bool is_at_both(void *arg)
{
    const struct service_sought *sought = arg;
    json_t *about = service_look(sought->room, A, sought->in_case, "");
    const json_t *delivery = json_object_get(json_object_get(about, "announcement"), "delivery");
    bool is = json_integer_value(json_object_get(delivery, "reached")) == 2 &&
              json_integer_value(json_object_get(delivery, "audience")) == 2;
    json_decref(about);
    return is;
}

/* A disclosure is not forgotten because of what became of whom it reached. */
static void whom_a_notice_reached_stays_told(void **state)
{
    struct service_fixture *room = *state;
    char in_case[80];
    service_announced(room, in_case);
    struct service_sought sought = {room, A, in_case, ""};
    assert_true(network_until(room->network, is_at_both, &sought));
    suspend(room, C);
    assert_true(network_until(room->network, is_suspended, room));
    assert_true(is_at_both(&sought));
}

static void a_request_reaches_the_one_who_is_asked(void **state)
{
    struct service_fixture *room = *state;
    char what[300];
    json_t *wish = service_a_good_draft();
    json_t *about = service_do(room, C, "GET /v1/town/status", NULL);
    json_object_set_new(
        wish, "directed",
        json_pack("[s]", service_text(json_object_get(about, "institution"), "node")));
    json_t *draft = service_do(room, A, "POST /v1/town/drafts", wish);
    const json_t *asked = json_array_get(json_object_get(draft, "directed"), 0);
    assert_string_equal(service_text(json_object_get(about, "institution"), "name"),
                        service_text(asked, "name"));
    snprintf(what, sizeof what, "GET /v1/town/drafts/%s/preview", service_text(draft, "draft"));
    json_t *preview = service_do(room, A, what, NULL);
    snprintf(what, sizeof what, "POST /v1/town/drafts/%s/send", service_text(draft, "draft"));
    json_t *sent =
        service_do(room, A, what, service_sending(service_text(preview, "preview"), "Anna Alt"));
    service_wait_for(room, C, "GET /v1/town/requests", "requests", 1);
    json_t *inbox = service_do(room, B, "GET /v1/town/inbox?state=all", NULL);
    assert_int_equal(0, json_array_size(json_object_get(inbox, "inbox")));
    service_did(room, C, service_text(sent, "case"), "decline",
                json_pack("{s:s}", "reason", "not-my-field"));
    snprintf(what, sizeof what, "GET /v1/town/cases/%s", service_text(sent, "case"));
    service_wait_for(room, A, what, "declined_by_mail", 1);
    json_decref(inbox);
    json_decref(sent);
    json_decref(preview);
    json_decref(draft);
    json_decref(about);
}

int main(void)
{
#define STORY(name) cmocka_unit_test_setup_teardown(name, service_setup, service_teardown)
    const struct CMUnitTest tests[] = {

        STORY(who_is_revoked_signs_nothing_more_and_what_was_signed_before_stays_good),
        STORY(a_case_goes_from_question_to_outcome),
        STORY(a_person_grants_and_ends_a_grant),
        STORY(what_was_asked_for_is_supplied),
        STORY(an_answer_is_to_an_item_that_was_asked_for),
        STORY(an_erased_case_leaves_receipts),
        STORY(whom_a_notice_reached_stays_told),
        STORY(a_request_reaches_the_one_who_is_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
