#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/un.h>

#include "tests/harness/service_fixture.h"

/* ---- accounts, cheaply: a test does not wait for Argon2id ---- */

struct service_made {
    bool is_done;
    err result;
};

static void service_on_made(void *arg, err result, const struct account *account)
{
    (void)account;
    *(struct service_made *)arg = (struct service_made){true, result};
}

static bool service_is_made(void *arg)
{
    return ((struct service_made *)arg)->is_done;
}

void service_make_account(struct service_fixture *room, int which, const char *login,
                          const char *name, uid_t uid)
{
    struct network_house *house = &room->network->houses[which];
    struct service_house *service = &room->houses[which];
    char path[256];
    snprintf(service->data, sizeof service->data, "%s-desk", house->data);
    (void)mkdir(service->data, 0700);
    snprintf(path, sizeof path, "%s/clinicians", service->data);
    (void)mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/clinicians/town", service->data);
    struct account_book *book;
    assert_int_equal(OK, account_open(path, &book));
    struct passphrase_checks *checks = passphrase_checks_new(room->network->workers);
    struct account_room accounts = {.book = book, .checks = checks, .secrets = service->secrets};
    struct account_wish wish = {.login = login,
                                .uid = uid,
                                .valid_from = {runtime_wall().ms - 1000},
                                .valid_until = {runtime_wall().ms + 1000 * FEDERATION_HOUR_MS},
                                .passphrase = bytes_of_text("correct horse"),
                                .institution_secret = house->sign_secret,
                                .cost = {1, 8}};
    wish.request = (struct certificate_request){
        .federation = roster_federation(&room->network->society.roster),
        .node_id = house->node,
        .name = bytes_of_text(name),
        .credentials = bytes_of_text("MD"),
        .specialties = {bytes_of_text("hematology")},
        .specialty_count = 1,
        .country = bytes_of_text("DE")};
    struct service_made made = {.is_done = false};
    assert_int_equal(OK, account_make(&accounts, &wish, service_on_made, &made));
    assert_true(network_until(room->network, service_is_made, &made));
    assert_int_equal(OK, made.result);
    passphrase_checks_free(checks);
    account_close(book);
}

/* ---- the socket ---- */

void service_open(struct service_fixture *room, int which)
{
    struct network_house *house = &room->network->houses[which];
    struct service_house *service = &room->houses[which];
    struct runtime *shells[] = {house->runtime};
    struct items *items[] = {house->items};
    struct links *links[] = {NULL};
    (void)snprintf(service->socket, sizeof service->socket, "%.90s.sock", house->data);
    struct api_config config = {.loop = &room->network->loop,
                                .workers = room->network->workers,
                                .socket = service->socket,
                                .group = service->group,
                                .administrators = service->administrators,
                                .privacy_officers = service->privacy_officers,
                                .data = service->data,
                                .probe_ms = service->probe_ms,
                                .runtimes = shells,
                                .links = links,
                                .items = items,
                                .count = 1};
    assert_int_equal(OK, api_new(&config, &service->api));
}

void service_shut(struct service_fixture *room, int which)
{
    api_free(room->houses[which].api);
    room->houses[which].api = NULL;
}

bool service_is_quiet(void *arg)
{
    const struct service_fixture *room = arg;
    for (int i = 0; i < NETWORK_HOUSE_COUNT; i++) {
        if (room->network->houses[i].told[KIND_CERTIFICATE] < NETWORK_HOUSE_COUNT + 1)
            return false;
    }
    return true;
}

int service_setup(void **state)
{
    static const char *const logins[] = {"anna", "bela", "chen"};
    static const char *const names[] = {"Anna Alt", "Béla Bartók", "陈 晨"};
    struct service_fixture *room = calloc(1, sizeof *room);
    room->network = network_new();
    for (int i = 0; i < NETWORK_HOUSE_COUNT; i++)
        assert_int_equal(OK, secure_arena_new(64 * 1024, &room->houses[i].secrets));
    for (int i = 0; i < NETWORK_HOUSE_COUNT; i++) {
        for (int j = i + 1; j < NETWORK_HOUSE_COUNT; j++)
            network_connect(room->network, i, j);
        service_make_account(room, i, logins[i], names[i], getuid());
    }
    service_make_account(room, 0, "other", "Otto Other", getuid() + 1);
    for (int i = 0; i < NETWORK_HOUSE_COUNT; i++)
        service_open(room, i);
    assert_true(
        network_until(room->network, service_is_quiet, room)); /* all certificates are everywhere */
    *state = room;
    return 0;
}

int service_teardown(void **state)
{
    struct service_fixture *room = *state;
    for (int i = 0; i < NETWORK_HOUSE_COUNT; i++)
        service_shut(room, i);
    for (int i = 0; i < NETWORK_HOUSE_COUNT; i++)
        secure_arena_free(room->houses[i].secrets);
    network_free(room->network);
    free(room);
    return 0;
}

/* ---- asking ---- */

