#include "store/stream_table.h"

#include <stdlib.h>
#include <string.h>

#include "store/disk/record_reader.h"

enum { PAGE_ROW_COUNT = 256 };

static void copy_row(const struct row_codec_stream *stream, struct store_stream_row *ret_row)
{
    ret_row->stream = stream->id;
    ret_row->state_size = stream->state_size;
    memcpy(ret_row->state, stream->state, stream->state_size);
}

err stream_table_get(struct store *store, const struct stream_id *stream,
                     struct store_stream_row *ret_row)
{
    struct env_read read;
    struct row_codec_stream found;
    err result = env_read_begin(store, &read);
    if (result != OK) {
        return result;
    }
    result = record_reader_stream(&read, stream, &found);
    env_read_end(&read);
    if (result == OK) {
        copy_row(&found, ret_row);
    }
    return result;
}

/* Copies the next rows after key `after`, and advances it. */
static err read_rows(struct store *store, bool *first, uint8_t after[static SEAL_INDEX_SIZE],
                     struct store_stream_row *rows, size_t *ret_count)
{
    struct env_read read;
    MDB_cursor *cursor;
    size_t count = 0;
    err result = env_read_begin(store, &read);
    if (result != OK) {
        return result;
    }
    result = env_error(mdb_cursor_open(read.txn, store->env.streams, &cursor));
    if (result != OK) {
        env_read_end(&read);
        return result;
    }
    MDB_val key = env_val(after, SEAL_INDEX_SIZE);
    MDB_val value;
    int code = mdb_cursor_get(cursor, &key, &value, *first ? MDB_FIRST : MDB_SET_RANGE);
    if (code == 0 && !*first && key.mv_size == SEAL_INDEX_SIZE &&
        memcmp(key.mv_data, after, SEAL_INDEX_SIZE) == 0) {
        code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    while (code == 0 && count < PAGE_ROW_COUNT) {
        struct row_codec_stream stream;
        result = row_codec_stream_open(store, env_bytes_of(key), env_bytes_of(value), &stream);
        if (result != OK) {
            break;
        }
        copy_row(&stream, &rows[count]);
        count += 1;
        memcpy(after, key.mv_data, SEAL_INDEX_SIZE);
        code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    env_read_end(&read);
    *first = false;
    *ret_count = count;
    return result == OK && code != MDB_NOTFOUND ? env_error(code) : result;
}

err stream_table_scan(struct store *store,
                      bool (*on_row)(void *arg, const struct store_stream_row *row), void *arg)
{
    uint8_t after[SEAL_INDEX_SIZE] = {0};
    struct store_stream_row *rows = malloc(PAGE_ROW_COUNT * sizeof *rows);
    if (rows == NULL) {
        return ERR_NO_MEMORY;
    }
    err result = OK;
    bool first = true;
    bool go_on = true;
    size_t count = PAGE_ROW_COUNT;
    while (go_on && result == OK && count == PAGE_ROW_COUNT) {
        result = read_rows(store, &first, after, rows, &count);
        for (size_t i = 0; go_on && result == OK && i < count; i += 1) {
            go_on = on_row(arg, &rows[i]);
        }
    }
    free(rows);
    return result;
}
