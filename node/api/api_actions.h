/* What a clinician does in a case. */
#ifndef CONSILIUM_NODE_API_API_ACTIONS_H
#define CONSILIUM_NODE_API_API_ACTIONS_H

#include "node/api/api_internal.h"

/* Ends with a NULL handler. */
extern const struct api_route api_actions_routes[];

#endif
