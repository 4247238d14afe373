/* The table of cases: a short row for each case that is known here, and a place for each that is
 * awake (its whole state is in memory). It answers who takes part in a case and who may read it;
 * what records mean for a case is consult.h and cases.h. */
#ifndef CONSILIUM_PROTOCOL_STATE_CASE_TABLE_H
#define CONSILIUM_PROTOCOL_STATE_CASE_TABLE_H

#include "protocol/consult/consult.h"
#include "protocol/contents/case_record.h"
#include "protocol/record/record.h"

struct engine;

enum { CASE_TABLE_NONE = UINT32_MAX, CASE_TABLE_NODES_EACH = 8, CASE_TABLE_PROMISED_MAX = 64 };

/* Participants of a case at rest, in the order of the case; a list of these. */
struct case_table_nodes {
    struct node_id nodes[CASE_TABLE_NODES_EACH];
    uint32_t next;
};

/* A case that is known here, whether it is awake or rests in the store. */
struct case_table_row {
    struct case_id case_id;
    struct node_id asked_by; /* who proved to be the requester, before OPEN is here too */
    struct node_id successor;
    uint64_t ended;       /* at rest: bit i, the access of participant i */
    uint32_t bucket_next; /* hash chain */
    uint32_t awake;       /* its place among those awake; CASE_TABLE_NONE: at rest */
    uint32_t nodes;       /* at rest: list of participants */
    uint32_t erase_slot;  /* at rest: of the stream that holds the ERASE; STREAM_NONE */
    uint8_t node_count;   /* at rest */
    uint8_t state;        /* enum case_state */
    bool is_open;         /* its OPEN is known here */
    bool is_blank;        /* at rest, and nothing of it is in the store: it wakes as a new one */
    bool is_called;       /* to be woken before the event is taken */
    bool is_lost;         /* what the store holds of it cannot be read: until the next start */
};

/* A case that is awake. */
struct case_table_entry {
    uint32_t row;       /* CASE_TABLE_NONE: a free place */
    uint32_t free_next; /* list of free places */
    struct mono used_at;
    uint64_t kept;     /* hash of what the store holds of it; 0: nothing */
    uint64_t offered;  /* of what it was given last */
    bool is_offered;   /* and that is not durable yet */
    bool is_touched;   /* since then */
    bool is_destroyed; /* erased, and nothing is left */
    bool has_missed;   /* something had no room to wait here: the next start finds it */
    struct node_id asked_by;
    uint64_t noticed; /* bit i: participants[i] was mailed its grant */
    uint64_t walked;  /* position of the leader's stream that is being read; 0: none */
    uint64_t mirrored[MIRROR_ERASED + 1]; /* by what: bit 0, the board; or i, directed[i] */
    bool has_looked_again;                /* what came before the erasure was looked at, once */
    bool owes_receipt;                    /* what was destroyed here is still to be said */
    struct case_record_erased receipt;
    uint64_t awaited; /* bit i: the receipt of participants[i] was let in though the disk is full */
    struct stream_id erase_stream; /* where the ERASE is held here */
    uint64_t erase_sequence;       /* 0: nowhere */
    struct consult consult;
};
_Static_assert(PARTICIPANT_COUNT_MAX <= 64, "a bit for each participant");

struct case_table {
    struct case_table_row *rows;
    uint32_t count; /* of rows */
    uint32_t count_max;
    uint32_t others;   /* rows of cases that others asked */
    uint32_t promised; /* rows whose OPEN is not known here */
    uint32_t *buckets;
    uint32_t bucket_mask;
    struct case_table_entry *awake;
    uint32_t awake_max;
    uint32_t awake_used; /* places that were ever taken: no others need be looked at */
    uint32_t awake_count;
    uint32_t awake_free; /* list; CASE_TABLE_NONE */
    struct case_table_nodes *nodes;
    uint32_t nodes_used;
    uint32_t nodes_free;
};

/* `case_count_max` cases are known at once, `awake_count_max` of them in memory as a whole. */
size_t case_table_memory_size(uint32_t case_count_max, uint32_t awake_count_max);
struct case_table *case_table_new(void *memory, uint32_t case_count_max, uint32_t awake_count_max);

/* ---- who takes part, and who may read ---- */