int service_dial(struct service_fixture *room, int which)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", room->houses[which].socket);
    if (room->guest.uid != 0) { /* the kernel notes who connects */
        assert_int_equal(0, setegid(room->guest.gid));
        assert_int_equal(0, seteuid(room->guest.uid));
    }
    assert_int_equal(0, connect(fd, (struct sockaddr *)&address, sizeof address));
    if (room->guest.uid != 0) {
        assert_int_equal(0, seteuid(0));
        assert_int_equal(0, setegid(0));
    }
    return fd;
}

int service_say(struct service_fixture *room, int fd, const struct service_request *request,
                char **ret_body)
{
    static char answer[SERVICE_ANSWER_MAX];
    char head[1024];
    size_t size = 0, sent = 0;
    int written = snprintf(
        head, sizeof head, "%s %s HTTP/1.1\r\nConnection: close\r\nContent-Length: %zu\r\n%s\r\n",
        request->method, request->path, request->size,
        request->headers != NULL ? request->headers
                                 : "Host: consilium\r\nContent-Type: application/json\r\n");
    assert_int_equal(written, write(fd, head, (size_t)written));
    uint64_t end = runtime_mono().ms + NETWORK_PATIENCE_MS;
    for (;;) {
        assert_true(runtime_mono().ms < end);
        if (sent < request->size) {
            ssize_t more = send(fd, (const char *)request->body + sent, request->size - sent,
                                MSG_DONTWAIT | MSG_NOSIGNAL);
            sent += more > 0 ? (size_t)more : 0;
        }
        ssize_t more = recv(fd, answer + size, sizeof answer - 1 - size, MSG_DONTWAIT);
        if (more == 0)
            break;
        size += more > 0 ? (size_t)more : 0;
        network_turn(room->network);
    }
    answer[size] = 0;
    char *body = strstr(answer, "\r\n\r\n");
    assert_non_null(body);
    *ret_body = body + 4;
    return (int)strtol(answer + 9, NULL, 10);
}

json_t *service_ask(struct service_fixture *room, int which, const char *what, json_t *body,
                    int *ret_status)
{
    char method[8], path[512], *answer;
    assert_int_equal(2, sscanf(what, "%7s %500s", method, path));
    char *text = body == NULL ? NULL : json_dumps(body, 0);
    struct service_request request = {
        .method = method, .path = path, .body = text, .size = text == NULL ? 0 : strlen(text)};
    int fd = service_dial(room, which);
    *ret_status = service_say(room, fd, &request, &answer);
    close(fd);
    json_free_t wipe = NULL;
    json_get_alloc_funcs(NULL, &wipe);
    wipe(text);
    json_decref(body);
    json_t *json = json_loads(answer, 0, NULL);
    if (json == NULL)
        print_error("%s: %d %.300s\n", what, *ret_status, answer);
    assert_non_null(json);
    return json;
}

json_t *service_do(struct service_fixture *room, int which, const char *what, json_t *body)
{
    int status = 0;
    json_t *json = service_ask(room, which, what, body, &status);
    if (status != 200 && status != 201)
        print_error("%s: %d %s\n", what, status,
                    json_string_value(json_object_get(json, "message")));
    assert_in_range(status, 200, 201);
    return json;
}

const char *service_text(const json_t *json, const char *name)
{
    const char *text = json_string_value(json_object_get(json, name));
    assert_non_null(text);
    return text;
}

/* ---- what the stories do ---- */

const char *const service_logins[] = {"anna", "bela", "chen"};

json_t *service_signed_by(int which, json_t *body)
{
    json_object_set_new(body, "clinician", json_string(service_logins[which]));
    json_object_set_new(body, "passphrase", json_string("correct horse"));
    return body;
}

static json_t *service_a_draft(void)
{
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:i,s:s,s:s,s:s,s:s}", "question",
                     "Is the marrow what it seems to be?", "description", "A long story.",
                     "specialty", "hematology", "service", "clinical-consult", "reason", "rare",
                     "wanted_count", 2, "deadline", "2099-01-01", "language", "en", "mode",
                     "independent-first", "age", "40-49");
}

json_t *service_a_good_draft(void)
{
    char text[40];
    json_t *draft = service_a_draft();
    time_t then = time(NULL) + 3 * 24 * 3600;
    struct tm parts;
    gmtime_r(&then, &parts);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    json_object_set_new(draft, "deadline", json_string(text));
    return draft;
}

json_t *service_previewed(struct service_fixture *room, char path[static 160])
{
    json_t *made = service_do(room, A, "POST /v1/town/drafts", service_a_good_draft());
    char get[200];
    snprintf(path, 160, "/v1/town/drafts/%s", service_text(made, "draft"));
    snprintf(get, sizeof get, "GET %s/preview", path);
    json_decref(made);
    return service_do(room, A, get, NULL);
}

json_t *service_sending(const char *preview, const char *name)
{
    return service_signed_by(A, json_pack("{s:s,s:s}", "preview", preview, "confirmed_by", name));
}

int service_status_of(struct service_fixture *room, const struct service_request *request)
{
    char *body;
    int fd = service_dial(room, A);
    int status = service_say(room, fd, request, &body);
    close(fd);
    return status;
}

