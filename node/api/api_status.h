/* The state of the node and its federations. */
#ifndef CONSILIUM_NODE_API_API_STATUS_H
#define CONSILIUM_NODE_API_API_STATUS_H

#include "node/api/api_internal.h"

enum links_way api_status_way(const struct api_federation *federation, const struct node_id *node);
json_t *api_status_node(struct api *api);

/* Ends with a NULL handler. */
extern const struct api_route api_status_routes[];

#endif
