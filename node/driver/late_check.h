/* Checks the signatures that a later one vouched for when their records came (T-4), once the
 * workers have nothing else to do (T-27): in the order of arrival, and after a restart from where
 * it had stopped. A record with a spoiled signature is requested again. */
#ifndef CONSILIUM_NODE_DRIVER_LATE_CHECK_H
#define CONSILIUM_NODE_DRIVER_LATE_CHECK_H

#include "node/driver/verify_jobs.h"

struct late_check;

/* NULL: no memory. `verify_jobs` is asked whether the workers are busy. */
struct late_check *late_check_new(struct runtime *runtime, struct verify_jobs *verify_jobs);
/* What the workers still have is waited for; the memory goes with the last of it. The runtime is
 * not touched any more. Accepts NULL. */
void late_check_close(struct late_check *late);

/* Goes on where the last process stopped. */
void late_check_start(struct late_check *late);
/* The batch is durable: there may be something to do. */
void late_check_kept(struct late_check *late, const struct step_batch *batch);
void late_check_tick(struct late_check *late);
/* True when something is still to be checked. */
bool late_check_waits(const struct late_check *late);

#endif
