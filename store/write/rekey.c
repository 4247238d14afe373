#include "store/write/rekey.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

struct rekey rekey_resume(const struct store *store)
{
    return (struct rekey){.active = store->keyring.epoch_previous != 0};
}

err rekey_begin(struct store *store, struct rekey *rekey)
{
    err result = keyring_begin(&store->keyring);
    if (result == OK) {
        *rekey = (struct rekey){.active = true};
    }
    return result;
}

static void remember(struct rekey *rekey, MDB_val key)
{
    rekey->after_size = key.mv_size <= sizeof rekey->after ? key.mv_size : 0;
    memcpy(rekey->after, key.mv_data, rekey->after_size);
}

/* A value that does not open stays: it is lost already, and store_verify finds it. */
static err reseal_cell(struct write_txn *group, MDB_cursor *cursor, const MDB_val *key,
                       MDB_val value)
{
    size_t number;
    struct store *store = group->store;
    struct row_codec_cell cell;
    uint8_t sealed[ROW_CODEC_CELL_SIZE_MAX];
    if (row_codec_cell_epoch(env_bytes_of(value)) == store->keyring.epoch ||
        key->mv_size != sizeof number) {
        return OK;
    }
    memcpy(&number, key->mv_data, sizeof number);
    if (row_codec_cell_open(store, number, env_bytes_of(value), &cell) != OK) {
        return OK;
    }
    row_codec_cell_seal(store, &group->nonces, number, &cell, sealed);
    MDB_val renewed = env_val(sealed, row_codec_cell_size(&cell));
    MDB_val own_key = env_val(&number, sizeof number);
    sodium_memzero(&cell, sizeof cell);
    return env_check(mdb_cursor_put(cursor, &own_key, &renewed, MDB_CURRENT), &group->broken);
}

static err reseal_row(struct write_txn *group, MDB_cursor *cursor, const MDB_val *key,
                      MDB_val value)
{
    struct store *store = group->store;
    struct row_codec_row_key row_key = {.size = key->mv_size};
    if (row_codec_row_epoch(env_bytes_of(value)) == store->keyring.epoch ||
        key->mv_size > sizeof row_key.bytes || value.mv_size < ROW_CODEC_ROW_OVERHEAD) {
        return OK;
    }
    memcpy(row_key.bytes, key->mv_data, key->mv_size);
    size_t size = value.mv_size;
    uint8_t *plain = malloc(size * 2);
    if (plain == NULL) {
        return ERR_NO_MEMORY;
    }
    struct store_row row;
    struct bytes name = {.data = row_key.bytes, .size = row_key.size};
    err result = OK;
    if (row_codec_row_open(store, name, env_bytes_of(value), plain, &row) == OK) {
        uint8_t *sealed = plain + size;
        row_codec_row_seal(store, &group->nonces, name,
                           (struct bytes){plain, size - ROW_CODEC_ROW_OVERHEAD}, sealed);
        MDB_val renewed = env_val(sealed, size);
        /* A large value is deleted and put again. By then the page of `key`, when this transaction
         * wrote it, holds other data: the key must be a copy. */
        MDB_val own_key = env_val(row_key.bytes, row_key.size);
        result = env_check(mdb_cursor_put(cursor, &own_key, &renewed, MDB_CURRENT), &group->broken);
    }
    sodium_memzero(plain, size);
    free(plain);
    return result;
}

/* Walks one table from the end of the last step; sets `*ret_end` at the end of the table. */
static err walk(struct write_txn *group, struct rekey *rekey, bool *ret_end)
{
    MDB_cursor *cursor;
    const struct env *env = &group->store->env;
    err result =
        env_check(mdb_cursor_open(group->txn, rekey->in_rows ? env->rows : env->cells, &cursor),
                  &group->broken);
    if (result != OK) {
        return result;
    }
    MDB_val key = env_val(rekey->after, rekey->after_size);
    MDB_val value;
    int code =
        mdb_cursor_get(cursor, &key, &value, rekey->after_size == 0 ? MDB_FIRST : MDB_SET_RANGE);
    if (code == 0 && rekey->after_size != 0 && key.mv_size == rekey->after_size &&
        memcmp(key.mv_data, rekey->after, key.mv_size) == 0) {
        code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    size_t row_count = 0;
    size_t size = 0;
    while (code == 0 && row_count < REKEY_STEP_ROW_COUNT && size < REKEY_STEP_SIZE) {
        /* the store's own tables come after all public ones */
        if (rekey->in_rows && *(const uint8_t *)key.mv_data > ROW_CODEC_TABLE_PUBLIC_MAX) {
            code = MDB_NOTFOUND;
            break;
        }
        remember(rekey, key);
        result = rekey->in_rows ? reseal_row(group, cursor, &key, value)
                                : reseal_cell(group, cursor, &key, value);
        if (result != OK) {
            return result;
        }
        row_count += 1;
        size += value.mv_size;
        code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    *ret_end = code == MDB_NOTFOUND;
    return code == 0 || code == MDB_NOTFOUND ? OK : env_check(code, &group->broken);
}

err rekey_step(struct write_txn *group, struct rekey *rekey)
{
    bool end = false;
    struct rekey before = *rekey;
    err result = write_txn_begin(group);
    if (result != OK) {
        return result;
    }
    result = walk(group, rekey, &end);
    if (result == OK) {
        result = write_txn_commit(group);
    } else {
        write_txn_abort(group);
    }
    if (result != OK) {
        *rekey = before;
        bool full = result == ERR_IO && directory_is_full(&group->store->directory);
        return full ? ERR_FULL : result;
    }
    if (!end) {
        return OK;
    }
    rekey->after_size = 0;
    if (!rekey->in_rows) {
        rekey->in_rows = true;
        return OK;
    }
    rekey->active = false;
    result = keyring_finish(&group->store->keyring);
    if (result == OK) {
        directory_drop_before(&group->store->directory, true);
    }
    return result;
}
