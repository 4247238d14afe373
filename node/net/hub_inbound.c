/* One ROUTER for all who come in. It tells nothing of comings and goings, so two other sources are
 * joined: the hello, which binds a routing id to the key that the ZAP handler admitted, and the
 * socket's monitor, which names connections by their descriptor. Every message names the
 * descriptor it came by too, and that joins them. Events of the monitor are read before a hello
 * is believed: what they tell of an older connection with the same descriptor came first. */
#include "node/net/hub_inbound.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <zmq.h>

#include "node/net/curve_selftest.h"
#include "node/net/hub_connection.h"
#include "node/net/hub_instance.h"
#include "node/net/hub_socket.h"
#include "node/net/hub_table.h"

enum {
    HUB_INBOUND_EVENTS = ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED |
                         ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL,
};

static unsigned hub_inbound_events(struct hub *hub, unsigned budget)
{
    uint16_t event = 0;
    uint32_t value = 0;
    unsigned count = 0;
    for (; count < budget && hub_socket_event(hub->monitor.socket, &event, &value); count++) {
        if (event == ZMQ_EVENT_ACCEPTED)
            hub_connection_begin(hub, (int)value);
        else if (event == ZMQ_EVENT_DISCONNECTED)
            hub_connection_end(hub, (int)value);
        else if (event &
                 (ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL))
            hub->counts.failed++;
    }
    return count;
}

static unsigned hub_inbound_drain_events(struct zmq_poller *watch, unsigned budget)
{
    return hub_inbound_events(watch->user, budget);
}

/* ---- routing ids ---- */

static struct hub_inbound **hub_inbound_bucket(struct hub *hub,
                                               const uint8_t routing[static HUB_ROUTING_SIZE])
{
    /* a counter: its low bits are spread evenly */
    return &hub->buckets[((unsigned)routing[3] << 8 | routing[4]) % HUB_BUCKET_COUNT];
}

static struct hub_inbound *hub_inbound_at(struct hub *hub,
                                          const uint8_t routing[static HUB_ROUTING_SIZE])
{
    struct hub_inbound *inbound = *hub_inbound_bucket(hub, routing);
    while (inbound != NULL && memcmp(inbound->routing, routing, HUB_ROUTING_SIZE) != 0)
        inbound = inbound->next;
    return inbound;
}

static struct hub_inbound *hub_inbound_of(struct hub *hub, const struct transport_key *key)
{
    for (uint32_t i = 0; i < hub->line_capacity; i++) {
        struct hub_peer *line = hub->lines[i];
        if (line != NULL && line->direction == HUB_INBOUND && ID_EQUAL(line->peer, *key))
            return (struct hub_inbound *)line;
    }
    return NULL;
}

void hub_inbound_end(struct hub_inbound *inbound, enum hub_reason reason)
{
    struct hub *hub = inbound->line.hub;
    struct hub_inbound **link = hub_inbound_bucket(hub, inbound->routing);
    while (*link != inbound)
        link = &(*link)->next;
    *link = inbound->next;
    hub->gone_count -= inbound->gone;
    hub->blocked_count -= inbound->line.blocked;
    hub_connection_cut(hub, inbound->fd);
    hub_table_leave(&inbound->line);
    hub_table_lower(&inbound->line, reason);
    free(inbound);
}

static void hub_inbound_end_gone(struct hub *hub)
{
    for (uint32_t i = 0; i < hub->line_capacity && hub->gone_count > 0; i++) {
        struct hub_peer *line = hub->lines[i];
        if (line != NULL && line->direction == HUB_INBOUND && ((struct hub_inbound *)line)->gone)
            hub_inbound_end((struct hub_inbound *)line, HUB_DISCONNECTED);
    }
}

/* ---- frames ---- */

/* What came in: a routing id, one payload, and what ZeroMQ knows of its connection. */
struct hub_arrival {
    struct hub_inbound *inbound; /* NULL: of none of the links */
    struct bytes routing;
    struct bytes payload;
    const char *user; /* NULL: none, which CURVE and the ZAP handler never let happen */
    int fd;           /* when there is no link */
    bool whole;       /* there was one payload */
};

