/* One DEALER for each attempt at a peer, whose identity is the key that CURVE is given: who does
 * not have it gets no handshake done. libzmq is told not to connect again: it starts over quickly
 * when a handshake was refused, and its queue would mix frames of two connections.
 *
 *   waiting -> (looking up a name) -> trying -> up -> waiting ...
 *
 * The timer ends the waiting, and a trying that lasts too long. */
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <sodium.h>
#include <zmq.h>

#include "node/net/hub_peer.h"
#include "node/net/hub_socket.h"

enum {
    HUB_OUTBOUND_EVENTS = ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH |
                          ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
                          ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_DISCONNECTED |
                          ZMQ_EVENT_CLOSED,
    HUB_SETTLED_MS = 10000, /* up for so long: the next waits begin short again */
};

/* The sockets of one try and of the connection that it becomes; outlives its owner until closed. */
struct hub_attempt {
    struct hub *hub;
    struct hub_outbound *owner; /* NULL: given up */
    struct zmq_poller dealer;
    struct zmq_poller monitor;
    unsigned open;
};

/* A name that is asked for; outlives its owner until answered. */
struct hub_lookup {
    uv_getaddrinfo_t request;
    struct hub *hub;
    struct hub_outbound *owner; /* NULL: given up */
};

static void hub_outbound_on_timer(uv_timer_t *timer);

/* ---- giving up and waiting ---- */

static void hub_outbound_abandon(struct hub_outbound *outbound)
{
    struct hub_attempt *attempt = outbound->attempt;
    outbound->attempt = NULL;
    if (attempt != NULL) {
        attempt->owner = NULL;
        hub_socket_unmonitor(attempt->dealer.socket);
        zmq_poller_close(&attempt->monitor);
        zmq_poller_close(&attempt->dealer);
    }
    if (outbound->lookup != NULL) {
        outbound->lookup->owner = NULL;
        (void)uv_cancel((uv_req_t *)&outbound->lookup->request);
        outbound->lookup = NULL;
    }
}

/* Doubles from the first wait to the longest, with up to a half more, so that those who lost one
 * peer together do not come back together. */
static uint64_t hub_outbound_wait_ms(const struct hub_outbound *outbound)
{
    const struct hub_pace *pace = &outbound->line.hub->config.pace;
    uint64_t wait_ms = pace->retry_ms_min;
    for (unsigned i = 0; i < outbound->failures && wait_ms < pace->retry_ms_max; i++)
        wait_ms *= 2;
    wait_ms += randombytes_uniform((uint32_t)(wait_ms / 2) + 1);
    return wait_ms < pace->retry_ms_max ? wait_ms : pace->retry_ms_max;
}

void hub_outbound_retry(struct hub_outbound *outbound, enum hub_reason reason)
{
    struct hub *hub = outbound->line.hub;
    bool was_up = outbound->line.up;
    hub_outbound_abandon(outbound);
    if (was_up && uv_now(hub->loop) - outbound->up_at_ms >= HUB_SETTLED_MS)
        outbound->failures = 0;
    (void)uv_timer_start(&outbound->timer, hub_outbound_on_timer, hub_outbound_wait_ms(outbound),
                         0);
    outbound->failures++;
    /* the callers below may close the link: nothing of it is touched after them */
    struct hub_link link = hub_link_of(&outbound->line);
    if (was_up)
        hub_lower(&outbound->line, reason);
    else if (hub->config.calls.on_failed != NULL)
        hub->config.calls.on_failed(hub->config.user, link, reason);
}

/* ---- frames ---- */

