/* State of the node: briefly what is in order, in capitals what is not. */
#ifndef CONSILIUM_NODE_CLI_PRESENT_RENDER_STATUS_H
#define CONSILIUM_NODE_CLI_PRESENT_RENDER_STATUS_H

#include <jansson.h>

/* The answer of `status`. */
void render_status(const json_t *answer);
/* All federations of the node, one after the other. */
void render_status_all(const json_t *answer);

#endif
