/* The expensive arithmetic: checks on workers, in the order of their effects; seals at once. */
#ifndef CONSILIUM_NODE_DRIVER_VERIFY_JOBS_H
#define CONSILIUM_NODE_DRIVER_VERIFY_JOBS_H

#include "node/runtime/runtime.h"

struct verify_jobs;

/* NULL: no memory. */
struct verify_jobs *verify_jobs_new(struct runtime *runtime);
/* What the workers still have is waited for; the memory goes with the last of it. The runtime is
 * not touched any more. Accepts NULL. */
void verify_jobs_close(struct verify_jobs *jobs);

/* EFFECT_CHECK: copies the batch and gives it to the workers; EVENT_CHECKED follows in order. */
void verify_jobs_check(struct verify_jobs *jobs, const struct effect *effect);
/* True when no check is under way, and hardly any was of late. */
bool verify_jobs_is_idle(struct verify_jobs *jobs);
/* EFFECT_SEAL: the answer goes into the queue. */
void verify_jobs_seal(struct runtime *runtime, const struct effect *effect);
/* Puts what is done into the queue, in order. */
void verify_jobs_deliver(struct verify_jobs *jobs);
/* True when something is done and not delivered: the loop helped while all workers were busy. */
bool verify_jobs_waits(const struct verify_jobs *jobs);

#endif
