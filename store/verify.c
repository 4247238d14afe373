#include "store/verify.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "store/disk/record_reader.h"
#include "store/row_table.h"
#include "store/stream_table.h"

enum { STEP_RECORD_COUNT = 256 };

struct step_record {
    uint64_t number;
    struct row_codec_meta meta;
};

struct step {
    struct step_record records[STEP_RECORD_COUNT];
    size_t count;
};

/* Checks that the record opens, that its meta has the same position, and that its scope leads to
 * it. */
static err check_record(struct env_read *read, uint64_t number, struct bytes sealed,
                        struct row_codec_meta *ret_meta)
{
    uint8_t plain[ROW_CODEC_RECORD_PLAIN_MAX];
    uint8_t pair[ROW_CODEC_PAIR_SIZE];
    struct row_codec_record record;
    struct row_codec_cell cell;
    err result = row_codec_record_open(read->store, number, sealed, plain, &record);
    if (result == OK) {
        row_codec_pair(record.meta.scope_number, number, pair);
        MDB_val key = env_val(pair, sizeof pair);
        MDB_val value;
        result = env_error(mdb_get(read->txn, read->store->env.scopes, &key, &value));
    }
    if (result == OK) {
        result = record_reader_cell(read, number, &cell);
    }
    if (result == OK) {
        *ret_meta = record.meta;
        bool agrees = cell.stream_number == record.meta.stream_number &&
                      cell.sequence == record.meta.sequence;
        result = agrees ? OK : ERR_CORRUPT;
        sodium_memzero(&cell, sizeof cell);
    }
    return result == ERR_NOT_FOUND ? ERR_CORRUPT : result;
}