static void hub_inbound_violation(struct hub *hub, struct hub_inbound *inbound, int fd)
{
    hub->counts.violations++;
    if (inbound != NULL)
        hub_inbound_end(inbound, HUB_VIOLATION);
    else
        hub_connection_cut(hub, fd);
}

static bool hub_inbound_is_hello(const struct hub_arrival *arrival)
{
    const struct bytes payload = arrival->payload;
    return arrival->whole && arrival->routing.size == HUB_ROUTING_SIZE &&
           arrival->routing.data[0] == 0 && arrival->user != NULL &&
           payload.size >= HUB_HELLO_SIZE && payload.data[0] == HUB_CONTROL &&
           payload.data[1] == HUB_CONTROL_HELLO && payload.data[2] == HUB_VERSION;
}

/* (L-40) */
static void hub_inbound_tell_second(struct hub_inbound *inbound, struct bytes other)
{
    static const uint8_t second[] = {HUB_CONTROL, HUB_CONTROL_SECOND};
    err ignored = hub_inbound_send(inbound, (struct bytes){second, sizeof second}, other);
    (void)ignored; /* it comes again, and is told then */
}

/* A first frame: a hello on a live connection by a listed key, or nothing comes of it. */
static void hub_inbound_greet(struct hub *hub, const struct hub_arrival *arrival)
{
    struct transport_key peer;
    struct bytes other;
    (void)hub_inbound_events(hub, UINT32_MAX);
    const struct hub_connection *connection = hub_connection_at(hub, arrival->fd);
    if (connection == NULL || connection->state != HUB_CONNECTION_STRANGER)
        return; /* it ended before its words were heard */
    if (!hub_inbound_is_hello(arrival) ||
        ids_from_hex(arrival->user, peer.bytes, sizeof peer) != OK ||
        !hub_table_lists(hub, &peer)) {
        hub_inbound_violation(hub, NULL, arrival->fd);
        return;
    }
    struct hub_inbound *before = hub_inbound_of(hub, &peer);
    struct hub_inbound *inbound = calloc(1, sizeof *inbound);
    if (before != NULL)
        hub_inbound_end(before, HUB_REPLACED);
    /* the call just made may have changed much */
    if (inbound == NULL || !hub_table_lists(hub, &peer) ||
        hub->inbound_count >= hub->config.inbound_count_max) {
        free(inbound);
        hub_connection_cut(hub, arrival->fd);
        return;
    }
    inbound->line.direction = HUB_INBOUND;
    inbound->line.peer = peer;
    inbound->fd = arrival->fd;
    memcpy(inbound->routing, arrival->routing.data, sizeof inbound->routing);
    memcpy(inbound->user, arrival->user, sizeof inbound->user);
    if (hub_table_enter(hub, &inbound->line) != OK) {
        free(inbound);
        hub_connection_cut(hub, arrival->fd);
        return;
    }
    struct hub_inbound **bucket = hub_inbound_bucket(hub, inbound->routing);
    inbound->next = *bucket;
    *bucket = inbound;
    hub_connection_bind(hub, inbound);
    struct bytes said = {arrival->payload.data + HUB_HELLO_SIZE,
                         arrival->payload.size - HUB_HELLO_SIZE};
    if (hub_instance_note(hub, &peer, said, &other))
        hub_inbound_tell_second(inbound, other);
    hub_table_raise(&inbound->line);
}

