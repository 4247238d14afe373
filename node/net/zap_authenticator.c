#include "node/net/zap_authenticator.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <zmq.h>

#include "node/net/zmq_poller.h"
#include "node/os/log.h"

enum {
    ZAP_AUTHENTICATOR_SOCKET_COUNT_MAX =
        32768, /* three for each address of a peer that is dialed */
    ZAP_AUTHENTICATOR_FILE_COUNT_MAX = 65536,
    ZAP_AUTHENTICATOR_REQUEST_PARTS =
        8, /* version, request, domain, address, identity, mechanism, key, more */
};

struct zap_authenticator {
    uv_loop_t *loop;
    void *context;
    struct zmq_poller_set watches;
    struct zmq_poller authenticator;
    struct zap_authenticator_door *doors;
    unsigned hub_count;
    uint64_t numbers;
    bool freeing;
};

/* ---- the ZAP handler ---- */

/* Nobody can be refused any more, so nobody may come. */
__attribute__((noreturn)) static void zap_authenticator_fail(const char *what)
{
    log_error("gate-lost", log_text("what", what), log_errno("why", errno),
              log_text("do", "the process ends, since strangers could no longer be refused"));
    abort();
}

struct zap_authenticator_request {
    zmq_msg_t parts[ZAP_AUTHENTICATOR_REQUEST_PARTS];
    size_t count;
};

static struct bytes zap_authenticator_part(struct zap_authenticator_request *request, size_t index)
{
    if (index >= request->count)
        return BYTES_NONE;
    return (struct bytes){zmq_msg_data(&request->parts[index]),
                          zmq_msg_size(&request->parts[index])};
}

/* False when none waits. */
static bool zap_authenticator_receive(void *socket, struct zap_authenticator_request *request)
{
    int more = 1;
    for (request->count = 0; more; request->count++) {
        zmq_msg_t spare;
        zmq_msg_t *part = request->count < ZAP_AUTHENTICATOR_REQUEST_PARTS
                              ? &request->parts[request->count]
                              : &spare;
        (void)zmq_msg_init(part);
        if (zmq_poller_receive(socket, part) < 0) {
            if (request->count != 0 || errno != EAGAIN)
                zap_authenticator_fail("a request could not be read");
            (void)zmq_msg_close(part);
            return false;
        }
        more = zmq_msg_more(part);
        if (part == &spare)
            (void)zmq_msg_close(&spare);
    }
    if (request->count > ZAP_AUTHENTICATOR_REQUEST_PARTS)
        request->count = ZAP_AUTHENTICATOR_REQUEST_PARTS;
    return true;
}

static bool zap_authenticator_admits(struct zap_authenticator *zap_authenticator,
                                     struct zap_authenticator_request *request)
{
    struct bytes domain = zap_authenticator_part(request, 2);
    struct bytes key = zap_authenticator_part(request, 6);
    struct transport_key client;
    if (!bytes_equal(zap_authenticator_part(request, 0), bytes_of_text("1.0")) ||
        !bytes_equal(zap_authenticator_part(request, 5), bytes_of_text("CURVE")) ||
        key.size != sizeof client)
        return false;
    memcpy(client.bytes, key.data, sizeof client);
    for (struct zap_authenticator_door *door = zap_authenticator->doors; door != NULL;
         door = door->next)
        if (bytes_equal(domain, bytes_of_text(door->domain)))
            return door->admits(door->user, &client);
    return false;
}

static void zap_authenticator_reply_part(void *socket, struct bytes part, bool more)
{
    if (zmq_poller_send_bytes(socket, part, more) < 0)
        zap_authenticator_fail("a request could not be answered");
}

/* The User-Id, by which ZeroMQ marks each message of the connection, is the key in hexadecimal. */
static void zap_authenticator_reply(void *socket, struct zap_authenticator_request *request,
                                    bool admitted)
{
    char user[2 * KEY_SIZE + 1] = "";
    if (admitted)
        ids_to_hex(zap_authenticator_part(request, 6), user);
    zap_authenticator_reply_part(socket, bytes_of_text("1.0"), true);
    zap_authenticator_reply_part(socket, zap_authenticator_part(request, 1), true);
    zap_authenticator_reply_part(socket, bytes_of_text(admitted ? "200" : "400"), true);
    zap_authenticator_reply_part(socket, bytes_of_text(admitted ? "OK" : "not listed"), true);
    zap_authenticator_reply_part(socket, bytes_of_text(user), true);
    zap_authenticator_reply_part(socket, bytes_of_text(""), false);
}

static unsigned zap_authenticator_answer_some(struct zap_authenticator *zap_authenticator,
                                              unsigned budget)
{
    unsigned count = 0;
    struct zap_authenticator_request request;
    for (; count < budget &&
           zap_authenticator_receive(zap_authenticator->authenticator.socket, &request);
         count++) {
        zap_authenticator_reply(zap_authenticator->authenticator.socket, &request,
                                zap_authenticator_admits(zap_authenticator, &request));
        for (size_t i = 0; i < request.count; i++)
            (void)zmq_msg_close(&request.parts[i]);
    }
    return count;
}

static unsigned zap_authenticator_drain(struct zmq_poller *watch, unsigned budget)
{
    return zap_authenticator_answer_some(watch->user, budget);
}

void zap_authenticator_answer(struct zap_authenticator *zap_authenticator)
{
    (void)zap_authenticator_answer_some(zap_authenticator, UINT32_MAX);
    zmq_poller_touch(&zap_authenticator->authenticator);
}

