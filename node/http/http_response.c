#include "node/http/http_response.h"

#include <ctype.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/http/http_request.h"

void http_response_dress(struct MHD_Response *response, const struct http_answer *answer)
{
    static const char *const always[][2] = {
        {"Cache-Control", "no-store"},
        {"X-Content-Type-Options", "nosniff"},
        {"Content-Security-Policy", "default-src 'none'"},
        {"Referrer-Policy", "no-referrer"},
    };
    for (size_t i = 0; i < sizeof always / sizeof always[0]; i++)
        (void)!MHD_add_response_header(response, always[i][0], always[i][1]);
    if (answer->type != NULL)
        (void)!MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, answer->type);
    if (answer->is_retry_later)
        (void)!MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, "2");
    if (answer->file_name == NULL)
        return;
    /* a peer chose this name: only harmless characters go into a header */
    char name[80];
    size_t size = 0;
    for (const char *at = answer->file_name; *at != 0 && size < sizeof name - 1; at++)
        name[size++] = isascii(*at) && (isalnum(*at) || *at == '.' || *at == '-') ? *at : '_';
    name[size] = 0;
    char line[128];
    snprintf(line, sizeof line, "attachment; filename=\"%s\"", name);
    (void)!MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_DISPOSITION, line);
}

static void http_response_with(struct http_request *request, const struct http_answer *answer,
                               struct MHD_Response *response)
{
    if (request->is_answered)
        return;
    if (request->http == NULL || request->response != NULL) { /* the connection is closed */
        if (response != NULL)
            MHD_destroy_response(response);
        request->is_answered = true;
        http_request_drop(request);
        return;
    }
    if (response == NULL)
        response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    if (response != NULL)
        http_response_dress(response, answer);
    request->response = response;
    request->status = (unsigned)answer->status;
    http_request_send(request);
}

void http_response_answer(struct http_request *request, const struct http_answer *answer,
                          struct bytes body)
{
    union {
        const void *in;
        void *out;
    } data = {.in = body.data};
    struct MHD_Response *response =
        MHD_create_response_from_buffer(body.size, data.out, MHD_RESPMEM_MUST_COPY);
    request->answer_size = body.size;
    http_response_with(request, answer, response);
}

void http_response_answer_json(struct http_request *request, int status, json_t *json)
{
    struct http_answer answer = {.status = status, .type = "application/json; charset=utf-8"};
    char *text = json_dumps(json, JSON_INDENT(1) | JSON_ENCODE_ANY);
    json_decref(json);
    if (text == NULL) {
        answer.status = MHD_HTTP_INTERNAL_SERVER_ERROR;
        http_response_answer(request, &answer, BYTES_NONE);
        return;
    }
    answer.is_retry_later = status == MHD_HTTP_SERVICE_UNAVAILABLE;
    http_response_answer(request, &answer, bytes_of_text(text));
    json_free_t wipe = NULL;
    json_malloc_t unused = NULL;
    json_get_alloc_funcs(&unused, &wipe);
    wipe(text);
}

/* ---- piece by piece ---- */

struct http_flow {
    struct http_source source;
    struct http_connection *connection;
};

static ssize_t http_response_read(void *arg, uint64_t position, char *buffer, size_t size_max)
{
    struct http_flow *flow = arg;
    const struct http_source *source = &flow->source;
    if (position >= source->size)
        return MHD_CONTENT_READER_END_OF_STREAM;
    uint64_t left = source->size - position;
    size_t size = left < source->piece_size ? (size_t)left : source->piece_size;
    if (position % source->piece_size != 0 || size > size_max ||
        !source->read(source->arg, (uint32_t)(position / source->piece_size), (uint8_t *)buffer))
        return MHD_CONTENT_READER_END_WITH_ERROR;
    flow->connection->moved += size;
    return (ssize_t)size;
}

static void http_response_free(void *arg)
{
    struct http_flow *flow = arg;
    if (flow->source.free != NULL)
        flow->source.free(flow->source.arg);
    free(flow);
}

void http_response_answer_source(struct http_request *request, const struct http_answer *answer,
                                 const struct http_source *source)
{
    struct http_flow *flow = malloc(sizeof *flow);
    struct MHD_Response *response = NULL;
    if (flow != NULL) {
        flow->source = *source;
        flow->connection = request->own_connection;
        response = MHD_create_response_from_callback(source->size, source->piece_size,
                                                     http_response_read, flow, http_response_free);
    }
    if (response == NULL) {
        if (source->free != NULL)
            source->free(source->arg);
        free(flow);
    }
    struct http_answer broken = {.status = MHD_HTTP_INTERNAL_SERVER_ERROR};
    http_response_with(request, response == NULL ? &broken : answer, response);
}

/* ---- as it comes ---- */

enum { HTTP_FLOW_BLOCK = 64 * 1024 };

struct http_unsized {
    struct http_flow_source source;
    struct http_connection *connection;
};

static ssize_t http_response_flow_read(void *arg, uint64_t position, char *buffer, size_t size_max)
{
    struct http_unsized *flow = arg;
    const struct http_flow_source *source = &flow->source;
    size_t size = 0;
    (void)position;
    if (!source->read(source->arg, (uint8_t *)buffer, size_max, &size))
        return MHD_CONTENT_READER_END_WITH_ERROR;
    flow->connection->moved += size;
    return size == 0 ? MHD_CONTENT_READER_END_OF_STREAM : (ssize_t)size;
}

static void http_response_flow_free(void *arg)
{
    struct http_unsized *flow = arg;
    flow->source.free(flow->source.arg);
    free(flow);
}

void http_response_answer_flow(struct http_request *request, const struct http_answer *answer,
                               const struct http_flow_source *source)
{
    struct http_unsized *kept = malloc(sizeof *kept);
    struct MHD_Response *response = NULL;
    if (kept != NULL) {
        *kept = (struct http_unsized){*source, request->own_connection};
        response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, HTTP_FLOW_BLOCK,
                                                     http_response_flow_read, kept,
                                                     http_response_flow_free);
    }
    if (response == NULL) {
        source->free(source->arg);
        free(kept);
    }
    struct http_answer broken = {.status = MHD_HTTP_INTERNAL_SERVER_ERROR};
    http_response_with(request, response == NULL ? &broken : answer, response);
}
