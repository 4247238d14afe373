/* Each record that became durable, as a server-sent event. */
#ifndef CONSILIUM_NODE_API_API_EVENTS_H
#define CONSILIUM_NODE_API_API_EVENTS_H

#include "node/api/api_internal.h"

/* Listens to the news of a federation. */
void api_events_listen(struct api_federation *federation);
/* Ends all streams of events. */
void api_events_stop(struct api *api);

/* Ends with a NULL handler. */
extern const struct api_route api_events_routes[];

#endif
