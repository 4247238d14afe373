#include "node/io/hub_prove.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include <sodium.h>
#include <zmq.h>

#include "node/io/hub_socket.h"

enum { HUB_PROVE_MS = 5000 };

static int64_t hub_prove_now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* OK while nothing has been decided; `*decided` says when it is. */
static err hub_prove_event(void *monitor, bool *decided)
{
    uint16_t event = 0;
    uint32_t value = 0;
    while (!*decided && hub_socket_event(monitor, &event, &value)) {
        *decided = true;
        if (event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED)
            return ERR_NOT_ENTITLED;
        if (event != ZMQ_EVENT_HANDSHAKE_FAILED_AUTH)
            return ERR_IO;
    }
    return OK;
}

/* The porter stands in the loop, which does not turn now: so he is called here. */
static err hub_prove_wait(struct gate *gate, void *monitor)
{
    bool decided = false;
    err result = OK;
    for (int64_t end = hub_prove_now_ms() + HUB_PROVE_MS, left; !decided;) {
        left = end - hub_prove_now_ms();
        if (left <= 0) {
            errno = ETIMEDOUT;
            return ERR_IO;
        }
        zmq_pollitem_t items[] = {{.socket = gate_porter(gate), .events = ZMQ_POLLIN},
                                  {.socket = monitor, .events = ZMQ_POLLIN}};
        if (zmq_poll(items, 2, left) < 0 && errno != EINTR)
            return ERR_IO;
        gate_answer(gate);
        result = hub_prove_event(monitor, &decided);
    }
    return result;
}

static err hub_prove_knock(struct gate *gate, const char *endpoint,
                           const struct transport_key *server_key)
{
    const int events = ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH |
                       ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
                       ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_CLOSED;
    uint8_t secret[KEY_SIZE];
    struct hub_config stranger = {
        .secret_key = secret, .queue_count_max = 1, .pace = {.handshake_ms = HUB_PROVE_MS}};
    (void)crypto_box_keypair(stranger.public_key.bytes, secret);
    void *client = hub_socket_client(gate_context(gate), &stranger, server_key);
    void *monitor = client == NULL
                        ? NULL
                        : hub_socket_monitor(gate_context(gate), client, events, gate_number(gate));
    err result = ERR_IO;
    if (monitor != NULL && zmq_connect(client, endpoint) == 0)
        result = hub_prove_wait(gate, monitor);
    int error_before = errno;
    if (monitor != NULL) {
        hub_socket_unmonitor(client);
        (void)zmq_close(monitor);
    }
    if (client != NULL)
        (void)zmq_close(client);
    errno = error_before;
    return result;
}

err hub_prove(struct gate *gate, void *server, const struct transport_key *server_key)
{
    char endpoint[ADDRESS_TEXT_MAX] = "";
    size_t size = sizeof endpoint;
    if (zmq_bind(server, "tcp://127.0.0.1:*") != 0 ||
        zmq_getsockopt(server, ZMQ_LAST_ENDPOINT, endpoint, &size) != 0)
        return ERR_IO;
    err result = hub_prove_knock(gate, endpoint, server_key);
    int error_before = errno;
    if (zmq_unbind(server, endpoint) != 0 && result == OK)
        return ERR_IO;
    errno = error_before;
    return result;
}
