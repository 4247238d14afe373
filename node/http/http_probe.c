#include "node/http/http_probe.h"

#include <stdlib.h>
#include <string.h>

#include "node/os/log.h"

static const char http_probe_request[] =
    "GET /v1 HTTP/1.1\r\nHost: consilium\r\nConnection: close\r\n\r\n";
static const char http_probe_wanted[] = "HTTP/1.1 ";

struct http_probe_try {
    uv_pipe_t pipe;
    uv_connect_t connect;
    uv_write_t write;
    struct http_probe *probe; /* NULL: it is over */
    char answer[64];
    size_t size;
};

struct http_probe {
    uv_timer_t timer;
    struct http_probe_try *running;
    unsigned missed_count; /* in a row */
    char socket[];
};

static void http_probe_on_try_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void http_probe_end(struct http_probe_try *running)
{
    if (running->probe == NULL)
        return;
    running->probe->running = NULL;
    running->probe = NULL;
    uv_close((uv_handle_t *)&running->pipe, http_probe_on_try_closed);
}

static void http_probe_on_space(uv_handle_t *handle, size_t wanted, uv_buf_t *ret_buffer)
{
    struct http_probe_try *running = handle->data;
    (void)wanted;
    *ret_buffer = uv_buf_init(running->answer + running->size,
                              (unsigned)(sizeof running->answer - running->size));
}

static void http_probe_on_data(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    struct http_probe_try *running = stream->data;
    const size_t wanted = sizeof http_probe_wanted - 1;
    (void)buffer;
    if (running->probe == NULL || size == 0)
        return;
    running->size += size > 0 ? (size_t)size : 0;
    if (size > 0 && running->size < wanted)
        return;
    if (running->size >= wanted && memcmp(running->answer, http_probe_wanted, wanted) == 0) {
        if (running->probe->missed_count >= HTTP_PROBE_MISSED_MAX)
            log_info("api-answers", log_text("socket", running->probe->socket));
        running->probe->missed_count = 0;
    } else {
        running->probe->missed_count++;
    }
    http_probe_end(running);
}

static void http_probe_on_written(uv_write_t *write, int status)
{
    (void)write; /* if it failed, reading fails too */
    (void)status;
}

static void http_probe_on_connected(uv_connect_t *connect, int status)
{
    struct http_probe_try *running = connect->data;
    union {
        const char *in;
        char *out;
    } text = {.in = http_probe_request};
    uv_buf_t buffer = uv_buf_init(text.out, sizeof http_probe_request - 1);
    if (running->probe == NULL)
        return;
    uv_stream_t *stream = (uv_stream_t *)&running->pipe;
    if (status != 0 || uv_write(&running->write, stream, &buffer, 1, http_probe_on_written) != 0 ||
        uv_read_start(stream, http_probe_on_space, http_probe_on_data) != 0) {
        running->probe->missed_count++;
        http_probe_end(running);
    }
}

static void http_probe_on_timer(uv_timer_t *timer)
{
    struct http_probe *probe = timer->data;
    if (probe->running != NULL) { /* no answer in a whole period */
        probe->missed_count++;
        http_probe_end(probe->running);
    }
    if (probe->missed_count == HTTP_PROBE_MISSED_MAX)
        log_error("api-silent", log_text("socket", probe->socket));
    struct http_probe_try *running = calloc(1, sizeof *running);
    if (running == NULL)
        return;
    probe->running = running;
    running->probe = probe;
    running->connect.data = running;
    (void)uv_pipe_init(timer->loop, &running->pipe, 0);
    running->pipe.data = running;
    uv_pipe_connect(&running->connect, &running->pipe, probe->socket, http_probe_on_connected);
}

err http_probe_new(uv_loop_t *loop, const char *socket, uint64_t period_ms,
                   struct http_probe **ret_probe)
{
    struct http_probe *probe = calloc(1, sizeof *probe + strlen(socket) + 1);
    if (probe == NULL)
        return ERR_NO_MEMORY;
    memcpy(probe->socket, socket, strlen(socket) + 1);
    (void)uv_timer_init(loop, &probe->timer);
    probe->timer.data = probe;
    (void)uv_timer_start(&probe->timer, http_probe_on_timer, period_ms, period_ms);
    *ret_probe = probe;
    return OK;
}

static void http_probe_on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void http_probe_free(struct http_probe *probe)
{
    if (probe == NULL)
        return;
    if (probe->running != NULL)
        http_probe_end(probe->running);
    uv_close((uv_handle_t *)&probe->timer, http_probe_on_closed);
}

bool http_probe_is_answered(const struct http_probe *probe)
{
    return probe->missed_count < HTTP_PROBE_MISSED_MAX;
}
