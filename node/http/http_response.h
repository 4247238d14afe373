/* The headers of every response. */
#ifndef CONSILIUM_NODE_HTTP_HTTP_RESPONSE_H
#define CONSILIUM_NODE_HTTP_HTTP_RESPONSE_H

#include "node/http/http_internal.h"

/* The headers that each response carries, and `type`. */
void http_response_dress(struct MHD_Response *response, const struct http_answer *answer);

#endif
