#include "node/roster_sync/split_recovery.h"

#include <string.h>

#include "node/rows/roster_row.h"
#include "protocol/base/fingerprint.h"

err split_recovery_open(struct split_recovery *split_recovery, struct store *store)
{
    err failure = roster_row_confirmed_get(store, &split_recovery->confirmed);
    return failure == ERR_NOT_FOUND ? OK : failure;
}

bool split_recovery_offer(struct split_recovery *split_recovery, const struct chain *chain,
                          struct bytes signed_head, bool *ret_is_news)
{
    struct roster_head head;
    struct roster_head_signed claimed;
    if (chain_healing(chain, signed_head, &head) != OK ||
        roster_head_signed_read(signed_head, &claimed) != OK ||
        signed_head.size > sizeof split_recovery->head)
        return false;
    struct head_id id = roster_head_id(claimed.body);
    *ret_is_news = split_recovery->head_size == 0 || !ID_EQUAL(id, split_recovery->id);
    split_recovery->id = id;
    split_recovery->epoch = head.epoch;
    memcpy(split_recovery->head, signed_head.data, signed_head.size);
    split_recovery->head_size = signed_head.size;
    return true;
}

bool split_recovery_is_confirmed(const struct split_recovery *split_recovery)
{
    return split_recovery->head_size > 0 && ID_EQUAL(split_recovery->confirmed, split_recovery->id);
}

err split_recovery_confirm(struct split_recovery *split_recovery, struct store *store,
                           const char *fingerprint)
{
    struct hash hash;
    if (split_recovery->head_size == 0)
        return ERR_NOT_FOUND;
    memcpy(hash.bytes, split_recovery->id.bytes, HASH_SIZE);
    if (!fingerprint_matches(&hash, fingerprint))
        return ERR_BAD_HASH;
    struct store_op op = roster_row_confirmed_put(&split_recovery->id);
    err failure = store_commit(store, &op, 1, STORE_NORMAL, NULL);
    if (failure == OK)
        split_recovery->confirmed = split_recovery->id;
    return failure;
}
