/* From the engine's batches to the store's, and back when they are durable. */
#ifndef CONSILIUM_NODE_DRIVER_COMMIT_JOBS_H
#define CONSILIUM_NODE_DRIVER_COMMIT_JOBS_H

#include "node/audit/audit.h"
#include "node/driver/late_check.h"
#include "node/driver/scrub.h"
#include "node/rollback/rollback_check.h"
#include "node/runtime/batch_buffer.h"

struct commit_jobs;

/* Who is told of what became durable. */
struct commit_jobs_told {
    struct audit *audit;
    struct rollback_check *rollback_check;
    struct scrub *scrub;
    struct late_check *late_check;
};

/* All are borrowed until commit_jobs_free. NULL: no memory. */
struct commit_jobs *commit_jobs_new(struct runtime *runtime, const struct commit_jobs_told *told);
/* Drops what was not kept. Accepts NULL. */
void commit_jobs_free(struct commit_jobs *jobs);

/* EFFECT_KEEP: the batch waits for the store; `source` (may be NULL) is the memory it lies in. */
void commit_jobs_add(struct commit_jobs *jobs, const struct effect *effect,
                     struct batch_buffer *source);
/* Submits what waits, as far as the store takes it. */
void commit_jobs_submit(struct commit_jobs *jobs);
/* Puts what became durable, and the results that others wait for, into the queue. */
void commit_jobs_drain(struct commit_jobs *jobs);
/* Nothing waits, and the store has nothing. */
bool commit_jobs_is_idle(const struct commit_jobs *jobs);
/* The batches that the store has not taken yet. */
const struct batch_buffer_queue *commit_jobs_waiting(const struct commit_jobs *jobs);

/* EFFECT_ACKED and EFFECT_FORKS: rows that nobody waits for. */
void commit_jobs_acked(struct commit_jobs *jobs, const struct effect *effect);
void commit_jobs_forks(struct commit_jobs *jobs, struct bytes forks);

#endif
