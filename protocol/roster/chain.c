#include "protocol/roster/chain.h"

#include <string.h>

void chain_init(struct chain *chain, const struct federation_id *federation)
{
    memset(&chain->federation, 0, sizeof chain->federation);
    memset(&chain->tip, 0, sizeof chain->tip);
    chain->count = 0;
    chain->officer_set_count = 0;
    chain->healed_epoch = 0;
    if (federation != NULL)
        chain->federation = *federation;
}

/* ---- finding ---- */

/* The newest heads are requested most often. */
const struct chain_link *chain_find(const struct chain *chain, const struct head_id *id)
{
    for (uint32_t i = chain->count; i > 0; i--) {
        if (ID_EQUAL(chain->links[i - 1].id, *id))
            return &chain->links[i - 1];
    }
    return NULL;
}

const struct chain_link *chain_since(const struct chain *chain, uint64_t epoch)
{
    uint32_t low = 0, high = chain->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (chain->links[middle].epoch < epoch)
            low = middle + 1;
        else
            high = middle;
    }
    return low < chain->count ? &chain->links[low] : NULL;
}

const struct chain_link *chain_last(const struct chain *chain)
{
    return chain->count == 0 ? NULL : &chain->links[chain->count - 1];
}

enum chain_relation chain_compare(const struct chain *chain, uint64_t epoch,
                                  const struct head_id *id)
{
    const struct chain_link *last = chain_last(chain);
    if (last == NULL || epoch > last->epoch)
        return CHAIN_PEER_AHEAD;
    if (ID_EQUAL(last->id, *id))
        return CHAIN_SAME;
    return chain_find(chain, id) != NULL ? CHAIN_PEER_BEHIND : CHAIN_SPLIT; /* ROSTER-29 */
}

/* ---- growing ---- */

static bool chain_officers_equal(const struct officers *a, const struct officers *b)
{
    return a->count == b->count && a->threshold == b->threshold &&
           memcmp(a->keys, b->keys, a->count * sizeof a->keys[0]) == 0;
}

/* The index of `officers`, added when they are new; -1 when the sets are full. */
static int64_t chain_officers(struct chain *chain, const struct officers *officers)
{
    for (uint32_t i = chain->officer_set_count; i > 0; i--) {
        if (chain_officers_equal(&chain->officer_sets[i - 1], officers))
            return i - 1;
    }
    if (chain->officer_set_count == chain->officer_set_capacity)
        return -1;
    chain->officer_sets[chain->officer_set_count] = *officers;
    return chain->officer_set_count++;
}

/* A parsed head: its fields, its id and its signatures. */
struct chain_claim {
    struct roster_head_signed signed_head;
    struct roster_head head;
    struct head_id id;
};

static err chain_read(const struct chain *chain, struct bytes signed_head,
                      struct chain_claim *ret_claim)
{
    err failure = roster_head_signed_read(signed_head, &ret_claim->signed_head);
    if (failure != OK)
        return failure;
    ret_claim->id = roster_head_id(ret_claim->signed_head.body);
    if (chain_find(chain, &ret_claim->id) != NULL)
        return ERR_DUPLICATE;
    return roster_head_read(ret_claim->signed_head.body, &ret_claim->head);
}

static err chain_push(struct chain *chain, const struct chain_claim *claim, struct wall received)
{
    if (chain->count == chain->capacity)
        return ERR_FULL;
    int64_t officers = chain_officers(chain, &claim->head.officers);
    if (officers < 0)
        return ERR_FULL;
    chain->links[chain->count++] = (struct chain_link){
        .id = claim->id,
        .epoch = claim->head.epoch,
        .received = received,
        .officers = (uint32_t)officers,
    };
    chain->tip = claim->head;
    if (claim->head.heal_count > 0)
        chain->healed_epoch = claim->head.epoch;
    return OK;
}