static void hub_outbound_take(struct hub_outbound *outbound, struct bytes frame, bool whole)
{
    struct hub *hub = outbound->line.hub;
    if (!whole || frame.size == 0 || frame.size > HUB_FRAME_SIZE_MAX) {
        hub->counts.violations++;
        hub_outbound_retry(outbound, HUB_VIOLATION);
        return;
    }
    outbound->line.heard_ms = uv_now(hub->loop);
    if (frame.data[0] == HUB_CONTROL) {
        if (hub_asks(frame) &&
            hub_outbound_send(outbound, hub_word(HUB_CONTROL_PONG), BYTES_NONE) != OK)
            return; /* its queue is full: it hears of us by what waits there */
        return;
    }
    hub->counts.frames_in++;
    if (hub->config.calls.on_frame != NULL)
        hub->config.calls.on_frame(hub->config.user, hub_link_of(&outbound->line), frame);
}

/* Asking for its events makes a socket take in its news, which quiets its descriptor. */
static int hub_outbound_events(void *socket)
{
    int events = 0;
    size_t size = sizeof events;
    return zmq_getsockopt(socket, ZMQ_EVENTS, &events, &size) == 0 ? events : 0;
}

static void hub_outbound_ask_blocked(struct hub_outbound *outbound)
{
    struct hub *hub = outbound->line.hub;
    if ((hub_outbound_events(outbound->attempt->dealer.socket) & ZMQ_POLLOUT) == 0)
        return;
    outbound->line.blocked = false;
    if (hub->config.calls.on_drained != NULL)
        hub->config.calls.on_drained(hub->config.user, hub_link_of(&outbound->line));
}

/* Nothing is read before the handshake is known to have succeeded. */
static unsigned hub_outbound_drain(struct zmq_poller *watch, unsigned budget)
{
    struct hub_attempt *attempt = watch->user;
    zmq_msg_t message;
    unsigned count = 0;
    if (attempt->owner == NULL || !attempt->owner->line.up) {
        (void)hub_outbound_events(watch->socket);
        return 0;
    }
    (void)zmq_msg_init(&message);
    while (count < budget && attempt->owner != NULL && attempt->owner->line.up &&
           zmq_poller_receive(watch->socket, &message) >= 0) {
        bool whole = !zmq_msg_more(&message);
        hub_outbound_take(attempt->owner,
                          (struct bytes){zmq_msg_data(&message), zmq_msg_size(&message)}, whole);
        count++;
    }
    (void)zmq_msg_close(&message);
    if (attempt->owner != NULL && attempt->owner->line.blocked)
        hub_outbound_ask_blocked(attempt->owner);
    return count;
}

err hub_outbound_send(struct hub_outbound *outbound, struct bytes head, struct bytes rest)
{
    zmq_msg_t message;
    struct zmq_poller *dealer = &outbound->attempt->dealer;
    err result = hub_socket_message(head, rest, &message);
    if (result != OK)
        return result;
    zmq_poller_touch(dealer);
    if (zmq_poller_send(dealer->socket, &message, false) >= 0)
        return OK;
    result = errno == EAGAIN ? ERR_BUSY : ERR_NOT_FOUND;
    (void)zmq_msg_close(&message);
    return result;
}

/* ---- what becomes of a try ---- */

static enum hub_reason hub_outbound_reason(uint16_t event, bool was_up)
{
    if (event == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH)
        return HUB_REFUSED;
    if (event == ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL ||
        event == ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL)
        return HUB_BAD_PEER;
    return was_up ? HUB_DISCONNECTED : HUB_UNREACHABLE;
}

static void hub_outbound_up(struct hub_outbound *outbound)
{
    const uint8_t hello[] = {HUB_CONTROL, HUB_CONTROL_HELLO, HUB_VERSION};
    (void)uv_timer_stop(&outbound->timer);
    outbound->up_at_ms = uv_now(outbound->line.hub->loop);
    /* a send alone might not see the new connection */
    (void)hub_outbound_events(outbound->attempt->dealer.socket);
    if (hub_outbound_send(outbound, (struct bytes){hello, sizeof hello}, BYTES_NONE) == OK)
        hub_raise(&outbound->line);
    else
        hub_outbound_retry(outbound, HUB_DISCONNECTED);
}

