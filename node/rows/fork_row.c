#include "node/rows/fork_row.h"

#include "store/row_table.h"

static const char fork_row_list[] = "forks";

struct store_op fork_row_put(const struct fork_row *row, struct fork_row_bytes *memory)
{
    struct buffer key = buffer_over(memory->key, sizeof memory->key);
    struct buffer value = buffer_over(memory->value, sizeof memory->value);
    struct store_op op = {.kind = STORE_ROW_PUT};
    stream_id_write(&key, &row->stream);
    buffer_u64(&key, row->sequence);
    buffer_put(&value, row->theirs, RECORD_BARE_SIZE);
    buffer_put(&value, row->ours, RECORD_BARE_SIZE);
    buffer_u8(&value, row->is_posted);
    op.row = (struct store_row){STORE_TABLE_HEAD, buffer_bytes(&key), buffer_bytes(&value)};
    return op;
}

struct fork_row_walk {
    bool (*on_row)(void *arg, const struct fork_row *row);
    void *arg;
};

/* The table holds heads as well. */
static bool fork_row_on_row(void *arg, const struct store_row *from)
{
    const struct fork_row_walk *walk = arg;
    struct reader key = reader_of(from->key), value = reader_of(from->value);
    struct fork_row row = {.has_ours = from->value.size == FORK_ROW_VALUE_SIZE};
    if (from->key.size != FORK_ROW_KEY_SIZE ||
        (!row.has_ours && from->value.size != RECORD_BARE_SIZE) ||
        stream_id_read(&key, &row.stream) != OK)
        return true;
    row.sequence = reader_u64(&key);
    reader_copy(&value, row.theirs, RECORD_BARE_SIZE);
    if (row.has_ours) {
        reader_copy(&value, row.ours, RECORD_BARE_SIZE);
        row.is_posted = reader_u8(&value) != 0;
    }
    return walk->on_row(walk->arg, &row);
}

err fork_row_scan(struct store *store, bool (*on_row)(void *arg, const struct fork_row *row),
                  void *arg)
{
    struct fork_row_walk walk = {on_row, arg};
    return row_table_scan(store, STORE_TABLE_HEAD, fork_row_on_row, &walk);
}

struct store_op fork_row_list_put(struct bytes forks)
{
    struct store_op op = {.kind = STORE_ROW_PUT};
    op.row = (struct store_row){STORE_TABLE_HEAD, bytes_of_text(fork_row_list), forks};
    return op;
}

err fork_row_list_get(struct store *store, struct buffer *ret_forks)
{
    return row_table_get(store, STORE_TABLE_HEAD, bytes_of_text(fork_row_list), ret_forks);
}
