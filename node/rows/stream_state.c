#include "node/rows/stream_state.h"

struct bytes stream_state_write(const struct stream_state *state,
                                uint8_t memory[static STREAM_STATE_SIZE])
{
    struct buffer out = buffer_over(memory, STREAM_STATE_SIZE);
    buffer_u64(&out, state->tail);
    buffer_put(&out, state->tail_id.bytes, HASH_SIZE);
    buffer_u64(&out, state->epoch);
    buffer_u32(&out, state->flags);
    return buffer_bytes(&out);
}

err stream_state_read(const struct store_stream_row *row, struct stream_state *ret_state)
{
    struct reader reader = reader_of((struct bytes){row->state, row->state_size});
    struct stream_state state = {.tail = reader_u64(&reader)};
    reader_copy(&reader, state.tail_id.bytes, HASH_SIZE);
    state.epoch = reader_u64(&reader);
    state.flags = reader_u32(&reader);
    if (!reader_done(&reader))
        return ERR_CORRUPT;
    *ret_state = state;
    return OK;
}

uint64_t stream_state_tail(const struct store_stream_row *row)
{
    struct reader reader = reader_of((struct bytes){row->state, row->state_size});
    return reader_u64(&reader);
}
