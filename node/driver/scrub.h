/* A slow walk through everything that is stored. What does not open any more is marked as lost, and
 * the engine requests it from other members like everything else that is missing; what is intact
 * and only hard to find is put back at once; what is erased and came back all the same is destroyed
 * again.
 *
 * A slice each second. How far it came is kept when the process ends well; after any other end, and
 * when a read met damage, everything is looked at again, and faster. */
#ifndef CONSILIUM_NODE_DRIVER_SCRUB_H
#define CONSILIUM_NODE_DRIVER_SCRUB_H

#include "node/erasure/announcement_purge.h"
#include "node/runtime/runtime.h"

struct scrub;

/* NULL: no memory. */
struct scrub *scrub_new(struct runtime *runtime, struct announcement_purge *purge);
/* Accepts NULL. */
void scrub_free(struct scrub *scrub);

/* Goes on where the last process ended well, or begins again. */
void scrub_start(struct scrub *scrub);
void scrub_tick(struct scrub *scrub);
/* A read met what does not open: everything is looked at soon. */
void scrub_hurry(struct scrub *scrub);
/* What the disk lost is back: it names the record before it, which may be lost, too. */
void scrub_repaired(struct scrub *scrub, const struct record_claim *claim);
/* The process ends well. */
void scrub_end(struct scrub *scrub);

#endif
