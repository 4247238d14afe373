#include "node/rows/writer_row.h"

#include <string.h>

#include "store/row_table.h"

static const char writer_row_name[] = "writer";
_Static_assert(sizeof writer_row_name - 1 + NODE_ID_SIZE == WRITER_ROW_KEY_SIZE, "the key's parts");

struct store_op writer_row_put(const struct node_id *writer, uint64_t used_kib,
                               struct writer_row_bytes *memory)
{
    struct buffer key = buffer_over(memory->key, sizeof memory->key);
    struct buffer value = buffer_over(memory->value, sizeof memory->value);
    struct store_op op = {.kind = STORE_ROW_PUT};
    buffer_put(&key, writer_row_name, sizeof writer_row_name - 1);
    buffer_put(&key, writer->bytes, NODE_ID_SIZE);
    buffer_u64(&value, used_kib);
    op.row = (struct store_row){STORE_TABLE_META, buffer_bytes(&key), buffer_bytes(&value)};
    return op;
}

struct writer_row_walk {
    bool (*on_row)(void *arg, const struct node_id *writer, uint64_t used_kib);
    void *arg;
};

/* The table holds single values as well. */
static bool writer_row_on_row(void *arg, const struct store_row *from)
{
    const struct writer_row_walk *walk = arg;
    struct reader key = reader_of(from->key), value = reader_of(from->value);
    struct node_id writer;
    if (from->key.size != WRITER_ROW_KEY_SIZE || from->value.size != WRITER_ROW_VALUE_SIZE ||
        memcmp(from->key.data, writer_row_name, sizeof writer_row_name - 1) != 0)
        return true;
    (void)reader_take(&key, sizeof writer_row_name - 1);
    reader_copy(&key, writer.bytes, NODE_ID_SIZE);
    return walk->on_row(walk->arg, &writer, reader_u64(&value));
}

err writer_row_scan(struct store *store,
                    bool (*on_row)(void *arg, const struct node_id *writer, uint64_t used_kib),
                    void *arg)
{
    struct writer_row_walk walk = {on_row, arg};
    return row_table_scan(store, STORE_TABLE_META, writer_row_on_row, &walk);
}
