/* What one record may cost: how often a hospital sends the same record over one link to one that
 * learned nothing about its scope since it was sent it last. Whoever refuses it is sent it again,
 * for the reason may pass, but not without pause (spec/streams.md, T-23 and T-26). */
#ifndef CONSILIUM_TESTS_SIM_RESENDS_H
#define CONSILIUM_TESTS_SIM_RESENDS_H

#include "tests/sim/world.h"

struct resends *resends_new(void);
void resends_free(struct resends *resends);

/* A hospital learned something about this scope, or for NULL about all of them: a record became
 * durable, or a head came. */
void resends_learned(const struct hospital *hospital, const struct scope *scope);

/* A record leaves: fails when the same one left over this link too often within a minute. */
void resends_count(const struct hospital *from, const struct hospital *to,
                   const struct record_claim *claim);

#endif
