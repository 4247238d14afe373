/* The local API of a town's houses, and a client that speaks to it over its socket. Include after
 * cmocka. */
#ifndef CONSILIUM_TESTS_UNIT_NODE_DESK_ROOM_H
#define CONSILIUM_TESTS_UNIT_NODE_DESK_ROOM_H

#include <jansson.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "node/api/api.h"
#include "node/desk/account.h"
#include "tests/unit/node/town.h"

enum { DESK_ANSWER_MAX = 4 * 1024 * 1024 };

struct desk_house {
    char data[160]; /* not the store's, which wants a folder of its own */
    char socket[100];
    struct secrets *secrets;
    struct api *api;
    const char *group; /* as in the configuration */
    const char *administrators;
};

/* Another user of this machine, for a test that runs as root. */
struct desk_guest {
    uid_t uid; /* 0: none, we are ourselves */
    gid_t gid;
};

struct desk_room {
    struct town *town;
    struct desk_guest guest;
    struct desk_house houses[TOWN_HOUSE_COUNT];
};

/* ---- accounts, cheaply: a test does not wait for Argon2id ---- */

struct desk_made {
    bool is_done;
    err result;
};

static inline void desk_on_made(void *arg, err result, const struct account *account)
{
    (void)account;
    *(struct desk_made *)arg = (struct desk_made){true, result};
}

static inline bool desk_is_made(void *arg)
{
    return ((struct desk_made *)arg)->is_done;
}

static inline void desk_make_account(struct desk_room *room, int which, const char *login,
                                     const char *name, uid_t uid)
{
    struct town_house *house = &room->town->houses[which];
    struct desk_house *desk = &room->houses[which];
    char path[256];
    snprintf(desk->data, sizeof desk->data, "%s-desk", house->data);
    (void)mkdir(desk->data, 0700);
    snprintf(path, sizeof path, "%s/clinicians", desk->data);
    (void)mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/clinicians/town", desk->data);
    struct account_book *book;
    assert_int_equal(OK, account_open(path, &book));
    struct account_room accounts = {book, room->town->workers, desk->secrets};
    struct account_wish wish = {.login = login,
                                .uid = uid,
                                .valid_from = {shell_wall().ms - 1000},
                                .valid_until = {shell_wall().ms + 1000 * FEDERATION_HOUR_MS},
                                .passphrase = bytes_of_text("correct horse"),
                                .institution_secret = house->sign_secret,
                                .cost = {1, 8}};
    wish.request =
        (struct certificate_request){.federation = roster_federation(&room->town->society.roster),
                                     .node_id = house->node,
                                     .name = bytes_of_text(name),
                                     .credentials = bytes_of_text("MD"),
                                     .specialties = {bytes_of_text("hematology")},
                                     .specialty_count = 1,
                                     .country = bytes_of_text("DE")};
    struct desk_made made = {.is_done = false};
    assert_int_equal(OK, account_make(&accounts, &wish, desk_on_made, &made));
    assert_true(town_until(room->town, desk_is_made, &made));
    assert_int_equal(OK, made.result);
    account_close(book);
}

/* ---- the socket ---- */

static inline void desk_open(struct desk_room *room, int which)
{
    struct town_house *house = &room->town->houses[which];
    struct desk_house *desk = &room->houses[which];
    struct shell *shells[] = {house->shell};
    struct items *items[] = {house->items};
    struct links *links[] = {NULL};
    (void)snprintf(desk->socket, sizeof desk->socket, "%.90s.sock", house->data);
    struct api_config config = {.loop = &room->town->loop,
                                .workers = room->town->workers,
                                .socket = desk->socket,
                                .group = desk->group,
                                .administrators = desk->administrators,
                                .data = desk->data,
                                .shells = shells,
                                .links = links,
                                .items = items,
                                .count = 1};
    assert_int_equal(OK, api_new(&config, &desk->api));
}

static inline void desk_shut(struct desk_room *room, int which)
{
    api_free(room->houses[which].api);
    room->houses[which].api = NULL;
}

