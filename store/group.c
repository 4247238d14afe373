#include "store/group.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/record_write.h"
#include "store/row_write.h"

enum { STATE_SIZE = HASH_SIZE + 8 + 4 + 4 + 8 + 8 + 8, STATE_VERSION = 1 };

static const uint8_t state_name[1] = {STATE_VERSION};

err group_check(struct group *group, int code)
{
    err result = env_error(code);
    if (result != OK && result != ERR_NOT_FOUND && result != ERR_DUPLICATE) {
        group->broken = true;
    }
    return result;
}

/* ---- the row that counts ---- */

static err write_state(struct group *group)
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
    assert(!buffer.failed && buffer.size == sizeof plain);
    struct batch_op op = {.table = VALUE_TABLE_STATE,
                          .name = {state_name, sizeof state_name},
                          .plain = plain,
                          .plain_size = sizeof plain};
    return row_write_put(group, &op);
}

static err read_state(struct group *group)
{
    uint8_t plain[2 + sizeof state_name + STATE_SIZE];
    struct value_row_key row_key = value_row_key(group->store, VALUE_TABLE_STATE,
                                                 (struct bytes){state_name, sizeof state_name});
    MDB_val key = env_val(row_key.bytes, row_key.size);
    MDB_val value;
    struct store_row row;
    err result = env_error(mdb_get(group->txn, group->store->env.rows, &key, &value));
    if (result != OK) {
        return result == ERR_NOT_FOUND ? ERR_CORRUPT : result;
    }
    if (value.mv_size != sizeof plain + VALUE_ROW_OVERHEAD ||
        value_row_open(group->store, env_bytes_of(key), env_bytes_of(value), plain, &row) != OK) {
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
    if (!reader_done(&reader)) {
        return ERR_CORRUPT;
    }
    return ID_EQUAL(owner, group->store->options.owner) ? OK : ERR_EXISTS;
}

/* ---- life ---- */

err group_open(struct store *store, bool create, struct group *ret_group)
{
    *ret_group = (struct group){.store = store};
    ret_group->streams = stream_cache_new();
    ret_group->scratch[0] = malloc(VALUE_RECORD_PLAIN_MAX);
    ret_group->scratch[1] = malloc(VALUE_RECORD_PLAIN_MAX);
    err result = ERR_NO_MEMORY;
    if (ret_group->streams != NULL && ret_group->scratch[0] != NULL &&
        ret_group->scratch[1] != NULL) {
        result = group_begin(ret_group);
    }
    if (result == OK && create) {
        result = group_commit(ret_group);
    } else if (result == OK) {
        result = read_state(ret_group);
        ret_group->state_before = ret_group->state;
        group_abort(ret_group);
    }
    return result;
}

void group_close(struct group *group)
{
    if (group->txn != NULL) {
        group_abort(group);
    }
    stream_cache_free(group->streams);
    free(group->scratch[0]);
    free(group->scratch[1]);
    *group = (struct group){.store = NULL};
}

static int open_cursors(struct group *group)
{
    const struct env *env = &group->store->env;
    int code = mdb_cursor_open(group->txn, env->records, &group->records);
    if (code == 0) {
        code = mdb_cursor_open(group->txn, env->positions, &group->positions);
    }
    if (code == 0) {
        code = mdb_cursor_open(group->txn, env->scopes, &group->scopes);
    }
    if (code == 0) {
        code = mdb_cursor_open(group->txn, env->ids, &group->ids);
    }
    return code;
}

err group_begin(struct group *group)
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
        group_abort(group);
    }
    return env_error(code);
}

void group_abort(struct group *group)
{
    mdb_txn_abort(group->txn); /* frees the cursors too */
    group->txn = NULL;
    group->state = group->state_before;
    stream_cache_clear(group->streams);
}

err group_commit(struct group *group)
{
    err result = stream_cache_flush(group);
    if (result == OK) {
        result = write_state(group);
    }
    if (result != OK) {
        group_abort(group);
        return result;
    }
    int code = mdb_txn_commit(group->txn);
    group->txn = NULL;
    if (code != 0) {
        group->state = group->state_before;
        stream_cache_clear(group->streams);
    }
    return env_error(code);
}

/* ---- applying ---- */

static err apply_stream(struct group *group, const struct batch_op *op)
{
    struct value_stream *stream;
    err result = stream_cache_get(group, &op->stream, true, &stream);
    if (result == OK) {
        stream_cache_set(group, stream, op->state);
    }
    return result;
}

static err apply_op(struct group *group, struct batch_op *op, uint64_t *ret_number)
{
    switch (op->kind) {
    case BATCH_PUT:
        return record_write_put(group, op, ret_number);
    case BATCH_FILL:
        return record_write_fill(group, op, ret_number);
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

err group_apply(struct group *group, struct batch *batch)
{
    group->changed = false;
    for (size_t i = 0; i < batch->op_count; i += 1) {
        batch->numbers[i] = 0;
        err result = apply_op(group, &batch->ops[i], &batch->numbers[i]);
        if (result != OK) {
            batch->op_failed = i;
            return result;
        }
    }
    return OK;
}
