#include "store/write/write_txn.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "store/disk/index_buffer.h"
#include "store/write/record_write.h"
#include "store/write/row_write.h"

enum { STATE_SIZE = HASH_SIZE + 8 + 4 + 4 + 8 + 8 + 8 + 8 + 4, STATE_VERSION = 1 };

static const uint8_t state_name[1] = {STATE_VERSION};

/* ---- the row that counts ---- */

static err write_state(struct write_txn *group)
{
    uint8_t plain[2 + sizeof state_name + STATE_SIZE];
    struct buffer buffer = buffer_over(plain, sizeof plain);
    buffer_u16(&buffer, sizeof state_name);
    buffer_put(&buffer, state_name, sizeof state_name);
    buffer_put(&buffer, group->store->options.owner.bytes, HASH_SIZE);
    buffer_u64(&buffer, group->state.record_number_last);
    buffer_u32(&buffer, group->state.stream_number_last);
    buffer_u32(&buffer, group->state.scope_number_last);
    buffer_u64(&buffer, group->state.audit_number_last);
    buffer_u64(&buffer, group->state.tombstone_count);
    buffer_u64(&buffer, group->state.item_bytes);
    buffer_u64(&buffer, group->state.index_merged);
    buffer_u32(&buffer, group->state.forgot_epoch);
    assert(!buffer.failed && buffer.size == sizeof plain);
    struct batch_op op = {.table = ROW_CODEC_TABLE_STATE,
                          .name = {state_name, sizeof state_name},
                          .plain = plain,
                          .plain_size = sizeof plain};
    return row_write_put(group, &op);
}

static err read_state(struct write_txn *group)
{
    uint8_t plain[2 + sizeof state_name + STATE_SIZE];
    struct row_codec_row_key row_key = row_codec_row_key(
        group->store, ROW_CODEC_TABLE_STATE, (struct bytes){state_name, sizeof state_name});
    MDB_val key = env_val(row_key.bytes, row_key.size);
    MDB_val value;
    struct store_row row;
    err result = env_error(mdb_get(group->txn, group->store->env.rows, &key, &value));
    if (result != OK) {
        return result == ERR_NOT_FOUND ? ERR_CORRUPT : result;
    }
    if (value.mv_size != sizeof plain + ROW_CODEC_ROW_OVERHEAD ||
        row_codec_row_open(group->store, env_bytes_of(key), env_bytes_of(value), plain, &row) !=
            OK) {
        return ERR_CORRUPT;
    }
    struct hash owner;
    struct reader reader = reader_of(row.value);
    reader_copy(&reader, owner.bytes, HASH_SIZE);
    group->state.record_number_last = reader_u64(&reader);
    group->state.stream_number_last = reader_u32(&reader);
    group->state.scope_number_last = reader_u32(&reader);
    group->state.audit_number_last = reader_u64(&reader);
    group->state.tombstone_count = reader_u64(&reader);
    group->state.item_bytes = reader_u64(&reader);
    group->state.index_merged = reader_u64(&reader);
    group->state.forgot_epoch = reader_u32(&reader);
    if (!reader_done(&reader)) {
        return ERR_CORRUPT;
    }
    if (group->store->options.is_any_owner) {
        group->store->options.owner = owner;
    }
    return ID_EQUAL(owner, group->store->options.owner) ? OK : ERR_EXISTS;
}

/* ---- life ---- */

static err new_index(struct write_txn *group)
{
    struct store *store = group->store;
    store->index =
        index_buffer_new(&store->env, group->state.index_merged, INDEX_BUFFER_GENERATION);
    return store->index == NULL ? ERR_NO_MEMORY : OK;
}

/* A record that does not open is skipped; a read by its number reports it. Its meta gives its
 * position, so that its key can still be destroyed. */
