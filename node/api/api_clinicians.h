/* Accounts of clinicians and their certificates. */
#ifndef CONSILIUM_NODE_API_API_CLINICIANS_H
#define CONSILIUM_NODE_API_API_CLINICIANS_H

#include "node/api/api_internal.h"

/* Ends with a NULL handler. */
extern const struct api_route api_clinicians_routes[];

#endif
