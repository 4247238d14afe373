#include "store/disk/row_codec.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

_Static_assert(STORE_ROW_KEY_SIZE_MAX <= 320, "seal_index takes a key of a row");
_Static_assert(STORE_HEAD_SIZE_MAX <= UINT16_MAX, "the meta counts the head in 16 bits");

enum { CELL_DESTROYED = 1, CELL_HAS_KEY = 2 };
enum { CELL_CLEAR_SIZE = 4, CELL_FIXED_SIZE = 17 }; /* the epoch before the sealed part */

void row_codec_pair(uint32_t first, uint64_t second, uint8_t ret_key[static ROW_CODEC_PAIR_SIZE])
{
    struct buffer buffer = buffer_over(ret_key, ROW_CODEC_PAIR_SIZE);
    buffer_u32(&buffer, first);
    buffer_u64(&buffer, second);
}

bool row_codec_pair_read(struct bytes key, uint32_t first, uint64_t *ret_second)
{
    struct reader reader = reader_of(key);
    bool same = reader_u32(&reader) == first;
    *ret_second = reader_u64(&reader);
    return reader_done(&reader) && same;
}

void row_codec_number(uint64_t number, uint8_t ret_value[static ROW_CODEC_NUMBER_SIZE])
{
    struct buffer buffer = buffer_over(ret_value, ROW_CODEC_NUMBER_SIZE);
    buffer_u64(&buffer, number);
}

err row_codec_number_read(struct bytes value, uint64_t *ret_number)
{
    struct reader reader = reader_of(value);
    *ret_number = reader_u64(&reader);
    return reader_done(&reader) ? OK : ERR_CORRUPT;
}

/* ---- names of rows ---- */

bool row_codec_table_known(unsigned table)
{
#define CASE(name, number, ordered) case number:
    switch (table) {
        STORE_TABLE_LIST(CASE)
        return true;
    default:
        return false;
    }
#undef CASE
}

bool row_codec_table_ordered(unsigned table)
{
#define CASE(name, number, ordered)                                                                \
    case number:                                                                                   \
        return ordered;
    switch (table) {
        STORE_TABLE_LIST(CASE)
    default:
        return table == ROW_CODEC_TABLE_AUDIT;
    }
#undef CASE
}

struct row_codec_row_key row_codec_row_key(const struct store *store, unsigned table,
                                           struct bytes key)
{
    struct row_codec_row_key row_key = {.bytes = {(uint8_t)table}};
    if (row_codec_table_ordered(table)) {
        assert(key.size == 8);
        memcpy(row_key.bytes + 1, key.data, 8);
        row_key.size = 9;
    } else {
        seal_index(store->keys, SEAL_ROW + table, key, row_key.bytes + 1);
        row_key.size = ROW_CODEC_ROW_KEY_SIZE_MAX;
    }
    return row_key;
}

/* The associated data: which table, then the key there. */
struct name {
    size_t size;
    uint8_t bytes[32];
};

static struct name name_of(char table, struct bytes key)
{
    struct name name = {.size = key.size + 1, .bytes = {(uint8_t)table}};
    assert(name.size <= sizeof name.bytes);
    memcpy(name.bytes + 1, key.data, key.size);
    return name;
}

static struct bytes name_bytes(const struct name *name)
{
    return (struct bytes){.data = name->bytes, .size = name->size};
}

static void put_u32(uint8_t *out, uint32_t value)
{
    struct buffer buffer = buffer_over(out, 4);
    buffer_u32(&buffer, value);
}

static uint32_t u32_at(struct bytes bytes, size_t offset)
{
    if (bytes.size < offset + 4) {
        return 0;
    }
    struct reader reader = reader_of((struct bytes){bytes.data + offset, 4});
    return reader_u32(&reader);
}

/* ---- records ---- */

static struct name number_name(char table, uint64_t number)
{
    uint8_t key[8];
    struct buffer buffer = buffer_over(key, sizeof key);
    buffer_u64(&buffer, number);
    return name_of(table, (struct bytes){key, sizeof key});
}

void row_codec_meta_write(const struct row_codec_meta *meta,
                          uint8_t out[static ROW_CODEC_META_SIZE])
{
    struct buffer buffer = buffer_over(out, ROW_CODEC_META_SIZE);
    buffer_u64(&buffer, meta->sequence);
    buffer_u32(&buffer, meta->stream_number);
    buffer_u32(&buffer, meta->scope_number);
    buffer_put(&buffer, meta->id.bytes, sizeof meta->id.bytes);
    buffer_u16(&buffer, meta->head_size);
    buffer_u8(&buffer, meta->has_body ? 1 : 0);
    assert(!buffer.failed && buffer.size == ROW_CODEC_META_SIZE);
}

