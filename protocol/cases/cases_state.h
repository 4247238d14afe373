/* What the rooms of casework share: cases.c (what records mean), case_table.c (which cases
 * there are), case_paging.c (how they leave memory and come back), case_automation.c (what this
 * node owes) and case_retry.c (what has to wait). */
#ifndef CONSILIUM_PROTOCOL_CASES_CASES_STATE_H
#define CONSILIUM_PROTOCOL_CASES_CASES_STATE_H

#include "protocol/cases/cases.h"
#include "protocol/contents/case_record.h"

enum { CASES_NONE = UINT32_MAX, CASES_NODES_EACH = 8 };

/* Participants of a case at rest, in the order of the case; a list of these. */
struct cases_nodes {
    struct node_id nodes[CASES_NODES_EACH];
    uint32_t next;
};

/* A case that is known here, whether it is awake (its whole state is in memory) or rests in the
 * store. */
struct case_table_row {
    struct case_id case_id;
    struct node_id asked_by; /* who proved to be the requester, before OPEN is here too */
    struct node_id successor;
    uint64_t ended;       /* at rest: bit i, the access of participant i */
    uint32_t bucket_next; /* hash chain */
    uint32_t awake;       /* its place among those awake; CASES_NONE: at rest */
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
struct cases_case {
    uint32_t row;       /* CASES_NONE: a free place */
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

/* A durable record to be looked at again, for what it asks of us may not be done yet. */
struct case_automation_review {
    struct stream_id stream;
    uint64_t sequence;
    struct record_id record;
    uint16_t kind; /* 0: always look */
};

enum {
    CASES_WAITING_COUNT = 256, /* what waits for its clinician's certificate */
    CASES_WAITING_EACH = 16,   /* of one member */
};
enum {
    CASES_REVIEW_COUNT = 8192,
    CASES_RETRY_MS = 200,
    CASES_RETRY_LATE_MS = 5000,
    CASES_PROMISED_MAX = 64
};

struct cases {
    struct case_table_row *rows;
    uint32_t count; /* of rows */
    uint32_t count_max;
    uint32_t others;   /* rows of cases that others asked */
    uint32_t promised; /* rows whose OPEN is not known here */
    uint32_t *buckets;
    uint32_t bucket_mask;
    struct cases_case *awake;
    uint32_t awake_max;
    uint32_t awake_used; /* places that were ever taken: no others need be looked at */
    uint32_t awake_count;
    uint32_t awake_free; /* list; CASES_NONE */
    struct cases_nodes *nodes;
    uint32_t nodes_used;
    uint32_t nodes_free;
    uint32_t called_count; /* rows that are called */
    uint32_t rest_next;    /* the place that is looked at next */
    struct mono rest_at;
    uint32_t behind_next; /* the row that is looked at next for records that found no place */

    bool readers_changed; /* ask again for what we lacked */
    bool is_reading;      /* one review is being loaded */
    struct mono review_after;
    uint32_t review_first; /* ring */
    uint32_t review_count;
    struct case_automation_review reviews[CASES_REVIEW_COUNT];
    uint32_t receipts_owed;
    uint32_t waiting_count;
    struct case_automation_review waiting[CASES_WAITING_COUNT];
};

/* ---- case_table.c ---- */

/* NULL when the case is not known here. */
struct case_table_row *case_table_row(const struct engine *engine, const struct case_id *case_id);
/* The row, made when there is none; NULL: no room (C-54). It holds a blank case. */
struct case_table_row *case_table_add(struct engine *engine, const struct case_id *case_id,
                                      const struct node_id *requester);
/* NULL when it is not known here, or rests. Whoever asks may change it. */
struct cases_case *case_table_entry(const struct engine *engine, const struct case_id *case_id);
/* The same, for who only looks: that keeps no case awake. */
const struct cases_case *case_table_look(const struct engine *engine,
                                         const struct case_id *case_id);
/* The n-th place; NULL when it is free. Up to casework->awake_used. */
struct cases_case *case_table_place(const struct engine *engine, uint32_t n);

/* A place for the row, which holds a new case; NULL: all are taken. */
struct cases_case *case_table_take_place(struct engine *engine, struct case_table_row *row);
/* The row goes to rest as the case stands. */
void case_table_leave_place(struct engine *engine, struct cases_case *entry);
/* What the row tells of the case whether or not it is awake. */
void case_table_note_state(struct engine *engine, const struct cases_case *entry);
/* Remembers the participants in the row of a case that is at rest. */
void case_table_row_nodes(struct engine *engine, struct case_table_row *row, struct reader *nodes,
                          uint8_t count);
/* The index of a participant of a case at rest, or CASES_NONE. */
uint32_t case_table_row_part(const struct engine *engine, const struct case_table_row *row,
                             const struct node_id *node);

/* Who speaks for a requester that was removed. */
void cases_succeed(const struct engine *engine, struct consult *consult);

/* ---- case_paging.c ---- */

/* Puts those to rest that nothing came for, and that owe nothing. */
void case_paging_rest_some(struct engine *engine, struct step *step);

/* ---- case_automation.c ---- */

/* There is no room to look at the record later: the next start finds it again. */
void case_automation_miss(struct engine *engine, const struct record_claim *claim);
/* Puts a record on the list to be looked at again. */
void case_automation_review(struct engine *engine, const struct record_claim *claim, uint16_t kind);

/* Is there more of the leader's stream here than the state has read; in which generation? */
bool case_automation_has_unread(const struct engine *engine, const struct cases_case *entry,
                                uint32_t *ret_generation);
/* The state stands before a position that is here: read it, and what comes behind it, in order. */
void case_automation_replay(struct engine *engine, struct cases_case *entry);
/* True when the record read is the one that the walk waited for: it counts, readable or not. */
bool case_automation_replayed(struct engine *engine, const struct record_claim *claim);

/* Posts a content as an unsigned statement; errors as publish_post. */
MUST_USE err case_automation_post(struct engine *engine, const struct scope *scope, uint16_t kind,
                                  struct bytes content, struct step *step);

/* What was just said in a case, and what the case made of it. */
struct cases_said {
    const struct record_claim *claim;
    const struct statement *statement;
    enum consult_verdict verdict;
};

/* Does what this node owes to a record that was just applied; before the start: notes it. */
void case_automation_respond(struct engine *engine, struct cases_case *entry,
                             const struct cases_said *said, struct step *step);

/* Was all told that the case's own records ask this node to tell? */
bool case_automation_has_told(const struct engine *engine, const struct cases_case *entry);

/* ---- case_retry.c ---- */

/* What may succeed later, and is therefore looked at again; and when. */
bool case_retry_is_for_later(err failure);
void case_retry_delay(struct engine *engine, err failure);
/* The record waits for the certificate of who signed it. */
void case_retry_wait(struct engine *engine, const struct record_claim *claim, uint16_t kind);
/* A clinician of `node` was certified: what it signed before is looked at again. */
void case_retry_certified(struct engine *engine, const struct node_id *node);
/* Does a record of the case wait for a certificate? */
bool case_retry_waits(const struct engine *engine, const struct case_id *case_id);

/* Has this node said that it erased the case? */
bool case_retry_has_erased(const struct engine *engine, const struct cases_case *entry);
/* Receipts of erasure that are still owed. */
void case_retry_write_receipts(struct engine *engine, struct step *step);

#endif