void *zap_authenticator_authenticator(struct zap_authenticator *zap_authenticator)
{
    return zap_authenticator->authenticator.socket;
}

/* ---- the gate ---- */

static void zap_authenticator_on_second(struct zmq_poller_set *set)
{
    struct zap_authenticator *zap_authenticator =
        (struct zap_authenticator *)((char *)set - offsetof(struct zap_authenticator, watches));
    for (struct zap_authenticator_door *door = zap_authenticator->doors, *next; door != NULL;
         door = next) {
        next = door->next;
        if (door->on_second != NULL)
            door->on_second(door->user);
    }
}

static void zap_authenticator_on_set_closed(struct zmq_poller_set *set)
{
    struct zap_authenticator *zap_authenticator =
        (struct zap_authenticator *)((char *)set - offsetof(struct zap_authenticator, watches));
    (void)zmq_ctx_term(zap_authenticator->context);
    free(zap_authenticator);
}

static void zap_authenticator_on_authenticator_closed(struct zmq_poller *watch)
{
    zmq_poller_set_close(watch->set, zap_authenticator_on_set_closed);
}

static void zap_authenticator_raise_files(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    rlim_t wanted = limit.rlim_max < ZAP_AUTHENTICATOR_FILE_COUNT_MAX
                        ? limit.rlim_max
                        : ZAP_AUTHENTICATOR_FILE_COUNT_MAX;
    if (limit.rlim_cur < wanted) {
        limit.rlim_cur = wanted;
        (void)setrlimit(RLIMIT_NOFILE, &limit); /* then fewer peers fit; nothing else */
    }
}

static void *zap_authenticator_make_authenticator(void *context)
{
    const int linger = 0;
    void *socket = zmq_socket(context, ZMQ_REP);
    if (socket == NULL)
        return NULL;
    if (zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger) != 0 ||
        zmq_bind(socket, "inproc://zeromq.zap.01") != 0) {
        (void)zmq_close(socket);
        return NULL;
    }
    return socket;
}

err zap_authenticator_new(uv_loop_t *loop, struct zap_authenticator **ret_gate)
{
    struct zap_authenticator *zap_authenticator = calloc(1, sizeof *zap_authenticator);
    if (zap_authenticator == NULL)
        return ERR_NO_MEMORY;
    zap_authenticator_raise_files();
    (void)signal(SIGPIPE, SIG_IGN);
    zap_authenticator->loop = loop;
    zap_authenticator->context = zmq_ctx_new();
    if (zap_authenticator->context == NULL) {
        free(zap_authenticator);
        return ERR_NO_MEMORY;
    }
    void *authenticator = NULL;
    if (zmq_ctx_set(zap_authenticator->context, ZMQ_MAX_SOCKETS,
                    ZAP_AUTHENTICATOR_SOCKET_COUNT_MAX) != 0 ||
        zmq_ctx_set(zap_authenticator->context, ZMQ_IO_THREADS, 1) != 0 ||
        (authenticator = zap_authenticator_make_authenticator(zap_authenticator->context)) ==
            NULL) {
        (void)zmq_ctx_term(zap_authenticator->context);
        free(zap_authenticator);
        return ERR_IO;
    }
    zap_authenticator->authenticator.drain = zap_authenticator_drain;
    zap_authenticator->authenticator.closed = zap_authenticator_on_authenticator_closed;
    zap_authenticator->authenticator.user = zap_authenticator;
    if (zmq_poller_set_open(&zap_authenticator->watches, loop, zap_authenticator_on_second) != OK ||
        zmq_poller_open(&zap_authenticator->watches, &zap_authenticator->authenticator,
                        authenticator) != OK)
        zap_authenticator_fail("the loop takes no more handles");
    *ret_gate = zap_authenticator;
    return OK;
}

static void zap_authenticator_end_if_last(struct zap_authenticator *zap_authenticator)
{
    if (zap_authenticator->freeing && zap_authenticator->hub_count == 0)
        zmq_poller_close(&zap_authenticator->authenticator);
}

void zap_authenticator_free(struct zap_authenticator *zap_authenticator)
{
    if (zap_authenticator == NULL)
        return;
    zap_authenticator->freeing = true;
    zap_authenticator_end_if_last(zap_authenticator);
}

void zap_authenticator_open(struct zap_authenticator *zap_authenticator,
                            struct zap_authenticator_door *door)
{
    (void)snprintf(door->domain, sizeof door->domain, "hub-%llu",
                   (unsigned long long)zap_authenticator_number(zap_authenticator));
    door->next = zap_authenticator->doors;
    zap_authenticator->doors = door;
    zap_authenticator->hub_count++;
}

void zap_authenticator_shut(struct zap_authenticator *zap_authenticator,
                            struct zap_authenticator_door *door)
{
    struct zap_authenticator_door **link = &zap_authenticator->doors;
    while (*link != NULL && *link != door)
        link = &(*link)->next;
    if (*link != NULL)
        *link = door->next;
}

void zap_authenticator_close(struct zap_authenticator *zap_authenticator)
{
    assert(zap_authenticator->hub_count > 0);
    zap_authenticator->hub_count--;
    zap_authenticator_end_if_last(zap_authenticator);
}

void *zap_authenticator_context(struct zap_authenticator *zap_authenticator)
{
    return zap_authenticator->context;
}

struct zmq_poller_set *zap_authenticator_watches(struct zap_authenticator *zap_authenticator)
{
    return &zap_authenticator->watches;
}

uint64_t zap_authenticator_number(struct zap_authenticator *zap_authenticator)
{
    return ++zap_authenticator->numbers;
}