static err load_record(struct write_txn *group, uint64_t number, struct bytes sealed)
{
    struct store *store = group->store;
    struct row_codec_record record;
    struct row_codec_cell cell;
    uint8_t index[SEAL_INDEX_SIZE];
    size_t name = number;
    MDB_val key = env_val(&name, sizeof name);
    MDB_val value;
    err result = OK;
    if (row_codec_record_open(store, number, sealed, group->scratch[0], &record) == OK) {
        seal_index(store->keys, SEAL_RECORD_ID, ID_BYTES(record.meta.id), index);
        result = index_buffer_add(store->index, INDEX_BUFFER_IDS, index_buffer_id(index), number);
    }
    if (result == OK && mdb_cursor_get(group->cells, &key, &value, MDB_SET) == 0 &&
        row_codec_cell_open(store, number, env_bytes_of(value), &cell) == OK) {
        result = index_buffer_add(store->index, INDEX_BUFFER_POSITIONS,
                                  index_buffer_position(cell.stream_number, cell.sequence), number);
        sodium_memzero(&cell, sizeof cell);
    }
    return result;
}

/* Entries that were not merged at the end of the process are read again from the records. */
static err load_index(struct write_txn *group)
{
    size_t number = group->state.index_merged + 1;
    MDB_val key = env_val(&number, sizeof number);
    MDB_val value;
    err result = new_index(group);
    if (result != OK) {
        return result;
    }
    int code = mdb_cursor_get(group->records, &key, &value, MDB_SET_RANGE);
    while (code == 0) {
        memcpy(&number, key.mv_data, sizeof number);
        result = load_record(group, number, env_bytes_of(value));
        if (result != OK) {
            return result;
        }
        code = mdb_cursor_get(group->records, &key, &value, MDB_NEXT);
    }
    if (code == MDB_NOTFOUND) {
        code = index_buffer_merge(group->store->index, group->txn, INDEX_BUFFER_LEAST);
    }
    if (code == 0) {
        index_buffer_committed(group->store->index, group->state.record_number_last);
    }
    return env_error(code);
}

static err open_state(struct write_txn *group, bool create)
{
    err result = create ? new_index(group) : read_state(group);
    if (result != OK) {
        return result;
    }
    return create ? write_txn_commit(group) : load_index(group);
}

err write_txn_open(struct store *store, bool create, struct write_txn *ret_group)
{
    *ret_group = (struct write_txn){.store = store};
    ret_group->streams = stream_cache_new();
    ret_group->scratch[0] = malloc(ROW_CODEC_RECORD_PLAIN_MAX);
    ret_group->scratch[1] = malloc(ROW_CODEC_RECORD_PLAIN_MAX);
    if (ret_group->streams == NULL || ret_group->scratch[0] == NULL ||
        ret_group->scratch[1] == NULL) {
        return ERR_NO_MEMORY;
    }
    err result = write_txn_begin(ret_group);
    if (result == OK) {
        result = open_state(ret_group, create);
    }
    if (ret_group->txn != NULL) {
        mdb_txn_abort(ret_group->txn); /* only read in it */
        ret_group->txn = NULL;
    }
    return result;
}

void write_txn_close(struct write_txn *group)
{
    if (group->txn != NULL) {
        mdb_txn_abort(group->txn);
    }
    stream_cache_free(group->streams);
    free(group->scratch[0]);
    free(group->scratch[1]);
    *group = (struct write_txn){.store = NULL};
}

static int open_cursors(struct write_txn *group)
{
    const struct env *env = &group->store->env;
    int code = mdb_cursor_open(group->txn, env->records, &group->records);
    if (code == 0) {
        code = mdb_cursor_open(group->txn, env->cells, &group->cells);
    }
    if (code == 0) {
        code = mdb_cursor_open(group->txn, env->positions, &group->positions);
    }
    if (code == 0) {
        code = mdb_cursor_open(group->txn, env->scopes, &group->scopes);
    }
    return code;
}

err write_txn_begin(struct write_txn *group)
{
    assert(group->txn == NULL);
    group->broken = false;
    group->changed = false;
    group->state_before = group->state;
    int code = mdb_txn_begin(group->store->env.mdb, NULL, 0, &group->txn);
    if (code != 0) {
        group->txn = NULL;
        return env_error(code);
    }
    code = open_cursors(group);
    if (code != 0) {
        mdb_txn_abort(group->txn);
        group->txn = NULL;
    }
    return env_error(code);
}

