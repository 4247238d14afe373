#include "node/http/http.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "node/http/http_acceptor.h"
#include "node/http/http_events.h"
#include "node/http/http_request.h"
#include "node/http/http_response.h"
#include "node/http/http_strict.h"
#include "node/os/log.h"

enum { HTTP_OWN_COUNT_MAX = 4 }; /* connections of this process, which have no limit */

/* ---- one request ---- */

/* Content-Length, or 0. False: none, but a body all the same, or not a number. */
static bool http_length(const struct http_request *request, size_t *ret_length)
{
    const char *text = http_request_header(request, MHD_HTTP_HEADER_CONTENT_LENGTH);
    *ret_length = 0;
    if (http_request_header(request, MHD_HTTP_HEADER_TRANSFER_ENCODING) != NULL)
        return false;
    for (size_t i = 0; text != NULL && text[i] != 0; i++) {
        if (text[i] < '0' || text[i] > '9' || i > 12)
            return false;
        *ret_length = *ret_length * 10 + (size_t)(text[i] - '0');
    }
    return true;
}

static void http_refuse(struct http_request *request, int status, const char *text)
{
    struct http_answer answer = {.status = status, .type = "application/json; charset=utf-8"};
    http_response_answer(request, &answer, bytes_of_text(text));
}

static void http_refuse_head(struct http_request *request, const char *fault)
{
    char text[256];
    snprintf(text, sizeof text,
             "{\"error\": \"ERR_INVALID\", \"message\": \"%s\", \"hint\": \"spec/api.md names the "
             "rules for every request\"}",
             fault);
    http_refuse(request, MHD_HTTP_BAD_REQUEST, text);
}

static enum MHD_Result http_begin(struct http_request *request)
{
    size_t length = 0;
    if (!http_length(request, &length)) {
        http_refuse(request, MHD_HTTP_LENGTH_REQUIRED,
                    "{\"error\": \"ERR_INVALID\", \"message\": \"the request has a body without "
                    "Content-Length\", "
                    "\"hint\": \"send Content-Length, not chunks\"}");
        return MHD_YES;
    }
    size_t size_max = request->http->handlers.on_head(request->http->handlers.arg, request);
    if (request->is_answered || length == 0)
        return MHD_YES;
    if (length > size_max) {
        http_refuse(request, MHD_HTTP_CONTENT_TOO_LARGE,
                    "{\"error\": \"ERR_TOO_LARGE\", \"message\": \"the body is too large\", "
                    "\"hint\": \"spec/api.md names the limit of each request\"}");
        return MHD_YES;
    }
    request->body = malloc(length + 1);
    request->body_promised = length;
    if (request->body == NULL)
        return MHD_NO;
    request->body[length] = 0;
    return MHD_YES;
}

static enum MHD_Result http_on_access(void *arg, struct MHD_Connection *connection, const char *url,
                                      const char *method, const char *version, const char *data,
                                      size_t *data_size, void **slot)
{
    struct http *http = arg;
    struct http_request *request = *slot;
    if (request == NULL) {
        *slot = request = http_request_new(http, connection, url, method);
        if (request == NULL || request->own_connection == NULL)
            return MHD_NO;
        http_connection_enter(request->own_connection, HTTP_BODY);
        const char *fault = http_strict_fault(request->own_connection, connection, version);
        if (fault == NULL)
            return http_begin(request);
        http_refuse_head(request, fault);
        return MHD_YES;
    }
    if (*data_size > 0) {
        bool fits = request->body_size + *data_size <= request->body_promised;
        if (fits && !request->is_answered)
            memcpy(request->body + request->body_size, data, *data_size);
        request->body_size += fits ? *data_size : 0;
        request->own_connection->moved += *data_size;
        *data_size = 0;
        return fits || request->is_answered ? MHD_YES : MHD_NO;
    }
    if (request->response != NULL)
        return http_request_queue(request);
    if (!request->is_suspended && !request->is_answered) {
        request->is_handed = true;
        http->handlers.on_request(http->handlers.arg, request);
        if (request->response == NULL && !request->is_answered) {
            request->is_suspended = true;
            http_connection_enter(request->own_connection, HTTP_WORK);
            request->own_connection->request = request;
            MHD_suspend_connection(connection);
            return MHD_YES;
        }
    }
    return request->response == NULL ? MHD_NO : MHD_YES;
}

