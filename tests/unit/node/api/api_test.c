/* What the local API refuses, and what it promises. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sched.h>
#include <stdatomic.h>
#include <sys/un.h>

#include "node/os/workers.h"
#include "store/stream_table.h"
#include "tests/harness/service_fixture.h"

static void refused_saying(struct service_fixture *room, const char *what, json_t *body,
                           const char *message)
{
    int status = 0;
    json_t *json = service_ask(room, A, what, body, &status);
    assert_true(status >= 400);
    if (strstr(service_text(json, "message"), message) == NULL)
        print_error("%s: %s\n", what, service_text(json, "message"));
    assert_non_null(strstr(service_text(json, "message"), message));
    json_decref(json);
}

struct own_records {
    const struct node_id *self;
    uint64_t count;
};

/* A stream's row begins with its tail. */
static uint64_t count_tail(struct bytes state)
{
    struct reader reader = reader_of(state);
    return reader_u64(&reader);
}

static bool count_own(void *arg, const struct store_stream_row *row)
{
    struct own_records *own = arg;
    if (ID_EQUAL(row->stream.writer, *own->self) && row->stream.scope.kind != SCOPE_FEDERATION)
        own->count += count_tail((struct bytes){row->state, row->state_size});
    return true;
}

/* What this house wrote of cases; certificates, and what others write, come when they come. */
static uint64_t records_of(struct service_fixture *room, int which)
{
    struct runtime *runtime = room->network->houses[which].runtime;
    struct own_records own = {.self = &runtime_settings(runtime)->self};
    assert_int_equal(OK, stream_table_scan(runtime_store(runtime), count_own, &own));
    return own.count;
}

/* API-1 */
static void status_says_what_this_is_not(void **state)
{
    struct service_fixture *room = *state;
    json_t *json = service_do(room, A, "GET /v1/status", NULL);
    json_t *notices = json_object_get(json, "notices");
    assert_non_null(strstr(json_string_value(json_array_get(notices, 0)), "no real patients"));
    assert_non_null(strstr(json_string_value(json_array_get(notices, 1)), "call"));
    json_t *federation = json_array_get(json_object_get(json, "federations"), 0);
    assert_string_equal("town", service_text(federation, "name"));
    json_decref(json);
}

/* API-2, API-3 */
static void requests_of_other_sites_and_of_other_types_are_refused(void **state)
{
    struct service_fixture *room = *state;
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
        struct service_request request = {.method = "POST",
                                          .path = "/v1/town/drafts",
                                          .headers = cases[i].headers,
                                          .body = "[]",
                                          .size = 2};
        assert_int_equal(cases[i].status, service_status_of(room, &request));
    }
}

static void what_is_not_there_is_refused(void **state)
{
    struct service_fixture *room = *state;
    service_refused(room, "GET /v1/nowhere/status", NULL, "ERR_NOT_FOUND");
    service_refused(room, "GET /v1/town/nothing", NULL, "ERR_NOT_FOUND");
    service_refused(room, "GET /v2/town/status", NULL, "ERR_NOT_FOUND");
    service_refused(room, "GET /", NULL, "ERR_NOT_FOUND");
    service_refused(room, "POST /v1/town/status", json_object(), "ERR_UNSUPPORTED");
    service_refused(room, "GET /v1/town/cases/0123abcd", NULL, "ERR_NOT_FOUND");
    service_refused(room, "GET /v1/town/cases/x", NULL, "ERR_NOT_FOUND");
    service_refused(room, "GET /v1/town/drafts/0123", NULL, "ERR_NOT_FOUND");
}

static void filters_that_nothing_can_fit_are_refused(void **state)
{
    struct service_fixture *room = *state;
    service_refused(room, "GET /v1/town/inbox?state=nothing", NULL, "ERR_INVALID");
    service_refused(room, "GET /v1/town/inbox?specialty=astrology", NULL, "ERR_INVALID");
    service_refused(room, "GET /v1/town/inbox?limit=many", NULL, "ERR_INVALID");
    service_refused(room, "GET /v1/town/audit?after=-1", NULL, "ERR_INVALID");
    service_refused(room, "GET /v1/town/cases?role=king", NULL, "ERR_INVALID");
    json_decref(service_do(room, A, "GET /v1/town/inbox?specialty=hematology&state=closed", NULL));
    json_decref(service_do(room, A, "GET /v1/town/cases?role=participant&limit=7&after=0", NULL));
}

