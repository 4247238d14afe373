#include "node/net/curve_selftest.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include <sodium.h>
#include <zmq.h>

#include "node/net/hub_socket.h"

enum { CURVE_SELFTEST_MS = 5000 };

static int64_t curve_selftest_now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* OK while nothing has been decided; `*decided` says when it is. */
static err curve_selftest_event(void *monitor, bool *decided)
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

/* The ZAP handler waits in the loop, which does not turn now: so it is called here. */
static err curve_selftest_wait(struct zap_authenticator *zap_authenticator, void *monitor)
{
    bool decided = false;
    err result = OK;
    for (int64_t end = curve_selftest_now_ms() + CURVE_SELFTEST_MS, left; !decided;) {
        left = end - curve_selftest_now_ms();
        if (left <= 0) {
            errno = ETIMEDOUT;
            return ERR_IO;
        }
        zmq_pollitem_t items[] = {
            {.socket = zap_authenticator_authenticator(zap_authenticator), .events = ZMQ_POLLIN},
            {.socket = monitor, .events = ZMQ_POLLIN}};
        if (zmq_poll(items, 2, left) < 0 && errno != EINTR)
            return ERR_IO;
        zap_authenticator_answer(zap_authenticator);
        result = curve_selftest_event(monitor, &decided);
    }
    return result;
}

static err curve_selftest_knock(struct zap_authenticator *zap_authenticator, const char *endpoint,
                                const struct transport_key *server_key)
{
    const int events = ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH |
                       ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
                       ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_CLOSED;
    uint8_t secret[KEY_SIZE];
    struct hub_config stranger = {
        .secret_key = secret, .queue_count_max = 1, .pace = {.handshake_ms = CURVE_SELFTEST_MS}};
    (void)crypto_box_keypair(stranger.public_key.bytes, secret);
    void *client =
        hub_socket_client(zap_authenticator_context(zap_authenticator), &stranger, server_key);
    void *monitor = client == NULL
                        ? NULL
                        : hub_socket_monitor(zap_authenticator_context(zap_authenticator), client,
                                             events, zap_authenticator_number(zap_authenticator));
    err result = ERR_IO;
    if (monitor != NULL && zmq_connect(client, endpoint) == 0)
        result = curve_selftest_wait(zap_authenticator, monitor);
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

err curve_selftest(struct zap_authenticator *zap_authenticator, void *server,
                   const struct transport_key *server_key)
{
    char endpoint[ADDRESS_TEXT_MAX] = "";
    size_t size = sizeof endpoint;
    if (zmq_bind(server, "tcp://127.0.0.1:*") != 0 ||
        zmq_getsockopt(server, ZMQ_LAST_ENDPOINT, endpoint, &size) != 0)
        return ERR_IO;
    err result = curve_selftest_knock(zap_authenticator, endpoint, server_key);
    int error_before = errno;
    if (zmq_unbind(server, endpoint) != 0 && result == OK)
        return ERR_IO;
    errno = error_before;
    return result;
}