static inline bool desk_is_quiet(void *arg)
{
    const struct desk_room *room = arg;
    for (int i = 0; i < TOWN_HOUSE_COUNT; i++) {
        if (room->town->houses[i].told[KIND_CERTIFICATE] < TOWN_HOUSE_COUNT + 1)
            return false;
    }
    return true;
}

static inline int desk_setup(void **state)
{
    static const char *const logins[] = {"anna", "bela", "chen"};
    static const char *const names[] = {"Anna Alt", "Béla Bartók", "陈 晨"};
    struct desk_room *room = calloc(1, sizeof *room);
    room->town = town_new();
    for (int i = 0; i < TOWN_HOUSE_COUNT; i++)
        assert_int_equal(OK, secrets_new(64 * 1024, &room->houses[i].secrets));
    for (int i = 0; i < TOWN_HOUSE_COUNT; i++) {
        for (int j = i + 1; j < TOWN_HOUSE_COUNT; j++)
            town_connect(room->town, i, j);
        desk_make_account(room, i, logins[i], names[i], getuid());
    }
    desk_make_account(room, 0, "other", "Otto Other", getuid() + 1);
    for (int i = 0; i < TOWN_HOUSE_COUNT; i++)
        desk_open(room, i);
    assert_true(town_until(room->town, desk_is_quiet, room)); /* all certificates are everywhere */
    *state = room;
    return 0;
}

static inline int desk_teardown(void **state)
{
    struct desk_room *room = *state;
    for (int i = 0; i < TOWN_HOUSE_COUNT; i++)
        desk_shut(room, i);
    for (int i = 0; i < TOWN_HOUSE_COUNT; i++)
        secrets_free(room->houses[i].secrets);
    town_free(room->town);
    free(room);
    return 0;
}

/* ---- asking ---- */

struct desk_request {
    const char *method;
    const char *path;
    const char *headers; /* instead of the usual ones; may be NULL */
    const void *body;
    size_t size;
};

static inline int desk_dial(struct desk_room *room, int which)
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

/* The whole answer, head and body; the status is returned. Static memory. */
static inline int desk_say(struct desk_room *room, int fd, const struct desk_request *request,
                           char **ret_body)
{
    static char answer[DESK_ANSWER_MAX];
    char head[1024];
    size_t size = 0, sent = 0;
    int written = snprintf(
        head, sizeof head, "%s %s HTTP/1.1\r\nConnection: close\r\nContent-Length: %zu\r\n%s\r\n",
        request->method, request->path, request->size,
        request->headers != NULL ? request->headers
                                 : "Host: consilium\r\nContent-Type: application/json\r\n");
    assert_int_equal(written, write(fd, head, (size_t)written));
    uint64_t end = shell_mono().ms + TOWN_PATIENCE_MS;
    for (;;) {
        assert_true(shell_mono().ms < end);
        if (sent < request->size) {
            ssize_t more = send(fd, (const char *)request->body + sent, request->size - sent,
                                MSG_DONTWAIT | MSG_NOSIGNAL);
            sent += more > 0 ? (size_t)more : 0;
        }
        ssize_t more = recv(fd, answer + size, sizeof answer - 1 - size, MSG_DONTWAIT);
        if (more == 0)
            break;
        size += more > 0 ? (size_t)more : 0;
        town_turn(room->town);
    }
    answer[size] = 0;
    char *body = strstr(answer, "\r\n\r\n");
    assert_non_null(body);
    *ret_body = body + 4;
    return (int)strtol(answer + 9, NULL, 10);
}

