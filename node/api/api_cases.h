/* Inbox, requests, and the cases of this node. */
#ifndef CONSILIUM_NODE_API_API_CASES_H
#define CONSILIUM_NODE_API_API_CASES_H

#include "node/api/api_internal.h"

/* Ends with a NULL handler. */
extern const struct api_route api_cases_routes[];

#endif
