/* The cases that this node has a part in: what records mean for them, who may read, and what this
 * node does about it by itself (grant, take in, mirror). The meaning of a single case is
 * consult.h; this room keeps the table of them and connects it with streams and members. */
#ifndef CONSILIUM_PROTOCOL_CASES_CASES_H
#define CONSILIUM_PROTOCOL_CASES_CASES_H

#include "protocol/consult/consult.h"
#include "protocol/engine/engine.h"

struct peer;

struct cases;

/* `case_count_max` cases are known at once, `awake_count_max` of them in memory as a whole. */
size_t case_table_memory_size(uint32_t case_count_max, uint32_t awake_count_max);
struct cases *case_table_new(void *memory, uint32_t case_count_max, uint32_t awake_count_max);

bool cases_is_known(const struct engine *engine, const struct case_id *case_id);
bool cases_is_of_others(const struct engine *engine, const struct case_id *case_id);
/* NULL when the case is not known here, or rests. Borrowed until the next step. */
const struct consult *case_table_find(const struct engine *engine, const struct case_id *case_id);
uint32_t case_table_count(const struct engine *engine);
uint32_t case_table_awake_count(const struct engine *engine);
/* The n-th case; false past the end. */
bool cases_brief(const struct engine *engine, uint32_t n, struct engine_case_brief *ret_brief);

/* True when `node` asks or was ever granted a part. */
bool cases_includes(const struct engine *engine, const struct case_id *case_id,
                    const struct node_id *node);

/* The n-th who may be named the case's streams, awake or at rest: the requester, the successor
 * (zeros: none), then whoever was ever granted a part. False past the end. */
bool case_table_part_at(const struct engine *engine, const struct case_id *case_id, uint32_t n,
                        struct node_id *ret_node);

/* ERR_NOT_FOUND when the case is not known here, ERR_BUSY when it rests; else as consult_entitled.
 */
MUST_USE err cases_may_read(const struct engine *engine, const struct node_id *node,
                            const struct record_claim *claim);
/* The requester, and participants with access now: OK, ERR_NOT_FOUND, ERR_DESTROYED,
 * ERR_NOT_ENTITLED. */
MUST_USE err cases_may_have(const struct engine *engine, const struct node_id *node,
                            const struct case_id *case_id);

/* Is there room for one case more, of ours or of others'? */
bool case_table_has_room(const struct engine *engine, bool is_own);
/* True when what the case says of itself was erased: bodies are not kept any more. */
bool cases_is_erased(const struct engine *engine, const struct case_id *case_id);

/* A record is durable (or replayed at the start): what it means is remembered. */
void cases_apply(struct engine *engine, const struct record_claim *claim, struct bytes plaintext,
                 struct step *step);

/* What the store holds of a case, at the start: it rests, unless its streams came further. An
 * erased one is believed in any event, for its records will not tell it again. */
void case_paging_restore(struct engine *engine, struct bytes row);
/* Is the case known without its records? */
bool case_paging_rests(const struct engine *engine, const struct case_id *case_id);

/* All was replayed: who may read is known again. */
void cases_start(struct engine *engine);

/* A record that was to be looked at again was read. */
void case_automation_loaded(struct engine *engine, const struct event *event, struct step *step);

/* Keys and bodies of a case are gone: say so, with a receipt, when it was another's case. */
void case_retry_destroyed(struct engine *engine, const struct event *event, struct step *step);

/* What this node wrote by itself could not be kept: what led to it is looked at again. */
void case_automation_write_failed(struct engine *engine, const struct record_header *header,
                                  struct bytes plaintext);

/* The roster changed: successors of removed requesters may have been named. */
void cases_roster(struct engine *engine);

/* Gives the peer each ERASE that no comparison of streams brings it, because its stream stands
 * still; again on each call until the peer has said that it erased the case. */
void case_retry_push_erasure(struct engine *engine, struct peer *peer, struct step *step);

/* ---- case_paging.c: leaving memory and coming back ---- */

/* Wakes what the event is about. True when something was to be woken: the event comes again. */
bool case_paging_calls(struct engine *engine, const struct event *event, struct step *step);
/* Wakes one case, sometime, if it rests and there is a place. */
void case_paging_call(struct engine *engine, const struct case_id *case_id, struct step *step);
void case_paging_woken(struct engine *engine, const struct event *event, struct step *step);
void case_paging_rested(struct engine *engine, const struct event *event);

/* The row that the store holds of a case: ERR_NOT_FOUND when it is not awake. */
MUST_USE err case_paging_export(const struct engine *engine, const struct case_id *case_id,
                                struct buffer *out);
/* The case in such a row; ERR_CORRUPT. */
MUST_USE err case_paging_read(struct bytes row, struct consult *ret_consult);

/* Does what is due by itself, a few cases at a time. */
void case_automation_react(struct engine *engine, struct step *step);
bool case_automation_busy(const struct engine *engine);

/* Is this the receipt of a participant for a case of ours that we erased? It is let in where the
 * disk is full, once for each since the start: what else it sends has to wait (C-55). */
bool case_retry_awaits_receipt(const struct engine *engine, const struct step_record *record);

#endif
