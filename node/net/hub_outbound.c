/* One DEALER for each attempt at a peer, whose identity is the key that CURVE is given: who does
 * not have it gets no handshake done. libzmq is told not to connect again: it starts over quickly
 * when a handshake was refused, and its queue would mix frames of two connections.
 *
 *   waiting -> (looking up a name) -> trying -> up -> waiting ...
 *
 * The timer ends the waiting, and a lookup or a try that lasts too long. Two addresses are tried
 * side by side, the second a moment after the first ("Happy Eyeballs", RFC 8305, in its simplest
 * form): the first handshake that succeeds is the connection, and the round has failed when both
 * have. No name is asked for twice at the same time: a lookup that outlasts its round goes on, and
 * what it finds is tried when it comes. */
#include "node/net/hub_outbound.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>
#include <zmq.h>

#include "node/net/hub_instance.h"
#include "node/net/hub_lookup.h"
#include "node/net/hub_socket.h"
#include "node/net/hub_table.h"

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
    uint64_t began_at_ms;
    unsigned open;
};

static void hub_outbound_on_timer(uv_timer_t *timer);
static void hub_outbound_try(struct hub_outbound *outbound, const struct address *literal);

/* ---- giving up and waiting ---- */

static void hub_attempt_abandon(struct hub_attempt *attempt)
{
    struct hub_outbound *outbound = attempt->owner;
    for (size_t i = 0; i < HUB_RACE_COUNT; i++)
        if (outbound->attempts[i] == attempt)
            outbound->attempts[i] = NULL;
    attempt->owner = NULL;
    hub_socket_unmonitor(attempt->dealer.socket);
    zmq_poller_close(&attempt->monitor);
    zmq_poller_close(&attempt->dealer);
}

/* Ends the round, but for a lookup. */
static void hub_outbound_abandon(struct hub_outbound *outbound)
{
    for (size_t i = 0; i < HUB_RACE_COUNT; i++)
        if (outbound->attempts[i] != NULL)
            hub_attempt_abandon(outbound->attempts[i]);
    outbound->second.port = 0;
    outbound->is_asking = false;
}

static void hub_outbound_forget_lookup(struct hub_outbound *outbound)
{
    if (outbound->lookup == NULL)
        return;
    hub_lookup_forget(outbound->lookup);
    outbound->lookup = NULL;
}

static bool hub_outbound_is_trying(const struct hub_outbound *outbound)
{
    for (size_t i = 0; i < HUB_RACE_COUNT; i++)
        if (outbound->attempts[i] != NULL)
            return true;
    return false;
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
    if (was_up && uv_now(hub->loop) - outbound->dialing.succeeded_at_ms >= HUB_SETTLED_MS)
        outbound->failures = 0;
    uint64_t wait_ms = hub_outbound_wait_ms(outbound);
    (void)uv_timer_start(&outbound->timer, hub_outbound_on_timer, wait_ms, 0);
    outbound->failures++;
    outbound->dialing.has_failed = true;
    outbound->dialing.reason = reason;
    outbound->dialing.next_at_ms = uv_now(hub->loop) + wait_ms;
    /* the callers below may close the link: nothing of it is touched after them */
    struct hub_link link = hub_table_link_of(&outbound->line);
    if (was_up)
        hub_table_lower(&outbound->line, reason);
    else if (hub->config.calls.on_failed != NULL)
        hub->config.calls.on_failed(hub->config.user, link, reason);
}

/* How much a reason tells of what is wrong: a peer that answered and refused us says more than one
 * that did not answer. */
static int hub_outbound_weight(enum hub_reason reason)
{
    return reason == HUB_REFUSED ? 3 : reason == HUB_BAD_PEER ? 2 : reason == HUB_TIMED_OUT ? 1 : 0;
}

