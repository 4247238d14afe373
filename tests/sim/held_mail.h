/* A hospital's side of custody, as node/driver/envelopes.c does it: mailbox secrets, sealed
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
/* As the disk: a copy is kept, and put in the place of what is there. */
void held_mail_back_up(struct hospital *hospital);
void held_mail_put_back(struct hospital *hospital);

/* CU-2, CU-6: no secret of a mailbox key, and no envelope of others, is older than it may grow. */
void held_mail_aged(const struct hospital *hospital);

/* How many envelopes it holds for this one. */
size_t held_mail_count(const struct hospital *hospital, const struct hospital *recipient);
/* What it holds under a number, and what it holds at an index, with the envelope; NULL: nothing. */
const struct step_held *held_mail_held(const struct hospital *hospital, uint64_t number);
const struct step_held *held_mail_row_at(const struct hospital *hospital, size_t index,
                                         const uint8_t **ret_envelope);
/* Did the depositor seal a record's key into the envelope? Then of which scope. */
bool held_mail_has_key(const struct hospital *depositor, const uint8_t *envelope,
                       struct scope *ret_scope);
/* And how many of them with more in them than header and signature. */
size_t held_mail_sealed(const struct hospital *hospital, const struct hospital *recipient);

#endif
