/* What this node holds for members who are off: sealed envelopes, of which it learns who is to have
 * them, and nothing else (spec/custody.md). */
#ifndef CONSILIUM_PROTOCOL_CUSTODY_CUSTODY_STORE_H
#define CONSILIUM_PROTOCOL_CUSTODY_CUSTODY_STORE_H

#include "protocol/step/step.h"

struct engine;
struct peer;

struct custody_store_held {
    uint64_t number; /* ascending as they came */
    struct step_held what;
    bool is_durable;
};

struct custody_store {
    struct custody_store_held *all;
    uint32_t count;
    uint64_t size; /* of all envelopes */
    uint64_t number_last;
    uint32_t looked; /* where the search for what is over goes on */
};

size_t custody_store_memory_size(uint32_t held_count_max);
void custody_store_init(struct custody_store *custody, void *memory);

/* Does this node take part, and do the settings allow it? */
bool custody_store_is_on(const struct engine *engine);

/* What is said to a custodian: FRAME_CUSTODY_LEAVE, _WITHDRAW, _COLLECT, _TAKEN; what its reader
 * says. */
MUST_USE err custody_store_frame(struct engine *engine, struct peer *peer, struct bytes frame,
                                 struct step *step);

/* EVENT_RESTORE_HELD. */
void custody_store_restore(struct engine *engine, const struct event *event);
/* CUSTODY_HOLD, CUSTODY_FETCH is answered. */
void custody_store_kept(struct engine *engine, const struct event *event, struct step *step);
void custody_store_fetched(struct engine *engine, const struct event *event, struct step *step);

/* The next effect of this kind, zeroed. */
struct effect *custody_store_effect(struct step *step, enum step_custody what);

/* Lets go of what is over, some at a time. */
void custody_store_tick(struct engine *engine, struct step *step);

#endif
