/* ZeroMQ sockets in a libuv loop.
 *
 * A socket's file descriptor tells of a change once and not again, and a send of our own may
 * swallow the news; so a socket is drained not when the descriptor says so but whenever it may have
 * changed: it is touched by its descriptor, by every send, and once a second, and what was touched
 * is drained until it is empty, before the loop waits and after. Each turn has a budget; what is
 * left over goes on in the next, which then does not wait. */
#ifndef CONSILIUM_NODE_NET_ZMQ_POLLER_H
#define CONSILIUM_NODE_NET_ZMQ_POLLER_H

#include <stdbool.h>

#include <uv.h>

#include "protocol/base/bytes.h"
#include "protocol/base/error.h"

struct zmq_poller;
struct zmq_msg_t;

/* All sockets of one loop. */
struct zmq_poller_set {
    uv_loop_t *loop;
    uv_prepare_t prepare;
    uv_check_t check;
    uv_idle_t idle;
    uv_timer_t timer;
    struct zmq_poller *first; /* of all */
    struct zmq_poller *first_touched;
    struct zmq_poller *last_touched;
    unsigned touched_count;
    bool draining;
    unsigned handles_open;
    void (*on_second)(struct zmq_poller_set *set);
    void (*on_closed)(struct zmq_poller_set *set);
};

/* Lies in its owner's struct until `closed` was called. */
struct zmq_poller {
    struct zmq_poller_set *set;
    void *socket; /* NULL when not open */
    uv_poll_t poll;
    struct zmq_poller *next, *previous; /* of all */
    struct zmq_poller *next_touched;
    bool touched;
    bool closing;
    /* Receives up to `budget` messages, and sends what can be sent again; returns how many were
     * received: fewer than `budget` means that the socket said EAGAIN. Must stop when the watch
     * was closed meanwhile. */
    unsigned (*drain)(struct zmq_poller *watch, unsigned budget);
    /* The socket is closed; the memory may go. */
    void (*closed)(struct zmq_poller *watch);
    void *user; /* the owner */
};

/* `on_second` is called every second, after all sockets were touched. ERR_IO. */
MUST_USE err zmq_poller_set_open(struct zmq_poller_set *set, uv_loop_t *loop,
                                 void (*on_second)(struct zmq_poller_set *set));

/* When all watches are closed: the set goes too, and says when. */
void zmq_poller_set_close(struct zmq_poller_set *set,
                          void (*on_closed)(struct zmq_poller_set *set));

/* Takes over `socket`; `drain` and `closed` are set already. ERR_IO: the socket is still the
 * caller's. */
MUST_USE err zmq_poller_open(struct zmq_poller_set *set, struct zmq_poller *watch, void *socket);

/* To be called after every send. */
void zmq_poller_touch(struct zmq_poller *watch);

/* zmq_msg_recv and zmq_msg_send that never wait and are not put off by signals. `more` for all
 * parts but the last. -1: errno says why. */
int zmq_poller_receive(void *socket, struct zmq_msg_t *message);
int zmq_poller_send(void *socket, struct zmq_msg_t *message, bool more);
/* The same for bytes that are copied. */
int zmq_poller_send_bytes(void *socket, struct bytes bytes, bool more);

/* Stops watching at once and closes the socket, in this order, when the loop turns. */
void zmq_poller_close(struct zmq_poller *watch);

#endif