/* One address of the round came to nothing. */
static void hub_outbound_miss(struct hub_outbound *outbound, enum hub_reason reason)
{
    if (hub_outbound_weight(reason) >= hub_outbound_weight(outbound->reason))
        outbound->reason = reason;
    struct address second = outbound->second;
    outbound->second.port = 0;
    if (second.port != 0)
        hub_outbound_try(outbound, &second);
    else if (!hub_outbound_is_trying(outbound))
        hub_outbound_retry(outbound, outbound->reason);
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
    if (frame.data[0] == HUB_CONTROL && frame.size >= 2 && frame.data[1] == HUB_CONTROL_SECOND) {
        struct bytes said = {frame.data + 2, frame.size - 2};
        if (hub_instance_is_second(hub, &outbound->line.peer, said) &&
            hub->config.calls.on_second != NULL)
            hub->config.calls.on_second(hub->config.user, hub_table_link_of(&outbound->line));
        return;
    }
    if (frame.data[0] == HUB_CONTROL) {
        if (hub_table_asks(frame) &&
            hub_outbound_send(outbound, hub_table_word(HUB_CONTROL_PONG), BYTES_NONE) != OK)
            return; /* its queue is full: it hears of us by what waits there */
        return;
    }
    hub->counts.frames_in++;
    if (hub->config.calls.on_frame != NULL)
        hub->config.calls.on_frame(hub->config.user, hub_table_link_of(&outbound->line), frame);
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
    if ((hub_outbound_events(outbound->attempts[0]->dealer.socket) & ZMQ_POLLOUT) == 0)
        return;
    outbound->line.blocked = false;
    if (hub->config.calls.on_drained != NULL)
        hub->config.calls.on_drained(hub->config.user, hub_table_link_of(&outbound->line));
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
    struct zmq_poller *dealer = &outbound->attempts[0]->dealer;
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

static enum hub_reason hub_outbound_reason(const struct hub_attempt *attempt, uint16_t event)
{
    bool was_up = attempt->owner->line.up;
    const struct hub *hub = attempt->hub;
    if (event == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH)
        return HUB_REFUSED;
    /* libzmq gives up a connect and a handshake by the same number, and does not say that it did */
    if (!was_up && uv_now(hub->loop) - attempt->began_at_ms >= hub->config.pace.handshake_ms)
        return HUB_TIMED_OUT;
    if (event == ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL ||
        event == ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL)
        return HUB_BAD_PEER;
    return was_up ? HUB_DISCONNECTED : HUB_UNREACHABLE;
}

static void hub_outbound_up(struct hub_attempt *attempt)
{
    const uint8_t hello[] = {HUB_CONTROL, HUB_CONTROL_HELLO, HUB_VERSION};
    uint8_t said[HUB_INSTANCE_SIZE];
    struct hub_outbound *outbound = attempt->owner;
    hub_instance_write(attempt->hub, &outbound->line.peer, said);
    for (size_t i = 0; i < HUB_RACE_COUNT; i++)
        if (outbound->attempts[i] != NULL && outbound->attempts[i] != attempt)
            hub_attempt_abandon(outbound->attempts[i]);
    outbound->attempts[0] = attempt;
    for (size_t i = 1; i < HUB_RACE_COUNT; i++)
        outbound->attempts[i] = NULL;
    outbound->second.port = 0;
    (void)uv_timer_stop(&outbound->timer);
    outbound->dialing.succeeded_at_ms = uv_now(outbound->line.hub->loop);
    outbound->dialing.has_failed = false;
    outbound->dialing.next_at_ms = 0;
    /* a send alone might not see the new connection */
    (void)hub_outbound_events(attempt->dealer.socket);
    if (hub_outbound_send(outbound, (struct bytes){hello, sizeof hello},
                          (struct bytes){said, sizeof said}) == OK)
        hub_table_raise(&outbound->line);
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
            hub_outbound_up(attempt);
            continue;
        }
        /* what came before the end is read before it */
        (void)hub_outbound_drain(&attempt->dealer, 4 * attempt->hub->config.queue_count_max);
        struct hub_outbound *outbound = attempt->owner;
        if (outbound == NULL)
            break;
        enum hub_reason reason = hub_outbound_reason(attempt, event);
        if (outbound->line.up) {
            hub_outbound_retry(outbound, reason);
        } else {
            hub_attempt_abandon(attempt);
            hub_outbound_miss(outbound, reason);
        }
    }
    return count;
}

