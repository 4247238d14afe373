/* What we left with others for members who are off (spec/custody.md): which record with whom, and
 * how far each member reported our mail and case streams durable.
 *
 * Nothing of this is kept: after a start all that nobody reported is left again under the same ids,
 * and custodians who have it keep what they have. */
#ifndef CONSILIUM_PROTOCOL_CUSTODY_CUSTODY_OUTBOX_H
#define CONSILIUM_PROTOCOL_CUSTODY_CUSTODY_OUTBOX_H

#include "protocol/custody/custodians.h"
#include "protocol/step/step.h"
#include "protocol/wire/frame.h"

struct engine;
struct peer;

/* What lies under an id: of one position a record's header, one with its key, or a clear one; or
 * the report to a writer. */
enum custody_outbox_what {
    CUSTODY_OUTBOX_HEADER_ONLY,
    CUSTODY_OUTBOX_WHOLE,
    CUSTODY_OUTBOX_CLEAR,
    CUSTODY_OUTBOX_REPORT,
};

/* How far a member came in one of our own streams. */
struct custody_outbox_reach {
    struct node_id node; /* zeros: free */
    uint32_t slot;
    uint64_t tail;
    uint64_t had;
    uint64_t covered; /* up to here deposits were made */
};

/* One record for one recipient. Bits: ranks of the recipient's custodians. */
struct deposit {
    bool is_used;
    bool is_over;  /* to be withdrawn, nothing else */
    bool is_read;  /* what follows up to `id` is known */
    bool is_whole; /* its key is in it, or it is clear */
    bool is_gone;  /* its body was destroyed here */
    enum audience audience;
    struct record_id record;
    struct deposit_id id;
    struct mailbox_key to;
    uint32_t slot;
    uint64_t sequence;
    struct node_id recipient;
    struct head_id ranked_at; /* of the roster by which the bits count */
    uint8_t held, asked, refused, owed;
    uint32_t serial; /* different each time that it is read */
    struct mono not_before;
    struct mono asked_until;
    struct mono again_at;
};

enum { CUSTODY_OUTBOX_RANKED_COUNT = 64 };

struct custody_outbox_ranked {
    struct node_id recipient;
    struct head_id head;
    struct custodians custodians;
};

struct custody_outbox {
    struct deposit *all;
    uint32_t count; /* used */
    struct custody_outbox_reach *reach;
    uint32_t delivery_status_count;
    struct custody_outbox_ranked ranked[CUSTODY_OUTBOX_RANKED_COUNT];
    uint32_t serial;
    uint32_t reading;    /* 1 + index of the one that is being read and sealed; 0: none */
    uint32_t reconciled; /* where the next look goes on */
    uint32_t walked;     /* and the walk through our streams */
    struct mono walk_at;
    struct mono reconcile_at;
    uint32_t erased_count; /* of our streams in erased cases, at the last walk */
    uint32_t erased_seen;
};

size_t custody_outbox_memory_size(uint32_t deposit_count_max, uint32_t reach_count_max);
void custody_outbox_init(struct custody_outbox *custody_outbox, void *memory,
                         uint32_t deposit_count_max);

/* The token of reads and seals that are ours. */
#define CUSTODY_OUTBOX_TOKEN (UINT64_C(1) << 63)

/* `node` reported one of our own streams: over a link, in a report, or before the start. */
void custody_outbox_heard(struct engine *engine, const struct node_id *node,
                          const struct frame_position *position);

/* FRAME_STREAMS, FRAME_ACK: so does each position of ours in it. */
void custody_outbox_positions(struct engine *engine, const struct peer *peer, struct bytes frame);

/* Whose custodians they are, by the roster of today. Borrowed until the next call. */
const struct custodians *custody_outbox_custodians(struct engine *engine,
                                                   const struct node_id *recipient);

/* The id under which something lies; the same after each start. */
struct deposit_id custody_outbox_id(const struct engine *engine, const struct node_id *recipient,
                                    const struct stream_id *stream, uint64_t sequence,
                                    uint8_t what);

/* FRAME_CUSTODY_ANSWER; what its reader says. */
MUST_USE err custody_outbox_answer(struct engine *engine, const struct peer *peer,
                                   struct bytes frame);
/* EVENT_LOADED, and CUSTODY_ENCLOSE is answered, with our token. */
void custody_outbox_loaded(struct engine *engine, const struct event *event, struct step *step);
void custody_outbox_enclosed(struct engine *engine, const struct event *event, struct step *step);

/* ---- for custody_outbox_due ---- */

/* What is to lie there: one of enum custody_outbox_what. */
uint8_t custody_outbox_what(const struct deposit *deposit);
int custody_outbox_bits(unsigned bits);

/* NULL when there is no room. */
struct custody_outbox_reach *custody_outbox_reach_of(struct engine *engine,
                                                     const struct node_id *node, uint32_t slot);
struct deposit_id custody_outbox_id_of(const struct engine *engine, const struct deposit *deposit,
                                       uint8_t what);

/* The custodian of this rank, if it is connected and was not asked yet; NULL. */
struct peer *custody_outbox_candidate(struct engine *engine, const struct deposit *deposit,
                                      const struct custodians *custodians, uint32_t rank);

/* Reads the record: custody_outbox_loaded follows. One at a time. */
void custody_outbox_read(struct engine *engine, struct deposit *deposit, struct step *step);

#endif
