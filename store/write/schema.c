#include "store/write/schema.h"

#include <assert.h>
#include <stdlib.h>

#include "store/disk/row_reader.h"
#include "store/write/row_write.h"

static const uint8_t schema_name[] = {'s', 'c', 'h', 'e', 'm', 'a'};

err schema_read(struct store *store, uint32_t *ret_number)
{
    struct row_codec_row_key row_key = row_codec_row_key(
        store, ROW_CODEC_TABLE_STATE, (struct bytes){schema_name, sizeof schema_name});
    struct store_row row;
    uint8_t *plain;
    size_t size;
    err result = row_reader_load(store, &row_key, &plain, &size, &row);
    if (result == ERR_NOT_FOUND) {
        *ret_number = 1;
        return OK;
    }
    if (result != OK) {
        return result;
    }
    /* what follows the number, a later release may have added */
    struct reader reader = reader_of(row.value);
    uint32_t number = reader_u32(&reader);
    result = reader.failed ? ERR_CORRUPT : OK;
    free(plain);
    if (result == OK) {
        *ret_number = number;
    }
    return result;
}

err schema_write(struct write_txn *group, uint32_t number)
{
    uint8_t plain[2 + sizeof schema_name + 4];
    struct buffer buffer = buffer_over(plain, sizeof plain);
    buffer_u16(&buffer, sizeof schema_name);
    buffer_put(&buffer, schema_name, sizeof schema_name);
    buffer_u32(&buffer, number);
    assert(!buffer.failed && buffer.size == sizeof plain);
    struct batch_op op = {.table = ROW_CODEC_TABLE_STATE,
                          .name = {schema_name, sizeof schema_name},
                          .plain = plain,
                          .plain_size = sizeof plain};
    return row_write_put(group, &op);
}

/* ---- steps, each from its index + 1 to the next ---- */

/* Only the number is new. */
static err from_1_to_2(struct write_txn *group)
{
    (void)group;
    return OK;
}

static err (*const steps[SCHEMA_NUMBER - 1])(struct write_txn *group) = {from_1_to_2};

/* Commits what was done in the transaction, with the number. */
static err finish(struct write_txn *group, err result)
{
    if (result == OK) {
        result = schema_write(group, SCHEMA_NUMBER);
    }
    if (result != OK) {
        write_txn_abort(group);
        return result;
    }
    return write_txn_commit(group);
}

err schema_create(struct write_txn *group)
{
    err result = write_txn_begin(group);
    return result == OK ? finish(group, OK) : result;
}

err schema_upgrade(struct write_txn *group, uint32_t number)
{
    assert(number >= 1 && number <= SCHEMA_NUMBER);
    struct store *store = group->store;
    err result = env_copy_before(&store->env, &store->directory);
    if (result == OK) {
        result = write_txn_begin(group);
    }
    if (result != OK) {
        return result;
    }
    for (uint32_t at = number; result == OK && at < SCHEMA_NUMBER; at += 1) {
        result = steps[at - 1](group);
    }
    return finish(group, result);
}
