/* Generations: how a writer goes on whose store was put back to an earlier day.
 *
 * Others may hold records of it that it does not remember, so to write on where its own copy ends
 * would be to say two things at one position. It opens the next generation instead, whose first
 * record names where the one before ends for it. That a store is an older one is known from the
 * marker (a list of our heads that lies outside of backups), or from a record of our own that comes
 * from a peer. */
#ifndef CONSILIUM_PROTOCOL_REPLICATION_GENERATION_H
#define CONSILIUM_PROTOCOL_REPLICATION_GENERATION_H

#include "protocol/state/engine_state.h"

/* What is known of our own store and of generations. */
struct generations {
    bool has_marker;      /* it names all of our streams */
    bool is_restored;     /* the store was put back to an earlier day */
    bool was_restored;    /* once */
    struct mono heard_at; /* when a peer last told, the first time since it is connected */
    uint32_t telling;     /* the next slot whose end may have to be kept */
    uint32_t heard_count;
    struct node_id heard[LINK_COUNT_MAX]; /* who has told since the start where we stand with it */
};

/* ---- at start ---- */

/* What is kept of a generation: when it was opened, whether ours was ended. */
void generation_restore(struct engine *engine, const struct event *event);
/* How far one of our streams had come, by the marker. */
void generation_marker(struct engine *engine, const struct event *event);
void generation_start(struct engine *engine, enum event_marker marker, struct step *step);

/* The peer has told where our streams stand with it; at another head, it may have left some out. */
void generation_heard(struct engine *engine, struct peer *peer);

/* ---- our own ---- */

/* Where the next record of ours in `scope` belongs: the stream, and the id before it.
 *
 *   ERR_BUSY         what we wrote there is not known yet: not before a peer that shares it came
 *   ERR_OVER_BUDGET  as many generations were opened this year as may be */
MUST_USE err generation_own(const struct engine *engine, const struct scope *scope,
                            struct stream_id *ret_stream, struct record_id *ret_previous);

/* The last generation of this node's stream in `scope` that holds something, or the first. */
struct stream_id generation_own_stream(const struct engine *engine, const struct scope *scope);

/* A record of our own came from a peer and is durable: we lost it, and with it who knows what. */
void generation_returned(struct engine *engine, uint32_t slot, struct step *step);

/* ---- anybody's ---- */

/* May the first record of a generation stand? It names a position of the generation before.
 *
 *   ERR_OUT_OF_ORDER  the generation before is not known here
 *   ERR_NOT_FOUND     it names another position than the end: once it is known that its writer
 *                     signed it, the store is to be asked for that (generation_seek)
 *   ERR_OVER_BUDGET   as above (T-12) */
MUST_USE err generation_follows(const struct engine *engine, const struct record_claim *claim);
/* Is the generation before it forked? Then it may follow wherever that ended here. */
bool generation_is_after_fork(const struct engine *engine, const struct stream_id *id);
/* `run` is of the generation before, `claim` the first record of the next one; it came by `link`,
 * and when the store has what it names, is asked for there again. */
void generation_seek(struct engine *engine, const struct step_run *run,
                     const struct record_claim *claim, struct link_id link, struct step *step);
/* The answer of the store. True when it has the position: the generation that names it may go on,
 * and its first record came by that link. */
bool generation_loaded(struct engine *engine, const struct event *event, struct stream_id *ret_next,
                       struct link_id *ret_link);

/* The first record of a generation is durable. */
void generation_opened(struct engine *engine, uint32_t slot, const struct record_claim *claim,
                       struct step *step);

/* Tells what is to be kept, some at a time. */
void generation_react(struct engine *engine, struct step *step);
bool generation_busy(const struct engine *engine);

#endif
