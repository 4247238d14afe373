#include "node/net/hub_socket.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <zmq.h>

#include "node/net/hub_peer.h"

enum {
    HUB_SOCKET_MESSAGE_MAX = 65536,
    HUB_SOCKET_ENFORCE_DOMAIN = 93, /* ZMQ_ZAP_ENFORCE_DOMAIN: hidden as a draft, works by number */
    HUB_SOCKET_BEAT_MS = 15000,
    HUB_SOCKET_BEAT_LOST_MS = 45000,
    HUB_SOCKET_BACKLOG = 512,
};

/* libzmq 4.3.4 loses what is over 65,503 bytes under CURVE, and the link with it. */
_Static_assert(HUB_FRAME_SIZE_MAX <= 65503, "the largest frame must pass CURVE");

static bool hub_socket_int(void *socket, int option, int value)
{
    return zmq_setsockopt(socket, option, &value, sizeof value) == 0;
}

static bool hub_socket_limits(void *socket, const struct hub_config *config)
{
    const int64_t size_max = HUB_SOCKET_MESSAGE_MAX;
    return zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &size_max, sizeof size_max) == 0 &&
           hub_socket_int(socket, ZMQ_LINGER, 0) &&
           hub_socket_int(socket, ZMQ_SNDHWM, (int)config->queue_count_max) &&
           hub_socket_int(socket, ZMQ_RCVHWM, (int)config->queue_count_max) &&
           hub_socket_int(socket, ZMQ_HANDSHAKE_IVL, (int)config->pace.handshake_ms) &&
           hub_socket_int(socket, ZMQ_HEARTBEAT_IVL, HUB_SOCKET_BEAT_MS) &&
           hub_socket_int(socket, ZMQ_HEARTBEAT_TIMEOUT, HUB_SOCKET_BEAT_LOST_MS) &&
           hub_socket_int(socket, ZMQ_HEARTBEAT_TTL, HUB_SOCKET_BEAT_LOST_MS) &&
           hub_socket_int(socket, ZMQ_IPV6, 1);
}

static void *hub_socket_or_close(void *socket, bool good)
{
    if (good || socket == NULL)
        return socket;
    int error_before = errno;
    (void)zmq_close(socket);
    errno = error_before;
    return NULL;
}

void *hub_socket_server(void *context, const struct hub_config *config, const char *domain)
{
    void *socket = zmq_socket(context, ZMQ_ROUTER);
    bool good = socket != NULL && hub_socket_limits(socket, config) &&
                hub_socket_int(socket, ZMQ_ROUTER_MANDATORY, 1) &&
                hub_socket_int(socket, ZMQ_ROUTER_HANDOVER, 0) &&
                hub_socket_int(socket, ZMQ_BACKLOG, HUB_SOCKET_BACKLOG) &&
                hub_socket_int(socket, ZMQ_CURVE_SERVER, 1) &&
                zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, config->secret_key, KEY_SIZE) == 0 &&
                zmq_setsockopt(socket, ZMQ_ZAP_DOMAIN, domain, strlen(domain)) == 0 &&
                hub_socket_int(socket, HUB_SOCKET_ENFORCE_DOMAIN, 1);
    return hub_socket_or_close(socket, good);
}

void *hub_socket_client(void *context, const struct hub_config *config,
                        const struct transport_key *peer)
{
    void *socket = zmq_socket(context, ZMQ_DEALER);
    bool good =
        socket != NULL && hub_socket_limits(socket, config) &&
        hub_socket_int(socket, ZMQ_IMMEDIATE, 1) &&
        hub_socket_int(socket, ZMQ_RECONNECT_IVL, -1) && /* the next attempt is ours to make */
        hub_socket_int(socket, ZMQ_CONNECT_TIMEOUT, (int)config->pace.handshake_ms) &&
        zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, peer->bytes, KEY_SIZE) == 0 &&
        zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, config->public_key.bytes, KEY_SIZE) == 0 &&
        zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, config->secret_key, KEY_SIZE) == 0;
    return hub_socket_or_close(socket, good);
}

void *hub_socket_monitor(void *context, void *socket, int events, uint64_t number)
{
    char name[64];
    (void)snprintf(name, sizeof name, "inproc://hub-events-%llu", (unsigned long long)number);
    if (zmq_socket_monitor(socket, name, events) != 0)
        return NULL;
    void *monitor = zmq_socket(context, ZMQ_PAIR);
    /* no limit: libzmq's only thread would wait for us to read, and hold up all links */
    bool good = monitor != NULL && hub_socket_int(monitor, ZMQ_LINGER, 0) &&
                hub_socket_int(monitor, ZMQ_RCVHWM, 0) && zmq_connect(monitor, name) == 0;
    if (!good)
        hub_socket_unmonitor(socket);
    return hub_socket_or_close(monitor, good);
}

void hub_socket_unmonitor(void *socket)
{
    (void)zmq_socket_monitor(socket, NULL, 0);
}

/* An event is u16 number, u32 value, both in the machine's order; a second frame is the address. */
bool hub_socket_event(void *monitor, uint16_t *ret_event, uint32_t *ret_value)
{
    zmq_msg_t part;
    (void)zmq_msg_init(&part);
    int size = zmq_poller_receive(monitor, &part);
    if (size >= (int)(sizeof *ret_event + sizeof *ret_value)) {
        memcpy(ret_event, zmq_msg_data(&part), sizeof *ret_event);
        memcpy(ret_value, (char *)zmq_msg_data(&part) + sizeof *ret_event, sizeof *ret_value);
    }
    while (size >= 0 && zmq_msg_more(&part) && zmq_poller_receive(monitor, &part) >= 0)
        continue;
    (void)zmq_msg_close(&part);
    return size >= (int)(sizeof *ret_event + sizeof *ret_value);
}

void hub_socket_address(const struct address *address, char ret_text[static ADDRESS_TEXT_MAX])
{
    if (address->port == 0)
        (void)snprintf(ret_text, ADDRESS_TEXT_MAX, address->v6 ? "tcp://[%s]:*" : "tcp://%s:*",
                       address->host);
    else
        address_format(address, ret_text);
}

err hub_socket_message(struct bytes head, struct bytes rest, struct zmq_msg_t *ret_message)
{
    if (zmq_msg_init_size(ret_message, head.size + rest.size) != 0)
        return ERR_NO_MEMORY;
    uint8_t *data = zmq_msg_data(ret_message);
    if (head.size != 0)
        memcpy(data, head.data, head.size);
    if (rest.size != 0)
        memcpy(data + head.size, rest.data, rest.size);
    return OK;
}
