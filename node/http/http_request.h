/* One request: what was asked, and the way of its answer. */
#ifndef CONSILIUM_NODE_HTTP_HTTP_REQUEST_H
#define CONSILIUM_NODE_HTTP_HTTP_REQUEST_H

#include "node/http/http_internal.h"

/* NULL: no memory. A path of too many parts has none. */
struct http_request *http_request_new(struct http *http, struct MHD_Connection *connection,
                                      const char *url, const char *method);
/* Gives the response to libmicrohttpd: from now on the client is waited for to take it. */
enum MHD_Result http_request_queue(struct http_request *request);
/* Queues the response that the request holds, and resumes the connection if it waits for it. */
void http_request_send(struct http_request *request);
/* Its client has closed the connection before the answer: gives its place free. The handler may
 * still answer, without effect. Accepts NULL. */
void http_request_abandon(struct http_request *request);
/* Frees the request when neither side needs it any more. */
void http_request_drop(struct http_request *request);

#endif
