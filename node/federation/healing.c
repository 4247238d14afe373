#include "node/federation/healing.h"

#include <string.h>

#include "protocol/fingerprint.h"
#include "store/row_table.h"

static const uint8_t healing_key[] = {'c'}; /* among the HEAD rows */

err healing_open(struct healing *healing, struct store *store)
{
    const struct bytes key = {healing_key, sizeof healing_key};
    struct buffer row = buffer_over(healing->confirmed.bytes, HASH_SIZE);
    err failure = row_table_get(store, STORE_TABLE_HEAD, key, &row);
    return failure == ERR_NOT_FOUND ? OK : failure;
}

bool healing_offer(struct healing *healing, const struct chain *chain, struct bytes signed_head,
                   bool *ret_is_news)
{
    struct roster_head head;
    struct roster_head_signed claimed;
    if (chain_healing(chain, signed_head, &head) != OK ||
        roster_head_signed_read(signed_head, &claimed) != OK ||
        signed_head.size > sizeof healing->head)
        return false;
    struct head_id id = roster_head_id(claimed.body);
    *ret_is_news = healing->head_size == 0 || !ID_EQUAL(id, healing->id);
    healing->id = id;
    healing->epoch = head.epoch;
    memcpy(healing->head, signed_head.data, signed_head.size);
    healing->head_size = signed_head.size;
    return true;
}

bool healing_is_confirmed(const struct healing *healing)
{
    return healing->head_size > 0 && ID_EQUAL(healing->confirmed, healing->id);
}

err healing_confirm(struct healing *healing, struct store *store, const char *fingerprint)
{
    struct hash hash;
    if (healing->head_size == 0)
        return ERR_NOT_FOUND;
    memcpy(hash.bytes, healing->id.bytes, HASH_SIZE);
    if (!fingerprint_matches(&hash, fingerprint))
        return ERR_BAD_HASH;
    struct store_op op = {.kind = STORE_ROW_PUT};
    op.row = (struct store_row){
        STORE_TABLE_HEAD, {healing_key, sizeof healing_key}, ID_BYTES(healing->id)};
    err failure = store_commit(store, &op, 1, STORE_NORMAL, NULL);
    if (failure == OK)
        healing->confirmed = healing->id;
    return failure;
}
