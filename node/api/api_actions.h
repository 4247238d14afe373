/* What a clinician does in a case: each route decodes its form, and one function of node/service
 * does it. */
#ifndef CONSILIUM_NODE_API_API_ACTIONS_H
#define CONSILIUM_NODE_API_API_ACTIONS_H

#include "node/api/api_internal.h"

/* Ends with a NULL handler. */
extern const struct api_route api_actions_routes[];

#endif