static void hub_inbound_take(struct hub *hub, const struct hub_arrival *arrival)
{
    struct hub_inbound *inbound = arrival->inbound;
    if (inbound == NULL) {
        hub_inbound_greet(hub, arrival);
        return;
    }
    if (arrival->user == NULL || strcmp(arrival->user, inbound->user) != 0 || !arrival->whole ||
        arrival->payload.size == 0 || arrival->payload.size > HUB_FRAME_SIZE_MAX) {
        hub_inbound_violation(hub, inbound, arrival->fd);
        return;
    }
    inbound->line.heard_ms = uv_now(hub->loop);
    if (arrival->payload.data[0] == HUB_CONTROL) {
        if (hub_table_asks(arrival->payload) &&
            hub_inbound_send(inbound, hub_table_word(HUB_CONTROL_PONG), BYTES_NONE) != OK)
            return; /* its queue is full: it hears of us by what waits there */
        return;
    }
    hub->counts.frames_in++;
    if (hub->config.calls.on_frame != NULL)
        hub->config.calls.on_frame(hub->config.user, hub_table_link_of(&inbound->line),
                                   arrival->payload);
}

/* Receives the parts of one message; false when none waits. */
static bool hub_inbound_receive(struct hub *hub, zmq_msg_t *routing, zmq_msg_t *payload)
{
    zmq_msg_t more;
    if (zmq_poller_receive(hub->router.socket, routing) < 0)
        return false;
    int size = zmq_msg_more(routing) ? zmq_poller_receive(hub->router.socket, payload) : -1;
    struct hub_arrival arrival = {
        .routing = {zmq_msg_data(routing), zmq_msg_size(routing)}, .fd = -1, .whole = size >= 0};
    if (size >= 0) {
        arrival.payload = (struct bytes){zmq_msg_data(payload), zmq_msg_size(payload)};
        arrival.user = zmq_msg_gets(payload, "User-Id");
        if (arrival.routing.size == HUB_ROUTING_SIZE)
            arrival.inbound = hub_inbound_at(hub, arrival.routing.data);
        if (arrival.inbound == NULL)
            arrival.fd = zmq_msg_get(payload, ZMQ_SRCFD);
    }
    (void)zmq_msg_init(&more);
    for (bool left = size >= 0 && zmq_msg_more(payload); left; left = zmq_msg_more(&more)) {
        arrival.whole = false;
        if (zmq_poller_receive(hub->router.socket, &more) < 0)
            break;
    }
    (void)zmq_msg_close(&more);
    hub_inbound_take(hub, &arrival);
    return true;
}

/* ---- sending ---- */

err hub_inbound_send(struct hub_inbound *inbound, struct bytes head, struct bytes rest)
{
    struct hub *hub = inbound->line.hub;
    struct bytes routing = {inbound->routing, sizeof inbound->routing};
    zmq_msg_t message; /* made first: between the two parts nothing may fail */
    if (inbound->gone)
        return ERR_NOT_FOUND;
    err result = hub_socket_message(head, rest, &message);
    if (result != OK)
        return result;
    zmq_poller_touch(&hub->router);
    if (zmq_poller_send_bytes(hub->router.socket, routing, true) < 0) {
        (void)zmq_msg_close(&message);
        if (errno == EAGAIN)
            return ERR_BUSY;
        hub_connection_lose(inbound); /* EHOSTUNREACH: it ended, and nobody told us yet */
        return ERR_NOT_FOUND;
    }
    /* the ROUTER has looked whether there is room, so this part is taken */
    int size = zmq_poller_send(hub->router.socket, &message, false);
    assert(size >= 0);
    return size >= 0 ? OK : ERR_IO;
}

/* A ROUTER does not say which peer has room again: each that owes us some is asked, by sending it
 * a frame that means nothing. */
static void hub_inbound_ask_blocked(struct hub *hub)
{
    for (uint32_t i = 0; i < hub->line_capacity; i++) {
        struct hub_peer *line = hub->lines[i];
        if (line == NULL || line->direction != HUB_INBOUND || !line->blocked)
            continue;
        if (hub_inbound_send((struct hub_inbound *)line, hub_table_word(HUB_CONTROL_NOTHING),
                             BYTES_NONE) != OK)
            continue;
        line->blocked = false;
        hub->blocked_count--;
        if (hub->config.calls.on_drained != NULL)
            hub->config.calls.on_drained(hub->config.user, hub_table_link_of(line));
    }
}

