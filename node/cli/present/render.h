/* A case as one page for people: the question, the participants and the thread. Full ids, and
 * records that only keep order, are in --json. */
#ifndef CONSILIUM_NODE_CLI_PRESENT_RENDER_H
#define CONSILIUM_NODE_CLI_PRESENT_RENDER_H

#include <jansson.h>

/* The answer of `cases/CASE`. */
void render_case(const json_t *about);
/* The answer of `cases/CASE/thread`, each record in a few lines. */
void render_thread(const json_t *answer);

#endif
