#include "node/http/http_loop.h"

static void http_loop_run(struct http_loop *loop)
{
    if (loop->is_running || loop->is_closing)
        return;
    loop->is_running = true;
    loop->is_kicked = false;
    (void)!MHD_run(loop->daemon);
    loop->is_running = false;
}

static void http_loop_on_poll(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    http_loop_run(poll->data);
}

static void http_loop_on_timer(uv_timer_t *timer)
{
    http_loop_run(timer->data);
}

static void http_loop_on_prepare(uv_prepare_t *prepare)
{
    struct http_loop *loop = prepare->data;
    MHD_UNSIGNED_LONG_LONG wait = 0;
    if (loop->is_closing)
        return;
    if (loop->is_kicked)
        uv_timer_start(&loop->timer, http_loop_on_timer, 0, 0);
    else if (MHD_get_timeout(loop->daemon, &wait) == MHD_YES)
        uv_timer_start(&loop->timer, http_loop_on_timer, wait, 0);
    else
        uv_timer_stop(&loop->timer);
}

err http_loop_open(struct http_loop *loop, struct MHD_Daemon *daemon, uv_loop_t *uv)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD);
    loop->daemon = daemon;
    loop->poll.data = loop->prepare.data = loop->timer.data = loop;
    if (info == NULL || uv_poll_init(uv, &loop->poll, info->epoll_fd) != 0)
        return ERR_IO;
    uv_prepare_init(uv, &loop->prepare);
    uv_timer_init(uv, &loop->timer);
    loop->handles_open = 3;
    uv_poll_start(&loop->poll, UV_READABLE, http_loop_on_poll);
    uv_prepare_start(&loop->prepare, http_loop_on_prepare);
    return OK;
}

void http_loop_kick(struct http_loop *loop)
{
    loop->is_kicked = true;
    if (!loop->is_closing)
        uv_timer_start(&loop->timer, http_loop_on_timer, 0, 0);
}

static void http_loop_on_closed(uv_handle_t *handle)
{
    struct http_loop *loop = handle->data;
    if (--loop->handles_open == 0)
        loop->on_closed(loop);
}

void http_loop_shut(struct http_loop *loop, uv_handle_t *handle)
{
    handle->data = loop;
    uv_close(handle, http_loop_on_closed);
}

void http_loop_close(struct http_loop *loop, void (*on_closed)(struct http_loop *loop))
{
    (void)!MHD_run(loop->daemon);
    loop->is_closing = true;
    loop->on_closed = on_closed;
    uv_poll_stop(&loop->poll);
    MHD_stop_daemon(loop->daemon);
    uv_close((uv_handle_t *)&loop->poll, http_loop_on_closed);
    uv_close((uv_handle_t *)&loop->prepare, http_loop_on_closed);
    uv_close((uv_handle_t *)&loop->timer, http_loop_on_closed);
}
