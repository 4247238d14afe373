/* What records mean for the cases that this node has a part in, and what is due for them. The
 * meaning of a single case is consult.h. */
#ifndef CONSILIUM_PROTOCOL_CASES_CASES_H
#define CONSILIUM_PROTOCOL_CASES_CASES_H

#include "protocol/step/step.h"

struct engine;

/* A record is durable (or replayed at the start): what it means is remembered. */
void cases_apply(struct engine *engine, const struct record_claim *claim, struct bytes plaintext,
                 struct step *step);

/* An ERASE that stands in no stream here: it is obeyed, and nothing refers to where it stands. */
void cases_obey(struct engine *engine, const struct record_claim *claim, struct bytes plaintext,
                struct step *step);

/* All was replayed: who may read is known again. */
void cases_start(struct engine *engine);

/* The roster changed: successors of removed requesters may have been named. */
void cases_roster(struct engine *engine);

/* Does what is due by itself, a few cases at a time. */
void cases_react(struct engine *engine, struct step *step);
bool cases_busy(const struct engine *engine);

/* A record that was to be looked at again was read. */
void cases_loaded(struct engine *engine, const struct event *event, struct step *step);

#endif