bool case_table_is_known(const struct engine *engine, const struct case_id *case_id);
bool case_table_is_of_others(const struct engine *engine, const struct case_id *case_id);
/* True when what the case says of itself was erased: bodies are not kept any more. */
bool case_table_is_erased(const struct engine *engine, const struct case_id *case_id);
/* True when `node` asks or was ever granted a part. */
bool case_table_includes(const struct engine *engine, const struct case_id *case_id,
                         const struct node_id *node);
/* The n-th who may be named the case's streams, awake or at rest: the requester, the successor
 * (zeros: none), then whoever was ever granted a part. False past the end. */
bool case_table_part_at(const struct engine *engine, const struct case_id *case_id, uint32_t n,
                        struct node_id *ret_node);
/* ERR_NOT_FOUND when the case is not known here, ERR_BUSY when it rests; else as consult_entitled.
 */
MUST_USE err case_table_may_read(const struct engine *engine, const struct node_id *node,
                                 const struct record_claim *claim);
/* When a release from the future opens that record; 0: none does, or the case is not awake. */
struct wall case_table_opens_at(const struct engine *engine, const struct record_claim *claim);
/* The requester, and participants with access now: OK, ERR_NOT_FOUND, ERR_DESTROYED,
 * ERR_NOT_ENTITLED. */
MUST_USE err case_table_may_have(const struct engine *engine, const struct node_id *node,
                                 const struct case_id *case_id);

/* ---- rows ---- */

/* Is there room for one case more, of ours or of others'? */
bool case_table_has_room(const struct engine *engine, bool is_own);
uint32_t case_table_count(const struct engine *engine);
uint32_t case_table_awake_count(const struct engine *engine);
/* The n-th case; NULL past the end. */
const struct case_table_row *case_table_row_at(const struct engine *engine, uint32_t n);
/* NULL when the case is not known here. */
struct case_table_row *case_table_row(const struct engine *engine, const struct case_id *case_id);
/* The row, made when there is none; NULL: no room (C-54). It holds a blank case. */
struct case_table_row *case_table_add(struct engine *engine, const struct case_id *case_id,
                                      const struct node_id *requester);
/* Remembers the participants in the row of a case that is at rest. */
void case_table_row_nodes(struct engine *engine, struct case_table_row *row, struct reader *nodes,
                          uint8_t count);
/* The index of a participant of a case at rest, or CASE_TABLE_NONE. */
uint32_t case_table_row_part(const struct engine *engine, const struct case_table_row *row,
                             const struct node_id *node);

/* ---- cases awake ---- */

/* NULL when the case is not known here, or rests. Borrowed until the next step. */
const struct consult *case_table_find(const struct engine *engine, const struct case_id *case_id);
/* NULL when it is not known here, or rests. Whoever asks may change it. */
struct case_table_entry *case_table_entry(const struct engine *engine,
                                          const struct case_id *case_id);
/* The same, for who only looks: that keeps no case awake. */
const struct case_table_entry *case_table_look(const struct engine *engine,
                                               const struct case_id *case_id);
/* The n-th place; NULL when it is free. Up to case_table->awake_used. */
struct case_table_entry *case_table_place(const struct engine *engine, uint32_t n);
/* A place for the row, which holds a new case; NULL: all are taken. */
struct case_table_entry *case_table_take_place(struct engine *engine, struct case_table_row *row);
/* The row goes to rest as the case stands. */
void case_table_leave_place(struct engine *engine, struct case_table_entry *entry);
/* Copies to the row what it tells of the case whether or not it is awake. */
void case_table_note_state(struct engine *engine, const struct case_table_entry *entry);

/* How far the state of a case has read the stream of whoever leads it; where a generation was read
 * to its end and another is here, that it begins there. */
struct stream_id case_table_leading(const struct engine *engine,
                                    const struct case_table_entry *entry, uint64_t *ret_sequence);
/* Is there more of the leader's stream here than the state has read; in which generation? */
bool case_table_has_unread(const struct engine *engine, const struct case_table_entry *entry,
                           uint32_t *ret_generation);
/* Has this node said that it erased the case? */
bool case_table_has_erased(const struct engine *engine, const struct case_table_entry *entry);
/* Names to the case who speaks for a requester that was removed. */
void case_table_succeed(const struct engine *engine, struct consult *consult);

#endif
