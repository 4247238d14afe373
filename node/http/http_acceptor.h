/* Accepts the connections, shares the places among the users of this machine, ends what is over its
 * deadline, and makes libmicrohttpd run in each period whatever else happens (API-17).
 *
 * libmicrohttpd does not listen itself: at its connection limit it stops listening, and starts
 * again only when something else makes it run. Here a connection over a limit is accepted, answered
 * with 503 and closed, so that the socket always answers. */
#ifndef CONSILIUM_NODE_HTTP_HTTP_ACCEPTOR_H
#define CONSILIUM_NODE_HTTP_HTTP_ACCEPTOR_H

#include <microhttpd.h>

#include "node/http/http_connection.h"

/* Begins to accept. ERR_IO: nothing was begun. */
MUST_USE err http_acceptor_open(struct http *http, int listen_fd);
/* Accepts no more, and closes the listening socket. */
void http_acceptor_close(struct http *http);

/* For MHD_OPTION_NOTIFY_CONNECTION; `arg` is the http. */
void http_acceptor_on_change(void *arg, struct MHD_Connection *connection, void **slot,
                             enum MHD_ConnectionNotificationCode what);

#endif
