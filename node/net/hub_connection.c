/* Connections to the listening socket, by the descriptors that its monitor names. They are
 * libzmq's; all that can be done from here is to shut one down. */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "node/net/hub_peer.h"
#include "protocol/base/planted.h"

enum { HUB_STRANGER_COUNT_MAX = 512 }; /* that have not said hello; more: the oldest goes */

struct hub_connection *hub_connection_at(struct hub *hub, int fd)
{
    return fd >= 0 && (size_t)fd < hub->connection_capacity ? &hub->connections[fd] : NULL;
}

static void hub_connection_enter(struct hub *hub, struct hub_connection *connection,
                                 enum hub_connection_state state)
{
    hub->stranger_count -= connection->state == HUB_CONNECTION_STRANGER;
    connection->state = state;
    hub->stranger_count += connection->state == HUB_CONNECTION_STRANGER;
}

/* Looks first whether the descriptor still is a connection of the listening socket's: libzmq's own
 * thread closes and opens descriptors meanwhile. */
static void hub_connection_shut(struct hub *hub, int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } ours = {.any = {.sa_family = AF_UNSPEC}};
    socklen_t size = sizeof ours;
    if (getsockname(fd, &ours.any, &size) != 0)
        return;
    uint16_t port = ours.any.sa_family == AF_INET    ? ntohs(ours.v4.sin_port)
                    : ours.any.sa_family == AF_INET6 ? ntohs(ours.v6.sin6_port)
                                                     : 0;
    for (size_t i = 0; i < hub->config.listen_count; i++)
        if (port != 0 && hub->listen[i].port == port) {
            (void)shutdown(fd, SHUT_RDWR);
            return;
        }
}

void hub_connection_cut(struct hub *hub, int fd)
{
    struct hub_connection *connection = hub_connection_at(hub, fd);
    if (connection == NULL || connection->state == HUB_CONNECTION_NONE ||
        connection->state == HUB_CONNECTION_CUT)
        return;
    hub_connection_enter(hub, connection, HUB_CONNECTION_CUT);
    connection->inbound = NULL;
    hub_connection_shut(hub, fd);
}

static void hub_connection_cut_oldest(struct hub *hub)
{
    int oldest = -1;
    for (size_t i = 0; i < hub->connection_capacity; i++) {
        const struct hub_connection *c = &hub->connections[i];
        if (c->state == HUB_CONNECTION_STRANGER &&
            (oldest < 0 || c->since_ms < hub->connections[oldest].since_ms))
            oldest = (int)i;
    }
    hub_connection_cut(hub, oldest);
}

void hub_connection_begin(struct hub *hub, int fd)
{
    if (fd < 0)
        return;
    hub_connection_end(hub, fd);
    if ((size_t)fd >= hub->connection_capacity) {
        size_t capacity = 2 * (size_t)fd + 64;
        struct hub_connection *all = reallocarray(hub->connections, capacity, sizeof *all);
        if (all == NULL) {
            hub_connection_shut(hub, fd);
            return;
        }
        memset(all + hub->connection_capacity, 0,
               (capacity - hub->connection_capacity) * sizeof *all);
        hub->connections = all;
        hub->connection_capacity = capacity;
    }
    hub->connections[fd].since_ms = uv_now(hub->loop);
    hub_connection_enter(hub, &hub->connections[fd], HUB_CONNECTION_STRANGER);
    if (hub->stranger_count > HUB_STRANGER_COUNT_MAX && PLANTED(NEWCOMER_IS_EVICTED))
        hub_connection_cut(hub, fd);
    else if (hub->stranger_count > HUB_STRANGER_COUNT_MAX)
        hub_connection_cut_oldest(hub);
}

void hub_connection_end(struct hub *hub, int fd)
{
    struct hub_connection *connection = hub_connection_at(hub, fd);
    if (connection == NULL)
        return;
    if (connection->state == HUB_CONNECTION_MEMBER) {
        connection->inbound->fd = -1;
        hub_connection_lose(connection->inbound);
    }
    connection->inbound = NULL;
    hub_connection_enter(hub, connection, HUB_CONNECTION_NONE);
}

void hub_connection_bind(struct hub *hub, struct hub_inbound *inbound)
{
    struct hub_connection *connection = hub_connection_at(hub, inbound->fd);
    hub_connection_enter(hub, connection, HUB_CONNECTION_MEMBER);
    connection->inbound = inbound;
}

void hub_connection_sweep(struct hub *hub)
{
    uint64_t now = uv_now(hub->loop);
    uint64_t patience_ms = 2 * (uint64_t)hub->config.pace.handshake_ms;
    for (size_t i = 0; i < hub->connection_capacity && hub->stranger_count > 0; i++) {
        const struct hub_connection *c = &hub->connections[i];
        if (c->state == HUB_CONNECTION_STRANGER && now - c->since_ms >= patience_ms)
            hub_connection_cut(hub, (int)i);
    }
}

void hub_connection_lose(struct hub_inbound *inbound)
{
    struct hub *hub = inbound->line.hub;
    hub->gone_count += !inbound->gone;
    inbound->gone = true;
    zmq_poller_touch(&hub->router);
}
