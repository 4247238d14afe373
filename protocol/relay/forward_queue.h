/* The frames that a relay has accepted and not yet forwarded: bounded for each pair of members, for
 * each sending member and for all, and forwarded fairly.
 *
 * Members are numbered from 1 to `member_count`; the caller knows who they are. A *pair* is
 * (sender, key of the addressee). Sizes count in units of RELAY_UNIT_SIZE. A frame is charged to
 * its sender until forward_queue_take_credit or forward_queue_take_status returns its units. So the
 * charge of a member never exceeds `member_units`, the memory for all is member_count *
 * member_units, and there is always space for a frame within credit.
 *
 * Fairness is deficit round robin (Shreedhar and Varghese 1995) twice: among members that have
 * something to send, then among the pairs of the member whose turn it is. A pair whose addressee is
 * blocked waits separately and costs the others nothing. */
#ifndef CONSILIUM_PROTOCOL_RELAY_FORWARD_QUEUE_H
#define CONSILIUM_PROTOCOL_RELAY_FORWARD_QUEUE_H

#include "protocol/base/hash_index.h"
#include "protocol/base/ids.h"
#include "protocol/base/queue.h"
#include "protocol/wire/relay_frame.h"

enum {
    FORWARD_QUEUE_QUANTUM_UNITS = 16, /* a member's share in one round, 8 KiB */
    FORWARD_QUEUE_CREDIT_MS = 50,     /* small credits wait this long to be sent together */
    FORWARD_QUEUE_CREDIT_SHARE = 4,   /* 1/4 of a window is returned at once */
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

/* Takes its memory from the arena; only measures when the arena does. `limits` must satisfy the
 * bounds at its fields. */
void forward_queue_init(struct forward_queue *forward_queue,
                        const struct forward_queue_limits *limits,
                        const uint8_t secret[static HASH_INDEX_SECRET_SIZE], struct arena *arena);

enum forward_queue_answer {
    FORWARD_QUEUE_QUEUED,   /* will be forwarded, or a status will report that it was not */
    FORWARD_QUEUE_BUSY,     /* over credit: not accepted, not charged; a status will report it */
    FORWARD_QUEUE_SESSIONS, /* one pair too many: not accepted, not charged; the caller reports it
                             */
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

/* The next frame to send. It stays until forward_queue_taken; the same call again returns it again,
 * unless its addressee was blocked. False when nothing can be sent. */
bool forward_queue_next(struct forward_queue *forward_queue, struct forward_queue_frame *ret_frame);

/* Copies the box of that frame to `out`. */
void forward_queue_copy(const struct forward_queue *forward_queue,
                        const struct forward_queue_frame *frame, uint8_t *out);

/* The frame was sent: frees its space; its credit is owed to the sender from now on. */
void forward_queue_taken(struct forward_queue *forward_queue,
                         const struct forward_queue_frame *frame, struct mono now);

/* The addressee accepts nothing until forward_queue_unblock. Repeated calls are allowed. */
void forward_queue_block(struct forward_queue *forward_queue, uint32_t to);
void forward_queue_unblock(struct forward_queue *forward_queue, uint32_t to);

/* A member left: the frames that it sent are dropped, the frames for it are returned by GONE
 * statuses. Its number may be used again for another member. */
void forward_queue_leave(struct forward_queue *forward_queue, uint32_t member);

/* A member to which credit or a status is due now, or 0; each is returned once until something new
 * is due. */
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

/* Makes small credits due that waited long enough. */
void forward_queue_on_time(struct forward_queue *forward_queue, struct mono now);
/* UINT64_MAX when none waits. */
struct mono forward_queue_deadline(const struct forward_queue *forward_queue);

/* Units in queues now, and pairs. */
uint32_t forward_queue_queued_units(const struct forward_queue *forward_queue);
uint32_t forward_queue_pair_count(const struct forward_queue *forward_queue);

#endif
