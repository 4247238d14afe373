/* A hospital's side of custody, as node/runtime/envelopes.c does it: mailbox secrets, sealed
 * letters, and what is held for others. All of it is durable at once. */
#ifndef CONSILIUM_TESTS_SIM_HELD_MAIL_H
#define CONSILIUM_TESTS_SIM_HELD_MAIL_H

#include "tests/sim/world.h"

/* Called before world_begin: nodes take part in custody. */
void held_mail_allow(struct world *world);
void held_mail_configure(struct hospital *hospital);
void held_mail_free(struct hospital *hospital);

void held_mail_perform(struct hospital *hospital, const struct effect *effect);
/* A peer was said to have a stream up to a position. */
void held_mail_acked(struct hospital *hospital, const struct effect *effect);
/* Gives the core one answer that waits; false when there is none. */
bool held_mail_answer(struct hospital *hospital,
                      void (*turn)(struct hospital *hospital, const struct event *event));
/* It crashed: answers under way are lost. */
void held_mail_forget(struct hospital *hospital);
void held_mail_restore(struct hospital *hospital);

/* CU-2, CU-6: no secret of a mailbox key, and no envelope of others, is older than it may grow. */
void held_mail_aged(const struct hospital *hospital);

/* How many envelopes it holds for this one. */
size_t held_mail_count(const struct hospital *hospital, const struct hospital *recipient);
/* And how many of them with more in them than header and signature. */
size_t held_mail_sealed(const struct hospital *hospital, const struct hospital *recipient);

#endif
