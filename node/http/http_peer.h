/* The process at the other end of a connection. */
#ifndef CONSILIUM_NODE_HTTP_HTTP_PEER_H
#define CONSILIUM_NODE_HTTP_HTTP_PEER_H

#include "node/http/http.h"

/* Who connected, as the kernel noted it. `fd` must stay open for http_peer_in_group. */
struct http_peer http_peer_of(int fd);

#endif
