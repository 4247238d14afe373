#include "node/rows/held_row.h"

#include <string.h>

#include "store/row_table.h"

static struct bytes held_row_key(uint64_t number, struct held_row_bytes *memory)
{
    struct buffer key = buffer_over(memory->key, sizeof memory->key);
    buffer_u64(&key, number);
    return buffer_bytes(&key);
}

struct store_op held_row_put(uint64_t number, const struct step_held *held, struct bytes envelope,
                             uint8_t *value, struct held_row_bytes *memory)
{
    struct buffer row = buffer_over(value, HELD_ROW_HEAD_SIZE + envelope.size);
    struct store_op op = {.kind = STORE_ROW_PUT};
    buffer_put(&row, held->id.bytes, HASH_SIZE);
    buffer_put(&row, held->depositor.bytes, NODE_ID_SIZE);
    buffer_put(&row, held->recipient.bytes, NODE_ID_SIZE);
    buffer_u64(&row, held->until.ms);
    buffer_put(&row, envelope.data, envelope.size);
    op.row = (struct store_row){STORE_TABLE_HELD, held_row_key(number, memory), buffer_bytes(&row)};
    return op;
}

struct store_op held_row_delete(uint64_t number, struct held_row_bytes *memory)
{
    struct store_op op = {.kind = STORE_ROW_DELETE};
    op.row = (struct store_row){STORE_TABLE_HELD, held_row_key(number, memory), BYTES_NONE};
    return op;
}

err held_row_get(struct store *store, uint64_t number, struct buffer *memory)
{
    struct held_row_bytes key;
    err failure = row_table_get(store, STORE_TABLE_HELD, held_row_key(number, &key), memory);
    if (failure != OK)
        return failure;
    size_t size = memory->size > HELD_ROW_HEAD_SIZE ? memory->size - HELD_ROW_HEAD_SIZE : 0;
    memmove(memory->data, memory->data + HELD_ROW_HEAD_SIZE, size);
    memory->size = size;
    return OK;
}

struct held_row_walk {
    bool (*on_row)(void *arg, uint64_t number, const struct step_held *held);
    void *arg;
};

static bool held_row_on_row(void *arg, const struct store_row *from)
{
    const struct held_row_walk *walk = arg;
    struct reader key = reader_of(from->key), value = reader_of(from->value);
    struct step_held held;
    uint64_t number = reader_u64(&key);
    reader_copy(&value, held.id.bytes, HASH_SIZE);
    reader_copy(&value, held.depositor.bytes, NODE_ID_SIZE);
    reader_copy(&value, held.recipient.bytes, NODE_ID_SIZE);
    held.until.ms = reader_u64(&value);
    held.size = (uint32_t)reader_left(&value);
    if (value.failed || !reader_done(&key))
        return true;
    return walk->on_row(walk->arg, number, &held);
}

err held_row_scan(struct store *store,
                  bool (*on_row)(void *arg, uint64_t number, const struct step_held *held),
                  void *arg)
{
    struct held_row_walk walk = {on_row, arg};
    return row_table_scan(store, STORE_TABLE_HELD, held_row_on_row, &walk);
}