/* Restores the state before write_txn_begin. */
static void forget(struct write_txn *group)
{
    group->state = group->state_before;
    stream_cache_clear(group->streams);
    index_buffer_aborted(group->store->index);
}

void write_txn_abort(struct write_txn *group)
{
    mdb_txn_abort(group->txn); /* frees the cursors too */
    group->txn = NULL;
    forget(group);
}

static err merge_index(struct write_txn *group, enum index_buffer_extent extent)
{
    struct index_buffer *index = group->store->index;
    int code = index_buffer_merge(index, group->txn, extent);
    group->state.index_merged = index_buffer_merged(index);
    return env_check(code, &group->broken);
}

static err commit(struct write_txn *group, enum index_buffer_extent extent)
{
    err result = stream_cache_flush(group);
    if (result == OK) {
        result = merge_index(group, extent);
    }
    if (result == OK) {
        result = write_state(group);
    }
    if (result != OK) {
        write_txn_abort(group);
        return result;
    }
    int code = mdb_txn_commit(group->txn);
    group->txn = NULL;
    if (code != 0) {
        forget(group);
    } else {
        index_buffer_committed(group->store->index, group->state.record_number_last);
    }
    return env_error(code);
}

err write_txn_commit(struct write_txn *group)
{
    return commit(group, group->is_tight ? INDEX_BUFFER_LEAST : INDEX_BUFFER_DUE);
}

err write_txn_merge_index(struct write_txn *group)
{
    err result = OK;
    while (result == OK &&
           index_buffer_turn(group->store->index, group->state.record_number_last)) {
        result = write_txn_begin(group);
        if (result == OK) {
            result = commit(group, INDEX_BUFFER_ALL);
        }
    }
    return result;
}

/* ---- applying ---- */

static err apply_stream(struct write_txn *group, const struct batch_op *op)
{
    struct row_codec_stream *stream;
    err result = stream_cache_get(group, &op->stream, true, &stream);
    if (result == OK) {
        stream_cache_set(group, stream, op->state);
    }
    return result;
}

static err apply_op(struct write_txn *group, struct batch_op *op, uint64_t *ret_number)
{
    switch (op->kind) {
    case BATCH_PUT:
        return record_write_put(group, op, ret_number);
    case BATCH_FILL:
        return record_write_fill(group, op, ret_number);
    case BATCH_MEND:
        return record_write_mend(group, op, ret_number);
    case BATCH_FLAG:
        return record_write_flag(group, op, ret_number);
    case BATCH_DESTROY:
        return record_write_destroy(group, op, ret_number);
    case BATCH_DROP:
        return record_write_drop(group, op, ret_number);
    case BATCH_STREAM:
        return apply_stream(group, op);
    case BATCH_ROW_PUT:
        return row_write_put(group, op);
    case BATCH_ROW_DELETE:
        return row_write_delete(group, op);
    case BATCH_AUDIT:
        return row_write_audit(group, op);
    case BATCH_TOMBSTONE:
        return row_write_tombstone(group, op);
    case BATCH_ITEM_CREATE:
        return row_write_item_create(group, op);
    case BATCH_ITEM_BITS:
        return row_write_item_bits(group, op);
    case BATCH_ITEM_DELETE:
        return row_write_item_delete(group, op);
    }
    return ERR_INVALID;
}

/* (S-12) Old pages hold it under the key of this epoch, until a rekey. */
static void note_forgotten(struct write_txn *group, enum batch_kind kind)
{
    if (kind == BATCH_DESTROY || kind == BATCH_TOMBSTONE) {
        group->state.forgot_epoch = group->store->keyring.epoch;
    }
}

err write_txn_apply(struct write_txn *group, struct batch *batch)
{
    group->changed = false;
    for (size_t i = 0; i < batch->op_count; i += 1) {
        batch->numbers[i] = 0;
        err result = apply_op(group, &batch->ops[i], &batch->numbers[i]);
        if (result != OK) {
            batch->op_failed = i;
            return result;
        }
        note_forgotten(group, batch->ops[i].kind);
    }
    return OK;
}
