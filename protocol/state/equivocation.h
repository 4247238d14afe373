/* Who said two things at one position. Both records are kept and the proof spreads; from its writer
 * nothing more is accepted, in any stream, until the officers decide: until the roster's word on
 * that member is newer than the heads that the two records name. The stream itself stays as it is.
 *
 * What was proved is kept by the runtime as one list: a signature that was checked once need not be
 * checked again under a key that has changed since. */
#ifndef CONSILIUM_PROTOCOL_STATE_EQUIVOCATION_H
#define CONSILIUM_PROTOCOL_STATE_EQUIVOCATION_H

#include "protocol/step/step.h"

struct engine;

enum { EQUIVOCATION_COUNT_MAX = 256 }; /* forked streams that are remembered by name */

/* A stream in which its writer said two things at one position. */
struct equivocation_fork {
    struct stream_id stream;
    uint64_t epoch; /* the later of the heads that the two records name */
};

struct equivocations {
    uint32_t count;
    struct equivocation_fork all[EQUIVOCATION_COUNT_MAX];
    bool has_unkept; /* found among the records at the start */
};

/* The check of a run that stands against our last record ended: is its signature good? Leaves
 * EFFECT_FORKED, and EFFECT_FORKS when it was news. */
void equivocation_found(struct engine *engine, const struct step_run *run,
                        const struct step_record *record, struct step *step);

/* A FORK_PROOF came in a member's federation stream; it counts if both signatures are good. */
void equivocation_proved(struct engine *engine, struct bytes content, struct step *step);

/* At the start: a stream that was stored as forked, then the list that EFFECT_FORKS gave. */
void equivocation_restore_stream(struct engine *engine, uint32_t slot);
void equivocation_restore(struct engine *engine, struct bytes forks);

/* All is restored. A proof among the records that the list did not name (the end came before the
 * list was written) was checked again by the key of now: leaves EFFECT_FORKS, before that changes.
 */
void equivocation_start(struct engine *engine, struct step *step);

/* Is nothing new accepted from this writer? */
bool equivocation_is_frozen(const struct engine *engine, const struct node_id *writer);

/* Is the stream known as forked, whether or not anything of it is here? */
bool equivocation_is_forked(const struct engine *engine, const struct stream_id *stream);

/* The slot of a stream, made when it is new. A stream that is known as forked before anything of it
 * came is marked so from the start, and takes nothing. STREAM_NONE: the table is full. */
uint32_t equivocation_add_stream(struct engine *engine, const struct stream_id *stream);

/* How many streams are known as forked: those that are here, and those of which only the proof
 * came. */
uint32_t equivocation_count(const struct engine *engine);

#endif
