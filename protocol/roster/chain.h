/* The chain of known roster heads, in order, without their content.
 *
 * A node, a relay and a verifier of exports each keep one. A head is accepted when it continues the
 * last one (or founds the federation) and enough officers of the previous head signed it. The chain
 * never goes back. */
#ifndef CONSILIUM_PROTOCOL_ROSTER_CHAIN_H
#define CONSILIUM_PROTOCOL_ROSTER_CHAIN_H

#include "protocol/roster/roster_head.h"

struct chain_link {
    struct head_id id;
    uint64_t epoch;
    struct wall received; /* when it became durable here */
    uint32_t officers;    /* index of its officers in `officer_sets` */
};

/* The caller owns the memory, which must live as long as the chain. */
struct chain {
    struct federation_id federation; /* zeros: accept any founding head */
    struct chain_link *links;        /* by epoch, ascending */
    uint32_t count;
    uint32_t capacity;
    struct officers *officer_sets; /* each different set once */
    uint32_t officer_set_count;
    uint32_t officer_set_capacity;
    uint64_t healed_epoch;  /* of the last healing head learned since chain_init; 0: none */
    struct roster_head tip; /* the last head; valid when count > 0 */
};

/* `federation` NULL or zeros: trust the first founding head that arrives. */
void chain_init(struct chain *chain, const struct federation_id *federation);

/* Adds one signed head. `chain` does not change unless OK.
 *
 *   ERR_DUPLICATE      it is in the chain already; do nothing
 *   ERR_OUT_OF_ORDER   it does not continue a head of this chain: there is a gap, or it descends
 *                      from a head of another chain; ask the sender for its earlier heads
 *   ERR_FORKED         it is validly signed and continues a head of this chain, which has another
 *                      head at its epoch: keep its bytes as proof, show it. A healing head that
 *                      names the last head of this chain gets this too, until `chain_heal`
 *   ERR_THRESHOLD, ERR_BAD_SIGNATURE   not signed by enough officers; keep as proof, show
 *   ERR_BAD_HASH       a founding head of another federation
 *   ERR_FULL           the chain has no free entry
 *   and the errors of reading */
MUST_USE err chain_learn(struct chain *chain, struct bytes signed_head, struct wall received);

/* Checks whether chain_heal would accept the head, before the administrator is asked to confirm.
 * `*ret_head` gets the parsed head. */
MUST_USE err chain_healing(const struct chain *chain, struct bytes signed_head,
                           struct roster_head *ret_head);

/* Adds a healing head that the administrator confirmed: it names the last head of this chain, its
 * previous head is the last common head, and the officers of that head signed it. Errors as above;
 * ERR_INVALID when it heals something else. */
MUST_USE err chain_heal(struct chain *chain, struct bytes signed_head, struct wall received);

/* Removes the last head if it was learned after the chain held `count`; for a caller whose next
 * step failed. `tip` is the head that was the last then. */
void chain_unlearn(struct chain *chain, uint32_t count, const struct roster_head *tip);

/* NULL when it is not in the chain. */
const struct chain_link *chain_find(const struct chain *chain, const struct head_id *id);

/* The first link whose epoch is at least `epoch`; NULL when all are lower. */
const struct chain_link *chain_since(const struct chain *chain, uint64_t epoch);

/* NULL when the chain is empty. */
const struct chain_link *chain_last(const struct chain *chain);

/* The last head of a peer, from its hello, compared with this chain. */
enum chain_relation {
    CHAIN_SAME,
    CHAIN_PEER_BEHIND, /* its head is in this chain, and not the last */
    CHAIN_PEER_AHEAD,  /* its epoch is higher: ask for its heads */
    CHAIN_SPLIT,       /* this chain does not have its head, at an epoch that it has passed */
};
enum chain_relation chain_compare(const struct chain *chain, uint64_t epoch,
                                  const struct head_id *id);

#endif