static void http_on_completed(void *arg, struct MHD_Connection *connection, void **slot,
                              enum MHD_RequestTerminationCode how)
{
    (void)arg;
    (void)how;
    struct http_request *request = *slot;
    struct http_connection *own = http_connection_of(connection);
    *slot = NULL;
    if (own != NULL)
        http_connection_enter(own, HTTP_HEAD);
    if (request == NULL)
        return;
    if (request->response != NULL)
        MHD_destroy_response(request->response);
    request->response = NULL;
    *request->link = request->next;
    if (request->next != NULL)
        request->next->link = request->link;
    request->http = NULL;
    request->connection = NULL;
    request->own_connection = NULL;
    request->peer.fd = -1;
    http_request_drop(request);
}

/* ---- start and end ---- */

static void http_on_closed(struct http_loop *loop)
{
    free((struct http *)loop);
}

struct http_limits http_limits_usual(void)
{
    return (struct http_limits){.connection_count_max = HTTP_CONNECTION_COUNT_MAX,
                                .connection_each_count_max = HTTP_CONNECTION_EACH_COUNT_MAX,
                                .connection_kept_count = HTTP_CONNECTION_KEPT_COUNT,
                                .is_own_process_free = true,
                                .head_ms_max = HTTP_HEAD_MS_MAX,
                                .body_ms_max = HTTP_BODY_MS_MAX,
                                .body_bytes_a_second = HTTP_BODY_BYTES_A_SECOND,
                                .answer_ms_max = HTTP_ANSWER_MS_MAX,
                                .answer_bytes_a_second = HTTP_ANSWER_BYTES_A_SECOND,
                                .turn_ms = HTTP_TURN_MS};
}

err http_new(uv_loop_t *loop, int listen_fd, const struct http_handlers *handlers,
             const struct http_limits *limits, struct http **ret_http)
{
    struct http *http = calloc(1, sizeof *http);
    if (http == NULL)
        return ERR_NO_MEMORY;
    http->handlers = *handlers;
    http->limits = *limits;
    struct MHD_Daemon *daemon =
        MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME, 0,
                         NULL, NULL, http_on_access, http, MHD_OPTION_CONNECTION_LIMIT,
                         (unsigned)(limits->connection_count_max + HTTP_OWN_COUNT_MAX),
                         MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)HTTP_IDLE_S_MAX,
                         MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_CONNECTION_MEMORY,
                         MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
                         MHD_OPTION_NOTIFY_COMPLETED, http_on_completed, http,
                         MHD_OPTION_NOTIFY_CONNECTION, http_acceptor_on_change, http,
                         MHD_OPTION_URI_LOG_CALLBACK, http_connection_on_uri, http, MHD_OPTION_END);
    if (daemon == NULL) {
        free(http);
        return ERR_IO;
    }
    err failure = http_loop_open(&http->loop, daemon, loop);
    if (failure != OK) {
        MHD_stop_daemon(daemon);
        free(http);
        return failure;
    }
    failure = http_acceptor_open(http, listen_fd);
    if (failure != OK) {
        http_loop_close(&http->loop, http_on_closed);
        return failure;
    }
    *ret_http = http;
    return OK;
}

void http_free(struct http *http)
{
    if (http == NULL)
        return;
    struct http_request *after = NULL;
    for (struct http_request *request = http->first; request != NULL; request = after) {
        after = request->next;
        if (request->events != NULL)
            http_events_stop(request->events);
        if (!request->is_suspended)
            continue;
        request->response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
        request->status = MHD_HTTP_SERVICE_UNAVAILABLE;
        request->is_suspended = false;
        MHD_resume_connection(request->connection);
    }
    http_acceptor_close(http);
    http_loop_close(&http->loop, http_on_closed);
}
