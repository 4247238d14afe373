/* Runs a libmicrohttpd daemon in a libuv loop: when its sockets are ready, when its timeout is
 * over, and soon after a suspended connection was resumed. */
#ifndef CONSILIUM_NODE_HTTP_HTTP_LOOP_H
#define CONSILIUM_NODE_HTTP_HTTP_LOOP_H

#include <microhttpd.h>
#include <stdbool.h>
#include <uv.h>

#include "protocol/base/error.h"

struct http_loop {
    struct MHD_Daemon *daemon; /* borrowed */
    uv_poll_t poll;
    uv_prepare_t prepare;
    uv_timer_t timer;
    unsigned handles_open;
    bool is_running; /* inside MHD_run */
    bool is_kicked;  /* something was resumed: run soon */
    bool is_closing;
    void (*on_closed)(struct http_loop *loop);
};

/* `*loop` is zeroed memory, which stays until `on_closed`. ERR_IO: the daemon has no epoll fd;
 * nothing was opened. */
MUST_USE err http_loop_open(struct http_loop *loop, struct MHD_Daemon *daemon, uv_loop_t *uv);

/* Runs the daemon in the next turn of the loop. */
void http_loop_kick(struct http_loop *loop);

/* Runs no more and closes the handles; `on_closed` comes in a later turn of the loop. Stops the
 * daemon. */
void http_loop_close(struct http_loop *loop, void (*on_closed)(struct http_loop *loop));

/* Closes another handle, which was counted in `handles_open`; its data is the loop. */
void http_loop_shut(struct http_loop *loop, uv_handle_t *handle);

#endif
