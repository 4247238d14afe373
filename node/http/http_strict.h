/* What libmicrohttpd 0.9.75 accepts in the head of a request and two readers could understand in
 * two ways (RFC 9112, sections 3.2, 5.1 and 6.3): refused before anything of it is used
 * (API-16). */
#ifndef CONSILIUM_NODE_HTTP_HTTP_STRICT_H
#define CONSILIUM_NODE_HTTP_HTTP_STRICT_H

#include <microhttpd.h>

#include "node/http/http_connection.h"

/* Why the head is refused: a sentence, static. NULL: it is not. `version` as libmicrohttpd gave it
 * with this head. */
const char *http_strict_fault(const struct http_connection *own, struct MHD_Connection *connection,
                              const char *version);

#endif
