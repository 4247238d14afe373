#include "node/io/gate.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <zmq.h>

#include "node/io/log.h"
#include "node/io/watch.h"

enum {
    GATE_SOCKET_COUNT_MAX = 16384, /* three for each peer that is dialed */
    GATE_FILE_COUNT_MAX = 65536,
    GATE_REQUEST_PARTS = 8, /* version, request, domain, address, identity, mechanism, key, more */
};

struct gate {
    uv_loop_t *loop;
    void *context;
    struct watch_set watches;
    struct watch porter;
    struct gate_door *doors;
    unsigned hub_count;
    uint64_t numbers;
    bool freeing;
};

/* ---- the porter ---- */

/* Nobody can be refused any more, so nobody may come. */
__attribute__((noreturn)) static void gate_fail(const char *what)
{
    log_error("gate-lost", log_text("what", what), log_errno("why", errno),
              log_text("do", "the process ends, since strangers could no longer be refused"));
    abort();
}

struct gate_request {
    zmq_msg_t parts[GATE_REQUEST_PARTS];
    size_t count;
};

static struct bytes gate_part(struct gate_request *request, size_t index)
{
    if (index >= request->count)
        return BYTES_NONE;
    return (struct bytes){zmq_msg_data(&request->parts[index]),
                          zmq_msg_size(&request->parts[index])};
}

/* False when none waits. */
static bool gate_receive(void *socket, struct gate_request *request)
{
    int more = 1;
    for (request->count = 0; more; request->count++) {
        zmq_msg_t spare;
        zmq_msg_t *part =
            request->count < GATE_REQUEST_PARTS ? &request->parts[request->count] : &spare;
        (void)zmq_msg_init(part);
        if (watch_receive(socket, part) < 0) {
            if (request->count != 0 || errno != EAGAIN)
                gate_fail("a request could not be read");
            (void)zmq_msg_close(part);
            return false;
        }
        more = zmq_msg_more(part);
        if (part == &spare)
            (void)zmq_msg_close(&spare);
    }
    if (request->count > GATE_REQUEST_PARTS)
        request->count = GATE_REQUEST_PARTS;
    return true;
}

static bool gate_admits(struct gate *gate, struct gate_request *request)
{
    struct bytes domain = gate_part(request, 2);
    struct bytes key = gate_part(request, 6);
    struct transport_key client;
    if (!bytes_equal(gate_part(request, 0), bytes_of_text("1.0")) ||
        !bytes_equal(gate_part(request, 5), bytes_of_text("CURVE")) || key.size != sizeof client)
        return false;
    memcpy(client.bytes, key.data, sizeof client);
    for (struct gate_door *door = gate->doors; door != NULL; door = door->next)
        if (bytes_equal(domain, bytes_of_text(door->domain)))
            return door->admits(door->user, &client);
    return false;
}

static void gate_reply_part(void *socket, struct bytes part, bool more)
{
    if (watch_send_bytes(socket, part, more) < 0)
        gate_fail("a request could not be answered");
}

/* The User-Id, by which ZeroMQ marks each message of the connection, is the key in hexadecimal. */
static void gate_reply(void *socket, struct gate_request *request, bool admitted)
{
    char user[2 * KEY_SIZE + 1] = "";
    if (admitted)
        ids_to_hex(gate_part(request, 6), user);
    gate_reply_part(socket, bytes_of_text("1.0"), true);
    gate_reply_part(socket, gate_part(request, 1), true);
    gate_reply_part(socket, bytes_of_text(admitted ? "200" : "400"), true);
    gate_reply_part(socket, bytes_of_text(admitted ? "OK" : "not listed"), true);
    gate_reply_part(socket, bytes_of_text(user), true);
    gate_reply_part(socket, bytes_of_text(""), false);
}

static unsigned gate_answer_some(struct gate *gate, unsigned budget)
{
    unsigned count = 0;
    struct gate_request request;
    for (; count < budget && gate_receive(gate->porter.socket, &request); count++) {
        gate_reply(gate->porter.socket, &request, gate_admits(gate, &request));
        for (size_t i = 0; i < request.count; i++)
            (void)zmq_msg_close(&request.parts[i]);
    }
    return count;
}