/* ROSTER-5: the officers of both sides together. */
static err chain_found(struct chain *chain, const struct chain_claim *claim, struct wall received)
{
    struct federation_id federation = roster_head_federation(&claim->id);
    if (!ID_IS_ZERO(chain->federation) && !ID_EQUAL(chain->federation, federation))
        return ERR_BAD_HASH;
    const struct officers *officers = &claim->head.officers;
    err failure = roster_head_signatures_check(&claim->signed_head, officers, officers->count);
    if (failure == OK)
        failure = chain_push(chain, claim, received);
    if (failure == OK)
        chain->federation = federation;
    return failure;
}

/* ROSTER-6: an ordinary head is one epoch later; a healing head is above both heads that it
 * heals. */
static bool chain_epoch_fits(const struct chain_link *previous, const struct roster_head *head)
{
    if (head->heal_count > 0)
        return head->epoch > previous->epoch + 1;
    return head->epoch == previous->epoch + 1;
}

/* OK when the officers of its previous head, which is in the chain, signed it. */
static err chain_descends(const struct chain *chain, const struct chain_claim *claim,
                          const struct chain_link **ret_previous)
{
    const struct chain_link *previous = chain_find(chain, &claim->head.previous);
    if (chain->count > 0 && !ID_EQUAL(claim->head.federation, chain->federation))
        return ERR_BAD_HASH;
    if (previous == NULL)
        return ERR_OUT_OF_ORDER;
    if (!chain_epoch_fits(previous, &claim->head))
        return ERR_MALFORMED;
    *ret_previous = previous;
    const struct officers *officers = &chain->officer_sets[previous->officers];
    return roster_head_signatures_check(&claim->signed_head, officers, officers->threshold);
}

err chain_learn(struct chain *chain, struct bytes signed_head, struct wall received)
{
    struct chain_claim claim;
    const struct chain_link *previous;
    err failure = chain_read(chain, signed_head, &claim);
    if (failure != OK)
        return failure;
    if (chain->count == 0 && claim.head.epoch == ROSTER_HEAD_EPOCH_FIRST)
        return chain_found(chain, &claim, received);
    if (claim.head.epoch == ROSTER_HEAD_EPOCH_FIRST)
        return ERR_BAD_HASH;
    failure = chain_descends(chain, &claim, &previous);
    if (failure != OK)
        return failure;
    if (previous != chain_last(chain))
        return ERR_FORKED; /* ROSTER-28: the caller keeps the proof */
    return chain_push(chain, &claim, received);
}

/* ROSTER-34: it must name the last head of this chain; the caller guarantees the confirmation. */
static err chain_read_healing(const struct chain *chain, struct bytes signed_head,
                              struct chain_claim *ret_claim)
{
    const struct chain_link *previous;
    const struct chain_link *last = chain_last(chain);
    err failure = chain_read(chain, signed_head, ret_claim);
    if (failure != OK)
        return failure;
    const struct roster_head *head = &ret_claim->head;
    if (head->heal_count == 0 || last == NULL ||
        (!ID_EQUAL(head->heals[0], last->id) && !ID_EQUAL(head->heals[1], last->id)))
        return ERR_INVALID;
    failure = chain_descends(chain, ret_claim, &previous);
    if (failure != OK)
        return failure;
    return head->epoch <= last->epoch ? ERR_MALFORMED : OK;
}

err chain_healing(const struct chain *chain, struct bytes signed_head, struct roster_head *ret_head)
{
    struct chain_claim claim;
    err failure = chain_read_healing(chain, signed_head, &claim);
    if (failure == OK)
        *ret_head = claim.head;
    return failure;
}

err chain_heal(struct chain *chain, struct bytes signed_head, struct wall received)
{
    struct chain_claim claim;
    err failure = chain_read_healing(chain, signed_head, &claim);
    return failure == OK ? chain_push(chain, &claim, received) : failure;
}

void chain_unlearn(struct chain *chain, uint32_t count, const struct roster_head *tip)
{
    if (count >= chain->count)
        return;
    chain->count = count;
    chain->tip = *tip;
    if (count == 0 || chain->healed_epoch > chain->links[count - 1].epoch)
        chain->healed_epoch = 0;
    uint32_t used = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (chain->links[i].officers >= used)
            used = chain->links[i].officers + 1;
    }
    chain->officer_set_count = used;
}
