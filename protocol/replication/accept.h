/* The one path by which records are accepted, whatever way they came: what is each (receive.h),
 * check it, keep it.
 *
 *   frame -> claim -> place in its stream -> [check] -> verdicts -> [keep] -> known, told, sent on
 *
 * The runtime does what stands in brackets. A stream never stops for a bad body: expired,
 * malformed and unreadable ones keep their position. */
#ifndef CONSILIUM_PROTOCOL_REPLICATION_ACCEPT_H
#define CONSILIUM_PROTOCOL_REPLICATION_ACCEPT_H

#include "protocol/state/engine_state.h"

enum {
    FORGER_PAUSE_MS =
        60 * 1000, /* who sent what its writer did not sign is not heard for so long */
    FULL_RETRY_MS = 10 * 1000,
};

/* ---- EVENT_CHECKED: the runtime checked a batch ---- */

/* Leaves NOTICE_ERASE for each ERASE that its stream does not take. These are applied first, so
 * that nothing of an erased case is kept that came along. */
void accept_erasures(struct engine *engine, const struct event *event);
/* Keeps what holds: the EFFECT_KEEP; NULL: nothing is kept, and NOTICE_SETTLED left if an envelope
 * held it. */
struct effect *accept_checked(struct engine *engine, const struct event *event, struct step *step);

/* ---- EVENT_KEPT: the batch is durable ---- */

/* The records of the batch, one at a time. */
struct accept_walk {
    const struct event *event;
    size_t run;      /* index of the run */
    size_t record;   /* how many records were taken */
    uint16_t in_run; /* of them, of this run */
};

/* (T-8) what a record does, it does from here on: for each record first accept_next, which gives it
 * its place and leaves NOTICE_DURABLE; then, when what it means is applied, accept_applied, by
 * which it leaves; after the last one accept_end, which acknowledges the batch. */
void accept_begin(struct engine *engine, const struct event *event, struct accept_walk *walk);
bool accept_next(struct engine *engine, struct accept_walk *walk, struct step *step);
void accept_applied(struct engine *engine, const struct accept_walk *walk, struct step *step);
/* Leaves NOTICE_SETTLED when the batch came from an envelope. */
void accept_end(struct engine *engine, const struct accept_walk *walk, struct step *step);

/* EVENT_KEPT: the batch could not be kept. Leaves NOTICE_ERASE, NOTICE_WRITE_FAILED and
 * NOTICE_SETTLED. */
void accept_lost(struct engine *engine, const struct event *event, struct step *step);

#endif