/* JSON in, JSON out; `body` is consumed and may be NULL. */
static inline json_t *desk_ask(struct desk_room *room, int which, const char *what, json_t *body,
                               int *ret_status)
{
    char method[8], path[512], *answer;
    assert_int_equal(2, sscanf(what, "%7s %500s", method, path));
    char *text = body == NULL ? NULL : json_dumps(body, 0);
    struct desk_request request = {
        .method = method, .path = path, .body = text, .size = text == NULL ? 0 : strlen(text)};
    int fd = desk_dial(room, which);
    *ret_status = desk_say(room, fd, &request, &answer);
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

/* The same, and it must go well. */
static inline json_t *desk_do(struct desk_room *room, int which, const char *what, json_t *body)
{
    int status = 0;
    json_t *json = desk_ask(room, which, what, body, &status);
    if (status != 200 && status != 201)
        print_error("%s: %d %s\n", what, status,
                    json_string_value(json_object_get(json, "message")));
    assert_in_range(status, 200, 201);
    return json;
}

static inline const char *desk_text(const json_t *json, const char *name)
{
    const char *text = json_string_value(json_object_get(json, name));
    assert_non_null(text);
    return text;
}

/* ---- what the stories do ---- */

enum { A, B, C };

static const char *const desk_logins[] = {"anna", "bela", "chen"};

/* Adds who signs. */
static inline json_t *desk_signed_by(int which, json_t *body)
{
    json_object_set_new(body, "clinician", json_string(desk_logins[which]));
    json_object_set_new(body, "passphrase", json_string("correct horse"));
    return body;
}

static inline json_t *desk_a_draft(void)
{
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:i,s:s,s:s,s:s,s:s}", "question",
                     "Is the marrow what it seems to be?", "description", "A long story.",
                     "specialty", "hematology", "service", "clinical-consult", "reason", "rare",
                     "wanted_count", 2, "deadline", "2099-01-01", "language", "en", "mode",
                     "independent-first", "age", "40-49");
}

/* A deadline that the federation allows. */
static inline json_t *desk_a_good_draft(void)
{
    char text[40];
    json_t *draft = desk_a_draft();
    time_t then = time(NULL) + 3 * 24 * 3600;
    struct tm parts;
    gmtime_r(&then, &parts);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    json_object_set_new(draft, "deadline", json_string(text));
    return draft;
}

/* Writes a draft and gives its preview. */
static inline json_t *desk_previewed(struct desk_room *room, char path[static 160])
{
    json_t *made = desk_do(room, A, "POST /v1/town/drafts", desk_a_good_draft());
    char get[200];
    snprintf(path, 160, "/v1/town/drafts/%s", desk_text(made, "draft"));
    snprintf(get, sizeof get, "GET %s/preview", path);
    json_decref(made);
    return desk_do(room, A, get, NULL);
}

static inline json_t *desk_sending(const char *preview, const char *name)
{
    return desk_signed_by(A, json_pack("{s:s,s:s}", "preview", preview, "confirmed_by", name));
}

static inline int desk_status_of(struct desk_room *room, const struct desk_request *request)
{
    char *body;
    int fd = desk_dial(room, A);
    int status = desk_say(room, fd, request, &body);
    close(fd);
    return status;
}

static inline void desk_attach(struct desk_room *room, const char *path, const char *name,
                               const char *content, int wanted)
{
    char where[300];
    snprintf(where, sizeof where, "%s/attachments?name=%s", path, name);
    struct desk_request request = {
        .method = "POST",
        .path = where,
        .headers = "Host: consilium\r\nContent-Type: application/octet-stream\r\n",
        .body = content,
        .size = strlen(content)};
    assert_int_equal(wanted, desk_status_of(room, &request));
}

/* A sends a case with one attachment; its id. */
static inline void desk_announced(struct desk_room *room, char ret_case[static 80])
{
    char path[160], get[200], send[200];
    json_decref(desk_previewed(room, path));
    desk_attach(room, path, "report.txt", "CT: a mass of 3 cm.\n", 200);
    desk_attach(room, path, "report.pdf", "CT: a mass of 3 cm.\n", 400);
    desk_attach(room, path, "scan.dcm", "not a picture", 400);
    snprintf(get, sizeof get, "GET %s/preview", path);
    snprintf(send, sizeof send, "POST %s/send", path);
    json_t *preview = desk_do(room, A, get, NULL);
    json_t *sent = desk_do(room, A, send, desk_sending(desk_text(preview, "preview"), "Anna Alt"));
    snprintf(ret_case, 80, "%s", desk_text(sent, "case"));
    json_decref(sent);
    json_decref(preview);
}

