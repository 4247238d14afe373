/* Wakes a loop from any thread.
 *
 * One eventfd (eventfd(2)) that the loop polls. Wake-ups coalesce: however many come before the
 * loop looks, it calls back once, and none that comes after is lost. This stands in place of
 * uv_async_send, which in libuv 1.44.2 leaves the loop spinning until the sender has returned. */
#ifndef CONSILIUM_NODE_OS_WAKEUP_H
#define CONSILIUM_NODE_OS_WAKEUP_H

#include <stdatomic.h>
#include <stdbool.h>

#include <uv.h>

#include "protocol/base/error.h"

/* Lies in its owner's struct until `on_closed` was called. */
struct wakeup {
    uv_poll_t poll;
    int fd;
    atomic_bool is_sent; /* and the loop has not looked since */
    void (*on_wake)(void *user);
    void (*on_closed)(void *user);
    void *user;
};

/* `on_wake` is called on the loop with `user`, which is borrowed until closed. ERR_IO: no
 * descriptor is left, errno says why; nothing is to be closed then. */
MUST_USE err wakeup_open(struct wakeup *wakeup, uv_loop_t *loop, void (*on_wake)(void *user),
                         void *user);

/* From any thread, between wakeup_open and wakeup_close. What the caller did before it is seen by
 * the call of `on_wake` that follows. */
void wakeup_send(struct wakeup *wakeup);

/* On the loop, when no thread sends any more: no call of `on_wake` follows. `on_closed` is called
 * when the loop turns; the memory may go then. */
void wakeup_close(struct wakeup *wakeup, void (*on_closed)(void *user));

#endif
