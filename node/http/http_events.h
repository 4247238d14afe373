/* An answer that is a stream of events. */
#ifndef CONSILIUM_NODE_HTTP_HTTP_EVENTS_H
#define CONSILIUM_NODE_HTTP_HTTP_EVENTS_H

#include "node/http/http_internal.h"

/* The daemon stops: a suspended stream of events ends. */
void http_events_stop(struct http_events *events);

#endif
