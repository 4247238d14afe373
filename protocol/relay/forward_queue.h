/* The frames that a relay has accepted and not yet passed on: bounded for each pair of members, for
 * each sending member and for all, and passed on fairly.
 *
 * Members are numbered from 1 to `member_count`; who they are is the caller's affair. A *pair* is
 * (sender, key of the addressee). Sizes count in units of RELAY_UNIT_SIZE. What a member sent is
 * charged to it until the credit for it was taken with forward_queue_take_credit or
 * forward_queue_take_status; so its charge never passes `member_units`, all memory together is
 * member_count * member_units, and what is within credit always has a place.
 *
 * Fairness is deficit round robin (Shreedhar and Varghese 1995) twice: among members that have
 * something to send, then among the pairs of the member whose turn it is. A pair whose addressee
 * takes nothing now waits aside and costs the others nothing. */
#ifndef CONSILIUM_PROTOCOL_RELAY_FORWARD_QUEUE_H
#define CONSILIUM_PROTOCOL_RELAY_FORWARD_QUEUE_H

#include "protocol/base/hash_index.h"
#include "protocol/base/ids.h"
#include "protocol/base/queue.h"
#include "protocol/wire/relay_frame.h"

enum {
    FORWARD_QUEUE_QUANTUM_UNITS = 16, /* a member's share in one round, 8 KiB */
    FORWARD_QUEUE_CREDIT_MS = 50,     /* small credits wait this long for company */
    FORWARD_QUEUE_CREDIT_SHARE = 4,   /* 1/4 of a window is given back at once */
};

struct forward_queue_limits {
    uint32_t member_count;
    uint32_t pair_units;    /* at least RELAY_UNITS_MAX */
    uint32_t member_units;  /* at least pair_units */
    uint32_t session_count; /* pairs of one sender */
};

struct forward_queue_pair;   /* forward_queue.c */
struct forward_queue_member; /* forward_queue.c */

struct forward_queue {
    struct forward_queue_limits limits;
    uint8_t secret[HASH_INDEX_SECRET_SIZE];
    uint8_t *blocks;      /* units, from 1 */
    uint32_t *block_next; /* within a pair's queue */
    struct arena_places block_places;
    struct forward_queue_pair *pairs;
    struct arena_places pair_places;
    struct hash_index pair_finder;
    struct queue_node *pair_of_sender, *pair_of_addressee; /* all pairs of a member */
    struct queue_node *pair_turn;                          /* ready at the sender, or waiting */
    struct queue_node *pair_owing, *pair_telling;
    struct forward_queue_member *members;
    struct queue_node *member_active, *member_owing, *member_notified;
    struct queue active, owing, notified;
};

/* Cuts what it needs from the slab; only measures when the slab does. `limits` must hold what is
 * said at its fields. */
void forward_queue_init(struct forward_queue *forward_queue,
                        const struct forward_queue_limits *limits,
                        const uint8_t secret[static HASH_INDEX_SECRET_SIZE], struct arena *arena);

enum forward_queue_answer {
    FORWARD_QUEUE_QUEUED,   /* will be passed on, or a status will say that it was not */
    FORWARD_QUEUE_BUSY,     /* over credit: not taken, not charged; a status will say so */
    FORWARD_QUEUE_SESSIONS, /* one pair too many: not taken, not charged; the caller says so */
};

/* Accepts a copy of a box from member `from`. `to` is the member that has the addressee's `key`, or
 * 0 when none is connected: then a GONE status follows. */
enum forward_queue_answer forward_queue_push(struct forward_queue *forward_queue, uint32_t from,
                                             uint32_t to, const struct transport_key *key,
                                             struct bytes box);

struct forward_queue_frame {
    uint32_t pair;
    uint32_t from;
    uint32_t to;
    size_t size; /* of the box, at most TUNNEL_SIZE_MAX */
};

/* Whose frame is due. It stays until forward_queue_taken; the same call again gives it again,
 * unless its addressee was blocked. False when nothing can be sent. */
bool forward_queue_next(struct forward_queue *forward_queue, struct forward_queue_frame *ret_frame);

/* Copies the box of that frame to `out`. */
void forward_queue_copy(const struct forward_queue *forward_queue,
                        const struct forward_queue_frame *frame, uint8_t *out);

/* It was sent: frees its place; the sender's credit is owed from now on. */
void forward_queue_taken(struct forward_queue *forward_queue,
                         const struct forward_queue_frame *frame, struct mono now);

/* The addressee takes nothing until forward_queue_unblock. Either may be said twice. */
void forward_queue_block(struct forward_queue *forward_queue, uint32_t to);
void forward_queue_unblock(struct forward_queue *forward_queue, uint32_t to);

/* A member is gone: what it sent is dropped, what was for it is returned by GONE statuses. Its
 * number may be used again for another. */
void forward_queue_leave(struct forward_queue *forward_queue, uint32_t member);

/* A member to which credit or a status is due now, or 0; each is named once until something new is
 * due. */
uint32_t forward_queue_pop_notified(struct forward_queue *forward_queue);

/* Takes up to `count_max` entries of credit that is due to `from`; 0 when none is. */
uint16_t forward_queue_take_credit(struct forward_queue *forward_queue, uint32_t from,
                                   struct relay_entry *entries, uint16_t count_max);

/* Takes one status that is due: GONE or BUSY with key and units. */
struct forward_queue_status {
    enum relay_code code;
    struct transport_key key;
    uint32_t units;
};
bool forward_queue_take_status(struct forward_queue *forward_queue, uint32_t from,
                               struct forward_queue_status *ret_status);

/* Small credits that waited long enough become due. */
void forward_queue_on_time(struct forward_queue *forward_queue, struct mono now);
/* UINT64_MAX when none waits. */
struct mono forward_queue_deadline(const struct forward_queue *forward_queue);

/* Units in queues now, and pairs. */
uint32_t forward_queue_queued_units(const struct forward_queue *forward_queue);
uint32_t forward_queue_pair_count(const struct forward_queue *forward_queue);

#endif
