#include "node/rows/missing_row.h"

#include "store/row_table.h"

static struct bytes missing_row_key(const struct stream_id *stream, uint64_t sequence,
                                    uint8_t memory[static MISSING_ROW_KEY_SIZE])
{
    struct buffer key = buffer_over(memory, MISSING_ROW_KEY_SIZE);
    stream_id_write(&key, stream);
    buffer_u64(&key, sequence);
    return buffer_bytes(&key);
}

struct store_op missing_row_put(const struct missing_row *row, struct missing_row_bytes *memory)
{
    struct buffer value = buffer_over(memory->value, sizeof memory->value);
    struct store_op op = {.kind = STORE_ROW_PUT};
    buffer_put(&value, row->record.bytes, HASH_SIZE);
    buffer_u32(&value, row->flags);
    buffer_u8(&value, (uint8_t)row->audience);
    op.row = (struct store_row){STORE_TABLE_LACK,
                                missing_row_key(&row->stream, row->sequence, memory->key),
                                buffer_bytes(&value)};
    return op;
}

struct store_op missing_row_delete(const struct stream_id *stream, uint64_t sequence,
                                   struct missing_row_bytes *memory)
{
    struct store_op op = {.kind = STORE_ROW_DELETE};
    op.row = (struct store_row){STORE_TABLE_LACK, missing_row_key(stream, sequence, memory->key),
                                BYTES_NONE};
    return op;
}

static err missing_row_read(const struct store_row *from, struct missing_row *ret_row)
{
    struct reader key = reader_of(from->key), value = reader_of(from->value);
    struct missing_row row;
    err failure = stream_id_read(&key, &row.stream);
    row.sequence = reader_u64(&key);
    reader_copy(&value, row.record.bytes, HASH_SIZE);
    row.flags = reader_u32(&value);
    row.audience = (enum audience)reader_u8(&value);
    if (failure != OK || !reader_done(&key) || !reader_done(&value))
        return ERR_CORRUPT;
    *ret_row = row;
    return OK;
}

err missing_row_get(struct store *store, const struct stream_id *stream, uint64_t sequence,
                    struct missing_row *ret_row)
{
    struct missing_row_bytes memory;
    struct buffer value = buffer_over(memory.value, sizeof memory.value);
    struct store_row row = {.table = STORE_TABLE_LACK,
                            .key = missing_row_key(stream, sequence, memory.key)};
    err failure = row_table_get(store, STORE_TABLE_LACK, row.key, &value);
    row.value = buffer_bytes(&value);
    if (failure == OK)
        failure = missing_row_read(&row, ret_row);
    return failure == ERR_TOO_LARGE ? ERR_CORRUPT : failure;
}

struct missing_row_walk {
    bool (*on_row)(void *arg, const struct missing_row *row);
    void *arg;
    err failure;
};

static bool missing_row_on_row(void *arg, const struct store_row *from)
{
    struct missing_row_walk *walk = arg;
    struct missing_row row;
    walk->failure = missing_row_read(from, &row);
    return walk->failure == OK && walk->on_row(walk->arg, &row);
}

err missing_row_scan(struct store *store, bool (*on_row)(void *arg, const struct missing_row *row),
                     void *arg)
{
    struct missing_row_walk walk = {on_row, arg, OK};
    err failure = row_table_scan(store, STORE_TABLE_LACK, missing_row_on_row, &walk);
    return failure == OK ? walk.failure : failure;
}
