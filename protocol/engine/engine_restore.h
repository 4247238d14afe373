/* The start: what the store kept of streams, cases and others comes back, before anything happens.
 */
#ifndef CONSILIUM_PROTOCOL_ENGINE_ENGINE_RESTORE_H
#define CONSILIUM_PROTOCOL_ENGINE_ENGINE_RESTORE_H

#include "protocol/step/step.h"

struct engine;

/* Takes one EVENT_RESTORE_*. */
void engine_restore(struct engine *engine, const struct event *event);

#endif
