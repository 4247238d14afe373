/* One connection: whose it is, and what its other side is waited for to do (API-15). */
#ifndef CONSILIUM_NODE_HTTP_HTTP_CONNECTION_H
#define CONSILIUM_NODE_HTTP_HTTP_CONNECTION_H

#include <microhttpd.h>

#include "node/http/http.h"

/* What the other side is waited for to do. */
enum http_phase {
    HTTP_HEAD,   /* send the head of a request */
    HTTP_BODY,   /* send its body */
    HTTP_WORK,   /* nothing: the handler works */
    HTTP_ANSWER, /* take the answer */
    HTTP_EVENTS, /* nothing: events have no end */
};

struct http_connection {
    struct http_connection *next, **link;
    struct http *http;
    struct http_peer peer;
    bool is_privileged;
    enum http_phase phase;
    uint64_t since_ms;            /* of the phase */
    uint64_t moved;               /* bytes of the body that came, or of the answer that went */
    struct http_request *request; /* in HTTP_WORK */
    const char *uri_end;          /* the NUL after the path and query, as they came */
    bool has_nul_escape;          /* "%00" is in them */
};

/* The one of libmicrohttpd's connection. */
struct http_connection *http_connection_of(struct MHD_Connection *connection);

/* For MHD_OPTION_URI_LOG_CALLBACK. */
void *http_connection_on_uri(void *arg, const char *uri, struct MHD_Connection *connection);

/* From now on the other side is waited for to do this. */
void http_connection_enter(struct http_connection *connection, enum http_phase phase);

/* Has the other side closed it? One that only sends no more still waits for its answer. */
bool http_connection_has_gone(const struct http_connection *connection);

/* Connections of this user that are in this phase. */
size_t http_connection_count(const struct http *http, uid_t uid, enum http_phase phase);

#endif
