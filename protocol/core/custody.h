/* What this node holds for members who are off: sealed envelopes, of which it learns who is to have
 * them, and nothing else (spec/custody.md). */
#ifndef CONSILIUM_PROTOCOL_CORE_CUSTODY_H
#define CONSILIUM_PROTOCOL_CORE_CUSTODY_H

#include "protocol/core/step.h"

struct core;
struct peer;

struct custody_held {
    uint64_t number; /* ascending as they came */
    struct step_held what;
    bool is_durable;
};

struct custody {
    struct custody_held *all;
    uint32_t count;
    uint64_t size; /* of all envelopes */
    uint64_t number_last;
    uint32_t looked; /* where the search for what is over goes on */
};

size_t custody_memory_size(uint32_t held_count_max);
void custody_init(struct custody *custody, void *memory);

/* Does this node take part, and do the settings allow it? */
bool custody_is_on(const struct core *core);

/* A FRAME_CUSTODY_* came: those for custodians are judged here, the others passed to the rooms. */
void custody_frame(struct core *core, struct peer *peer, struct bytes frame, struct step *step);

/* EVENT_RESTORE_HELD; EVENT_CUSTODY, for whichever room asked. */
void custody_restore(struct core *core, const struct event *event);
void custody_event(struct core *core, const struct event *event, struct step *step);

/* The next effect of this kind, zeroed. */
struct effect *custody_effect(struct step *step, enum step_custody what);

/* Lets go of what is over, some at a time. */
void custody_tick(struct core *core, struct step *step);

#endif