/* ---- trying ---- */

static void hub_attempt_on_closed(struct zmq_poller *watch)
{
    struct hub_attempt *attempt = watch->user;
    if (--attempt->open != 0)
        return;
    hub_table_release(attempt->hub);
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
    size_t place = 0;
    while (place < HUB_RACE_COUNT - 1 && outbound->attempts[place] != NULL)
        place++;
    assert(outbound->attempts[place] == NULL);
    struct hub_attempt *attempt = calloc(1, sizeof *attempt);
    if (attempt == NULL) {
        hub_outbound_miss(outbound, HUB_UNREACHABLE);
        return;
    }
    attempt->hub = hub;
    attempt->began_at_ms = uv_now(hub->loop);
    if (hub_attempt_open(outbound, attempt) != OK) {
        hub->references += attempt->open != 0;
        if (attempt->open == 0)
            free(attempt);
        hub_outbound_miss(outbound, HUB_UNREACHABLE);
        return;
    }
    hub->references++;
    attempt->owner = outbound;
    outbound->attempts[place] = attempt;
    hub_socket_address(literal, text);
    if (zmq_connect(attempt->dealer.socket, text) != 0) {
        hub_attempt_abandon(attempt);
        hub_outbound_miss(outbound, HUB_UNREACHABLE);
        return;
    }
    /* connecting and the handshake have limits of their own; the longer one is for what they miss
     */
    (void)uv_timer_start(&outbound->timer, hub_outbound_on_timer,
                         outbound->second.port != 0 ? hub->config.pace.second_ms
                                                    : 3 * (uint64_t)hub->config.pace.handshake_ms,
                         0);
}

/* ---- names ---- */

/* Begins with the first of `count` addresses; a second follows soon. */
static void hub_outbound_race(struct hub_outbound *outbound, const struct address *literals,
                              size_t count)
{
    outbound->is_asking = false;
    outbound->reason = HUB_UNREACHABLE;
    outbound->second.port = 0;
    if (count > 1)
        outbound->second = literals[1];
    hub_outbound_try(outbound, &literals[0]);
}

static void hub_outbound_on_found(struct hub_outbound *outbound, const struct addrinfo *found,
                                  uint16_t port)
{
    struct address literals[HUB_RACE_COUNT];
    size_t count =
        hub_lookup_pick(found, (outbound->rounds - 1) / outbound->address_count, port, literals);
    outbound->lookup = NULL;
    if (outbound->line.up || hub_outbound_is_trying(outbound))
        return; /* too late: another of its addresses is at it */
    if (count > 0)
        hub_outbound_race(outbound, literals, count);
    else if (outbound->is_asking)
        hub_outbound_retry(outbound, HUB_NO_NAME);
}

static void hub_outbound_begin(struct hub_outbound *outbound)
{
    unsigned count = outbound->address_count;
    const struct address *address = &outbound->addresses[outbound->rounds % count];
    const struct address *next = &outbound->addresses[(outbound->rounds + 1) % count];
    outbound->rounds++;
    outbound->dialing.tried_at_ms = uv_now(outbound->line.hub->loop);
    outbound->dialing.next_at_ms = 0;
    if (address->literal) {
        struct address literals[HUB_RACE_COUNT] = {*address, *next};
        hub_outbound_race(outbound, literals, count > 1 && next->literal ? 2 : 1);
        return;
    }
    if (outbound->lookup == NULL) /* else one of an earlier round: no second beside it */
        outbound->lookup = hub_lookup_begin(outbound, address, hub_outbound_on_found);
    if (outbound->lookup == NULL) {
        hub_outbound_retry(outbound, HUB_NO_NAME);
        return;
    }
    outbound->is_asking = true;
    (void)uv_timer_start(&outbound->timer, hub_outbound_on_timer,
                         outbound->line.hub->config.pace.lookup_ms, 0);
}

