/* Routes: whose the drafts are, and deleting them, for administrators (API-18). What is in them is
 * not shown. */
#ifndef CONSILIUM_NODE_API_API_DRAFT_OWNERS_H
#define CONSILIUM_NODE_API_API_DRAFT_OWNERS_H

#include "node/api/api_internal.h"

extern const struct api_route api_draft_owners_routes[];

#endif
