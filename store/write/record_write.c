#include "store/write/record_write.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "store/disk/index_buffer.h"
#include "store/write/row_write.h"

/* A stored record, found by its position. */
struct found {
    struct row_codec_stream *stream;
    uint64_t number;
    bool is_cell_lost; /* it does not open */
    struct row_codec_cell cell;
    struct row_codec_record record; /* borrows scratch[0]; only after load_record */
};

static err write_cell(struct write_txn *group, uint64_t number, const struct row_codec_cell *cell,
                      unsigned flags)
{
    size_t record_number = number;
    MDB_val key = env_val(&record_number, sizeof record_number);
    MDB_val value = {.mv_size = row_codec_cell_size(cell)};
    err result =
        env_check(mdb_cursor_put(group->cells, &key, &value, flags | MDB_RESERVE), &group->broken);
    if (result == OK) {
        group->changed = true;
        row_codec_cell_seal(group->store, &group->nonces, number, cell, value.mv_data);
    }
    return result;
}

static err write_record(struct write_txn *group, uint64_t number, struct bytes plain,
                        unsigned flags)
{
    size_t record_number = number;
    MDB_val key = env_val(&record_number, sizeof record_number);
    MDB_val value = {.mv_size = plain.size + SEAL_OVERHEAD};
    err result = env_check(mdb_cursor_put(group->records, &key, &value, flags | MDB_RESERVE),
                           &group->broken);
    if (result == OK) {
        group->changed = true;
        row_codec_record_seal(group->store, &group->nonces, number, plain, value.mv_data);
    }
    return result;
}

static err write_indexes(struct write_txn *group, const struct row_codec_meta *meta,
                         uint64_t number)
{
    uint8_t scope[ROW_CODEC_PAIR_SIZE];
    uint8_t id[SEAL_INDEX_SIZE];
    row_codec_pair(meta->scope_number, number, scope);
    MDB_val key = env_val(scope, sizeof scope);
    MDB_val value = env_val(scope, 0);
    err result = env_check(mdb_cursor_put(group->scopes, &key, &value, 0), &group->broken);
    if (result != OK) {
        return result;
    }
    seal_index(group->store->keys, SEAL_RECORD_ID, ID_BYTES(meta->id), id);
    struct index_buffer *index = group->store->index;
    result = index_buffer_add(index, INDEX_BUFFER_IDS, index_buffer_id(id), number);
    if (result != OK) {
        return result;
    }
    return index_buffer_add(index, INDEX_BUFFER_POSITIONS,
                            index_buffer_position(meta->stream_number, meta->sequence), number);
}

static err find_number(struct write_txn *group, uint32_t stream_number, uint64_t sequence,
                       uint64_t *ret_number)
{
    uint8_t position[ROW_CODEC_PAIR_SIZE];
    enum index_buffer_answer answer =
        index_buffer_find_own(group->store->index, INDEX_BUFFER_POSITIONS,
                              index_buffer_position(stream_number, sequence), ret_number);
    if (answer != INDEX_BUFFER_ABSENT) {
        return answer == INDEX_BUFFER_FOUND ? OK : ERR_NOT_FOUND;
    }
    row_codec_pair(stream_number, sequence, position);
    MDB_val key = env_val(position, sizeof position);
    MDB_val value;
    err result = env_check(mdb_cursor_get(group->positions, &key, &value, MDB_SET), &group->broken);
    return result == OK ? row_codec_number_read(env_bytes_of(value), ret_number) : result;
}

/* A position above all others of its stream is new without a look-up. */
static err check_vacant(struct write_txn *group, struct row_codec_stream *stream, uint64_t sequence)
{
    uint64_t *last = stream_cache_last(stream);
    uint64_t number;
    if (sequence > *last) {
        *last = sequence;
        return OK;
    }
    err result = find_number(group, stream->number, sequence, &number);
    if (result == OK) {
        return ERR_DUPLICATE;
    }
    return result == ERR_NOT_FOUND ? OK : result;
}

/* Batches of a stream are submitted before the earlier ones are durable. When one was refused,
 * positions after the gap are refused too. */
static bool follows(const struct row_codec_stream *stream, uint64_t sequence)
{
    if (stream->state_size == 0) {
        return sequence == 1;
    }
    struct reader state = reader_of((struct bytes){stream->state, stream->state_size});
    return reader_u64(&state) == sequence - 1;
}

