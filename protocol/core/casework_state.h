/* What the rooms of casework share: casework.c (what records mean), casework_table.c (which cases
 * there are), casework_rest.c (how they leave memory and come back), casework_duty.c (what this
 * node owes) and casework_later.c (what has to wait). */
#ifndef CONSILIUM_PROTOCOL_CORE_CASEWORK_STATE_H
#define CONSILIUM_PROTOCOL_CORE_CASEWORK_STATE_H

#include "protocol/consult/caserecord.h"
#include "protocol/core/casework.h"

enum { CASEWORK_NONE = UINT32_MAX, CASEWORK_NODES_EACH = 8 };

/* Participants of a case at rest, in the order of the case; a list of these. */
struct casework_nodes {
    struct node_id nodes[CASEWORK_NODES_EACH];
    uint32_t next;
};

/* A case that is known here, whether it is awake (its whole state is in memory) or rests in the
 * store. */
struct casework_row {
    struct case_id case_id;
    struct node_id asked_by; /* who proved to be the requester, before OPEN is here too */
    struct node_id successor;
    uint64_t ended;       /* at rest: bit i, the access of participant i */
    uint32_t bucket_next; /* hash chain */
    uint32_t awake;       /* its place among those awake; CASEWORK_NONE: at rest */
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
struct casework_case {
    uint32_t row;       /* CASEWORK_NONE: a free place */
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
    struct caserecord_erased receipt;
    uint64_t awaited; /* bit i: the receipt of participants[i] was let in though the disk is full */
    struct stream_id erase_stream; /* where the ERASE is held here */
    uint64_t erase_sequence;       /* 0: nowhere */
    struct consult consult;
};
_Static_assert(PARTICIPANT_COUNT_MAX <= 64, "a bit for each participant");

/* A durable record to be looked at again, for what it asks of us may not be done yet. */
struct casework_review {
    struct stream_id stream;
    uint64_t sequence;
    struct record_id record;
    uint16_t kind; /* 0: always look */
};

enum {
    CASEWORK_WAITING_COUNT = 256, /* what waits for its clinician's certificate */
    CASEWORK_WAITING_EACH = 16,   /* of one member */
};
enum {
    CASEWORK_REVIEW_COUNT = 8192,
    CASEWORK_RETRY_MS = 200,
    CASEWORK_RETRY_LATE_MS = 5000,
    CASEWORK_PROMISED_MAX = 64
};

struct casework {
    struct casework_row *rows;
    uint32_t count; /* of rows */
    uint32_t count_max;
    uint32_t others;   /* rows of cases that others asked */
    uint32_t promised; /* rows whose OPEN is not known here */
    uint32_t *buckets;
    uint32_t bucket_mask;
    struct casework_case *awake;
    uint32_t awake_max;
    uint32_t awake_used; /* places that were ever taken: no others need be looked at */
    uint32_t awake_count;
    uint32_t awake_free; /* list; CASEWORK_NONE */
    struct casework_nodes *nodes;
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
    struct casework_review reviews[CASEWORK_REVIEW_COUNT];
    uint32_t receipts_owed;
    uint32_t waiting_count;
    struct casework_review waiting[CASEWORK_WAITING_COUNT];
};

/* ---- casework_table.c ---- */

/* NULL when the case is not known here. */
struct casework_row *casework_row(const struct core *core, const struct case_id *case_id);
/* The row, made when there is none; NULL: no room (C-54). It holds a blank case. */
struct casework_row *casework_add(struct core *core, const struct case_id *case_id,
                                  const struct node_id *requester);
/* NULL when it is not known here, or rests. Whoever asks may change it. */
struct casework_case *casework_entry(const struct core *core, const struct case_id *case_id);
/* The same, for who only looks: that keeps no case awake. */
const struct casework_case *casework_look(const struct core *core, const struct case_id *case_id);
/* The n-th place; NULL when it is free. Up to casework->awake_used. */
struct casework_case *casework_place(const struct core *core, uint32_t n);

/* A place for the row, which holds a new case; NULL: all are taken. */
struct casework_case *casework_take_place(struct core *core, struct casework_row *row);
/* The row goes to rest as the case stands. */
void casework_leave_place(struct core *core, struct casework_case *entry);
/* What the row tells of the case whether or not it is awake. */
void casework_note_state(struct core *core, const struct casework_case *entry);
/* Remembers the participants in the row of a case that is at rest. */
void casework_row_nodes(struct core *core, struct casework_row *row, struct reader *nodes,
                        uint8_t count);
/* The index of a participant of a case at rest, or CASEWORK_NONE. */
uint32_t casework_row_part(const struct core *core, const struct casework_row *row,
                           const struct node_id *node);

/* Who speaks for a requester that was removed. */
void casework_succeed(const struct core *core, struct consult *consult);

/* ---- casework_rest.c ---- */

/* Puts those to rest that nothing came for, and that owe nothing. */
void casework_rest_some(struct core *core, struct step *step);

/* ---- casework_duty.c ---- */

/* There is no room to look at the record later: the next start finds it again. */
void casework_miss(struct core *core, const struct record_claim *claim);
/* Puts a record on the list to be looked at again. */
void casework_review(struct core *core, const struct record_claim *claim, uint16_t kind);

/* Is there more of the leader's stream here than the state has read; in which generation? */
bool casework_has_unread(const struct core *core, const struct casework_case *entry,
                         uint32_t *ret_generation);
/* The state stands before a position that is here: read it, and what comes behind it, in order. */
void casework_walk(struct core *core, struct casework_case *entry);
/* True when the record read is the one that the walk waited for: it counts, readable or not. */
bool casework_walked(struct core *core, const struct record_claim *claim);

/* Posts a content as an unsigned statement; errors as publish_post. */
MUST_USE err casework_post(struct core *core, const struct scope *scope, uint16_t kind,
                           struct bytes content, struct step *step);

/* What was just said in a case, and what the case made of it. */
struct casework_said {
    const struct record_claim *claim;
    const struct statement *statement;
    enum consult_verdict verdict;
};

/* Does what this node owes to a record that was just applied; before the start: notes it. */
void casework_respond(struct core *core, struct casework_case *entry,
                      const struct casework_said *said, struct step *step);

/* Was all told that the case's own records ask this node to tell? */
bool casework_has_told(const struct core *core, const struct casework_case *entry);

/* ---- casework_later.c ---- */

/* What may succeed later, and is therefore looked at again; and when. */
bool casework_is_for_later(err failure);
void casework_delay(struct core *core, err failure);
/* The record waits for the certificate of who signed it. */
void casework_wait(struct core *core, const struct record_claim *claim, uint16_t kind);
/* A clinician of `node` was certified: what it signed before is looked at again. */
void casework_certified(struct core *core, const struct node_id *node);
/* Does a record of the case wait for a certificate? */
bool casework_waits(const struct core *core, const struct case_id *case_id);

/* Has this node said that it erased the case? */
bool casework_has_erased(const struct core *core, const struct casework_case *entry);
/* Receipts of erasure that are still owed. */
void casework_write_receipts(struct core *core, struct step *step);

#endif
