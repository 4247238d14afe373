#include "node/rows/ack_row.h"

#include "store/row_table.h"

static struct bytes ack_row_key(const struct stream_id *stream, const struct node_id *peer,
                                uint8_t memory[static ACK_ROW_KEY_SIZE])
{
    struct buffer key = buffer_over(memory, ACK_ROW_KEY_SIZE);
    stream_id_write(&key, stream);
    buffer_put(&key, peer->bytes, NODE_ID_SIZE);
    return buffer_bytes(&key);
}

struct store_op ack_row_put(const struct ack_row *row, struct ack_row_bytes *memory)
{
    struct buffer value = buffer_over(memory->value, sizeof memory->value);
    struct store_op op = {.kind = STORE_ROW_PUT};
    buffer_u64(&value, row->durable);
    op.row = (struct store_row){STORE_TABLE_ACK, ack_row_key(&row->stream, &row->peer, memory->key),
                                buffer_bytes(&value)};
    return op;
}

uint64_t ack_row_get(struct store *store, const struct stream_id *stream,
                     const struct node_id *peer)
{
    struct ack_row_bytes memory;
    struct buffer value = buffer_over(memory.value, sizeof memory.value);
    if (row_table_get(store, STORE_TABLE_ACK, ack_row_key(stream, peer, memory.key), &value) != OK)
        return 0;
    struct reader reader = reader_of(buffer_bytes(&value));
    return reader_u64(&reader);
}

struct ack_row_walk {
    bool (*on_row)(void *arg, const struct ack_row *row);
    void *arg;
};

static bool ack_row_on_row(void *arg, const struct store_row *from)
{
    const struct ack_row_walk *walk = arg;
    struct reader key = reader_of(from->key), value = reader_of(from->value);
    struct ack_row row;
    err failure = stream_id_read(&key, &row.stream);
    reader_copy(&key, row.peer.bytes, NODE_ID_SIZE);
    row.durable = reader_u64(&value);
    if (failure != OK || !reader_done(&key) || !reader_done(&value))
        return true;
    return walk->on_row(walk->arg, &row);
}

err ack_row_scan(struct store *store, bool (*on_row)(void *arg, const struct ack_row *row),
                 void *arg)
{
    struct ack_row_walk walk = {on_row, arg};
    return row_table_scan(store, STORE_TABLE_ACK, ack_row_on_row, &walk);
}
