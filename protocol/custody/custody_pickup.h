/* What others hold for us: ask our custodians, open one envelope at a time, accept what is in it as
 * from a link, and report to its writer (spec/custody.md). */
#ifndef CONSILIUM_PROTOCOL_CUSTODY_CUSTODY_PICKUP_H
#define CONSILIUM_PROTOCOL_CUSTODY_CUSTODY_PICKUP_H

#include "protocol/step/step.h"

struct engine;
struct peer;

enum custody_pickup_state {
    CUSTODY_PICKUP_IDLE,
    CUSTODY_PICKUP_ASKED,    /* a custodian owes an answer */
    CUSTODY_PICKUP_OPENING,  /* an envelope is with the runtime */
    CUSTODY_PICKUP_CHECKING, /* what was in it is being checked and kept */
};

/* One of those who are asked. */
struct custody_pickup_round {
    uint32_t session; /* of the connection that was asked last */
    struct mono at;   /* the next round */
    uint64_t wait_ms; /* after one that brought nothing */
};

/* A writer to whom is to be said what came. */
struct custody_pickup_report {
    struct node_id writer; /* zeros: free */
    struct mono at;
};

enum { CUSTODY_PICKUP_REPORT_COUNT = 64 };

struct custody_pickup {
    enum custody_pickup_state state;
    struct mono look_at; /* when it is time is looked at now and then */
    struct mono until;   /* then an answer is not waited for any more */
    uint32_t rank;       /* of the custodian */
    struct link_id link;
    uint64_t number; /* of the envelope */
    uint32_t count;  /* of envelopes in this round */
    struct mono round_until;
    bool has_more;  /* something was left there in this round */
    bool has_taken; /* and something taken */
    uint64_t serial;
    struct node_id writer; /* of the record being checked */
    struct custody_pickup_round rounds[CUSTODIAN_ASKED_COUNT];
    struct custody_pickup_report reports[CUSTODY_PICKUP_REPORT_COUNT];
    uint32_t reporting; /* 1 + index of the one being sealed; 0: none */
};

/* FRAME_CUSTODY_ENVELOPE; what its reader says. */
MUST_USE err custody_pickup_envelope(struct engine *engine, const struct peer *peer,
                                     struct bytes frame, struct step *step);
/* CUSTODY_OPEN is answered; CUSTODY_ENCLOSE of a report. */
void custody_pickup_opened(struct engine *engine, const struct event *event, struct step *step);
void custody_pickup_enclosed(struct engine *engine, const struct event *event, struct step *step);

/* What came out of the envelope is decided: kept (OK), worth nothing (ERR_INVALID), or not to be
 * taken now (anything else). */
void custody_pickup_settled(struct engine *engine, err verdict, struct step *step);

/* Asks and reports when it is time. */
void custody_pickup_react(struct engine *engine, struct step *step);

#endif