static err read_step(struct env_read *read, uint64_t number, struct step *step, size_t count)
{
    MDB_cursor *cursor;
    err result = env_error(mdb_cursor_open(read->txn, read->store->env.records, &cursor));
    if (result != OK) {
        return result;
    }
    size_t first = number + 1;
    MDB_val key = env_val(&first, sizeof first);
    MDB_val value;
    int code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    while (result == OK && code == 0 && step->count < count) {
        size_t next;
        memcpy(&next, key.mv_data, sizeof next);
        step->records[step->count].number = next;
        result = check_record(read, next, env_bytes_of(value), &step->records[step->count].meta);
        step->count += 1;
        code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    return result == OK && code != 0 && code != MDB_NOTFOUND ? env_error(code) : result;
}

/* Checks that the record's id and its position lead to it. */
static err check_indexes(struct store *store, const struct step *step, size_t count,
                         uint64_t *ret_number)
{
    for (size_t i = 0; i < count; i += 1) {
        const struct step_record *record = &step->records[i];
        uint64_t by_id = 0;
        uint64_t by_position = 0;
        err result = record_reader_number(store, &record->meta.id, &by_id);
        if (result == OK) {
            result = record_reader_position(store, record->meta.stream_number,
                                            record->meta.sequence, &by_position);
        }
        if (result != OK || by_id != record->number || by_position != record->number) {
            *ret_number = record->number;
            return result == OK || result == ERR_NOT_FOUND ? ERR_CORRUPT : result;
        }
    }
    return OK;
}

err verify_records(struct store *store, uint64_t number, size_t count, uint64_t *ret_number)
{
    struct step step;
    err result = OK;
    *ret_number = number;
    /* in steps, to keep transactions short */
    for (size_t done = 0; result == OK && done < count; done += step.count) {
        size_t most = count - done < STEP_RECORD_COUNT ? count - done : STEP_RECORD_COUNT;
        struct env_read read;
        step.count = 0;
        result = env_read_begin(store, &read);
        if (result != OK) {
            break;
        }
        result = read_step(&read, *ret_number, &step, most);
        env_read_end(&read);
        if (step.count == 0) {
            break;
        }
        *ret_number = step.records[step.count - 1].number;
        err indexed =
            check_indexes(store, &step, result == OK ? step.count : step.count - 1, ret_number);
        result = indexed != OK ? indexed : result;
    }
    return result;
}

/* ---- what is known of one that is damaged ---- */

struct placed {
    uint32_t stream_number; /* 0: not known */
    uint64_t sequence;
};

/* Finds the position that leads to the record. */
static err placed_by_index(struct env_read *read, uint64_t number, struct placed *ret_placed)
{
    MDB_cursor *cursor;
    MDB_val key;
    MDB_val value;
    uint64_t found = 0;
    int code = mdb_cursor_open(read->txn, read->store->env.positions, &cursor);
    if (code != 0) {
        return env_error(code);
    }
    while (found != number && mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {
        struct reader reader = reader_of(env_bytes_of(key));
        ret_placed->stream_number = reader_u32(&reader);
        ret_placed->sequence = reader_u64(&reader);
        if (!reader_done(&reader) || row_codec_number_read(env_bytes_of(value), &found) != OK) {
            found = 0;
        }
    }
    mdb_cursor_close(cursor);
    return found == number ? OK : ERR_NOT_FOUND;
}

/* From its meta, from the record itself, or from an index entry that leads to it. */
static err find_place(struct env_read *read, uint64_t number, struct placed *ret_placed,
                      struct store_damage *damage)
{
    uint8_t plain[ROW_CODEC_RECORD_PLAIN_MAX];
    struct row_codec_record record;
    struct row_codec_cell cell;
    size_t name = number;
    MDB_val key = env_val(&name, sizeof name);
    MDB_val value;
    *ret_placed = (struct placed){.stream_number = 0};
    if (mdb_get(read->txn, read->store->env.records, &key, &value) == 0 &&
        row_codec_record_open(read->store, number, env_bytes_of(value), plain, &record) == OK) {
        damage->has_id = true;
        damage->id = record.meta.id;
        *ret_placed = (struct placed){record.meta.stream_number, record.meta.sequence};
    }
    if (record_reader_cell(read, number, &cell) == OK) {
        damage->flags = cell.flags;
        *ret_placed = (struct placed){cell.stream_number, cell.sequence};
        sodium_memzero(&cell, sizeof cell);
    }
    return ret_placed->stream_number != 0 ? OK : placed_by_index(read, number, ret_placed);
}

/* Finds the stream with this number. Streams are stored by name, so it reads all of them. */
static err name_of_stream(struct env_read *read, uint32_t number, struct stream_id *ret_id)
{
    MDB_cursor *cursor;
    MDB_val key;
    MDB_val value;
    struct row_codec_stream stream = {.number = 0};
    int code = mdb_cursor_open(read->txn, read->store->env.streams, &cursor);
    if (code != 0) {
        return env_error(code);
    }
    while (stream.number != number && mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {
        if (row_codec_stream_open(read->store, env_bytes_of(key), env_bytes_of(value), &stream) !=
            OK) {
            stream.number = 0;
        }
    }
    mdb_cursor_close(cursor);
    *ret_id = stream.id;
    return stream.number == number ? OK : ERR_NOT_FOUND;
}

err verify_damage(struct store *store, uint64_t number, struct store_damage *ret_damage)
{
    struct env_read read;
    struct placed placed;
    struct store_damage damage = {.sequence = 0};
    err result = env_read_begin(store, &read);
    if (result != OK) {
        return result;
    }
    result = find_place(&read, number, &placed, &damage);
    if (result == OK) {
        result = name_of_stream(&read, placed.stream_number, &damage.stream);
    }
    env_read_end(&read);
    damage.sequence = placed.sequence;
    if (result == OK) {
        *ret_damage = damage;
    }
    return result;
}

/* ---- all of it ---- */

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

err verify_rows(struct store *store, const char **ret_what)
{
    *ret_what = "a stream";
    err result = stream_table_scan(store, pass_stream, NULL);
    for (unsigned table = 0; result == OK && table <= ROW_CODEC_TABLE_ITEM; table += 1) {
        *ret_what = "a row";
        result = row_table_scan(store, (enum store_table)table, pass_row, NULL);
    }
    return result;
}

err verify_all(struct store *store, bool spares_records, const char **ret_what)
{
    err result = verify_rows(store, ret_what);
    uint64_t number = 0;
    uint64_t before = UINT64_MAX;
    while (result == OK && number != before) {
        *ret_what = "a record";
        before = number;
        result = verify_records(store, before, STEP_RECORD_COUNT, &number);
        result = result == ERR_CORRUPT && spares_records ? OK : result;
    }
    return result;
}
