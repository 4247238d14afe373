#include "node/rows/purge_row.h"

#include "protocol/base/hash.h"
#include "store/row_table.h"

static struct bytes purge_row_key(const struct purge_row *row, struct purge_row_bytes *memory)
{
    struct buffer key = buffer_over(memory->key, sizeof memory->key);
    buffer_u8(&key, (uint8_t)row->scope.kind);
    buffer_put(&key, row->scope.id, HASH_SIZE);
    buffer_put(&key, row->writer.bytes, NODE_ID_SIZE);
    buffer_put(&key, row->case_id.bytes, HASH_SIZE);
    return buffer_bytes(&key);
}

struct store_op purge_row_put(const struct purge_row *row, struct purge_row_bytes *memory)
{
    struct store_op op = {.kind = STORE_ROW_PUT};
    op.row = (struct store_row){STORE_TABLE_RETRACTION, purge_row_key(row, memory), BYTES_NONE};
    return op;
}

struct store_op purge_row_delete(const struct purge_row *row, struct purge_row_bytes *memory)
{
    struct store_op op = {.kind = STORE_ROW_DELETE};
    op.row = (struct store_row){STORE_TABLE_RETRACTION, purge_row_key(row, memory), BYTES_NONE};
    return op;
}

struct hash purge_row_tombstone(const struct purge_row *row)
{
    struct purge_row_bytes memory;
    return hash_one(CONTEXT_RETRACTION, purge_row_key(row, &memory));
}

struct purge_row_walk {
    bool (*on_row)(void *arg, const struct purge_row *row);
    void *arg;
};

static bool purge_row_on_row(void *arg, const struct store_row *from)
{
    const struct purge_row_walk *walk = arg;
    struct reader key = reader_of(from->key);
    struct purge_row row = {.scope.kind = (enum scope_kind)reader_u8(&key)};
    reader_copy(&key, row.scope.id, HASH_SIZE);
    reader_copy(&key, row.writer.bytes, NODE_ID_SIZE);
    reader_copy(&key, row.case_id.bytes, HASH_SIZE);
    return !reader_done(&key) || walk->on_row(walk->arg, &row);
}

err purge_row_scan(struct store *store, bool (*on_row)(void *arg, const struct purge_row *row),
                   void *arg)
{
    struct purge_row_walk walk = {on_row, arg};
    return row_table_scan(store, STORE_TABLE_RETRACTION, purge_row_on_row, &walk);
}
