#include "node/http/http_acceptor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "node/http/http_internal.h"
#include "node/http/http_peer.h"
#include "node/http/http_request.h"
#include "node/os/log.h"

enum { HTTP_ACCEPT_COUNT_MAX = 64, HTTP_REFUSAL_SIZE = 512 };

/* ---- words before libmicrohttpd has written anything ---- */

/* What does not fit the empty buffer of the socket is lost: the other side takes nothing. */
static void http_say(int fd, const char *status, const char *error, const char *message,
                     const char *hint)
{
    char body[HTTP_REFUSAL_SIZE], text[2 * HTTP_REFUSAL_SIZE];
    int size =
        snprintf(body, sizeof body, "{\"error\": \"%s\", \"message\": \"%s\", \"hint\": \"%s\"}",
                 error, message, hint);
    size = snprintf(text, sizeof text,
                    "HTTP/1.1 %s\r\nContent-Type: application/json; charset=utf-8\r\n"
                    "Content-Length: %d\r\nCache-Control: no-store\r\nRetry-After: 2\r\n"
                    "Connection: close\r\n\r\n%s",
                    status, size, body);
    (void)!send(fd, text, (size_t)size, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* ---- places ---- */

/* NULL: it has a place; else why not. */
static const char *http_why_no_place(const struct http *http, const struct http_peer *peer,
                                     bool is_privileged)
{
    const struct http_limits *limits = &http->limits;
    if (limits->is_own_process_free && peer->is_own_process)
        return NULL;
    size_t all = 0, ordinary = 0, own = 0;
    for (const struct http_connection *other = http->connections; other != NULL;
         other = other->next) {
        all++;
        ordinary += !other->is_privileged;
        own += other->peer.is_known && other->peer.uid == peer->uid;
    }
    if (own >= limits->connection_each_count_max)
        return "this user has as many connections to the node as one user may have";
    if (all >= limits->connection_count_max)
        return "all connections to the node are taken";
    if (!is_privileged && ordinary >= limits->connection_count_max - limits->connection_kept_count)
        return "all connections to the node are taken, but for those kept for administrators";
    return NULL;
}

static void http_connection_free(struct http_connection *connection)
{
    *connection->link = connection->next;
    if (connection->next != NULL)
        connection->next->link = connection->link;
    free(connection);
}

static void http_refuse_place(int fd, const char *why)
{
    char unread[4096];
    http_say(fd, "503 Service Unavailable", "ERR_BUSY", why,
             "close connections that are not needed, and try again");
    /* a socket that is closed with unread bytes reports a reset to the other side */
    while (recv(fd, unread, sizeof unread, MSG_DONTWAIT) > 0)
        continue;
    close(fd);
}

static void http_take(struct http *http, int fd)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct http_peer peer = http_peer_of(fd);
    if (!peer.is_known) {
        close(fd);
        return;
    }
    bool is_privileged = http->handlers.is_privileged != NULL &&
                         http->handlers.is_privileged(http->handlers.arg, &peer);
    const char *why = http_why_no_place(http, &peer, is_privileged);
    struct http_connection *connection = why == NULL ? calloc(1, sizeof *connection) : NULL;
    if (connection == NULL) {
        http_refuse_place(fd, why == NULL ? "out of memory" : why);
        return;
    }
    *connection = (struct http_connection){.next = http->connections,
                                           .link = &http->connections,
                                           .http = http,
                                           .peer = peer,
                                           .is_privileged = is_privileged,
                                           .since_ms = uv_now(http->poll.loop)};
    if (http->connections != NULL)
        http->connections->link = &connection->next;
    http->connections = connection;
    http->arriving = connection;
    enum MHD_Result added =
        MHD_add_connection(http->loop.daemon, fd, (const struct sockaddr *)&address,
                           (socklen_t)sizeof address.sun_family);
    if (added != MHD_YES && http->arriving != NULL) /* it has closed fd */
        http_connection_free(connection);
    http->arriving = NULL;
}

static void http_on_listen(uv_poll_t *poll, int status, int events)
{
    struct http *http = poll->data;
    (void)status;
    (void)events;
    for (int i = 0; i < HTTP_ACCEPT_COUNT_MAX; i++) {
        int fd = accept4(http->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            http_take(http, fd);
            continue;
        }
        if (errno == EINTR || errno == ECONNABORTED)
            continue;
        if (errno != EAGAIN && errno != EWOULDBLOCK) { /* no descriptors: again in the next turn */
            log_warn("api-accept-failed", log_text("why", strerror(errno)));
            uv_poll_stop(poll);
        }
        break;
    }
    http_loop_kick(&http->loop);
}

/* ---- libmicrohttpd's calls ---- */

void http_acceptor_on_change(void *arg, struct MHD_Connection *connection, void **slot,
                             enum MHD_ConnectionNotificationCode what)
{
    struct http *http = arg;
    (void)connection;
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        *slot = http->arriving;
        http->arriving = NULL;
    } else if (*slot != NULL) {
        http_connection_free(*slot);
        *slot = NULL;
    }
}

