#include "node/rows/mailbox_row.h"

#include <string.h>

#include "store/row_table.h"

struct store_op mailbox_row_put(const struct mailbox_key *key, const uint8_t *secret)
{
    struct store_op op = {.kind = STORE_ROW_PUT};
    op.row = (struct store_row){STORE_TABLE_MAILBOX, ID_BYTES(*key), {secret, KEY_SIZE}};
    return op;
}

struct store_op mailbox_row_delete(const struct mailbox_key *key)
{
    struct store_op op = {.kind = STORE_ROW_DELETE};
    op.row = (struct store_row){STORE_TABLE_MAILBOX, ID_BYTES(*key), BYTES_NONE};
    return op;
}

struct mailbox_row_walk {
    bool (*on_row)(void *arg, const struct mailbox_key *key, const uint8_t *secret);
    void *arg;
};

static bool mailbox_row_on_row(void *arg, const struct store_row *from)
{
    const struct mailbox_row_walk *walk = arg;
    struct mailbox_key key;
    if (from->key.size != KEY_SIZE || from->value.size != KEY_SIZE)
        return true;
    memcpy(key.bytes, from->key.data, KEY_SIZE);
    return walk->on_row(walk->arg, &key, from->value.data);
}

err mailbox_row_scan(struct store *store,
                     bool (*on_row)(void *arg, const struct mailbox_key *key,
                                    const uint8_t *secret),
                     void *arg)
{
    struct mailbox_row_walk walk = {on_row, arg};
    return row_table_scan(store, STORE_TABLE_MAILBOX, mailbox_row_on_row, &walk);
}
