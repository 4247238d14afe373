/* What cases look at again later: records that ask something of this node that could not be done
 * yet, and records whose clinician is not certified here yet. Nothing of it is kept: a start finds
 * it again. */
#ifndef CONSILIUM_PROTOCOL_CASES_CASE_RETRY_H
#define CONSILIUM_PROTOCOL_CASES_CASE_RETRY_H

#include "protocol/record/record.h"

struct engine;

enum {
    CASE_RETRY_REVIEW_COUNT = 8192,
    CASE_RETRY_WAITING_COUNT = 256, /* records that wait for their clinician's certificate */
    CASE_RETRY_WAITING_EACH = 16,   /* of one member */
    CASE_RETRY_MS = 200,            /* until a stream that is being written is free again */
    CASE_RETRY_LATE_MS = 5000,      /* until a disk, a clock or a roster may be right again */
};

/* A durable record to be looked at again. */
struct case_retry_review {
    struct stream_id stream;
    uint64_t sequence;
    struct record_id record;
    uint16_t kind; /* 0: always look */
};

struct case_retry {
    struct wall opens_at;     /* a release from the future comes into effect; 0: none (T-31) */
    bool is_reading;          /* one review is being loaded */
    struct mono review_after; /* nothing is looked at before */
    uint32_t review_first;    /* ring */
    uint32_t review_count;
    struct case_retry_review reviews[CASE_RETRY_REVIEW_COUNT];
    uint32_t receipts_owed; /* receipts of erasure that could not be written yet */
    uint32_t waiting_count;
    struct case_retry_review waiting[CASE_RETRY_WAITING_COUNT];
};

/* What may succeed later, and is therefore looked at again; and when. */
bool case_retry_is_for_later(err failure);
void case_retry_delay(struct engine *engine, err failure);

/* Who may read the case has changed (NULL: perhaps of each case, as at a start): what is missing of
 * it is asked for again, at once (T-23). */
void case_retry_readers(struct engine *engine, const struct case_id *case_id);

/* A release from the future may have come into effect (case_id NULL: in any case that is awake):
 * what it opens is asked for (T-31). */
void case_retry_open(struct engine *engine, const struct case_id *case_id);

/* There is no room to look at the record later: the next start finds it again. */
void case_retry_miss(struct engine *engine, const struct record_claim *claim);
/* Puts a record on the list to be looked at again. */
void case_retry_review(struct engine *engine, const struct record_claim *claim, uint16_t kind);
/* Is a record of the case on that list? */
bool case_retry_reviews(const struct engine *engine, const struct case_id *case_id);

/* The record waits for the certificate of who signed it. */
void case_retry_wait(struct engine *engine, const struct record_claim *claim, uint16_t kind);
/* Does a record of the case wait for a certificate? */
bool case_retry_waits(const struct engine *engine, const struct case_id *case_id);
/* A clinician of `node` was certified: what it signed before is looked at again. */
void case_retry_certified(struct engine *engine, const struct node_id *node);

#endif