void row_codec_record_seal(const struct store *store, struct seal_nonces *nonces, uint64_t number,
                           struct bytes plain, uint8_t *out)
{
    struct name name = number_name('R', number);
    seal_close(store->keys->record, nonces, name_bytes(&name), plain, out);
}

err row_codec_record_open(const struct store *store, uint64_t number, struct bytes sealed,
                          uint8_t *plain, struct row_codec_record *ret_record)
{
    struct name name = number_name('R', number);
    if (sealed.size > ROW_CODEC_RECORD_PLAIN_MAX + SEAL_OVERHEAD) {
        return ERR_CORRUPT;
    }
    err result = seal_open(store->keys->record, name_bytes(&name), sealed, plain);
    if (result != OK) {
        return result;
    }
    struct row_codec_record record = {.head = BYTES_NONE};
    struct reader reader =
        reader_of((struct bytes){.data = plain, .size = sealed.size - SEAL_OVERHEAD});
    record.meta.sequence = reader_u64(&reader);
    record.meta.stream_number = reader_u32(&reader);
    record.meta.scope_number = reader_u32(&reader);
    reader_copy(&reader, record.meta.id.bytes, sizeof record.meta.id.bytes);
    record.meta.head_size = reader_u16(&reader);
    record.meta.has_body = reader_u8(&reader) != 0;
    record.head = reader_take(&reader, record.meta.head_size);
    record.body = reader_take(&reader, reader_left(&reader));
    if (!reader_done(&reader)) {
        return ERR_CORRUPT;
    }
    *ret_record = record;
    return OK;
}

/* ---- cells ---- */

size_t row_codec_cell_size(const struct row_codec_cell *cell)
{
    return CELL_CLEAR_SIZE + SEAL_OVERHEAD + CELL_FIXED_SIZE +
           (cell->has_key ? (size_t)KEY_SIZE : 0);
}

void row_codec_cell_seal(const struct store *store, struct seal_nonces *nonces, uint64_t number,
                         const struct row_codec_cell *cell, uint8_t *out)
{
    struct name name = number_name('C', number);
    uint8_t plain[CELL_FIXED_SIZE + KEY_SIZE];
    struct buffer inner = buffer_over(plain, sizeof plain);
    put_u32(out, store->keyring.epoch);
    buffer_u32(&inner, cell->stream_number);
    buffer_u64(&inner, cell->sequence);
    buffer_u32(&inner, cell->flags);
    buffer_u8(&inner, (uint8_t)((cell->destroyed ? CELL_DESTROYED : 0) |
                                (cell->has_key ? CELL_HAS_KEY : 0)));
    if (cell->has_key) {
        buffer_put(&inner, cell->key.bytes, KEY_SIZE);
    }
    seal_close(store->keyring.keys->current, nonces, name_bytes(&name), buffer_bytes(&inner),
               out + CELL_CLEAR_SIZE);
    sodium_memzero(plain, sizeof plain);
}

uint32_t row_codec_cell_epoch(struct bytes sealed)
{
    return u32_at(sealed, 0);
}

err row_codec_cell_open(const struct store *store, uint64_t number, struct bytes sealed,
                        struct row_codec_cell *ret_cell)
{
    const uint8_t *epoch_key = keyring_key(&store->keyring, row_codec_cell_epoch(sealed));
    if (epoch_key == NULL || sealed.size > ROW_CODEC_CELL_SIZE_MAX ||
        sealed.size < CELL_CLEAR_SIZE) {
        return ERR_CORRUPT;
    }
    struct name name = number_name('C', number);
    struct bytes inner = {.data = sealed.data + CELL_CLEAR_SIZE,
                          .size = sealed.size - CELL_CLEAR_SIZE};
    uint8_t plain[CELL_FIXED_SIZE + KEY_SIZE];
    err result = seal_open(epoch_key, name_bytes(&name), inner, plain);
    if (result != OK) {
        return result;
    }
    struct reader reader = reader_of((struct bytes){plain, inner.size - SEAL_OVERHEAD});
    struct row_codec_cell cell = {.stream_number = reader_u32(&reader)};
    cell.sequence = reader_u64(&reader);
    cell.flags = reader_u32(&reader);
    uint8_t state = reader_u8(&reader);
    cell.destroyed = (state & CELL_DESTROYED) != 0;
    cell.has_key = (state & CELL_HAS_KEY) != 0;
    if (cell.has_key) {
        reader_copy(&reader, cell.key.bytes, KEY_SIZE);
    }
    sodium_memzero(plain, sizeof plain);
    if (!reader_done(&reader)) {
        return ERR_CORRUPT;
    }
    *ret_cell = cell;
    return OK;
}

