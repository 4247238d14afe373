/* Threads for dear work, so that the loop stays free: jobs go out, completions come back on the
 * loop, in batches.
 *
 * Jobs of one affinity run one after the other, in the order of submission, and are done in that
 * order; jobs of different affinities may overtake each other. Jobs of none are taken by whichever
 * thread has nothing else to do, so that no core waits while one is left. A lane of its own, one
 * thread, serves what takes long or much memory (Argon2id). */
#ifndef CONSILIUM_NODE_OS_WORKERS_H
#define CONSILIUM_NODE_OS_WORKERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "protocol/base/error.h"

/* Lies in the caller's own struct, which stays alive and untouched from submit to `done`. */
struct job {
    void (*run)(struct job *job);      /* on a worker: touches the job's own memory only */
    bool (*run_part)(struct job *job); /* instead: one part of a whole; true when it was the last */
    void (*done)(struct job *job);     /* on the loop: may free the job, may submit others; of the
                                          parts of a whole, called for the last one only */
    struct job *next;                  /* ours */
};

struct workers;

/* The threads have long slices, and the caller's thread a short one from then on (sched_slice.h).
 * `thread_count` 1 to 64 for the pool; at most `job_count_max` jobs between submit and done, in
 * pool and lane together. ERR_NO_MEMORY, ERR_IO (no thread). */
MUST_USE err workers_new(uv_loop_t *loop, unsigned thread_count, unsigned job_count_max,
                         struct workers **ret_workers);

/* From the loop's thread only. ERR_BUSY: too many in the house; try again after a `done`. Those of
 * no affinity leave a quarter of the places to the others: what peers send must not keep a
 * clinician's passphrase waiting. */
MUST_USE err workers_submit(struct workers *workers, uint64_t affinity, struct job *job);
MUST_USE err workers_submit_any(struct workers *workers, struct job *job);
MUST_USE err workers_submit_slow(struct workers *workers, struct job *job);

/* Jobs between submit and done. */
unsigned workers_pending(const struct workers *workers);

/* Finishes all accepted jobs and calls each `done` before it returns (a `done` may not submit
 * then: ERR_BUSY). The last memory goes when the loop turns once more. Accepts NULL. */
void workers_free(struct workers *workers);

#endif
