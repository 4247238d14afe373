/* A second opinion on what a hospital takes in, keeps and says: by spec/streams.md, from the heads
 * that were signed, the records that requesters wrote and the bytes themselves. It never says no
 * where a rule says yes. */
#ifndef CONSILIUM_TESTS_SIM_ACCEPTANCE_H
#define CONSILIUM_TESTS_SIM_ACCEPTANCE_H

#include "tests/sim/world.h"

/* The core took these in and has them checked. */
void acceptance_taken(struct hospital *hospital, const struct step_batch *batch);
/* A batch reached the disk. */
void acceptance_written(struct hospital *hospital, const struct step_batch *batch);
/* The core found that a writer equivocated; the list of all that it knows of. */
void acceptance_forked(struct hospital *hospital, const struct stream_id *stream);
void acceptance_forks(struct hospital *hospital, struct bytes forks);
/* It has started: it knows which cases its disk says were erased. */
void acceptance_started(const struct hospital *hospital);

/* The hospital was told a head by a member, or by a relay. */
void acceptance_greeted(struct hospital *hospital, uint32_t peer, struct bytes hello);
/* Is the last head that `to` told one of `from`'s? */
bool acceptance_is_of_one_chain(const struct hospital *from, const struct hospital *to);
/* Has it compared heads with enough others, since its start, to hand out a key? */
bool acceptance_has_compared(const struct hospital *hospital);

#endif
