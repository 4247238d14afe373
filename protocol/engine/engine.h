/* The engine: one federation as one member sees it. Events in, effects out (step.h).
 *
 * It reads no clock, opens nothing, draws no randomness, and takes no heap: all memory is handed in
 * at engine_new. Same events, same effects, byte for byte. The runtime restores it from the store
 * (EVENT_RESTORE_*, EVENT_REPLAY, EVENT_START) and from then on is told what to do.
 *
 * engine.c is a router: it hands each event to the modules that it concerns, and what one of them
 * found that a module above it acts upon (notice.h) to that one. From bottom to top:
 *
 *   protocol/step         events, effects, notices
 *   protocol/state        streams, cases, clinicians, peers; who may write, name and read what
 *   protocol/replication  records come, are checked and kept, and go on
 *   protocol/cases        what records mean for cases, and what this node does about it
 *   protocol/custody      mail for offline members
 *   protocol/engine       this router, and what screens ask (engine_view.h) */
#ifndef CONSILIUM_PROTOCOL_ENGINE_ENGINE_H
#define CONSILIUM_PROTOCOL_ENGINE_ENGINE_H

#include "protocol/engine/engine_view.h"
#include "protocol/roster/roster.h"
#include "protocol/state/engine_config.h"
#include "protocol/step/step.h"

struct engine;

/* 262,144 streams, 65,536 missing positions, 65,536 marks, CASE_COUNT_MAX cases, CASE_AWAKE_MAX of
 * them awake until they were idle for ten minutes, 16,384 clinicians; no custody. */
void engine_config_defaults(struct engine_config *config);

size_t engine_memory_size(const struct engine_config *config);
/* `memory` is aligned to 16, zeroed, and outlives the engine. */
struct engine *engine_new(void *memory, const struct engine_config *config);

void engine_step(struct engine *engine, const struct event *event, struct step *step);

/* True while the engine has more to do than it did in its last step: give it a tick soon. */
bool engine_busy(const struct engine *engine);

#endif