/* ---- streams ---- */

void row_codec_stream_key(const struct store *store, const struct stream_id *id,
                          uint8_t ret_key[static SEAL_INDEX_SIZE])
{
    uint8_t name[STREAM_ID_SIZE];
    struct buffer buffer = buffer_over(name, sizeof name);
    stream_id_write(&buffer, id);
    seal_index(store->keys, SEAL_STREAM, buffer_bytes(&buffer), ret_key);
}

size_t row_codec_stream_seal(const struct store *store, struct seal_nonces *nonces,
                             const uint8_t key[static SEAL_INDEX_SIZE],
                             const struct row_codec_stream *stream, uint8_t *out)
{
    uint8_t plain[ROW_CODEC_STREAM_PLAIN_MAX];
    struct buffer buffer = buffer_over(plain, sizeof plain);
    buffer_u32(&buffer, stream->number);
    buffer_u32(&buffer, stream->scope_number);
    stream_id_write(&buffer, &stream->id);
    buffer_put(&buffer, stream->state, stream->state_size);
    assert(!buffer.failed);
    struct name name = name_of('S', (struct bytes){key, SEAL_INDEX_SIZE});
    seal_close(store->keys->row, nonces, name_bytes(&name), buffer_bytes(&buffer), out);
    return buffer.size + SEAL_OVERHEAD;
}

err row_codec_stream_open(const struct store *store, struct bytes key, struct bytes sealed,
                          struct row_codec_stream *ret_stream)
{
    uint8_t plain[ROW_CODEC_STREAM_PLAIN_MAX];
    if (key.size != SEAL_INDEX_SIZE || sealed.size > ROW_CODEC_STREAM_SIZE_MAX) {
        return ERR_CORRUPT;
    }
    struct name name = name_of('S', key);
    err result = seal_open(store->keys->row, name_bytes(&name), sealed, plain);
    if (result != OK) {
        return result;
    }
    struct reader reader = reader_of((struct bytes){plain, sealed.size - SEAL_OVERHEAD});
    ret_stream->number = reader_u32(&reader);
    ret_stream->scope_number = reader_u32(&reader);
    if (stream_id_read(&reader, &ret_stream->id) != OK) {
        return ERR_CORRUPT;
    }
    ret_stream->state_size = reader_left(&reader);
    reader_copy(&reader, ret_stream->state, ret_stream->state_size);
    return reader_done(&reader) ? OK : ERR_CORRUPT;
}

/* ---- rows ---- */

/* Epoch 0 stands for the master's own row key. */
static uint32_t row_epoch(const struct store *store, struct bytes row_key)
{
    return row_key.data[0] <= ROW_CODEC_TABLE_PUBLIC_MAX ? store->keyring.epoch : 0;
}

void row_codec_row_seal(const struct store *store, struct seal_nonces *nonces, struct bytes row_key,
                        struct bytes plain, uint8_t *out)
{
    uint32_t epoch = row_epoch(store, row_key);
    struct name name = name_of('W', row_key);
    put_u32(out, epoch);
    seal_close(epoch == 0 ? store->keys->row : store->keyring.keys->current, nonces,
               name_bytes(&name), plain, out + 4);
}

uint32_t row_codec_row_epoch(struct bytes sealed)
{
    return u32_at(sealed, 0);
}

err row_codec_row_open(const struct store *store, struct bytes row_key, struct bytes sealed,
                       uint8_t *plain, struct store_row *ret_row)
{
    if (sealed.size < ROW_CODEC_ROW_OVERHEAD || row_key.size == 0 ||
        row_key.size > ROW_CODEC_ROW_KEY_SIZE_MAX) {
        return ERR_CORRUPT;
    }
    bool public = row_key.data[0] <= ROW_CODEC_TABLE_PUBLIC_MAX;
    const uint8_t *key =
        public ? keyring_key(&store->keyring, row_codec_row_epoch(sealed)) : store->keys->row;
    if (key == NULL) {
        return ERR_CORRUPT;
    }
    struct name name = name_of('W', row_key);
    struct bytes inner = {.data = sealed.data + 4, .size = sealed.size - 4};
    err result = seal_open(key, name_bytes(&name), inner, plain);
    if (result != OK) {
        return result;
    }
    struct reader reader = reader_of((struct bytes){plain, inner.size - SEAL_OVERHEAD});
    struct bytes row_name = reader_take(&reader, reader_u16(&reader));
    struct bytes value = reader_take(&reader, reader_left(&reader));
    if (!reader_done(&reader)) {
        return ERR_CORRUPT;
    }
    *ret_row = (struct store_row){
        .table = (enum store_table)row_key.data[0], .key = row_name, .value = value};
    return OK;
}
