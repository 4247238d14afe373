#include "store/disk/record_reader.h"

#include <sodium.h>
#include <string.h>

#include "store/disk/index_buffer.h"

err record_reader_stream(struct env_read *read, const struct stream_id *id,
                         struct row_codec_stream *ret_stream)
{
    uint8_t name[SEAL_INDEX_SIZE];
    row_codec_stream_key(read->store, id, name);
    MDB_val key = env_val(name, sizeof name);
    MDB_val value;
    err result = env_error(mdb_get(read->txn, read->store->env.streams, &key, &value));
    if (result == OK) {
        result =
            row_codec_stream_open(read->store, env_bytes_of(key), env_bytes_of(value), ret_stream);
    }
    if (result == OK && !stream_id_equal(&ret_stream->id, id)) {
        result = ERR_CORRUPT;
    }
    return result;
}

err record_reader_scope(struct env_read *read, const struct scope *scope, uint32_t *ret_number)
{
    uint8_t name[1 + HASH_SIZE];
    uint8_t plain[2 + sizeof name + 4];
    struct buffer buffer = buffer_over(name, sizeof name);
    buffer_u8(&buffer, (uint8_t)scope->kind);
    buffer_put(&buffer, scope->id, HASH_SIZE);
    struct row_codec_row_key row_key =
        row_codec_row_key(read->store, ROW_CODEC_TABLE_SCOPE, buffer_bytes(&buffer));
    MDB_val key = env_val(row_key.bytes, row_key.size);
    MDB_val value;
    struct store_row row;
    err result = env_error(mdb_get(read->txn, read->store->env.rows, &key, &value));
    if (result == OK && value.mv_size != sizeof plain + ROW_CODEC_ROW_OVERHEAD) {
        result = ERR_CORRUPT;
    }
    if (result == OK) {
        result =
            row_codec_row_open(read->store, env_bytes_of(key), env_bytes_of(value), plain, &row);
    }
    if (result == OK) {
        struct reader reader = reader_of(row.value);
        *ret_number = reader_u32(&reader);
    }
    return result;
}

err record_reader_cell(struct env_read *read, uint64_t number, struct row_codec_cell *ret_cell)
{
    size_t name = number;
    MDB_val key = env_val(&name, sizeof name);
    MDB_val value;
    err result = env_error(mdb_get(read->txn, read->store->env.cells, &key, &value));
    return result == OK ? row_codec_cell_open(read->store, number, env_bytes_of(value), ret_cell)
                        : result;
}

/* The buffer comes before the table: an entry is in the table before it leaves the buffer. */
static err look_up(struct store *store, enum index_buffer_table table,
                   struct index_buffer_key waiting, struct bytes name, uint64_t *ret_number)
{
    struct env_read read;
    enum index_buffer_answer answer = index_buffer_find(store->index, table, waiting, ret_number);
    if (answer != INDEX_BUFFER_ABSENT) {
        return answer == INDEX_BUFFER_FOUND ? OK : ERR_NOT_FOUND;
    }
    err result = env_read_begin(store, &read);
    if (result != OK) {
        return result;
    }
    MDB_val key = env_val(name.data, name.size);
    MDB_val value;
    MDB_dbi dbi = table == INDEX_BUFFER_IDS ? store->env.ids : store->env.positions;
    result = env_error(mdb_get(read.txn, dbi, &key, &value));
    if (result == OK) {
        result = row_codec_number_read(env_bytes_of(value), ret_number);
    }
    env_read_end(&read);
    return result;
}

err record_reader_number(struct store *store, const struct record_id *id, uint64_t *ret_number)
{
    uint8_t name[SEAL_INDEX_SIZE];
    seal_index(store->keys, SEAL_RECORD_ID, ID_BYTES(*id), name);
    return look_up(store, INDEX_BUFFER_IDS, index_buffer_id(name),
                   (struct bytes){name, sizeof name}, ret_number);
}

err record_reader_position(struct store *store, uint32_t stream_number, uint64_t sequence,
                           uint64_t *ret_number)
{
    uint8_t name[ROW_CODEC_PAIR_SIZE];
    row_codec_pair(stream_number, sequence, name);
    return look_up(store, INDEX_BUFFER_POSITIONS, index_buffer_position(stream_number, sequence),
                   (struct bytes){name, sizeof name}, ret_number);
}

/* Moves the prefix away, so that the caller's memory holds head and body only. */
static err open_record(struct env_read *read, uint64_t number, struct bytes sealed,
                       struct buffer *memory, struct row_codec_record *ret_record)
{
    uint8_t plain[ROW_CODEC_RECORD_PLAIN_MAX];
    err result = row_codec_record_open(read->store, number, sealed, plain, ret_record);
    if (result != OK) {
        return result;
    }
    uint8_t *head = memory->data + memory->size;
    buffer_put(memory, ret_record->head.data, ret_record->head.size);
    buffer_put(memory, ret_record->body.data, ret_record->body.size);
    if (memory->failed) {
        return ERR_CORRUPT;
    }
    ret_record->head.data = head;
    ret_record->body.data = head + ret_record->head.size;
    return OK;
}

/* The record, its meta and the index that led here must agree on its position. */
static bool agrees(const struct row_codec_record *record, const struct row_codec_cell *cell,
                   const struct record_reader_place *place)
{
    bool is_led_right = place == NULL || (cell->stream_number == place->stream_number &&
                                          cell->sequence == place->sequence);
    return is_led_right && record->meta.stream_number == cell->stream_number &&
           record->meta.sequence == cell->sequence;
}

static void fill_in(uint64_t number, const struct row_codec_record *record,
                    const struct row_codec_cell *cell, struct store_record *ret_record)
{
    *ret_record = (struct store_record){
        .number = number,
        .sequence = record->meta.sequence,
        .id = record->meta.id,
        .flags = cell->flags,
        .has_body = record->meta.has_body,
        .has_key = cell->has_key,
        .destroyed = cell->destroyed,
        .head = record->head,
        .body = record->body,
    };
    if (cell->has_key) {
        ret_record->key = cell->key;
    }
}

err record_reader_record(struct env_read *read, uint64_t number,
                         const struct record_reader_place *place, struct buffer *memory,
                         struct store_record *ret_record)
{
    size_t name = number;
    struct row_codec_record record;
    struct row_codec_cell cell;
    MDB_val key = env_val(&name, sizeof name);
    MDB_val value;
    err result = env_error(mdb_get(read->txn, read->store->env.records, &key, &value));
    if (result != OK) {
        return result;
    }
    if (value.mv_size > memory->capacity - memory->size + SEAL_OVERHEAD + ROW_CODEC_META_SIZE) {
        return ERR_TOO_LARGE;
    }
    size_t size_before = memory->size;
    result = open_record(read, number, env_bytes_of(value), memory, &record);
    if (result == OK) {
        result = record_reader_cell(read, number, &cell);
        if (result == ERR_NOT_FOUND || (result == OK && !agrees(&record, &cell, place))) {
            result = ERR_CORRUPT;
        }
    }
    if (result == OK) {
        fill_in(number, &record, &cell, ret_record);
    } else {
        memory->size = size_before;
    }
    sodium_memzero(&cell, sizeof cell);
    return result;
}
