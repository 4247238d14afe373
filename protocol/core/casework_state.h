/* What the rooms of casework share: casework.c (what records mean), casework_duty.c (what this node
 * then does) and casework_later.c (what has to wait). */
#ifndef CONSILIUM_PROTOCOL_CORE_CASEWORK_STATE_H
#define CONSILIUM_PROTOCOL_CORE_CASEWORK_STATE_H

#include "protocol/consult/caserecord.h"
#include "protocol/core/casework.h"

struct casework_case {
    struct node_id asked_by; /* who proved to be the requester, before OPEN is here */
    uint64_t noticed;        /* bit i: participants[i] was mailed its grant */
    uint64_t walked;         /* position of the leader's stream that is being read; 0: none */
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
    struct casework_case *all;
    uint32_t count;
    uint32_t count_max;
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

struct casework_case *casework_entry(const struct core *core, const struct case_id *case_id);

/* Puts a record on the list to be looked at again. */
void casework_review(struct core *core, const struct record_claim *claim, uint16_t kind);

/* Is there more of the leader's stream here than the state has read; in which generation? */
bool casework_has_unread(const struct core *core, const struct casework_case *entry,
                         uint32_t *ret_generation);
/* The state stands before a position that is here: read it, and what comes behind it, in order. */
void casework_walk(struct core *core, struct casework_case *entry);
/* True when the record read is the one that the walk waited for: it counts, readable or not. */
bool casework_walked(struct core *core, const struct record_claim *claim);

/* ---- casework_later.c ---- */

/* What may succeed later, and is therefore looked at again; and when. */
bool casework_is_for_later(err failure);
void casework_delay(struct core *core, err failure);
/* The record waits for the certificate of who signed it. */
void casework_wait(struct core *core, const struct record_claim *claim, uint16_t kind);
/* A clinician of `node` was certified: what it signed before is looked at again. */
void casework_certified(struct core *core, const struct node_id *node);

/* Has this node said that it erased the case? */
bool casework_has_erased(const struct core *core, const struct casework_case *entry);
/* Receipts of erasure that are still owed. */
void casework_write_receipts(struct core *core, struct step *step);

/* ---- casework_duty.c ---- */

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

#endif
