#include "node/rows/roster_row.h"

#include "protocol/base/hash.h"
#include "store/row_table.h"

enum {
    ROSTER_ROW_HEAD = 'h',
    ROSTER_ROW_REFUSED = 'p',
    ROSTER_ROW_PIECE = 'x',
};

static const uint8_t roster_row_confirmed[] = {'c'};

static struct bytes roster_row_key(uint8_t what, uint64_t number, struct roster_row_bytes *memory)
{
    struct buffer key = buffer_over(memory->key, sizeof memory->key);
    buffer_u8(&key, what);
    buffer_u64(&key, number);
    return buffer_bytes(&key);
}

struct store_op roster_row_head_put(uint64_t epoch, struct bytes signed_head,
                                    struct roster_row_bytes *memory)
{
    struct store_op op = {.kind = STORE_ROW_PUT};
    op.row = (struct store_row){STORE_TABLE_HEAD, roster_row_key(ROSTER_ROW_HEAD, epoch, memory),
                                signed_head};
    return op;
}

err roster_row_head_get(struct store *store, uint64_t epoch, struct buffer *ret_signed_head)
{
    struct roster_row_bytes memory;
    return row_table_get(store, STORE_TABLE_HEAD, roster_row_key(ROSTER_ROW_HEAD, epoch, &memory),
                         ret_signed_head);
}

static struct bytes roster_row_refused_key(struct bytes signed_head,
                                           struct roster_row_bytes *memory)
{
    struct hash hash = hash_one(CONTEXT_HEAD, signed_head);
    struct buffer key = buffer_over(memory->key, sizeof memory->key);
    buffer_u8(&key, ROSTER_ROW_REFUSED);
    buffer_put(&key, hash.bytes, HASH_SIZE);
    return buffer_bytes(&key);
}

struct store_op roster_row_refused_put(struct bytes signed_head, struct roster_row_bytes *memory)
{
    struct store_op op = {.kind = STORE_ROW_PUT};
    op.row = (struct store_row){STORE_TABLE_HEAD, roster_row_refused_key(signed_head, memory),
                                signed_head};
    return op;
}

bool roster_row_refused_is_here(struct store *store, struct bytes signed_head)
{
    struct roster_row_bytes memory;
    uint8_t head[HEAD_SIZE_MAX];
    struct buffer row = buffer_over(head, sizeof head);
    return row_table_get(store, STORE_TABLE_HEAD, roster_row_refused_key(signed_head, &memory),
                         &row) == OK;
}

static bool roster_row_on_head(void *arg, const struct store_row *row)
{
    uint32_t *count = arg;
    *count += row->key.size > 0 && row->key.data[0] == ROSTER_ROW_REFUSED;
    return true;
}

err roster_row_refused_count(struct store *store, uint32_t *ret_count)
{
    uint32_t count = 0;
    err failure = row_table_scan(store, STORE_TABLE_HEAD, roster_row_on_head, &count);
    if (failure == OK)
        *ret_count = count;
    return failure;
}

struct store_op roster_row_confirmed_put(const struct head_id *id)
{
    struct store_op op = {.kind = STORE_ROW_PUT};
    op.row = (struct store_row){STORE_TABLE_HEAD,
                                {roster_row_confirmed, sizeof roster_row_confirmed},
                                {id->bytes, HASH_SIZE}};
    return op;
}

err roster_row_confirmed_get(struct store *store, struct head_id *ret_id)
{
    const struct bytes key = {roster_row_confirmed, sizeof roster_row_confirmed};
    struct buffer row = buffer_over(ret_id->bytes, HASH_SIZE);
    return row_table_get(store, STORE_TABLE_HEAD, key, &row);
}

struct store_op roster_row_piece_put(uint64_t number, struct bytes piece,
                                     struct roster_row_bytes *memory)
{
    struct store_op op = {.kind = STORE_ROW_PUT};
    op.row = (struct store_row){STORE_TABLE_ROSTER,
                                roster_row_key(ROSTER_ROW_PIECE, number, memory), piece};
    return op;
}

err roster_row_piece_get(struct store *store, uint64_t number, struct buffer *ret_piece)
{
    struct roster_row_bytes memory;
    return row_table_get(store, STORE_TABLE_ROSTER,
                         roster_row_key(ROSTER_ROW_PIECE, number, &memory), ret_piece);
}
