/* A case as one page for people: what it is, who takes part, what is asked, and its thread. What no
 * person reads (ids in full, records that only keep order) is left to --json. */
#ifndef CONSILIUM_NODE_CLI_RENDER_H
#define CONSILIUM_NODE_CLI_RENDER_H

#include <jansson.h>

/* The answer of `cases/CASE`. */
void render_case(const json_t *about);
/* The answer of `cases/CASE/thread`, each record in a few lines. */
void render_thread(const json_t *answer);

#endif
