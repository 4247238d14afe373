/* Internal events: what a lower module found that a higher one acts upon.
 *
 * Replication stands below cases, and cases below custody, so they call downward only. What
 * concerns a module above is put into this queue, and the router (engine.c) drains it, in order,
 * before it hands out the next piece of work: nothing is left in it at the end of a step.
 *
 * What a notice points at is borrowed from the event of the step.
 *
 * At most NOTICE_COUNT_MAX wait at once, whatever peers send: a batch that could not be kept leaves
 * one for each of its records (at most STEP_RECORD_COUNT_MAX, receive.h), one for a failed write
 * and one for an envelope; a tick leaves one for each link; everything else leaves at most one. The
 * router removes a notice before it handles it, and handling one leaves at most one more. */
#ifndef CONSILIUM_PROTOCOL_STEP_NOTICE_H
#define CONSILIUM_PROTOCOL_STEP_NOTICE_H

#include "protocol/step/step.h"

enum { NOTICE_COUNT_MAX = STEP_RECORD_COUNT_MAX + 2 };
_Static_assert((int)LINK_COUNT_MAX <= (int)NOTICE_COUNT_MAX, "a tick leaves one for each link");

enum notice_kind {
    NOTICE_DURABLE,      /* a record is durable, and readable here: apply what it means */
    NOTICE_ERASE,        /* an ERASE that is obeyed, and not kept here */
    NOTICE_WRITE_FAILED, /* what this node wrote by itself could not be kept */
    NOTICE_SETTLED,      /* it is decided what becomes of the record that an envelope held */
    NOTICE_SUMMARY_SENT, /* a peer was sent a summary: what no comparison brings it is due, too */
    NOTICE_MAILBOX_KEY,  /* a MAILBOX_KEY record was applied */
};

struct notice {
    enum notice_kind kind;
    union {
        const struct step_record *record; /* DURABLE, ERASE, WRITE_FAILED */
        err verdict;                      /* SETTLED: as custody_pickup_settled */
        struct link_id link;              /* SUMMARY_SENT */
        struct {
            struct record_header header;
            struct bytes content;
        } mailbox_key;
    };
};

/* In order of arrival; zeroed, it is empty. */
struct notices {
    struct notice all[NOTICE_COUNT_MAX];
    uint32_t first;
    uint32_t count;
};

/* Running out of room is a broken bound of ours. */
void notice_put(struct notices *notices, const struct notice *notice);
/* False when none is left. */
bool notice_take(struct notices *notices, struct notice *ret_notice);

#endif
