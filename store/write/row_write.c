#include "store/write/row_write.h"

#include <stdlib.h>
#include <string.h>

#include "store/disk/item_row.h"

static struct row_codec_row_key key_of(const struct write_txn *group, const struct batch_op *op)
{
    return row_codec_row_key(group->store, op->table, op->name);
}

static err write_row(struct write_txn *group, const struct row_codec_row_key *row_key,
                     struct bytes plain)
{
    MDB_val key = env_val(row_key->bytes, row_key->size);
    MDB_val value = {.mv_size = plain.size + ROW_CODEC_ROW_OVERHEAD};
    err result = env_check(mdb_put(group->txn, group->store->env.rows, &key, &value, MDB_RESERVE),
                           &group->broken);
    if (result == OK) {
        group->changed = true;
        row_codec_row_seal(group->store, &group->nonces, env_bytes_of(key), plain, value.mv_data);
    }
    return result;
}

err row_write_put(struct write_txn *group, const struct batch_op *op)
{
    struct row_codec_row_key row_key = key_of(group, op);
    return write_row(group, &row_key, (struct bytes){op->plain, op->plain_size});
}

err row_write_delete(struct write_txn *group, const struct batch_op *op)
{
    struct row_codec_row_key row_key = key_of(group, op);
    MDB_val key = env_val(row_key.bytes, row_key.size);
    err result = env_check(mdb_del(group->txn, group->store->env.rows, &key, NULL), &group->broken);
    if (result == OK) {
        group->changed = true;
    }
    return result == ERR_NOT_FOUND ? OK : result;
}

err row_write_audit(struct write_txn *group, const struct batch_op *op)
{
    struct reader reader = reader_of(op->name);
    uint64_t number = reader_u64(&reader);
    if (number <= group->state.audit_number_last) {
        return ERR_OUT_OF_ORDER;
    }
    group->state.audit_number_last = number;
    return row_write_put(group, op);
}

err row_write_tombstone(struct write_txn *group, const struct batch_op *op)
{
    group->state.tombstone_count += 1;
    return row_write_put(group, op);
}

/* (S-6) Erased data never comes back, whoever sends it. */
bool row_write_tombstoned(struct write_txn *group, const struct record_id *id)
{
    if (group->state.tombstone_count == 0) {
        return false;
    }
    uint8_t name[1 + HASH_SIZE] = {STORE_TOMBSTONE_RECORD};
    memcpy(name + 1, id->bytes, HASH_SIZE);
    struct row_codec_row_key row_key = row_codec_row_key(group->store, ROW_CODEC_TABLE_TOMBSTONE,
                                                         (struct bytes){name, sizeof name});
    MDB_val key = env_val(row_key.bytes, row_key.size);
    MDB_val value;
    return mdb_get(group->txn, group->store->env.rows, &key, &value) == 0;
}

/* ---- items ---- */

/* Opens the item's row; `*ret_plain` is the caller's to free. */
static err load_item(struct write_txn *group, const struct row_codec_row_key *row_key,
                     uint8_t **ret_plain, struct item_row *ret_item)
{
    MDB_val key = env_val(row_key->bytes, row_key->size);
    MDB_val value;
    err result =
        env_check(mdb_get(group->txn, group->store->env.rows, &key, &value), &group->broken);
    if (result != OK) {
        return result;
    }
    uint8_t *plain = malloc(value.mv_size);
    if (plain == NULL) {
        return ERR_NO_MEMORY;
    }
    struct store_row row;
    result = row_codec_row_open(group->store, env_bytes_of(key), env_bytes_of(value), plain, &row);
    if (result == OK) {
        result = item_row_read(row.value, ret_item);
    }
    if (result != OK) {
        free(plain);
        return result;
    }
    *ret_plain = plain;
    return OK;
}

static struct bytes value_of(const struct batch_op *op)
{
    size_t before = 2 + op->name.size;
    return (struct bytes){.data = op->plain + before, .size = op->plain_size - before};
}

err row_write_item_create(struct write_txn *group, const struct batch_op *op)
{
    struct row_codec_row_key row_key = key_of(group, op);
    struct item_row item;
    MDB_val key = env_val(row_key.bytes, row_key.size);
    MDB_val value;
    err result =
        env_check(mdb_get(group->txn, group->store->env.rows, &key, &value), &group->broken);
    if (result == OK) {
        return ERR_EXISTS;
    }
    if (result == ERR_NOT_FOUND) {
        result = item_row_read(value_of(op), &item);
    }
    if (result == OK) {
        group->state.item_bytes += item_row_allotted(&item.shape);
        result = row_write_put(group, op);
    }
    return result;
}

err row_write_item_bits(struct write_txn *group, const struct batch_op *op)
{
    struct row_codec_row_key row_key = key_of(group, op);
    struct item_row item;
    struct item_row added;
    uint8_t *plain;
    err result = load_item(group, &row_key, &plain, &item);
    if (result != OK) {
        return result;
    }
    result = item_row_read(value_of(op), &added);
    if (result == OK && (memcmp(added.file, item.file, sizeof item.file) != 0 ||
                         added.bits.size != item.bits.size)) {
        result = ERR_NOT_FOUND;
    }
    if (result == OK) {
        /* the writer owns the batch's memory: the stored bits join the new ones */
        uint8_t *bits = op->plain + (op->plain_size - added.bits.size);
        for (size_t i = 0; i < added.bits.size; i += 1) {
            bits[i] |= item.bits.data[i];
        }
        result = write_row(group, &row_key, (struct bytes){op->plain, op->plain_size});
    }
    free(plain);
    return result;
}

err row_write_item_delete(struct write_txn *group, struct batch_op *op)
{
    struct row_codec_row_key row_key = key_of(group, op);
    struct item_row item;
    uint8_t *plain;
    err result = load_item(group, &row_key, &plain, &item);
    if (result == ERR_NOT_FOUND) {
        return OK;
    }
    if (result == OK) {
        uint64_t allotted = item_row_allotted(&item.shape);
        group->state.item_bytes -=
            allotted < group->state.item_bytes ? allotted : group->state.item_bytes;
        op->has_file = true;
        memcpy(op->file, item.file, sizeof op->file);
        free(plain);
    }
    return group->broken ? result : row_write_delete(group, op);
}
