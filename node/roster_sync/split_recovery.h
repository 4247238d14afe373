/* A head that heals a split of the roster (spec/roster.md, 4): it came, it waits, and it is
 * followed when the administrator typed the fingerprint that the society's officers read out. */
#ifndef CONSILIUM_NODE_ROSTER_SYNC_SPLIT_RECOVERY_H
#define CONSILIUM_NODE_ROSTER_SYNC_SPLIT_RECOVERY_H

#include "protocol/roster/chain.h"
#include "store/store.h"

struct split_recovery {
    struct head_id confirmed; /* zeros: none yet */
    struct head_id id;        /* of the one that waits; zeros: none */
    uint64_t epoch;
    uint8_t head[HEAD_SIZE_MAX];
    size_t head_size;
};

/* What was confirmed before the start. ERR_IO and others: the store cannot be read. */
MUST_USE err split_recovery_open(struct split_recovery *split_recovery, struct store *store);

/* True when `signed_head` would heal a split from our last head on: it is kept, until another one
 * comes. `*ret_is_news` tells whether it is another than the one that waited. */
bool split_recovery_offer(struct split_recovery *split_recovery, const struct chain *chain,
                          struct bytes signed_head, bool *ret_is_news);

/* The one that waits was confirmed. */
bool split_recovery_is_confirmed(const struct split_recovery *split_recovery);

/* `fingerprint` as it was read out. The word is durable before anything follows from it.
 *
 *   ERR_NOT_FOUND  none waits
 *   ERR_BAD_HASH   another one waits: do not follow it, tell the officers
 *   and as store_commit */
MUST_USE err split_recovery_confirm(struct split_recovery *split_recovery, struct store *store,
                                    const char *fingerprint);

#endif
