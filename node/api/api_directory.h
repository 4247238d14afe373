/* Members, their specialists, the boards; and what only a person decides about the roster. */
#ifndef CONSILIUM_NODE_API_API_DIRECTORY_H
#define CONSILIUM_NODE_API_API_DIRECTORY_H

#include "node/api/api_internal.h"

/* Ends with a NULL handler. */
extern const struct api_route api_directory_routes[];

#endif
