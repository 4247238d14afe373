#include "node/rows/items_row.h"

#include <sodium.h>
#include <string.h>

#include "store/row_table.h"

void items_row_write(const struct items_row *row, struct buffer *out)
{
    buffer_put(out, row->case_id.bytes, HASH_SIZE);
    buffer_put(out, row->key.bytes, KEY_SIZE);
    buffer_u64(out, row->shape.size);
    buffer_u32(out, row->shape.chunk_count);
    buffer_u8(out, (uint8_t)row->state);
    buffer_u8(out, (uint8_t)row->served_count);
    for (size_t i = 0; i < row->served_count; i++)
        buffer_put(out, row->served[i].bytes, NODE_ID_SIZE);
}

err items_row_read(struct bytes value, struct items_row *ret_row)
{
    struct reader reader = reader_of(value);
    struct items_row row = {0};
    struct item_shape shape;
    reader_copy(&reader, row.case_id.bytes, HASH_SIZE);
    reader_copy(&reader, row.key.bytes, KEY_SIZE);
    row.shape.size = reader_u64(&reader);
    row.shape.chunk_count = reader_u32(&reader);
    uint8_t state = reader_u8(&reader);
    row.served_count = reader_u8(&reader);
    bool is_sound = !reader.failed && state >= ITEMS_ROW_PUTTING && state <= ITEMS_ROW_HERE &&
                    row.served_count <= ITEMS_ROW_SERVED_MAX &&
                    item_shape_of(row.shape.size, &shape) == OK &&
                    shape.chunk_count == row.shape.chunk_count;
    for (size_t i = 0; is_sound && i < row.served_count; i++)
        reader_copy(&reader, row.served[i].bytes, NODE_ID_SIZE);
    if (is_sound && reader_done(&reader)) {
        row.state = (enum items_row_state)state;
        *ret_row = row;
        return OK;
    }
    return ERR_CORRUPT;
}

err items_row_get(struct store *store, const struct item_id *id, struct items_row *ret_row)
{
    uint8_t memory[ITEMS_ROW_SIZE_MAX];
    struct buffer value = buffer_over(memory, sizeof memory);
    err failure = row_table_get(store, STORE_TABLE_ITEM, ID_BYTES(*id), &value);
    if (failure == OK)
        failure = items_row_read(buffer_bytes(&value), ret_row);
    sodium_memzero(memory, sizeof memory);
    return failure == ERR_TOO_LARGE ? ERR_CORRUPT : failure;
}

struct store_op items_row_put(const struct items_row *row, const struct item_id *id,
                              uint8_t memory[static ITEMS_ROW_SIZE_MAX])
{
    struct buffer value = buffer_over(memory, ITEMS_ROW_SIZE_MAX);
    items_row_write(row, &value);
    struct store_op op = {.kind = STORE_ROW_PUT};
    op.row = (struct store_row){STORE_TABLE_ITEM, ID_BYTES(*id), buffer_bytes(&value)};
    return op;
}

struct store_op items_row_delete(const struct item_id *id)
{
    struct store_op op = {.kind = STORE_ROW_DELETE};
    op.row = (struct store_row){STORE_TABLE_ITEM, ID_BYTES(*id), BYTES_NONE};
    return op;
}

struct items_row_walk {
    bool (*on_row)(void *arg, const struct item_id *id, const struct items_row *row);
    void *arg;
};

static bool items_row_on_row(void *arg, const struct store_row *from)
{
    const struct items_row_walk *walk = arg;
    struct reader value = reader_of(from->value);
    struct items_row row = {0};
    struct item_id id;
    if (from->key.size != HASH_SIZE)
        return true;
    memcpy(id.bytes, from->key.data, HASH_SIZE);
    if (items_row_read(from->value, &row) != OK)
        reader_copy(&value, row.case_id.bytes, HASH_SIZE);
    bool goes_on = walk->on_row(walk->arg, &id, &row);
    sodium_memzero(&row, sizeof row);
    return goes_on;
}

err items_row_scan(struct store *store,
                   bool (*on_row)(void *arg, const struct item_id *id, const struct items_row *row),
                   void *arg)
{
    struct items_row_walk walk = {on_row, arg};
    return row_table_scan(store, STORE_TABLE_ITEM, items_row_on_row, &walk);
}
