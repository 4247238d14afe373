#include "store/verify.h"

#include <stdlib.h>
#include <string.h>

#include "store/read_page.h"
#include "store/row_table.h"
#include "store/stream_table.h"

enum { STEP_RECORD_COUNT = 256 };

/* The indexes by record_id and by scope lead to it; read_page_record has looked at its position. */
static err check_indexes(struct env_read *read, uint64_t number, struct bytes sealed)
{
    uint8_t plain[VALUE_RECORD_PLAIN_MAX];
    uint8_t pair[VALUE_PAIR_SIZE];
    struct value_record record;
    uint64_t found;
    err result = value_record_open(read->store, number, sealed, plain, &record);
    if (result == OK) {
        result = read_page_number(read, &record.meta.id, &found);
    }
    if (result == OK && found != number) {
        result = ERR_CORRUPT;
    }
    if (result == OK) {
        value_pair(record.meta.scope_number, number, pair);
        MDB_val key = env_val(pair, sizeof pair);
        MDB_val value;
        result = env_error(mdb_get(read->txn, read->store->env.scopes, &key, &value));
    }
    if (result == OK) {
        struct value_cell cell;
        result = read_page_cell(read, record.meta.stream_number, record.meta.sequence, &cell);
        if (result == OK && cell.number != number) {
            result = ERR_CORRUPT;
        }
    }
    return result == ERR_NOT_FOUND ? ERR_CORRUPT : result;
}

static err verify_step(struct env_read *read, uint64_t number, size_t count, uint64_t *ret_number)
{
    MDB_cursor *cursor;
    err result = env_error(mdb_cursor_open(read->txn, read->store->env.records, &cursor));
    if (result != OK) {
        return result;
    }
    size_t first = number + 1;
    MDB_val key = env_val(&first, sizeof first);
    MDB_val value;
    MDB_cursor_op op = MDB_SET_RANGE;
    for (size_t i = 0; result == OK && i < count; i += 1) {
        int code = mdb_cursor_get(cursor, &key, &value, op);
        op = MDB_NEXT;
        if (code != 0) {
            result = code == MDB_NOTFOUND ? OK : env_error(code);
            break;
        }
        size_t next;
        memcpy(&next, key.mv_data, sizeof next);
        *ret_number = next;
        result = check_indexes(read, next, env_bytes_of(value));
    }
    mdb_cursor_close(cursor);
    return result;
}

err verify_records(struct store *store, uint64_t number, size_t count, uint64_t *ret_number)
{
    uint64_t last = number;
    err result = OK;
    /* in steps, so that no transaction lives long */
    while (result == OK && count > 0) {
        size_t step = count < STEP_RECORD_COUNT ? count : STEP_RECORD_COUNT;
        uint64_t before = last;
        struct env_read read;
        result = env_read_begin(store, &read);
        if (result == OK) {
            result = verify_step(&read, before, step, &last);
            env_read_end(&read);
        }
        count -= step;
        if (last == before) {
            break;
        }
    }
    *ret_number = last;
    return result;
}

static bool pass_stream(void *arg, const struct store_stream_row *row)
{
    (void)arg;
    (void)row;
    return true;
}

static bool pass_row(void *arg, const struct store_row *row)
{
    (void)arg;
    (void)row;
    return true;
}

err verify_all(struct store *store, const char **ret_what)
{
    *ret_what = "a stream";
    err result = stream_table_scan(store, pass_stream, NULL);
    for (unsigned table = 0; result == OK && table <= VALUE_TABLE_ITEM; table += 1) {
        *ret_what = "a row";
        result = row_table_scan(store, (enum store_table)table, pass_row, NULL);
    }
    uint64_t number = 0;
    uint64_t before = UINT64_MAX;
    while (result == OK && number != before) {
        *ret_what = "a record";
        before = number;
        result = verify_records(store, before, STEP_RECORD_COUNT, &number);
    }
    return result;
}
