/* The heads that are known here, in order, without what they stand for.
 *
 * A node, a relay and a verifier of exports all keep one. A head is taken when it continues the
 * last one (or founds) and enough officers of the one before signed it. It never goes back. */
#ifndef CONSILIUM_PROTOCOL_ROSTER_CHAIN_H
#define CONSILIUM_PROTOCOL_ROSTER_CHAIN_H

#include "protocol/roster/roster_head.h"

struct chain_link {
    struct head_id id;
    uint64_t epoch;
    struct wall received; /* when it became known here, durably */
    uint32_t officers;    /* index of its officers in `officer_sets` */
};

/* Memory is the caller's and lives as long as the chain. */
struct chain {
    struct federation_id federation; /* zeros: whatever the founding head founds */
    struct chain_link *links;        /* by epoch, ascending */
    uint32_t count;
    uint32_t capacity;
    struct officers *officer_sets; /* each different set once */
    uint32_t officer_set_count;
    uint32_t officer_set_capacity;
    uint64_t healed_epoch;  /* of the last healing head learnt since chain_init; 0: none */
    struct roster_head tip; /* the last; meaningful when count > 0 */
};

/* `federation` NULL or zeros: trust the first founding head that comes. */
void chain_init(struct chain *chain, const struct federation_id *federation);

/* Takes one signed head. `chain` is unchanged unless OK.
 *
 *   ERR_DUPLICATE      it is here already; nothing to do
 *   ERR_OUT_OF_ORDER   it does not continue a head that is here: there is a gap, or it descends
 *                      from a head that is not ours; ask the sender for its earlier heads
 *   ERR_FORKED         validly signed, its previous is ours, and yet another head of ours stands
 *                      at its epoch: keep its bytes as proof, show it. A healing head that names
 *                      the last head here is answered so too, until `chain_heal`
 *   ERR_THRESHOLD, ERR_BAD_SIGNATURE   not signed by enough officers; keep as proof, show
 *   ERR_BAD_HASH       a founding head of another federation
 *   ERR_FULL           no room in the chain
 *   and the errors of reading */
MUST_USE err chain_learn(struct chain *chain, struct bytes signed_head, struct wall received);

/* Whether chain_heal would take it: for asking the administrator. `*ret_head` gets what it says. */
MUST_USE err chain_healing(const struct chain *chain, struct bytes signed_head,
                           struct roster_head *ret_head);

/* Takes a healing head, after the administrator confirmed it: it names the last head here, its
 * previous is the last common head, the officers of that head signed it. Errors as above;
 * ERR_INVALID when it heals something else. */
MUST_USE err chain_heal(struct chain *chain, struct bytes signed_head, struct wall received);

/* Drops the last head again, if it was learnt after `count`; for a caller whose next step failed.
 * `tip` is the head that was the last then. */
void chain_unlearn(struct chain *chain, uint32_t count, const struct roster_head *tip);

/* NULL when it is not here. */
const struct chain_link *chain_find(const struct chain *chain, const struct head_id *id);

/* The first link whose epoch is at least `epoch`; NULL when all are below. */
const struct chain_link *chain_since(const struct chain *chain, uint64_t epoch);

/* NULL when none is known yet. */
const struct chain_link *chain_last(const struct chain *chain);

/* What a peer's hello says about its last head, seen from here. */
enum chain_relation {
    CHAIN_SAME,
    CHAIN_PEER_BEHIND, /* its head is one of ours, not the last */
    CHAIN_PEER_AHEAD,  /* an epoch above ours: ask for its heads */
    CHAIN_SPLIT,       /* a head we do not have, at an epoch that we have passed */
};
enum chain_relation chain_compare(const struct chain *chain, uint64_t epoch,
                                  const struct head_id *id);

#endif