static inline json_t *desk_act(struct desk_room *room, int which, const char *in_case,
                               const char *what, json_t *body)
{
    char path[300];
    snprintf(path, sizeof path, "POST /v1/town/cases/%.16s/%s", in_case, what);
    return desk_do(room, which, path, body);
}

static inline void desk_did(struct desk_room *room, int which, const char *in_case,
                            const char *what, json_t *body)
{
    json_decref(desk_act(room, which, in_case, what, desk_signed_by(which, body)));
}

static inline json_t *desk_look(struct desk_room *room, int which, const char *in_case,
                                const char *what)
{
    char path[300];
    snprintf(path, sizeof path, "GET /v1/town/cases/%.16s%s", in_case, what);
    return desk_do(room, which, path, NULL);
}

/* The first record of that kind in the thread as `which` sees it; a new reference, or NULL. */
static inline json_t *desk_record_of(struct desk_room *room, int which, const char *in_case,
                                     const char *kind)
{
    json_t *thread = desk_look(room, which, in_case, "/thread?limit=200"), *record, *found = NULL;
    size_t index;
    json_array_foreach(json_object_get(thread, "thread"), index, record)
    {
        if (found == NULL && strcmp(desk_text(record, "kind"), kind) == 0)
            found = json_incref(record);
    }
    json_decref(thread);
    return found;
}

struct desk_sought {
    struct desk_room *room;
    int which;
    const char *in_case;
    const char *kind;
};

static inline bool desk_is_seen(void *arg)
{
    const struct desk_sought *sought = arg;
    json_t *record = desk_record_of(sought->room, sought->which, sought->in_case, sought->kind);
    bool is = record != NULL;
    json_decref(record);
    return is;
}

static inline void desk_seen(struct desk_room *room, int which, const char *in_case,
                             const char *kind)
{
    struct desk_sought sought = {room, which, in_case, kind};
    assert_true(town_until(room->town, desk_is_seen, &sought));
}

struct desk_expected {
    struct desk_room *room;
    int which;
    const char *what;
    const char *list;
    size_t count;
};

static inline bool desk_has_come(void *arg)
{
    const struct desk_expected *expected = arg;
    json_t *json = desk_do(expected->room, expected->which, expected->what, NULL);
    bool has = json_array_size(json_object_get(json, expected->list)) >= expected->count;
    json_decref(json);
    return has;
}

static inline void desk_wait_for(struct desk_room *room, int which, const char *what,
                                 const char *list, size_t count)
{
    struct desk_expected expected = {room, which, what, list, count};
    assert_true(town_until(room->town, desk_has_come, &expected));
}

/* The house A again, but a person there decides who gets the case file. */
static inline void desk_by_hand(struct desk_room *room)
{
    desk_shut(room, A);
    town_shut(room->town, A);
    room->town->grants_by_hand = true;
    town_open(room->town, A);
    town_connect(room->town, A, B);
    town_connect(room->town, A, C);
    desk_open(room, A);
}

/* It is refused with this error and these words in its message or hint. */
static inline void desk_refused_saying(struct desk_room *room, int which, const char *in_case,
                                       const char *what, json_t *body, const char *words)
{
    char path[300];
    int status = 0;
    snprintf(path, sizeof path, "POST /v1/town/cases/%.16s/%s", in_case, what);
    json_t *json = desk_ask(room, which, path, desk_signed_by(which, body), &status);
    assert_true(status >= 400);
    bool says = strstr(desk_text(json, "message"), words) != NULL ||
                strstr(desk_text(json, "hint"), words) != NULL;
    if (!says)
        print_error("%s: %s; %s\n", what, desk_text(json, "message"), desk_text(json, "hint"));
    assert_true(says);
    json_decref(json);
}

/* A is refused, with a reason and a hint. */
static inline void desk_refused(struct desk_room *room, const char *what, json_t *body,
                                const char *error)
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

#endif
