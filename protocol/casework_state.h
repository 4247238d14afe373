/* What the two halves of casework share: casework.c (what records mean) and casework_duty.c (what
 * this node then does). */
#ifndef CONSILIUM_PROTOCOL_CASEWORK_STATE_H
#define CONSILIUM_PROTOCOL_CASEWORK_STATE_H

#include "protocol/caserecord.h"
#include "protocol/casework.h"

struct casework_case {
    struct node_id asked_by; /* who proved to be the requester, before OPEN is here */
    uint64_t noticed;        /* bit i: participants[i] was mailed its grant */
    uint64_t walked;         /* position of the leader's stream that is being read; 0: none */
    uint32_t mirrored;       /* bit of enum mirror_what: the board was told */
    bool owes_receipt;       /* it is destroyed here, and the requester was not told yet */
    struct caserecord_erased receipt;
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

enum { CASEWORK_REVIEW_COUNT = 8192, CASEWORK_RETRY_MS = 200, CASEWORK_PROMISED_MAX = 64 };

struct casework {
    struct casework_case *all;
    uint32_t count;
    uint32_t count_max;
    bool readers_changed; /* ask again for what we lacked */
    bool is_reading;      /* one review is being loaded */
    uint32_t owed_count;  /* receipts */
    struct mono review_after;
    uint32_t review_first; /* ring */
    uint32_t review_count;
    struct casework_review reviews[CASEWORK_REVIEW_COUNT];
};

struct casework_case *casework_entry(const struct core *core, const struct case_id *case_id);

/* Puts a record on the list to be looked at again. */
void casework_review(struct core *core, const struct record_claim *claim, uint16_t kind);

/* The state stands before a position that is here: read it, and what comes behind it, in order. */
void casework_walk(struct core *core, struct casework_case *entry);
/* True when the record read is the one that the walk waited for: it counts, readable or not. */
bool casework_walked(struct core *core, const struct record_claim *claim);

/* What was just said in a case, and what the case made of it. */
struct casework_said {
    const struct record_claim *claim;
    const struct statement *statement;
    enum consult_verdict verdict;
};

/* Does what this node owes to a record that was just applied; before the start: notes it. */
void casework_respond(struct core *core, struct casework_case *entry,
                      const struct casework_said *said, struct step *step);

#endif