static unsigned hub_outbound_drain_events(struct zmq_poller *watch, unsigned budget)
{
    struct hub_attempt *attempt = watch->user;
    uint16_t event = 0;
    uint32_t value = 0;
    unsigned count = 0;
    for (; count < budget && attempt->owner != NULL &&
           hub_socket_event(watch->socket, &event, &value);
         count++) {
        if (event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED) {
            hub_outbound_up(attempt->owner);
            continue;
        }
        /* what came before the end is read before it */
        (void)hub_outbound_drain(&attempt->dealer, 4 * attempt->hub->config.queue_count_max);
        if (attempt->owner != NULL)
            hub_outbound_retry(attempt->owner, hub_outbound_reason(event, attempt->owner->line.up));
    }
    return count;
}

/* ---- trying ---- */

static void hub_attempt_on_closed(struct zmq_poller *watch)
{
    struct hub_attempt *attempt = watch->user;
    if (--attempt->open != 0)
        return;
    hub_release(attempt->hub);
    free(attempt);
}

static err hub_attempt_watch(struct hub_attempt *attempt, void *dealer, void *monitor)
{
    struct zmq_poller_set *set = zap_authenticator_watches(attempt->hub->zap_authenticator);
    attempt->dealer.user = attempt->monitor.user = attempt;
    attempt->dealer.closed = attempt->monitor.closed = hub_attempt_on_closed;
    attempt->dealer.drain = hub_outbound_drain;
    attempt->monitor.drain = hub_outbound_drain_events;
    err result = zmq_poller_open(set, &attempt->dealer, dealer);
    if (result == OK)
        result = zmq_poller_open(set, &attempt->monitor, monitor);
    return result;
}

/* Makes the sockets of a try; on failure nothing is left of them but what the loop closes. */
static err hub_attempt_open(struct hub_outbound *outbound, struct hub_attempt *attempt)
{
    struct hub *hub = outbound->line.hub;
    void *context = zap_authenticator_context(hub->zap_authenticator);
    void *monitor = NULL;
    void *dealer = hub_socket_client(context, &hub->config, &outbound->line.peer);
    if (dealer != NULL)
        monitor = hub_socket_monitor(context, dealer, HUB_OUTBOUND_EVENTS,
                                     zap_authenticator_number(hub->zap_authenticator));
    if (monitor != NULL && hub_attempt_watch(attempt, dealer, monitor) == OK) {
        attempt->open = 2;
        return OK;
    }
    if (monitor != NULL) {
        hub_socket_unmonitor(dealer);
        (void)zmq_close(monitor);
    }
    if (attempt->dealer.socket != NULL) {
        attempt->open = 1;
        zmq_poller_close(&attempt->dealer);
    } else if (dealer != NULL) {
        (void)zmq_close(dealer);
    }
    return ERR_IO;
}

/* `literal` is an address of numbers: no name is ever looked up in libzmq's only thread. */
static void hub_outbound_try(struct hub_outbound *outbound, const struct address *literal)
{
    struct hub *hub = outbound->line.hub;
    char text[ADDRESS_TEXT_MAX];
    struct hub_attempt *attempt = calloc(1, sizeof *attempt);
    if (attempt == NULL) {
        hub_outbound_retry(outbound, HUB_UNREACHABLE);
        return;
    }
    attempt->hub = hub;
    if (hub_attempt_open(outbound, attempt) != OK) {
        hub->references += attempt->open;
        if (attempt->open == 0)
            free(attempt);
        hub_outbound_retry(outbound, HUB_UNREACHABLE);
        return;
    }
    hub->references++;
    attempt->owner = outbound;
    outbound->attempt = attempt;
    hub_socket_address(literal, text);
    if (zmq_connect(attempt->dealer.socket, text) != 0) {
        hub_outbound_retry(outbound, HUB_UNREACHABLE);
        return;
    }
    /* connecting and the handshake have limits of their own; this one is for what they miss */
    (void)uv_timer_start(&outbound->timer, hub_outbound_on_timer,
                         3 * (uint64_t)hub->config.pace.handshake_ms, 0);
}

/* ---- names ---- */

