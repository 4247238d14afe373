/* How cases leave memory and come back.
 *
 *   awake --(nothing came for case_idle_ms, nothing owed)--> EFFECT_REST --EVENT_RESTED--> at rest
 *   at rest --(an event is about it)--> EFFECT_WAKE --EVENT_WOKEN--> awake, and the event again
 *
 * A row of the store holds all of a case that the engine knows, and how far the case's streams had
 * come. A start believes it while they stand there, and reads the records again when they do not.
 */
#ifndef CONSILIUM_PROTOCOL_CASES_CASE_PAGING_H
#define CONSILIUM_PROTOCOL_CASES_CASE_PAGING_H

#include "protocol/consult/consult.h"
#include "protocol/step/step.h"

struct engine;

enum {
    CASE_PAGING_ROW_SIZE_MAX = 512 + PARTICIPANT_COUNT_MAX * NODE_ID_SIZE + CONSULT_EXPORT_SIZE_MAX
};

struct case_paging {
    uint32_t called_count; /* rows that are called */
    uint32_t rest_next;    /* the place that is looked at next */
    struct mono rest_at;
    uint32_t behind_next; /* the row that is looked at next for records that found no place */
};

/* What the store holds of a case, at the start: it rests, unless its streams came further. An
 * erased one is believed in any event, for its records will not tell it again. */
void case_paging_restore(struct engine *engine, struct bytes row);
/* Is the case known without its records? */
bool case_paging_rests(const struct engine *engine, const struct case_id *case_id);

/* Wakes what the event is about. True when something was to be woken: the event comes again. */
bool case_paging_calls(struct engine *engine, const struct event *event, struct step *step);
/* Wakes one case, sometime, if it rests and there is a place. */
void case_paging_call(struct engine *engine, const struct case_id *case_id, struct step *step);
void case_paging_woken(struct engine *engine, const struct event *event, struct step *step);
void case_paging_rested(struct engine *engine, const struct event *event);

/* Puts those to rest that nothing came for, and that owe nothing. */
void case_paging_rest_some(struct engine *engine, struct step *step);

/* The row that the store holds of a case: ERR_NOT_FOUND when it is not awake. */
MUST_USE err case_paging_export(const struct engine *engine, const struct case_id *case_id,
                                struct buffer *out);
/* The case in such a row; ERR_CORRUPT. */
MUST_USE err case_paging_read(struct bytes row, struct consult *ret_consult);

#endif
