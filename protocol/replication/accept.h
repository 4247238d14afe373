/* The one door for records, whatever path they came by: what is each (receive.h), check it, keep
 * it.
 *
 *   frame -> claim -> place in its stream -> [check] -> verdicts -> [keep] -> known, told, sent on
 *
 * What stands in brackets is done by the shell. A stream never stops for a bad body: expired,
 * malformed and unreadable ones keep their position. */
#ifndef CONSILIUM_PROTOCOL_REPLICATION_ACCEPT_H
#define CONSILIUM_PROTOCOL_REPLICATION_ACCEPT_H

#include "protocol/engine/engine_state.h"

/* The shell checked a batch: keep what holds. */
void accept_checked(struct engine *engine, const struct event *event, struct step *step);

/* The shell kept a batch, or could not. */
void accept_kept(struct engine *engine, const struct event *event, struct step *step);

#endif
