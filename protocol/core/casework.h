/* The cases that this node has a part in: what records mean for them, who may read, and what this
 * node does about it by itself (grant, take in, mirror). The meaning of a single case is
 * consult.h; this room keeps the table of them and connects it with streams and members. */
#ifndef CONSILIUM_PROTOCOL_CORE_CASEWORK_H
#define CONSILIUM_PROTOCOL_CORE_CASEWORK_H

#include "protocol/consult/consult.h"
#include "protocol/core/core.h"

struct peer;

struct casework;

/* `case_count_max` cases are known at once, `awake_count_max` of them in memory as a whole. */
size_t casework_memory_size(uint32_t case_count_max, uint32_t awake_count_max);
struct casework *casework_new(void *memory, uint32_t case_count_max, uint32_t awake_count_max);

bool casework_is_known(const struct core *core, const struct case_id *case_id);
bool casework_is_of_others(const struct core *core, const struct case_id *case_id);
/* NULL when the case is not known here, or rests. Borrowed until the next step. */
const struct consult *casework_find(const struct core *core, const struct case_id *case_id);
uint32_t casework_count(const struct core *core);
uint32_t casework_awake_count(const struct core *core);
/* The n-th case; false past the end. */
bool casework_brief(const struct core *core, uint32_t n, struct core_case_brief *ret_brief);

/* True when `node` asks or was ever granted a part. */
bool casework_includes(const struct core *core, const struct case_id *case_id,
                       const struct node_id *node);

/* The n-th who may be named the case's streams, awake or at rest: the requester, the successor
 * (zeros: none), then whoever was ever granted a part. False past the end. */
bool casework_part_at(const struct core *core, const struct case_id *case_id, uint32_t n,
                      struct node_id *ret_node);

/* ERR_NOT_FOUND when the case is not known here, ERR_BUSY when it rests; else as consult_entitled.
 */
MUST_USE err casework_may_read(const struct core *core, const struct node_id *node,
                               const struct record_claim *claim);
/* The requester, and participants with access now: OK, ERR_NOT_FOUND, ERR_DESTROYED,
 * ERR_NOT_ENTITLED. */
MUST_USE err casework_may_have(const struct core *core, const struct node_id *node,
                               const struct case_id *case_id);

/* Is there room for one case more, of ours or of others'? */
bool casework_has_room(const struct core *core, bool is_own);
/* True when what the case says of itself was erased: bodies are not kept any more. */
bool casework_is_erased(const struct core *core, const struct case_id *case_id);

/* A record is durable (or replayed at the start): what it means is remembered. */
void casework_take(struct core *core, const struct record_claim *claim, struct bytes plaintext,
                   struct step *step);

/* What the store holds of a case, at the start: it rests, unless its streams came further. An
 * erased one is believed in any event, for its records will not tell it again. */
void casework_restore(struct core *core, struct bytes row);
/* Is the case known without its records? */
bool casework_rests(const struct core *core, const struct case_id *case_id);

/* All was replayed: who may read is known again. */
void casework_start(struct core *core);

/* A record that was to be looked at again was read. */
void casework_loaded(struct core *core, const struct event *event, struct step *step);

/* Keys and bodies of a case are gone: say so, with a receipt, when it was another's case. */
void casework_destroyed(struct core *core, const struct event *event, struct step *step);

/* What this node wrote by itself could not be kept: what led to it is looked at again. */
void casework_unkept(struct core *core, const struct record_header *header, struct bytes plaintext);

/* The roster changed: successors of removed requesters may have been named. */
void casework_roster(struct core *core);

/* Gives the peer each ERASE that no comparison of streams brings it, because its stream stands
 * still; again on each call until the peer has said that it erased the case. */
void casework_spread(struct core *core, struct peer *peer, struct step *step);

/* ---- casework_rest.c: leaving memory and coming back ---- */

/* Wakes what the event is about. True when something was to be woken: the event comes again. */
bool casework_calls(struct core *core, const struct event *event, struct step *step);
/* Wakes one case, sometime, if it rests and there is a place. */
void casework_call(struct core *core, const struct case_id *case_id, struct step *step);
void casework_woken(struct core *core, const struct event *event, struct step *step);
void casework_rested(struct core *core, const struct event *event);

/* The row that the store holds of a case: ERR_NOT_FOUND when it is not awake. */
MUST_USE err casework_export(const struct core *core, const struct case_id *case_id,
                             struct buffer *out);
/* The case in such a row; ERR_CORRUPT. */
MUST_USE err casework_read(struct bytes row, struct consult *ret_consult);

/* Does what is due by itself, a few cases at a time. */
void casework_react(struct core *core, struct step *step);
bool casework_busy(const struct core *core);

/* Is this the receipt of a participant for a case of ours that we erased? It is let in where the
 * disk is full, once for each since the start: what else it sends has to wait (C-55). */
bool casework_awaits_receipt(const struct core *core, const struct step_record *record);

#endif
