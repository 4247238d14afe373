/* Who said two things at one position. Both records are kept and the proof spreads; from its writer
 * nothing more is accepted, in any stream, until the officers decide: until the roster's word on
 * that member is newer than the heads that the two records name. The stream itself stays as it is.
 *
 * What was proved is kept by the shell as one list: a signature that was checked once need not be
 * checked again under a key that has changed since. */
#ifndef CONSILIUM_PROTOCOL_REPLICATION_EQUIVOCATION_H
#define CONSILIUM_PROTOCOL_REPLICATION_EQUIVOCATION_H

#include "protocol/engine/engine_state.h"

/* The check of a run that stands against our last record ended: is its signature good? Leaves
 * EFFECT_FORKED, and EFFECT_FORKS when it was news. */
void equivocation_found(struct engine *engine, const struct step_run *run,
                        const struct step_record *record, struct step *step);

/* A FORK_PROOF came in a member's federation stream; it counts if both signatures are good. */
void equivocation_proved(struct engine *engine, struct bytes content, struct step *step);

/* At the start: a stream that was stored as forked, then the list that EFFECT_FORKS gave. */
void equivocation_restore_stream(struct engine *engine, uint32_t slot);
void equivocation_restore(struct engine *engine, struct bytes forks);

/* Is nothing new accepted from this writer? */
bool equivocation_is_frozen(const struct engine *engine, const struct node_id *writer);

#endif