/* The `index`th of the addresses found, in turn; false when there is none. */
static bool hub_lookup_take(const struct addrinfo *found, unsigned index, struct address *address)
{
    unsigned count = 0;
    for (const struct addrinfo *a = found; a != NULL; a = a->ai_next)
        count++;
    if (count == 0)
        return false;
    for (index %= count; index > 0; index--)
        found = found->ai_next;
    if (getnameinfo(found->ai_addr, found->ai_addrlen, address->host, sizeof address->host, NULL, 0,
                    NI_NUMERICHOST) != 0)
        return false;
    address->literal = true;
    address->v6 = found->ai_family == AF_INET6;
    return true;
}

static void hub_lookup_on_found(uv_getaddrinfo_t *request, int status, struct addrinfo *found)
{
    struct hub_lookup *lookup = request->data;
    struct hub_outbound *outbound = lookup->owner;
    struct hub *hub = lookup->hub;
    if (outbound != NULL) {
        struct address literal = outbound->address;
        outbound->lookup = NULL;
        if (status == 0 && hub_lookup_take(found, outbound->lookups++, &literal))
            hub_outbound_try(outbound, &literal);
        else
            hub_outbound_retry(outbound, HUB_UNREACHABLE);
    }
    uv_freeaddrinfo(found);
    free(lookup);
    hub_release(hub);
}

static void hub_outbound_begin(struct hub_outbound *outbound)
{
    static const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct hub *hub = outbound->line.hub;
    if (outbound->address.literal) {
        hub_outbound_try(outbound, &outbound->address);
        return;
    }
    struct hub_lookup *lookup = calloc(1, sizeof *lookup);
    if (lookup != NULL) {
        lookup->hub = hub;
        lookup->owner = outbound;
        lookup->request.data = lookup;
    }
    if (lookup == NULL || uv_getaddrinfo(hub->loop, &lookup->request, hub_lookup_on_found,
                                         outbound->address.host, NULL, &hints) != 0) {
        free(lookup);
        hub_outbound_retry(outbound, HUB_UNREACHABLE);
        return;
    }
    hub->references++;
    outbound->lookup = lookup;
}

static void hub_outbound_on_timer(uv_timer_t *timer)
{
    struct hub_outbound *outbound = timer->data;
    if (outbound->attempt != NULL)
        hub_outbound_retry(outbound, HUB_UNREACHABLE);
    else
        hub_outbound_begin(outbound);
}

/* ---- life ---- */

err hub_outbound_open(struct hub *hub, const struct address *address,
                      const struct transport_key *peer, struct hub_link *ret_link)
{
    struct hub_outbound *outbound = calloc(1, sizeof *outbound);
    if (outbound == NULL)
        return ERR_NO_MEMORY;
    outbound->line.direction = HUB_OUTBOUND;
    outbound->line.peer = *peer;
    outbound->address = *address;
    err result = hub_enter(hub, &outbound->line);
    if (result == OK && uv_timer_init(hub->loop, &outbound->timer) != 0) {
        hub_leave(&outbound->line);
        result = ERR_IO;
    }
    if (result != OK) {
        free(outbound);
        return result;
    }
    outbound->timer.data = outbound;
    hub->references++;
    *ret_link = hub_link_of(&outbound->line);
    /* from the loop: the caller has its link before anything is said of it */
    (void)uv_timer_start(&outbound->timer, hub_outbound_on_timer, 0, 0);
    return OK;
}

static void hub_outbound_on_closed(uv_handle_t *handle)
{
    struct hub_outbound *outbound = handle->data;
    struct hub *hub = outbound->line.hub;
    free(outbound);
    hub_release(hub);
}

void hub_outbound_end(struct hub_outbound *outbound, enum hub_reason reason)
{
    hub_leave(&outbound->line);
    hub_outbound_abandon(outbound);
    uv_close((uv_handle_t *)&outbound->timer, hub_outbound_on_closed);
    hub_lower(&outbound->line, reason);
}