void service_attach(struct service_fixture *room, const char *path, const char *name,
                    const char *content, int wanted)
{
    char where[300];
    snprintf(where, sizeof where, "%s/attachments?name=%s", path, name);
    struct service_request request = {
        .method = "POST",
        .path = where,
        .headers = "Host: consilium\r\nContent-Type: application/octet-stream\r\n",
        .body = content,
        .size = strlen(content)};
    assert_int_equal(wanted, service_status_of(room, &request));
}

void service_announced(struct service_fixture *room, char ret_case[static 80])
{
    char path[160], get[200], send[200];
    json_decref(service_previewed(room, path));
    service_attach(room, path, "report.txt", "CT: a mass of 3 cm.\n", 200);
    service_attach(room, path, "report.pdf", "CT: a mass of 3 cm.\n", 400);
    service_attach(room, path, "scan.dcm", "not a picture", 400);
    snprintf(get, sizeof get, "GET %s/preview", path);
    snprintf(send, sizeof send, "POST %s/send", path);
    json_t *preview = service_do(room, A, get, NULL);
    json_t *sent =
        service_do(room, A, send, service_sending(service_text(preview, "preview"), "Anna Alt"));
    snprintf(ret_case, 80, "%s", service_text(sent, "case"));
    json_decref(sent);
    json_decref(preview);
}

json_t *service_act(struct service_fixture *room, int which, const char *in_case, const char *what,
                    json_t *body)
{
    char path[300];
    snprintf(path, sizeof path, "POST /v1/town/cases/%.16s/%s", in_case, what);
    return service_do(room, which, path, body);
}

void service_did(struct service_fixture *room, int which, const char *in_case, const char *what,
                 json_t *body)
{
    json_decref(service_act(room, which, in_case, what, service_signed_by(which, body)));
}

json_t *service_look(struct service_fixture *room, int which, const char *in_case, const char *what)
{
    char path[300];
    snprintf(path, sizeof path, "GET /v1/town/cases/%.16s%s", in_case, what);
    return service_do(room, which, path, NULL);
}

json_t *service_record_of(struct service_fixture *room, int which, const char *in_case,
                          const char *kind)
{
    json_t *thread = service_look(room, which, in_case, "/thread?limit=200"), *record,
           *found = NULL;
    size_t index;
    json_array_foreach(json_object_get(thread, "thread"), index, record)
    {
        if (found == NULL && strcmp(service_text(record, "kind"), kind) == 0)
            found = json_incref(record);
    }
    json_decref(thread);
    return found;
}

static bool service_is_seen(void *arg)
{
    const struct service_sought *sought = arg;
    json_t *record = service_record_of(sought->room, sought->which, sought->in_case, sought->kind);
    bool is = record != NULL;
    json_decref(record);
    return is;
}

void service_seen(struct service_fixture *room, int which, const char *in_case, const char *kind)
{
    struct service_sought sought = {room, which, in_case, kind};
    bool is_seen = network_until(room->network, service_is_seen, &sought);
    if (!is_seen)
        print_error("%s sees no %s in %s\n", service_logins[which], kind, in_case);
    assert_true(is_seen);
}

bool service_has_come(void *arg)
{
    const struct service_expected *expected = arg;
    json_t *json = service_do(expected->room, expected->which, expected->what, NULL);
    bool has = json_array_size(json_object_get(json, expected->list)) >= expected->count;
    json_decref(json);
    return has;
}

void service_wait_for(struct service_fixture *room, int which, const char *what, const char *list,
                      size_t count)
{
    struct service_expected expected = {room, which, what, list, count};
    assert_true(network_until(room->network, service_has_come, &expected));
}

void service_by_hand(struct service_fixture *room)
{
    service_shut(room, A);
    network_shut(room->network, A);
    room->network->grants_by_hand = true;
    network_open(room->network, A);
    network_connect(room->network, A, B);
    network_connect(room->network, A, C);
    service_open(room, A);
}

void service_refused_saying(struct service_fixture *room, int which, const char *in_case,
                            const char *what, json_t *body, const char *words)
{
    char path[300];
    int status = 0;
    snprintf(path, sizeof path, "POST /v1/town/cases/%.16s/%s", in_case, what);
    json_t *json = service_ask(room, which, path, service_signed_by(which, body), &status);
    assert_true(status >= 400);
    bool says = strstr(service_text(json, "message"), words) != NULL ||
                strstr(service_text(json, "hint"), words) != NULL;
    if (!says)
        print_error("%s: %s; %s\n", what, service_text(json, "message"),
                    service_text(json, "hint"));
    assert_true(says);
    json_decref(json);
}

void service_refused(struct service_fixture *room, const char *what, json_t *body,
                     const char *error)
{
    int status = 0;
    json_t *json = service_ask(room, A, what, body, &status);
    if (status < 400 || strcmp(service_text(json, "error"), error) != 0)
        print_error("%s: %d %s\n", what, status, json_string_value(json_object_get(json, "error")));
    assert_true(status >= 400);
    assert_string_equal(error, service_text(json, "error"));
    assert_true(strlen(service_text(json, "message")) > 0);
    assert_true(strlen(service_text(json, "hint")) > 0);
    json_decref(json);
}
