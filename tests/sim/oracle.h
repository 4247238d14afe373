/* What must never happen, looked at from outside: keys to whom nothing entitles, acknowledged
 * records that are gone, acknowledgements of what is not there, streams that differ. */
#ifndef CONSILIUM_TESTS_SIM_ORACLE_H
#define CONSILIUM_TESTS_SIM_ORACLE_H

#include "tests/sim/world.h"

/* A frame leaves: no key in it that its receiver may not have. */
void oracle_frame(const struct hospital *from, const struct hospital *to, struct bytes frame);
/* A letter is sealed to `to`: as a frame. What it is about, and whether a key is in it. */
void oracle_letter(const struct hospital *from, const struct hospital *to, struct bytes bytes,
                   struct scope *ret_scope, bool *ret_has_key);
/* After hours in which all members were on: what is held for others is what may be held. */
void oracle_custody(struct world *world);
/* A post was answered with OK: it is on the disk, once and for ever. */
void oracle_promise(struct hospital *hospital, const struct record_id *record);
/* A batch reached the disk. */
void oracle_written(struct hospital *hospital, const struct step_batch *batch);
/* A peer was said to have a stream up to a position: it has. */
void oracle_acked(struct hospital *hospital, const struct effect *effect);

/* An older disk was put back: what nobody else holds is lost, and no fault. */
void oracle_forgive(struct hospital *hospital);
/* Whoever was put back has again what others hold of its own. */
bool oracle_has_returned(struct world *world, const char **ret_why);
/* All promises are kept, no position was written twice. */
void oracle_promises(struct world *world);
/* Where two hold different records at one position, each knows that their writer equivocated. */
void oracle_agreed(struct world *world);
/* True when all running hospitals hold the same of the streams they share, with all bodies and
 * keys that they may have, and see the same cases. `ret_why` gets a text when not. */
bool oracle_is_settled(struct world *world, const char **ret_why);

#endif
