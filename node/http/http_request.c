#include "node/http/http_request.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "node/http/http_events.h"
#include "node/http/http_response.h"

static enum http_method http_method_of(const char *name)
{
    static const char *const names[] = {"GET", "POST", "PUT", "DELETE"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], name) == 0)
            return (enum http_method)i;
    }
    return HTTP_OTHER;
}

static bool http_cut_path(struct http_request *request, const char *url)
{
    request->path = strdup(url);
    char *cut = strdup(url);
    if (request->path == NULL || cut == NULL || cut[0] != '/') {
        free(cut);
        return false;
    }
    char *rest = NULL;
    for (char *part = strtok_r(cut, "/", &rest); part != NULL; part = strtok_r(NULL, "/", &rest)) {
        if (request->part_count < HTTP_PART_COUNT_MAX)
            request->parts[request->part_count] = strdup(part);
        request->part_count++;
    }
    free(cut);
    return request->part_count <= HTTP_PART_COUNT_MAX;
}

struct http_request *http_request_new(struct http *http, struct MHD_Connection *connection,
                                      const char *url, const char *method)
{
    struct http_request *request = calloc(1, sizeof *request);
    if (request == NULL)
        return NULL;
    request->http = http;
    request->connection = connection;
    request->method = http_method_of(method);
    request->own_connection = http_connection_of(connection);
    if (request->own_connection != NULL)
        request->peer = request->own_connection->peer;
    request->next = http->first;
    request->link = &http->first;
    if (http->first != NULL)
        http->first->link = &request->next;
    http->first = request;
    if (!http_cut_path(request, url))
        request->part_count = 0;
    return request;
}

void http_request_drop(struct http_request *request)
{
    if (request->http != NULL || (request->is_handed && !request->is_answered))
        return;
    if (request->free_own != NULL)
        request->free_own(request->own);
    if (request->body != NULL)
        sodium_memzero(request->body, request->body_promised);
    free(request->body);
    for (size_t i = 0; i < HTTP_PART_COUNT_MAX; i++)
        free(request->parts[i]);
    free(request->path);
    free(request);
}

enum MHD_Result http_request_queue(struct http_request *request)
{
    if (request->events == NULL) {
        http_connection_enter(request->own_connection, HTTP_ANSWER);
        request->own_connection->moved = request->answer_size;
    }
    return MHD_queue_response(request->connection, request->status, request->response);
}

bool http_request_is_wanted(const struct http_request *request)
{
    return request->connection != NULL && request->response == NULL &&
           !http_connection_has_gone(request->own_connection);
}

void http_request_abandon(struct http_request *request)
{
    if (request == NULL || !request->is_suspended || request->response != NULL)
        return;
    request->response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    request->status = MHD_HTTP_SERVICE_UNAVAILABLE;
    request->is_suspended = false;
    MHD_resume_connection(request->connection);
    http_loop_kick(&request->http->loop);
}

void http_request_send(struct http_request *request)
{
    request->is_answered = true;
    if (request->is_suspended) { /* without a response it is closed */
        request->is_suspended = false;
        MHD_resume_connection(request->connection);
        http_loop_kick(&request->http->loop);
    } else if (request->response != NULL) {
        (void)!http_request_queue(request);
    }
    http_request_drop(request);
}

enum http_method http_request_method(const struct http_request *request)
{
    return request->method;
}

const char *http_request_path(const struct http_request *request)
{
    return request->path == NULL ? "" : request->path;
}

const char *http_request_part(const struct http_request *request, size_t n)
{
    return n < request->part_count && n < HTTP_PART_COUNT_MAX ? request->parts[n] : NULL;
}

static const char *http_value(const struct http_request *request, enum MHD_ValueKind kind,
                              const char *name)
{
    const char *value = NULL;
    size_t size = 0;
    if (request->connection == NULL ||
        MHD_lookup_connection_value_n(request->connection, kind, name, strlen(name), &value,
                                      &size) != MHD_YES ||
        value == NULL || strlen(value) != size)
        return NULL;
    return value;
}

const char *http_request_query(const struct http_request *request, const char *name)
{
    return http_value(request, MHD_GET_ARGUMENT_KIND, name);
}

const char *http_request_header(const struct http_request *request, const char *name)
{
    return http_value(request, MHD_HEADER_KIND, name);
}

struct bytes http_request_body(const struct http_request *request)
{
    return (struct bytes){request->body, request->body == NULL ? 0 : request->body_size};
}

uint8_t *http_request_take_body(struct http_request *request, size_t *ret_size)
{
    uint8_t *body = request->body;
    *ret_size = body == NULL ? 0 : request->body_size;
    request->body = NULL;
    request->body_promised = 0;
    return body;
}

struct http_peer http_request_peer(const struct http_request *request)
{
    return request->peer;
}

bool http_request_peer_in_group(const struct http_request *request, gid_t group)
{
    return request->connection != NULL && http_peer_in_group(&request->peer, group);
}

void http_request_set_own(struct http_request *request, void *own, void (*free_own)(void *own))
{
    request->own = own;
    request->free_own = free_own;
}

void *http_request_own(const struct http_request *request)
{
    return request->own;
}
