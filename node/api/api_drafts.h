/* Drafts, their attachments, the preview, and sending. */
#ifndef CONSILIUM_NODE_API_API_DRAFTS_H
#define CONSILIUM_NODE_API_API_DRAFTS_H

#include "node/api/api_internal.h"

/* Ends with a NULL handler. */
extern const struct api_route api_drafts_routes[];

#endif