static void hub_outbound_on_timer(uv_timer_t *timer)
{
    struct hub_outbound *outbound = timer->data;
    struct address second = outbound->second;
    outbound->second.port = 0;
    if (second.port != 0)
        hub_outbound_try(outbound, &second);
    else if (hub_outbound_is_trying(outbound))
        hub_outbound_retry(outbound, hub_outbound_weight(outbound->reason) > 0 ? outbound->reason
                                                                               : HUB_TIMED_OUT);
    else if (outbound->is_asking)
        hub_outbound_retry(outbound, HUB_NO_NAME);
    else
        hub_outbound_begin(outbound);
}

/* ---- where to ---- */

static bool hub_outbound_has(const struct hub_outbound *outbound, const struct address *addresses,
                             size_t count)
{
    bool same = count == outbound->address_count;
    for (size_t i = 0; same && i < count; i++)
        same = addresses[i].port == outbound->addresses[i].port &&
               strcmp(addresses[i].host, outbound->addresses[i].host) == 0;
    return same;
}

err hub_outbound_redirect(struct hub_outbound *outbound, const struct address *addresses,
                          size_t count)
{
    struct address kept[ENDPOINT_COUNT_MAX];
    size_t kept_count = 0;
    for (size_t i = 0; i < count && kept_count < ENDPOINT_COUNT_MAX; i++)
        if (address_dialable(&addresses[i]))
            kept[kept_count++] = addresses[i];
    if (kept_count == 0)
        return ERR_INVALID;
    if (hub_outbound_has(outbound, kept, kept_count))
        return OK;
    memcpy(outbound->addresses, kept, kept_count * sizeof kept[0]);
    outbound->address_count = (unsigned)kept_count;
    outbound->rounds = 0;
    outbound->failures = 0;
    outbound->dialing.has_failed = false;
    outbound->dialing.next_at_ms = 0;
    hub_outbound_abandon(outbound);
    hub_outbound_forget_lookup(outbound);
    (void)uv_timer_start(&outbound->timer, hub_outbound_on_timer, 0, 0);
    hub_table_lower(&outbound->line, HUB_MOVED); /* the last: the caller may close the link */
    return OK;
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
    outbound->addresses[0] = *address;
    outbound->address_count = 1;
    err result = hub_table_enter(hub, &outbound->line);
    if (result == OK && uv_timer_init(hub->loop, &outbound->timer) != 0) {
        hub_table_leave(&outbound->line);
        result = ERR_IO;
    }
    if (result != OK) {
        free(outbound);
        return result;
    }
    outbound->timer.data = outbound;
    hub->references++;
    *ret_link = hub_table_link_of(&outbound->line);
    /* from the loop: the caller has its link before anything is said of it */
    (void)uv_timer_start(&outbound->timer, hub_outbound_on_timer, 0, 0);
    return OK;
}

static void hub_outbound_on_closed(uv_handle_t *handle)
{
    struct hub_outbound *outbound = handle->data;
    struct hub *hub = outbound->line.hub;
    free(outbound);
    hub_table_release(hub);
}

void hub_outbound_end(struct hub_outbound *outbound, enum hub_reason reason)
{
    hub_table_leave(&outbound->line);
    hub_outbound_abandon(outbound);
    hub_outbound_forget_lookup(outbound);
    uv_close((uv_handle_t *)&outbound->timer, hub_outbound_on_closed);
    hub_table_lower(&outbound->line, reason);
}
