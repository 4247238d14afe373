/* Connections to the listening socket, by the descriptors that its monitor names. They are
 * libzmq's; all that can be done from here is to shut one down. */
#include "node/net/hub_connection.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <sodium.h>

#include "node/net/hub_inbound.h"
#include "node/net/hub_table.h"
#include "protocol/base/planted.h"

struct hub_connection *hub_connection_at(struct hub *hub, int fd)
{
    return fd >= 0 && (size_t)fd < hub->connection_capacity ? &hub->connections[fd] : NULL;
}

/* A stranger that becomes anything else is not waited for any more; a member that comes or goes is
 * known for a while. */
static void hub_connection_enter(struct hub *hub, int fd, enum hub_connection_state state)
{
    struct hub_connection *connection = &hub->connections[fd];
    if (connection->state == HUB_CONNECTION_STRANGER)
        handshakes_end(hub->strangers, fd);
    if (connection->state == HUB_CONNECTION_MEMBER || state == HUB_CONNECTION_MEMBER)
        handshakes_know(hub->strangers, &connection->from, uv_now(hub->loop));
    connection->state = state;
}

union hub_socket_name {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* Where it comes from; one that ended meanwhile is of nowhere (::). */
static struct handshake_address hub_connection_from(int fd)
{
    struct handshake_address from = {{0}};
    union hub_socket_name theirs = {.any = {.sa_family = AF_UNSPEC}};
    socklen_t size = sizeof theirs;
    if (getpeername(fd, &theirs.any, &size) != 0)
        return from;
    if (theirs.any.sa_family == AF_INET6) {
        memcpy(from.bytes, &theirs.v6.sin6_addr, sizeof from.bytes);
    } else if (theirs.any.sa_family == AF_INET) {
        from.bytes[10] = from.bytes[11] = 0xff;
        memcpy(from.bytes + 12, &theirs.v4.sin_addr, 4);
    }
    return from;
}

/* Looks first whether the descriptor still is a connection of the listening socket's: libzmq's own
 * thread closes and opens descriptors meanwhile. */
static void hub_connection_shut(struct hub *hub, int fd)
{
    union hub_socket_name ours = {.any = {.sa_family = AF_UNSPEC}};
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
    hub_connection_enter(hub, fd, HUB_CONNECTION_CUT);
    connection->inbound = NULL;
    hub_connection_shut(hub, fd);
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
    hub->connections[fd].from = hub_connection_from(fd);
    hub_connection_enter(hub, fd, HUB_CONNECTION_STRANGER);
    int cut = handshakes_begin(hub->strangers, fd, &hub->connections[fd].from, uv_now(hub->loop),
                               randombytes_random());
    if (cut >= 0 && PLANTED(NEWCOMER_IS_EVICTED))
        cut = fd;
    hub_connection_cut(hub, cut);
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
    hub_connection_enter(hub, fd, HUB_CONNECTION_NONE);
}

void hub_connection_bind(struct hub *hub, struct hub_inbound *inbound)
{
    struct hub_connection *connection = hub_connection_at(hub, inbound->fd);
    hub_connection_enter(hub, inbound->fd, HUB_CONNECTION_MEMBER);
    connection->inbound = inbound;
}

void hub_connection_sweep(struct hub *hub)
{
    uint64_t now = uv_now(hub->loop);
    uint64_t patience_ms = 2 * (uint64_t)hub->config.pace.handshake_ms;
    int fd = -1;
    while (now >= patience_ms && (fd = handshakes_overdue(hub->strangers, now - patience_ms)) >= 0)
        hub_connection_cut(hub, fd);
}

void hub_connection_lose(struct hub_inbound *inbound)
{
    struct hub *hub = inbound->line.hub;
    hub->gone_count += !inbound->gone;
    inbound->gone = true;
    zmq_poller_touch(&hub->router);
}