err record_write_put(struct write_txn *group, struct batch_op *op, uint64_t *ret_number)
{
    struct row_codec_stream *stream;
    bool full = op->has_key || op->body.size > 0;
    if (full && row_write_tombstoned(group, &op->id)) {
        return ERR_DESTROYED;
    }
    err result = stream_cache_get(group, &op->stream, true, &stream);
    if (result != OK) {
        return result;
    }
    if (op->continues && !follows(stream, op->sequence)) {
        return ERR_OUT_OF_ORDER;
    }
    result = check_vacant(group, stream, op->sequence);
    if (result != OK) {
        return result;
    }
    uint64_t number = group->state.record_number_last + 1;
    struct row_codec_cell cell = {.stream_number = stream->number,
                                  .sequence = op->sequence,
                                  .flags = op->flags,
                                  .has_key = op->has_key};
    cell.key = op->key;
    result = write_cell(group, number, &cell, MDB_APPEND);
    sodium_memzero(&cell, sizeof cell);
    if (result != OK) {
        return result;
    }
    group->state.record_number_last = number;
    struct row_codec_meta meta = {
        .sequence = op->sequence,
        .stream_number = stream->number,
        .scope_number = stream->scope_number,
        .id = op->id,
        .head_size = op->head_size,
        .has_body = op->body.size > 0,
    };
    row_codec_meta_write(&meta, op->plain);
    result = write_record(group, number, (struct bytes){op->plain, op->plain_size}, MDB_APPEND);
    if (result == OK) {
        result = write_indexes(group, &meta, number);
    }
    if (result == OK && op->state.size > 0) {
        stream_cache_set(group, stream, op->state);
    }
    *ret_number = number;
    return result;
}

/* ---- changing what is there ---- */

static err find(struct write_txn *group, const struct batch_op *op, struct found *ret_found)
{
    ret_found->is_cell_lost = false;
    err result = stream_cache_get(group, &op->stream, false, &ret_found->stream);
    if (result != OK) {
        return result;
    }
    result = find_number(group, ret_found->stream->number, op->sequence, &ret_found->number);
    if (result != OK) {
        return result;
    }
    size_t number = ret_found->number;
    MDB_val key = env_val(&number, sizeof number);
    MDB_val value;
    result = env_check(mdb_cursor_get(group->cells, &key, &value, MDB_SET), &group->broken);
    if (result == OK) {
        result = row_codec_cell_open(group->store, number, env_bytes_of(value), &ret_found->cell);
    }
    ret_found->is_cell_lost = result == ERR_NOT_FOUND || result == ERR_CORRUPT;
    bool leads_here = result == OK && ret_found->cell.sequence == op->sequence &&
                      ret_found->cell.stream_number == ret_found->stream->number;
    if (result == ERR_NOT_FOUND || (result == OK && !leads_here)) {
        return ERR_CORRUPT;
    }
    return result;
}

static err load_record(struct write_txn *group, const struct batch_op *op, struct found *found)
{
    size_t number = found->number;
    MDB_val key = env_val(&number, sizeof number);
    MDB_val value;
    err result = env_check(mdb_cursor_get(group->records, &key, &value, MDB_SET), &group->broken);
    if (result == ERR_NOT_FOUND) {
        return ERR_CORRUPT;
    }
    if (result == OK) {
        result = row_codec_record_open(group->store, number, env_bytes_of(value), group->scratch[0],
                                       &found->record);
    }
    if (result == OK && (found->record.meta.stream_number != found->stream->number ||
                         found->record.meta.sequence != op->sequence)) {
        result = ERR_CORRUPT;
    }
    return result;
}

/* Writes the record again with this head and body. */
static err rewrite(struct write_txn *group, struct found *found, struct bytes head,
                   struct bytes body)
{
    struct buffer plain = buffer_over(group->scratch[1], ROW_CODEC_RECORD_PLAIN_MAX);
    uint8_t *meta = buffer_reserve(&plain, ROW_CODEC_META_SIZE);
    found->record.meta.has_body = body.size > 0;
    row_codec_meta_write(&found->record.meta, meta);
    buffer_put(&plain, head.data, head.size);
    buffer_put(&plain, body.data, body.size);
    if (plain.failed) {
        return ERR_INVALID;
    }
    return write_record(group, found->number, buffer_bytes(&plain), 0);
}

static void set_flags(struct row_codec_cell *cell, const struct batch_op *op)
{
    cell->flags = (cell->flags & ~op->flags_mask) | (op->flags & op->flags_mask);
}

