/* The local API of a network's houses, and a client that speaks to it over its socket. Asserts by
 * cmocka. */
#ifndef CONSILIUM_TESTS_HARNESS_SERVICE_FIXTURE_H
#define CONSILIUM_TESTS_HARNESS_SERVICE_FIXTURE_H

#include <jansson.h>
#include <sys/socket.h>

#include "node/api/api.h"
#include "node/signing/account.h"
#include "tests/harness/network.h"

enum { SERVICE_ANSWER_MAX = 4 * 1024 * 1024 };

struct service_house {
    char data[160]; /* not the store's, which wants a folder of its own */
    char socket[100];
    struct secure_arena *secrets;
    struct api *api;
    uint64_t probe_ms; /* 0: as usual */
    const char *group; /* as in the configuration */
    const char *administrators;
    const char *privacy_officers;
};

/* Another user of this machine, for a test that runs as root. */
struct service_guest {
    uid_t uid; /* 0: none, we are ourselves */
    gid_t gid;
};

struct service_fixture {
    struct network *network;
    struct service_guest guest;
    struct service_house houses[NETWORK_HOUSE_COUNT];
};

/* ---- accounts, cheaply: a test does not wait for Argon2id ---- */

/* Makes an account at a house, and waits until it is made. */
void service_make_account(struct service_fixture *room, int which, const char *login,
                          const char *name, uid_t uid);
/* Does each house know all certificates? For network_until. */
bool service_is_quiet(void *arg);

/* ---- the socket ---- */

/* Opens the house's API at its socket. */
void service_open(struct service_fixture *room, int which);

/* Closes the house's API. */
void service_shut(struct service_fixture *room, int which);

/* Sets up a network in touch, with a clinician's account and an open API in each house. */
int service_setup(void **state);

/* Releases all of it. */
int service_teardown(void **state);

/* ---- asking ---- */

struct service_request {
    const char *method;
    const char *path;
    const char *headers; /* instead of the usual ones; may be NULL */
    const void *body;
    size_t size;
};

/* Connects to the house's socket; the caller closes it. */
int service_dial(struct service_fixture *room, int which);

/* The whole answer, head and body; the status is returned. Static memory. */
int service_say(struct service_fixture *room, int fd, const struct service_request *request,
                char **ret_body);

/* JSON in, JSON out; `body` is consumed and may be NULL. */
json_t *service_ask(struct service_fixture *room, int which, const char *what, json_t *body,
                    int *ret_status);

/* The same as service_ask, and it must succeed. */
json_t *service_do(struct service_fixture *room, int which, const char *what, json_t *body);

/* Gives the string of this name, which must be there. */
const char *service_text(const json_t *json, const char *name);

/* ---- what the stories do ---- */

enum { A, B, C };

extern const char *const service_logins[];

/* Adds who signs to the body, and gives the body. */
json_t *service_signed_by(int which, json_t *body);

/* A deadline that the federation allows. */
json_t *service_a_good_draft(void);

/* Writes a draft and gives its preview. */
json_t *service_previewed(struct service_fixture *room, char path[static 160]);

/* Makes the body that sends the previewed draft, signed by A's clinician. */
json_t *service_sending(const char *preview, const char *name);

/* Makes a request to A; gives the status. */
int service_status_of(struct service_fixture *room, const struct service_request *request);

/* Attaches a file to A's draft, which must give the status `wanted`. */
void service_attach(struct service_fixture *room, const char *path, const char *name,
                    const char *content, int wanted);

/* A sends a case with one attachment; gives its id. */
void service_announced(struct service_fixture *room, char ret_case[static 80]);

/* Does something in a case, which must succeed; gives the answer. */
json_t *service_act(struct service_fixture *room, int which, const char *in_case, const char *what,
                    json_t *body);

/* The same, signed by the house's clinician, without the answer. */
void service_did(struct service_fixture *room, int which, const char *in_case, const char *what,
                 json_t *body);

/* Reads something of a case. */
json_t *service_look(struct service_fixture *room, int which, const char *in_case,
                     const char *what);

/* The first record of that kind in the thread as `which` sees it; a new reference, or NULL. */
json_t *service_record_of(struct service_fixture *room, int which, const char *in_case,
                          const char *kind);

struct service_sought {
    struct service_fixture *room;
    int which;
    const char *in_case;
    const char *kind;
};

/* Waits until the house shows a record of this kind in the case. */
void service_seen(struct service_fixture *room, int which, const char *in_case, const char *kind);

struct service_expected {
    struct service_fixture *room;
    int which;
    const char *what;
    const char *list;
    size_t count;
};

/* For network_until: has the list of the struct service_expected its count? */
bool service_has_come(void *arg);

/* Waits until `list` in the answer has `count` entries. */
void service_wait_for(struct service_fixture *room, int which, const char *what, const char *list,
                      size_t count);

/* Opens house A again, now so that a person decides there who gets the case file. */
void service_by_hand(struct service_fixture *room);

/* It must be refused with these words in its message or hint. */
void service_refused_saying(struct service_fixture *room, int which, const char *in_case,
                            const char *what, json_t *body, const char *words);

/* A's request must be refused with this error, a message and a hint. */
void service_refused(struct service_fixture *room, const char *what, json_t *body,
                     const char *error);

#endif
