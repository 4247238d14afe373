#include "node/rows/generation_row.h"

#include "store/row_table.h"

struct store_op generation_row_put(const struct generation_row *row,
                                   struct generation_row_bytes *memory)
{
    struct buffer key = buffer_over(memory->key, sizeof memory->key);
    struct buffer value = buffer_over(memory->value, sizeof memory->value);
    struct store_op op = {.kind = STORE_ROW_PUT};
    stream_id_write(&key, &row->stream);
    buffer_u64(&value, row->opened_at.ms);
    buffer_u8(&value, row->is_ended);
    op.row = (struct store_row){STORE_TABLE_GENERATION, buffer_bytes(&key), buffer_bytes(&value)};
    return op;
}

struct generation_row_walk {
    bool (*on_row)(void *arg, const struct generation_row *row);
    void *arg;
};

static bool generation_row_on_row(void *arg, const struct store_row *from)
{
    const struct generation_row_walk *walk = arg;
    struct reader key = reader_of(from->key), value = reader_of(from->value);
    struct generation_row row;
    err failure = stream_id_read(&key, &row.stream);
    row.opened_at.ms = reader_u64(&value);
    row.is_ended = reader_u8(&value) != 0;
    if (failure != OK || !reader_done(&key) || !reader_done(&value))
        return true;
    return walk->on_row(walk->arg, &row);
}

err generation_row_scan(struct store *store,
                        bool (*on_row)(void *arg, const struct generation_row *row), void *arg)
{
    struct generation_row_walk walk = {on_row, arg};
    return row_table_scan(store, STORE_TABLE_GENERATION, generation_row_on_row, &walk);
}
