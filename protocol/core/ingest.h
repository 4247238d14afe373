/* The one door for records, whatever path they came by: what is each (intake.h), check it, keep it.
 *
 *   frame -> claim -> place in its stream -> [check] -> verdicts -> [keep] -> known, told, sent on
 *
 * What stands in brackets is done by the shell. A stream never stops for a bad body: expired,
 * malformed and unreadable ones keep their position. */
#ifndef CONSILIUM_PROTOCOL_CORE_INGEST_H
#define CONSILIUM_PROTOCOL_CORE_INGEST_H

#include "protocol/core/core_state.h"

/* The shell checked a batch: keep what holds. */
void ingest_checked(struct core *core, const struct event *event, struct step *step);

/* The shell kept a batch, or could not. */
void ingest_kept(struct core *core, const struct event *event, struct step *step);

#endif