static err fill_record(struct write_txn *group, const struct batch_op *op, struct found *found)
{
    err result = load_record(group, op, found);
    if (result != OK) {
        return result;
    }
    bool adds_body = op->body.size > 0 && !found->record.meta.has_body;
    if ((adds_body || op->has_key) && row_write_tombstoned(group, &found->record.meta.id)) {
        return ERR_DESTROYED;
    }
    if (op->head.size > 0 && op->head.size != found->record.head.size) {
        return ERR_INVALID;
    }
    if (op->head.size == 0 && !adds_body) {
        return OK;
    }
    return rewrite(group, found, op->head.size > 0 ? op->head : found->record.head,
                   adds_body ? op->body : found->record.body);
}

err record_write_fill(struct write_txn *group, const struct batch_op *op, uint64_t *ret_number)
{
    struct found found;
    err result = find(group, op, &found);
    if (result != OK) {
        return result;
    }
    if (found.cell.destroyed && (op->has_key || op->body.size > 0)) {
        result = ERR_DESTROYED;
    } else if (op->has_key || op->body.size > 0 || op->head.size > 0) {
        result = fill_record(group, op, &found);
    }
    if (result == OK) {
        if (op->has_key && !found.cell.has_key) {
            found.cell.has_key = true;
            found.cell.key = op->key;
        }
        set_flags(&found.cell, op);
        result = write_cell(group, found.number, &found.cell, 0);
    }
    *ret_number = found.number;
    sodium_memzero(&found.cell, sizeof found.cell);
    return result;
}

err record_write_flag(struct write_txn *group, const struct batch_op *op, uint64_t *ret_number)
{
    struct found found;
    err result = find(group, op, &found);
    if (result != OK) {
        return result;
    }
    set_flags(&found.cell, op);
    *ret_number = found.number;
    result = write_cell(group, found.number, &found.cell, 0);
    sodium_memzero(&found.cell, sizeof found.cell);
    return result;
}

/* (S-6) Erases body and key; header and signature keep the chain verifiable. A record that does not
 * open is destroyed all the same, so that a repair does not bring it back. */
err record_write_destroy(struct write_txn *group, const struct batch_op *op, uint64_t *ret_number)
{
    struct found found;
    err result = find(group, op, &found);
    if (result == ERR_CORRUPT && found.is_cell_lost && !group->broken) {
        found.cell = (struct row_codec_cell){.stream_number = found.stream->number,
                                             .sequence = op->sequence};
        result = OK;
    }
    if (result != OK) {
        return result;
    }
    found.cell.destroyed = true;
    found.cell.has_key = false;
    sodium_memzero(&found.cell.key, sizeof found.cell.key);
    set_flags(&found.cell, op);
    *ret_number = found.number;
    result = load_record(group, op, &found);
    if (result == OK && found.record.meta.has_body) {
        result = rewrite(group, &found, found.record.head, BYTES_NONE);
    }
    if (group->broken) {
        return result;
    }
    return write_cell(group, found.number, &found.cell, 0);
}

/* ---- mending ---- */

/* Its position, and what its meta still says, if anything. */
static err find_lost(struct write_txn *group, const struct batch_op *op, struct found *ret_found)
{
    MDB_val value;
    err result = stream_cache_get(group, &op->stream, false, &ret_found->stream);
    ret_found->number = op->number;
    if (result == OK && op->number == 0) {
        result = find_number(group, ret_found->stream->number, op->sequence, &ret_found->number);
    }
    if (result == OK &&
        (ret_found->number == 0 || ret_found->number > group->state.record_number_last)) {
        result = ERR_NOT_FOUND;
    }
    if (result != OK) {
        return result;
    }
    size_t number = ret_found->number;
    MDB_val key = env_val(&number, sizeof number);
    ret_found->cell = (struct row_codec_cell){.stream_number = 0};
    result = env_check(mdb_cursor_get(group->cells, &key, &value, MDB_SET), &group->broken);
    if (result != OK) {
        return result == ERR_NOT_FOUND ? OK : result;
    }
    result = row_codec_cell_open(group->store, number, env_bytes_of(value), &ret_found->cell);
    bool is_others = result == OK && (ret_found->cell.stream_number != ret_found->stream->number ||
                                      ret_found->cell.sequence != op->sequence);
    return is_others ? ERR_INVALID : OK;
}

