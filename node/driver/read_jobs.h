/* Short reads of the store, on the loop: one frame's worth at most. */
#ifndef CONSILIUM_NODE_DRIVER_READ_JOBS_H
#define CONSILIUM_NODE_DRIVER_READ_JOBS_H

#include "node/runtime/runtime.h"

/* EFFECT_LOAD: the answer goes into the queue. False: the read met damage, and the scrub should
 * hurry. */
bool read_jobs_read(struct runtime *runtime, const struct effect *effect);

#endif