static unsigned gate_drain(struct watch *watch, unsigned budget)
{
    return gate_answer_some(watch->user, budget);
}

void gate_answer(struct gate *gate)
{
    (void)gate_answer_some(gate, UINT32_MAX);
    watch_touch(&gate->porter);
}

void *gate_porter(struct gate *gate)
{
    return gate->porter.socket;
}

/* ---- the gate ---- */

static void gate_on_second(struct watch_set *set)
{
    struct gate *gate = (struct gate *)((char *)set - offsetof(struct gate, watches));
    for (struct gate_door *door = gate->doors, *next; door != NULL; door = next) {
        next = door->next;
        if (door->on_second != NULL)
            door->on_second(door->user);
    }
}

static void gate_on_set_closed(struct watch_set *set)
{
    struct gate *gate = (struct gate *)((char *)set - offsetof(struct gate, watches));
    (void)zmq_ctx_term(gate->context);
    free(gate);
}

static void gate_on_porter_closed(struct watch *watch)
{
    watch_set_close(watch->set, gate_on_set_closed);
}

static void gate_raise_files(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    rlim_t wanted = limit.rlim_max < GATE_FILE_COUNT_MAX ? limit.rlim_max : GATE_FILE_COUNT_MAX;
    if (limit.rlim_cur < wanted) {
        limit.rlim_cur = wanted;
        (void)setrlimit(RLIMIT_NOFILE, &limit); /* then fewer peers fit; nothing else */
    }
}

static void *gate_make_porter(void *context)
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

err gate_new(uv_loop_t *loop, struct gate **ret_gate)
{
    struct gate *gate = calloc(1, sizeof *gate);
    if (gate == NULL)
        return ERR_NO_MEMORY;
    gate_raise_files();
    (void)signal(SIGPIPE, SIG_IGN);
    gate->loop = loop;
    gate->context = zmq_ctx_new();
    if (gate->context == NULL) {
        free(gate);
        return ERR_NO_MEMORY;
    }
    void *porter = NULL;
    if (zmq_ctx_set(gate->context, ZMQ_MAX_SOCKETS, GATE_SOCKET_COUNT_MAX) != 0 ||
        zmq_ctx_set(gate->context, ZMQ_IO_THREADS, 1) != 0 ||
        (porter = gate_make_porter(gate->context)) == NULL) {
        (void)zmq_ctx_term(gate->context);
        free(gate);
        return ERR_IO;
    }
    gate->porter.drain = gate_drain;
    gate->porter.closed = gate_on_porter_closed;
    gate->porter.user = gate;
    if (watch_set_open(&gate->watches, loop, gate_on_second) != OK ||
        watch_open(&gate->watches, &gate->porter, porter) != OK)
        gate_fail("the loop takes no more handles");
    *ret_gate = gate;
    return OK;
}

static void gate_end_if_last(struct gate *gate)
{
    if (gate->freeing && gate->hub_count == 0)
        watch_close(&gate->porter);
}

void gate_free(struct gate *gate)
{
    if (gate == NULL)
        return;
    gate->freeing = true;
    gate_end_if_last(gate);
}

void gate_open(struct gate *gate, struct gate_door *door)
{
    (void)snprintf(door->domain, sizeof door->domain, "hub-%llu",
                   (unsigned long long)gate_number(gate));
    door->next = gate->doors;
    gate->doors = door;
    gate->hub_count++;
}

void gate_shut(struct gate *gate, struct gate_door *door)
{
    struct gate_door **link = &gate->doors;
    while (*link != NULL && *link != door)
        link = &(*link)->next;
    if (*link != NULL)
        *link = door->next;
}

void gate_close(struct gate *gate)
{
    assert(gate->hub_count > 0);
    gate->hub_count--;
    gate_end_if_last(gate);
}

void *gate_context(struct gate *gate)
{
    return gate->context;
}

struct watch_set *gate_watches(struct gate *gate)
{
    return &gate->watches;
}

uint64_t gate_number(struct gate *gate)
{
    return ++gate->numbers;
}
