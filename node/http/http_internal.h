/* The structs of this folder: only its own files include this. */
#ifndef CONSILIUM_NODE_HTTP_HTTP_INTERNAL_H
#define CONSILIUM_NODE_HTTP_HTTP_INTERNAL_H

#include <microhttpd.h>

#include "node/http/http.h"
#include "node/http/http_connection.h"
#include "node/http/http_loop.h"

struct http {
    struct http_loop loop; /* first: the http is freed when it is closed */
    struct http_handlers handlers;
    struct http_limits limits;
    uv_poll_t poll; /* of listen_fd */
    uv_timer_t turn;
    int listen_fd;
    struct http_connection *connections;
    struct http_connection *arriving; /* being given to libmicrohttpd */
    size_t events_count;
    struct http_request *first;
};

struct http_request {
    struct http *http; /* NULL once MHD is done with it */
    struct MHD_Connection *connection;
    struct http_connection *own_connection; /* as long as `connection` */
    struct http_request *next, **link;
    enum http_method method;
    struct http_peer peer;
    char *path;
    char *parts[HTTP_PART_COUNT_MAX];
    size_t part_count;
    uint8_t *body;
    size_t body_size;     /* come so far */
    size_t body_promised; /* Content-Length */
    struct MHD_Response *response;
    struct http_events *events; /* when the answer is a stream of them */
    unsigned status;
    size_t answer_size; /* of a body that is made at once */
    bool is_suspended;
    bool is_handed;   /* the handler has seen it */
    bool is_answered; /* the handler has done its part */
    void *own;
    void (*free_own)(void *own);
};

#endif
