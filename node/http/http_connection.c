#include "node/http/http_connection.h"

#include <poll.h>
#include <string.h>

#include "node/http/http_internal.h"

struct http_connection *http_connection_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info == NULL ? NULL : info->socket_context;
}

void *http_connection_on_uri(void *arg, const char *uri, struct MHD_Connection *connection)
{
    struct http_connection *own = http_connection_of(connection);
    (void)arg;
    if (own != NULL) {
        own->uri_end = uri + strlen(uri);
        own->has_nul_escape = strstr(uri, "%00") != NULL;
    }
    return NULL;
}

void http_connection_enter(struct http_connection *connection, enum http_phase phase)
{
    connection->phase = phase;
    connection->since_ms = uv_now(connection->http->poll.loop);
    connection->moved = 0;
    if (phase != HTTP_WORK)
        connection->request = NULL;
}

size_t http_connection_count(const struct http *http, uid_t uid, enum http_phase phase)
{
    size_t count = 0;
    for (const struct http_connection *other = http->connections; other != NULL;
         other = other->next)
        count += other->peer.is_known && other->peer.uid == uid && other->phase == phase;
    return count;
}

bool http_connection_has_gone(const struct http_connection *connection)
{
    struct pollfd at = {.fd = connection->peer.fd};
    return poll(&at, 1, 0) == 1 && (at.revents & POLLHUP) != 0;
}
