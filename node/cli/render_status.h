/* How the node stands: what is well in few words, what is not in capitals. */
#ifndef CONSILIUM_NODE_CLI_RENDER_STATUS_H
#define CONSILIUM_NODE_CLI_RENDER_STATUS_H

#include <jansson.h>

/* The answer of `status`. */
void render_status(const json_t *answer);
/* All federations of the node, one below the other. */
void render_status_all(const json_t *answer);

#endif
