/* A head that heals a split of the roster (spec/roster.md, 4): it came, it waits, and it is
 * followed when the administrator typed the fingerprint that the society's officers read out. */
#ifndef CONSILIUM_NODE_FEDERATION_HEALING_H
#define CONSILIUM_NODE_FEDERATION_HEALING_H

#include "protocol/roster/chain.h"
#include "store/store.h"

struct healing {
    struct head_id confirmed; /* zeros: none yet */
    struct head_id id;        /* of the one that waits; zeros: none */
    uint64_t epoch;
    uint8_t head[HEAD_SIZE_MAX];
    size_t head_size;
};

/* What was confirmed before the start. ERR_IO and others: the store cannot be read. */
MUST_USE err healing_open(struct healing *healing, struct store *store);

/* True when `signed_head` would heal a split from our last head on: it is kept, until another one
 * comes. `*ret_is_news` tells whether it is another than the one that waited. */
bool healing_offer(struct healing *healing, const struct chain *chain, struct bytes signed_head,
                   bool *ret_is_news);

/* The one that waits was confirmed. */
bool healing_is_confirmed(const struct healing *healing);

/* `fingerprint` as it was read out. The word is durable before anything follows from it.
 *
 *   ERR_NOT_FOUND  none waits
 *   ERR_BAD_HASH   another one waits: do not follow it, tell the officers
 *   and as store_commit */
MUST_USE err healing_confirm(struct healing *healing, struct store *store, const char *fingerprint);

#endif
