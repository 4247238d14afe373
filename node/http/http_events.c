/* Server-sent events (the WHATWG HTML standard, "Server-sent events"): queued here, taken by
 * libmicrohttpd when the reader has room; an empty queue suspends the connection. */
#include "node/http/http_events.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/http/http_request.h"
#include "node/http/http_response.h"

enum { HTTP_EVENTS_SILENCE_MS = 15 * 1000, HTTP_EVENTS_BLOCK = 16 * 1024 };

struct http_events {
    struct http *http;
    struct MHD_Connection *connection;
    uint8_t *queue;
    size_t size;
    bool is_suspended;
    bool is_ended;
    uv_timer_t silence;
    unsigned uses; /* by the response and by the timer */
    void (*on_gone)(void *arg);
    void *arg;
};

static void http_events_drop(struct http_events *events)
{
    if (--events->uses > 0)
        return;
    free(events->queue);
    free(events);
}

static void http_events_wake(struct http_events *events)
{
    if (!events->is_suspended)
        return;
    events->is_suspended = false;
    MHD_resume_connection(events->connection);
    http_loop_kick(&events->http->loop);
}

static ssize_t http_events_read(void *arg, uint64_t position, char *buffer, size_t size_max)
{
    (void)position;
    struct http_events *events = arg;
    if (events->size == 0 && events->is_ended)
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (events->size == 0) {
        if (!events->is_suspended && !events->http->loop.is_closing) {
            events->is_suspended = true;
            MHD_suspend_connection(events->connection);
        }
        return 0;
    }
    size_t size = events->size < size_max ? events->size : size_max;
    memcpy(buffer, events->queue, size);
    memmove(events->queue, events->queue + size, events->size - size);
    events->size -= size;
    return (ssize_t)size;
}

static void http_events_on_closed(uv_handle_t *handle)
{
    http_events_drop(handle->data);
}

/* The connection is over. */
static void http_events_free(void *arg)
{
    struct http_events *events = arg;
    if (!events->is_ended && events->on_gone != NULL)
        events->on_gone(events->arg);
    events->is_ended = true;
    events->http->events_count--;
    uv_close((uv_handle_t *)&events->silence, http_events_on_closed);
    http_events_drop(events);
}

/* No more comes: from now on the reader is waited for to take the rest. */
static void http_events_finish(struct http_events *events)
{
    events->is_ended = true;
    http_connection_enter(http_connection_of(events->connection), HTTP_ANSWER);
}

static void http_events_add(struct http_events *events, const char *text, size_t size)
{
    if (events->is_ended)
        return;
    if (events->size + size >
        HTTP_EVENTS_SIZE_MAX) { /* too slow: it reconnects and reads the state */
        http_events_finish(events);
        events->size = 0;
        if (events->on_gone != NULL)
            events->on_gone(events->arg);
    } else {
        memcpy(events->queue + events->size, text, size);
        events->size += size;
    }
    http_events_wake(events);
}

static void http_events_on_silence(uv_timer_t *timer)
{
    struct http_events *events = timer->data;
    if (events->size == 0)
        http_events_add(events, ":\n\n", 3);
}

err http_events_begin(struct http_request *request, void (*on_gone)(void *arg), void *arg,
                      struct http_events **ret_events)
{
    struct http *http = request->http;
    if (http == NULL || http->events_count >= HTTP_EVENTS_COUNT_MAX ||
        http_connection_count(http, request->peer.uid, HTTP_EVENTS) >= HTTP_EVENTS_EACH_COUNT_MAX)
        return ERR_BUSY;
    struct http_events *events = calloc(1, sizeof *events);
    uint8_t *queue = malloc(HTTP_EVENTS_SIZE_MAX);
    struct MHD_Response *response =
        events == NULL || queue == NULL
            ? NULL
            : MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, HTTP_EVENTS_BLOCK,
                                                http_events_read, events, http_events_free);
    if (response == NULL) {
        free(events);
        free(queue);
        return ERR_NO_MEMORY;
    }
    *events = (struct http_events){.http = http,
                                   .connection = request->connection,
                                   .queue = queue,
                                   .uses = 2,
                                   .on_gone = on_gone,
                                   .arg = arg};
    uv_timer_init(http->loop.timer.loop, &events->silence);
    events->silence.data = events;
    uv_timer_start(&events->silence, http_events_on_silence, HTTP_EVENTS_SILENCE_MS,
                   HTTP_EVENTS_SILENCE_MS);
    http->events_count++;
    struct http_answer answer = {.status = MHD_HTTP_OK, .type = "text/event-stream"};
    http_response_dress(response, &answer);
    request->events = events;
    http_connection_enter(request->own_connection, HTTP_EVENTS);
    request->response = response;
    request->status = MHD_HTTP_OK;
    http_request_send(request);
    *ret_events = events;
    return OK;
}

void http_events_push(struct http_events *events, const char *event, const char *data)
{
    char line[1024];
    int size = snprintf(line, sizeof line, "event: %s\ndata: %s\n\n", event, data);
    if (size > 0 && (size_t)size < sizeof line)
        http_events_add(events, line, (size_t)size);
}

void http_events_end(struct http_events *events)
{
    http_events_finish(events);
    http_events_wake(events);
}

void http_events_stop(struct http_events *events)
{
    if (!events->is_ended && events->on_gone != NULL)
        events->on_gone(events->arg);
    http_events_end(events);
}
