/* ZeroMQ sockets in a libuv loop.
 *
 * A socket's file descriptor tells of a change once and not again, and a send of our own may
 * swallow the news; so a socket is drained not when the descriptor says so but whenever it may have
 * changed: it is touched by its descriptor, by every send, and once a second, and what was touched
 * is drained until it is empty, before the loop waits and after. Each turn has a budget; what is
 * left over goes on in the next, which then does not wait. */
#ifndef CONSILIUM_NODE_IO_WATCH_H
#define CONSILIUM_NODE_IO_WATCH_H

#include <stdbool.h>

#include <uv.h>

#include "protocol/bytes.h"
#include "protocol/error.h"

struct watch;
struct zmq_msg_t;

/* All sockets of one loop. */
struct watch_set {
    uv_loop_t *loop;
    uv_prepare_t prepare;
    uv_check_t check;
    uv_idle_t idle;
    uv_timer_t timer;
    struct watch *first; /* of all */
    struct watch *first_touched;
    struct watch *last_touched;
    unsigned touched_count;
    bool draining;
    unsigned handles_open;
    void (*on_second)(struct watch_set *set);
    void (*on_closed)(struct watch_set *set);
};

/* Lies in its owner's struct until `closed` was called. */
struct watch {
    struct watch_set *set;
    void *socket; /* NULL when not open */
    uv_poll_t poll;
    struct watch *next, *previous; /* of all */
    struct watch *next_touched;
    bool touched;
    bool closing;
    /* Receives up to `budget` messages, and sends what can be sent again; returns how many were
     * received: fewer than `budget` means that the socket said EAGAIN. Must stop when the watch
     * was closed meanwhile. */
    unsigned (*drain)(struct watch *watch, unsigned budget);
    /* The socket is closed; the memory may go. */
    void (*closed)(struct watch *watch);
    void *user; /* the owner */
};

/* `on_second` is called every second, after all sockets were touched. ERR_IO. */
MUST_USE err watch_set_open(struct watch_set *set, uv_loop_t *loop,
                            void (*on_second)(struct watch_set *set));

/* When all watches are closed: the set goes too, and says when. */
void watch_set_close(struct watch_set *set, void (*on_closed)(struct watch_set *set));

/* Takes over `socket`; `drain` and `closed` are set already. ERR_IO: the socket is still the
 * caller's. */
MUST_USE err watch_open(struct watch_set *set, struct watch *watch, void *socket);

/* To be called after every send. */
void watch_touch(struct watch *watch);

/* zmq_msg_recv and zmq_msg_send that never wait and are not put off by signals. `more` for all
 * parts but the last. -1: errno says why. */
int watch_receive(void *socket, struct zmq_msg_t *message);
int watch_send(void *socket, struct zmq_msg_t *message, bool more);
/* The same for bytes that are copied. */
int watch_send_bytes(void *socket, struct bytes bytes, bool more);

/* Stops watching at once and closes the socket, in this order, when the loop turns. */
void watch_close(struct watch *watch);

#endif