/* ---- the listening socket ---- */

static unsigned hub_inbound_drain(struct zmq_poller *watch, unsigned budget)
{
    struct hub *hub = watch->user;
    zmq_msg_t routing;
    zmq_msg_t payload;
    unsigned count = 0;
    (void)zmq_msg_init(&routing);
    (void)zmq_msg_init(&payload);
    while (count < budget && !hub->freeing && hub_inbound_receive(hub, &routing, &payload))
        count++;
    (void)zmq_msg_close(&routing);
    (void)zmq_msg_close(&payload);
    if (count < budget && hub->gone_count > 0)
        hub_inbound_end_gone(hub);
    if (hub->blocked_count > 0)
        hub_inbound_ask_blocked(hub);
    return count;
}

void hub_inbound_sweep(struct hub *hub)
{
    hub_inbound_end_gone(hub);
    (void)hub_inbound_events(hub, UINT32_MAX);
    hub_connection_sweep(hub);
}

static void hub_inbound_on_closed(struct zmq_poller *watch)
{
    hub_table_release(watch->user);
}

static err hub_inbound_bind(struct hub *hub, void *router)
{
    for (size_t i = 0; i < hub->config.listen_count; i++) {
        char text[ADDRESS_TEXT_MAX];
        size_t size = sizeof text;
        struct address found;
        hub_socket_address(&hub->listen[i], text);
        if (zmq_bind(router, text) != 0)
            return errno == EADDRINUSE || errno == EADDRNOTAVAIL ? ERR_EXISTS : ERR_IO;
        if (zmq_getsockopt(router, ZMQ_LAST_ENDPOINT, text, &size) != 0 ||
            address_parse(bytes_of_text(text), &found) != OK)
            return ERR_IO;
        hub->listen[i].port = found.port;
    }
    return OK;
}

static err hub_inbound_watch(struct hub *hub, void *router, void *monitor)
{
    struct zmq_poller_set *set = zap_authenticator_watches(hub->zap_authenticator);
    hub->router.drain = hub_inbound_drain;
    hub->monitor.drain = hub_inbound_drain_events;
    hub->router.closed = hub->monitor.closed = hub_inbound_on_closed;
    hub->router.user = hub->monitor.user = hub;
    err result = zmq_poller_open(set, &hub->router, router);
    if (result != OK)
        return result;
    result = zmq_poller_open(set, &hub->monitor, monitor);
    if (result == OK)
        return OK;
    hub->references++;
    zmq_poller_close(&hub->router);
    return result;
}

err hub_inbound_open(struct hub *hub)
{
    void *context = zap_authenticator_context(hub->zap_authenticator);
    void *monitor = NULL;
    hub->strangers = handshakes_new();
    if (hub->strangers == NULL)
        return ERR_NO_MEMORY;
    void *router = hub_socket_server(context, &hub->config, hub->door.domain);
    err result = router == NULL
                     ? ERR_IO
                     : curve_selftest(hub->zap_authenticator, router, &hub->config.public_key);
    if (result == OK) {
        monitor = hub_socket_monitor(context, router, HUB_INBOUND_EVENTS,
                                     zap_authenticator_number(hub->zap_authenticator));
        result = monitor == NULL ? ERR_IO : hub_inbound_bind(hub, router);
    }
    if (result == OK)
        result = hub_inbound_watch(hub, router, monitor);
    if (result == OK) {
        hub->references += 2;
        hub->listening = true;
        return OK;
    }
    int error_before = errno;
    if (monitor != NULL) {
        hub_socket_unmonitor(router);
        (void)zmq_close(monitor);
    }
    if (router != NULL && hub->router.socket == NULL)
        (void)zmq_close(router);
    errno = error_before;
    return result;
}

void hub_inbound_close(struct hub *hub)
{
    hub_socket_unmonitor(hub->router.socket);
    zmq_poller_close(&hub->monitor);
    zmq_poller_close(&hub->router);
}