/* The index entries of the record: missing ones are written straight into the tables. */
static err mend_indexes(struct write_txn *group, const struct row_codec_meta *meta, uint64_t number)
{
    struct index_buffer *index = group->store->index;
    uint8_t pair[ROW_CODEC_PAIR_SIZE], id[SEAL_INDEX_SIZE];
    row_codec_pair(meta->scope_number, number, pair);
    MDB_val key = env_val(pair, sizeof pair);
    MDB_val value = env_val(pair, 0);
    err result =
        env_check(mdb_put(group->txn, group->store->env.scopes, &key, &value, 0), &group->broken);
    seal_index(group->store->keys, SEAL_RECORD_ID, ID_BYTES(meta->id), id);
    if (result == OK) {
        result = env_check(
            index_buffer_put(index, group->txn, INDEX_BUFFER_IDS, index_buffer_id(id), number),
            &group->broken);
    }
    if (result == OK) {
        struct index_buffer_key position =
            index_buffer_position(meta->stream_number, meta->sequence);
        result =
            env_check(index_buffer_put(index, group->txn, INDEX_BUFFER_POSITIONS, position, number),
                      &group->broken);
    }
    return result;
}

/* (S-14) */
err record_write_mend(struct write_txn *group, struct batch_op *op, uint64_t *ret_number)
{
    struct found found;
    err result = find_lost(group, op, &found);
    if (result != OK) {
        return result;
    }
    bool is_destroyed = found.cell.destroyed || row_write_tombstoned(group, &op->id);
    bool has_body = op->body.size > 0 && !is_destroyed;
    struct row_codec_cell cell = {.stream_number = found.stream->number,
                                  .sequence = op->sequence,
                                  .flags = is_destroyed ? found.cell.flags | op->flags : op->flags,
                                  .destroyed = is_destroyed,
                                  .has_key = op->has_key && !is_destroyed};
    if (cell.has_key) {
        cell.key = op->key;
    }
    result = write_cell(group, found.number, &cell, 0);
    sodium_memzero(&cell, sizeof cell);
    sodium_memzero(&found.cell, sizeof found.cell);
    struct row_codec_meta meta = {
        .sequence = op->sequence,
        .stream_number = found.stream->number,
        .scope_number = found.stream->scope_number,
        .id = op->id,
        .head_size = op->head_size,
        .has_body = has_body,
    };
    row_codec_meta_write(&meta, op->plain);
    size_t size = has_body ? op->plain_size : ROW_CODEC_META_SIZE + (size_t)op->head_size;
    if (result == OK) {
        result = write_record(group, found.number, (struct bytes){op->plain, size}, 0);
    }
    if (result == OK) {
        result = mend_indexes(group, &meta, found.number);
    }
    *ret_number = found.number;
    return result;
}

static err erase_key(struct write_txn *group, MDB_dbi table, const void *data, size_t size)
{
    MDB_val key = env_val(data, size);
    err result = env_check(mdb_del(group->txn, table, &key, NULL), &group->broken);
    if (result == OK) {
        group->changed = true;
    }
    return result == ERR_NOT_FOUND ? OK : result;
}

err record_write_drop(struct write_txn *group, const struct batch_op *op, uint64_t *ret_number)
{
    const struct env *env = &group->store->env;
    struct found found;
    uint8_t id[SEAL_INDEX_SIZE];
    uint8_t scope[ROW_CODEC_PAIR_SIZE];
    err result = find(group, op, &found);
    if (result == OK) {
        result = load_record(group, op, &found);
    }
    if (result != OK) {
        return result;
    }
    size_t number = found.number;
    struct index_buffer *index = group->store->index;
    seal_index(group->store->keys, SEAL_RECORD_ID, ID_BYTES(found.record.meta.id), id);
    row_codec_pair(found.record.meta.scope_number, number, scope);
    group->changed = true;
    result =
        env_check(index_buffer_erase(index, group->txn, INDEX_BUFFER_POSITIONS,
                                     index_buffer_position(found.stream->number, op->sequence)),
                  &group->broken);
    if (result == OK) {
        result =
            env_check(index_buffer_erase(index, group->txn, INDEX_BUFFER_IDS, index_buffer_id(id)),
                      &group->broken);
    }
    if (result == OK) {
        result = erase_key(group, env->cells, &number, sizeof number);
    }
    if (result == OK) {
        result = erase_key(group, env->scopes, scope, sizeof scope);
    }
    if (result == OK) {
        result = erase_key(group, env->records, &number, sizeof number);
    }
    *ret_number = number;
    return result;
}
