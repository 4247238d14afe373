/* What could come next in a case, for each part that an institution has in it and each state. */
#ifndef CONSILIUM_NODE_CLI_PRESENT_RENDER_NEXT_H
#define CONSILIUM_NODE_CLI_PRESENT_RENDER_NEXT_H

#include <jansson.h>

/* `about`: GET cases/CASE. First what is usual or due, each with its reason; then all else that the
 * state allows, in one line. */
void render_next(const json_t *about);

#endif