/* ---- deadlines ---- */

static bool http_is_over(const struct http_connection *connection, uint64_t now_ms)
{
    const struct http_limits *limits = &connection->http->limits;
    uint64_t spent_ms = now_ms - connection->since_ms;
    switch (connection->phase) {
    case HTTP_HEAD:
        return spent_ms > limits->head_ms_max;
    case HTTP_BODY:
        return spent_ms >
               limits->body_ms_max + connection->moved * 1000 / limits->body_bytes_a_second;
    case HTTP_ANSWER:
        return spent_ms >
               limits->answer_ms_max + connection->moved * 1000 / limits->answer_bytes_a_second;
    case HTTP_WORK:
    case HTTP_EVENTS:
        return false;
    }
    return false;
}

static void http_end_late(struct http_connection *connection)
{
    if (connection->phase == HTTP_BODY)
        http_say(connection->peer.fd, "408 Request Timeout", "ERR_EXPIRED",
                 "the request took too long to arrive", "send it again, faster");
    if (connection->phase != HTTP_HEAD) /* mostly one that is kept open for the next request */
        log_info("api-connection-ended", log_count("uid", connection->peer.uid),
                 log_text("why", connection->phase == HTTP_ANSWER
                                     ? "the answer is taken too slowly"
                                     : "the request arrives too slowly"));
    (void)shutdown(connection->peer.fd, SHUT_RDWR); /* libmicrohttpd sees it and closes */
}

/* Runs in each period: what libmicrohttpd did not notice is noticed then at the latest. */
static void http_on_turn(uv_timer_t *timer)
{
    struct http *http = timer->data;
    uint64_t now_ms = uv_now(timer->loop);
    for (struct http_connection *connection = http->connections; connection != NULL;
         connection = connection->next) {
        if (http_is_over(connection, now_ms))
            http_end_late(connection);
        else if (connection->phase == HTTP_WORK && http_connection_has_gone(connection))
            http_request_abandon(connection->request);
    }
    uv_poll_start(&http->poll, UV_READABLE, http_on_listen);
    http_loop_kick(&http->loop);
}

/* ---- start and end ---- */

err http_acceptor_open(struct http *http, int listen_fd)
{
    uv_loop_t *uv = http->loop.timer.loop;
    if (uv_poll_init(uv, &http->poll, listen_fd) != 0)
        return ERR_IO;
    uv_timer_init(uv, &http->turn);
    http->listen_fd = listen_fd;
    http->poll.data = http->turn.data = http;
    http->loop.handles_open += 2;
    uv_poll_start(&http->poll, UV_READABLE, http_on_listen);
    uv_timer_start(&http->turn, http_on_turn, http->limits.turn_ms, http->limits.turn_ms);
    return OK;
}

void http_acceptor_close(struct http *http)
{
    uv_poll_stop(&http->poll);
    close(http->listen_fd);
    http_loop_shut(&http->loop, (uv_handle_t *)&http->poll);
    http_loop_shut(&http->loop, (uv_handle_t *)&http->turn);
}