static void json_that_is_none_is_refused(void **state)
{
    struct service_fixture *room = *state;
    static const char *const bodies[] = {"",
                                         "{",
                                         "[]",
                                         "{\"question\": \"a\", \"question\": \"b\"}",
                                         "{\"a\":[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]}",
                                         "{\"question\": 1}",
                                         "{\"questoin\": \"a\"}"};
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        struct service_request request = {.method = "POST",
                                          .path = "/v1/town/drafts",
                                          .body = bodies[i],
                                          .size = strlen(bodies[i])};
        int status = service_status_of(room, &request);
        assert_true(status == 400 || status == 413);
    }
    json_t *json = service_do(room, A, "GET /v1/town/drafts", NULL);
    assert_int_equal(0, json_array_size(json_object_get(json, "drafts")));
    json_decref(json);
}

/* API-5 */
static void an_emergency_is_refused_with_the_advice_to_call(void **state)
{
    struct service_fixture *room = *state;
    json_t *draft = service_a_good_draft();
    json_object_set_new(draft, "emergency", json_true());
    refused_saying(room, "POST /v1/town/drafts", draft, "Call");
}

static void a_draft_says_what_is_missing(void **state)
{
    struct service_fixture *room = *state;
    static const struct {
        const char *name;
        const char *value;
        const char *says;
    } cases[] = {
        {"question", NULL, "question: missing"},
        {"description", NULL, "description: missing"},
        {"specialty", "astrology", "specialty: no board has this tag"},
        {"specialty", "astrology", "oncology"}, /* those that there are */
        {"deadline", "2020-01-01", "deadline: must be in the future"},
        {"deadline", "2099-01-01", "deadline: at most"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *draft = service_a_good_draft();
        json_object_del(draft, cases[i].name);
        if (cases[i].value != NULL)
            json_object_set_new(draft, cases[i].name, json_string(cases[i].value));
        json_t *made = service_do(room, A, "POST /v1/town/drafts", draft);
        assert_non_null(strstr(service_text(made, "missing"), cases[i].says));
        json_decref(made);
    }
}

static void all_that_is_missing_is_said_at_once(void **state)
{
    struct service_fixture *room = *state;
    json_t *made = service_do(room, A, "POST /v1/town/drafts", json_object());
    assert_string_equal("question: missing; description: missing; specialty: missing; "
                        "service: missing; reason: missing; language: missing; "
                        "wanted_count: missing; deadline: missing; mode: missing",
                        service_text(made, "missing"));
    json_decref(made);
}

/* API-7 */
static void only_what_was_shown_is_sent(void **state)
{
    struct service_fixture *room = *state;
    char path[160], send[200], put[200];
    json_t *preview = service_previewed(room, path);
    char hash[80];
    snprintf(hash, sizeof hash, "%s", service_text(preview, "preview"));
    assert_non_null(strstr(service_text(preview, "text"), "Is the marrow what it seems to be?"));
    assert_non_null(strstr(service_text(preview, "text"), "A long story."));
    snprintf(send, sizeof send, "POST %s/send", path);
    snprintf(put, sizeof put, "PUT %s", path);
    uint64_t before = records_of(room, A);
    service_refused(room, send, service_sending(hash, "Otto Other"), "ERR_INVALID");
    json_decref(service_do(room, A, put, json_pack("{s:s}", "age", "50-59")));
    service_refused(room, send, service_sending(hash, "Anna Alt"), "ERR_STATE");
    assert_int_equal(before, records_of(room, A));
    json_decref(service_do(room, A, put, json_pack("{s:s}", "age", "40-49")));
    json_decref(service_do(room, A, send, service_sending(hash, "Anna Alt")));
    assert_int_equal(before + 3, records_of(room, A));
    json_decref(preview);
}

static json_t *preview_on(struct service_fixture *room, const char *board)
{
    char get[200];
    json_t *wish = service_a_good_draft();
    json_object_set_new(wish, "specialty", json_string(board));
    json_t *made = service_do(room, A, "POST /v1/town/drafts", wish);
    snprintf(get, sizeof get, "GET /v1/town/drafts/%s/preview", service_text(made, "draft"));
    json_decref(made);
    return service_do(room, A, get, NULL);
}

/* Before anything is confirmed. */
static void a_preview_says_that_nobody_will_read_it(void **state)
{
    static const char words[] = "NO OTHER INSTITUTION SERVES THIS BOARD";
    struct service_fixture *room = *state;
    json_t *served = preview_on(room, "hematology"), *alone = preview_on(room, "oncology");
    assert_int_equal(2, json_integer_value(json_object_get(served, "audience_count")));
    assert_null(strstr(service_text(served, "text"), words));
    assert_true(json_is_integer(json_object_get(alone, "audience_count")));
    assert_int_equal(0, json_integer_value(json_object_get(alone, "audience_count")));
    assert_non_null(strstr(service_text(alone, "text"), words));
    json_decref(alone);
    json_decref(served);
}

static size_t confirmations(struct service_fixture *room)
{
    json_t *log = service_do(room, A, "GET /v1/town/audit?limit=200", NULL), *entry;
    size_t index, count = 0;
    json_array_foreach(json_object_get(log, "entries"), index, entry) count +=
        strcmp(service_text(entry, "what"), "confirmed") == 0;
    json_decref(log);
    return count;
}

/* The audit log names nobody who did not open the key. */
static void who_does_not_open_the_key_has_confirmed_nothing(void **state)
{
    struct service_fixture *room = *state;
    char path[160], send[200];
    json_t *preview = service_previewed(room, path);
    snprintf(send, sizeof send, "POST %s/send", path);
    const char *hash = service_text(preview, "preview");
    json_t *body = service_sending(hash, "Anna Alt");
    json_object_set_new(body, "passphrase", json_string("correct horsf"));
    service_refused(room, send, body, "ERR_PASSPHRASE");
    assert_int_equal(0, confirmations(room));
    json_decref(service_do(room, A, send, service_sending(hash, "Anna Alt")));
    assert_int_equal(1, confirmations(room));
    json_decref(preview);
}

/* API-4, API-6 */
static void nobody_signs_without_the_passphrase_or_for_somebody_else(void **state)
{
    struct service_fixture *room = *state;
    char path[160], send[200];
    json_t *preview = service_previewed(room, path);
    snprintf(send, sizeof send, "POST %s/send", path);
    const char *hash = service_text(preview, "preview");
    uint64_t before = records_of(room, A);
    json_t *body = service_sending(hash, "Anna Alt");
    json_object_set_new(body, "passphrase", json_string("correct horsf"));
    service_refused(room, send, body, "ERR_PASSPHRASE");
    body = service_sending(hash, "Anna Alt");
    json_object_del(body, "passphrase");
    service_refused(room, send, body, "ERR_INVALID");
    body = service_sending(hash, "Otto Other");
    json_object_set_new(body, "clinician", json_string("other"));
    service_refused(room, send, body, "ERR_NOT_ENTITLED");
    body = service_sending(hash, "Anna Alt");
    json_object_set_new(body, "clinician", json_string("nobody"));
    service_refused(room, send, body, "ERR_NOT_FOUND");
    assert_int_equal(before, records_of(room, A));
    json_decref(preview);
}

static void drafts_outlive_a_restart_and_belong_to_who_made_them(void **state)
{
    struct service_fixture *room = *state;
    char path[160], get[200];
    json_t *preview = service_previewed(room, path);
    snprintf(get, sizeof get, "GET %s/preview", path);
    service_shut(room, A);
    service_open(room, A);
    json_t *again = service_do(room, A, get, NULL);
    assert_string_equal(service_text(preview, "preview"), service_text(again, "preview"));
    json_decref(preview);
    json_decref(again);
}

static void what_the_state_forbids_is_refused(void **state)
{
    struct service_fixture *room = *state;
    char in_case[80], path[200];
    service_announced(room, in_case);
    snprintf(path, sizeof path, "POST /v1/town/cases/%s/outcome", in_case);
    service_refused(room, path,
                    service_signed_by(A, json_pack("{s:i,s:s,s:s}", "day", 21, "followed",
                                                   "followed", "result", "improved")),
                    "ERR_STATE");
    snprintf(path, sizeof path, "POST /v1/town/cases/%s/synthesis", in_case);
    service_refused(room, path, service_signed_by(A, json_pack("{s:s}", "text", "early")),
                    "ERR_STATE");
    snprintf(path, sizeof path, "POST /v1/town/cases/%s/opinion", in_case);
    service_refused(room, path,
                    service_signed_by(A, json_pack("{s:s,s:s}", "text", "mine", "language", "en")),
                    "ERR_NOT_ENTITLED");
    snprintf(path, sizeof path, "POST /v1/town/cases/%s/join", in_case);
    service_refused(room, path, service_signed_by(A, json_object()), "ERR_STATE");
    snprintf(path, sizeof path, "POST /v1/town/cases/%s/extend", in_case);
    service_refused(room, path, service_signed_by(A, json_pack("{s:s}", "deadline", "2020-01-01")),
                    "ERR_INVALID");
    snprintf(path, sizeof path, "POST /v1/town/cases/%s/reveal", in_case);
    service_refused(room, path, service_signed_by(A, json_object()), "ERR_STATE");
}

/* API-10 */
static void reading_writes_no_record(void **state)
{
    struct service_fixture *room = *state;
    static const char *const paths[] = {
        "GET /v1/status",           "GET /v1/town/status", "GET /v1/town/members",
        "GET /v1/town/specialists", "GET /v1/town/boards", "GET /v1/town/relays",
        "GET /v1/town/clinicians",  "GET /v1/town/drafts", "GET /v1/town/inbox?state=all",
        "GET /v1/town/requests",    "GET /v1/town/cases",  "GET /v1/town/audit",
        "GET /v1/town/audit/verify"};
    char in_case[80], path[200];
    service_announced(room, in_case);
    network_pass(room->network, 300);
    uint64_t before = records_of(room, A);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        json_decref(service_do(room, A, paths[i], NULL));
    static const char *const parts[] = {"", "/thread", "/joins", "/items", "/erasure"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        snprintf(path, sizeof path, "GET /v1/town/cases/%s%s", in_case, parts[i]);
        json_decref(service_do(room, A, path, NULL));
    }
    assert_int_equal(before, records_of(room, A));
}

struct counting {
    struct service_fixture *room;
    int64_t wanted;
};

static bool as_many_entries(void *arg)
{
    const struct counting *counting = arg;
    json_t *json = service_do(counting->room, A, "GET /v1/town/audit/verify", NULL);
    int64_t count = json_integer_value(json_object_get(json, "count"));
    assert_true(json_is_true(json_object_get(json, "sound")));
    json_decref(json);
    return count >= counting->wanted;
}

/* Takes the sizes of the chunks out of the body, in place. */
static void join_chunks(char *body)
{
    char *from = body, *to = body, *end;
    for (size_t size = strtoul(from, &end, 16); size > 0; size = strtoul(from, &end, 16)) {
        memmove(to, end + 2, size);
        to += size;
        from = end + 2 + size + 2;
    }
    *to = '\0';
}

/* Longer than what is read at once. */
static void the_audit_log_goes_out_whole(void **state)
{
    struct service_fixture *room = *state;
    struct audit_fact fact = {.what = AUDIT_POSTED, .login = bytes_of_text("anna"), .uid = 1};
    struct counting counting = {room, 300};
    for (int i = 0; i < 300; i++)
        audit_note(runtime_audit(room->network->houses[A].runtime), &fact);
    assert_true(network_until(room->network, as_many_entries, &counting));
    struct service_request request = {
        .method = "POST", .path = "/v1/town/audit/export", .body = "{}", .size = 2};
    char *body;
    int64_t last = 0;
    int fd = service_dial(room, A);
    assert_int_equal(200, service_say(room, fd, &request, &body));
    join_chunks(body);
    for (char *at = body; (at = strstr(at, "\"number\":")) != NULL; at++, last++)
        assert_int_equal(last + 1, strtol(at + 9, NULL, 10));
    assert_true(last >= 300);
    close(fd);
}

/* ---- a check of a passphrase that nobody waits for ---- */

struct blocking_job {
    struct job job;
    atomic_bool may_end;
};

static void block(struct job *job)
{
    while (!atomic_load(&((struct blocking_job *)job)->may_end))
        sched_yield();
}

static void has_blocked(struct job *job)
{
    (void)job;
}

/* A post to the case, signed by A's clinician: sent, and not answered yet. */
static int begin_post(struct service_fixture *room, const char *in_case, const char *text)
{
    char request[1024], body[400];
    int fd = service_dial(room, A);
    int size = snprintf(body, sizeof body,
                        "{\"clinician\": \"anna\", \"passphrase\": \"correct horse\", \"text\": "
                        "\"%s\", \"language\": \"en\"}",
                        text);
    size = snprintf(request, sizeof request,
                    "POST /v1/town/cases/%s/post HTTP/1.1\r\nHost: consilium\r\nContent-Type: "
                    "application/json\r\nContent-Length: %d\r\n\r\n%s",
                    in_case, size, body);
    assert_int_equal(size, write(fd, request, (size_t)size));
    for (int i = 0; i < 50; i++)
        uv_run(&room->network->loop, UV_RUN_NOWAIT);
    return fd;
}

struct answering {
    int fd;
    char text[4096];
};

static bool is_answered(void *arg)
{
    struct answering *answering = arg;
    return recv(answering->fd, answering->text, sizeof answering->text - 1, MSG_DONTWAIT) > 0;
}

/* API-18 */
static void what_a_client_that_has_gone_wanted_is_not_signed(void **state)
{
    struct service_fixture *room = *state;
    struct blocking_job blocking = {.job = {.run = block, .done = has_blocked}};
    char in_case[80];
    service_announced(room, in_case);
    uint64_t before = records_of(room, A);
    assert_int_equal(OK, workers_submit_slow(room->network->workers, &blocking.job));
    struct answering first = {.fd = begin_post(room, in_case, "first")};
    int gone = begin_post(room, in_case, "of nobody");
    close(gone);
    struct answering last = {.fd = begin_post(room, in_case, "last")};
    atomic_store(&blocking.may_end, true);
    assert_true(network_until(room->network, is_answered, &last));
    assert_true(is_answered(&first));
    assert_non_null(strstr(first.text, "201 Created"));
    assert_non_null(strstr(last.text, "201 Created"));
    assert_int_equal(before + 2, records_of(room, A));
    close(first.fd);
    close(last.fd);
}

/* ---- the watchdog ---- */

static bool is_silent(void *arg)
{
    return !api_is_answering(((struct service_fixture *)arg)->houses[A].api);
}

static bool is_answering(void *arg)
{
    return !is_silent(arg);
}

/* API-17: what stands at the path does not answer; then the API does again. */
static void the_node_notices_that_its_api_does_not_answer(void **state)
{
    struct service_fixture *room = *state;
    struct service_house *house = &room->houses[A];
    char aside[120];
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    service_shut(room, A);
    house->probe_ms = 5;
    service_open(room, A);
    uint64_t until = runtime_mono().ms + 100; /* many periods */
    while (runtime_mono().ms < until)
        uv_run(&room->network->loop, UV_RUN_ONCE);
    assert_true(is_answering(room));
    snprintf(aside, sizeof aside, "%s.aside", house->socket);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", house->socket);
    assert_int_equal(0, rename(house->socket, aside));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(0, bind(fd, (struct sockaddr *)&address, sizeof address));
    assert_int_equal(0, listen(fd, 1024));
    until = runtime_mono().ms + 2000; /* fewer periods than the backlog has places */
    while (!is_silent(room) && runtime_mono().ms < until)
        uv_run(&room->network->loop, UV_RUN_ONCE);
    assert_true(is_silent(room));
    assert_int_equal(0, rename(aside, house->socket));
    assert_true(network_until(room->network, is_answering, room));
    close(fd);
}

static void a_stranger_on_this_machine_is_refused(void **state)
{
    struct service_fixture *room = *state;
    if (geteuid() != 0)
        skip();
    struct service_request request = {.method = "GET", .path = "/v1/status"};
    char *body;
    assert_int_equal(0, chmod(room->network->folder, 0755));
    assert_int_equal(0, chmod(room->houses[A].socket, 0666));
    assert_int_equal(0, seteuid(65534));
    int fd = service_dial(room, A);
    assert_int_equal(0, seteuid(0));
    assert_int_equal(403, service_say(room, fd, &request, &body));
    assert_non_null(strstr(body, "may not use the socket"));
    close(fd);
}

int main(void)
{
#define STORY(name) cmocka_unit_test_setup_teardown(name, service_setup, service_teardown)
    const struct CMUnitTest tests[] = {
        STORY(status_says_what_this_is_not),
        STORY(requests_of_other_sites_and_of_other_types_are_refused),
        STORY(what_is_not_there_is_refused),
        STORY(filters_that_nothing_can_fit_are_refused),
        STORY(json_that_is_none_is_refused),
        STORY(an_emergency_is_refused_with_the_advice_to_call),
        STORY(a_draft_says_what_is_missing),
        STORY(all_that_is_missing_is_said_at_once),
        STORY(only_what_was_shown_is_sent),
        STORY(a_preview_says_that_nobody_will_read_it),
        STORY(who_does_not_open_the_key_has_confirmed_nothing),
        STORY(nobody_signs_without_the_passphrase_or_for_somebody_else),
        STORY(drafts_outlive_a_restart_and_belong_to_who_made_them),
        STORY(what_the_state_forbids_is_refused),
        STORY(reading_writes_no_record),
        STORY(the_audit_log_goes_out_whole),
        STORY(what_a_client_that_has_gone_wanted_is_not_signed),
        STORY(the_node_notices_that_its_api_does_not_answer),
        STORY(a_stranger_on_this_machine_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
