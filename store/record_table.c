#include "store/record_table.h"

#include <sodium.h>
#include <string.h>

#include "store/read_page.h"

/* An index that leads to nothing, or elsewhere, is damage and not absence. */
static err as_led(err result)
{
    return result == ERR_NOT_FOUND ? ERR_CORRUPT : result;
}

static err read_position(struct env_read *read, const struct stream_id *stream, uint64_t sequence,
                         struct buffer *memory, struct store_record *ret_record)
{
    struct value_stream row;
    struct value_cell cell;
    struct store_record record;
    err result = read_page_stream(read, stream, &row);
    if (result == OK) {
        result = read_page_cell(read, row.number, sequence, &cell);
    }
    if (result == OK) {
        result = as_led(read_page_record(read, cell.number, &cell, memory, &record));
        sodium_memzero(&cell, sizeof cell);
    }
    if (result == OK && record.sequence != sequence) {
        result = ERR_CORRUPT;
    }
    if (result == OK) {
        *ret_record = record;
    }
    return result;
}

err record_table_get(struct store *store, const struct stream_id *stream, uint64_t sequence,
                     uint8_t memory[static STORE_RECORD_SIZE_MAX], struct store_record *ret_record)
{
    struct env_read read;
    struct buffer buffer = buffer_over(memory, STORE_RECORD_SIZE_MAX);
    err result = env_read_begin(store, &read);
    if (result != OK) {
        return result;
    }
    result = read_position(&read, stream, sequence, &buffer, ret_record);
    env_read_end(&read);
    return result;
}

err record_table_find(struct store *store, const struct record_id *id,
                      uint8_t memory[static STORE_RECORD_SIZE_MAX], struct store_record *ret_record)
{
    struct env_read read;
    struct store_record record;
    struct buffer buffer = buffer_over(memory, STORE_RECORD_SIZE_MAX);
    uint64_t number;
    err result = read_page_number(store, id, &number);
    if (result == OK) {
        result = env_read_begin(store, &read);
    }
    if (result != OK) {
        return result;
    }
    result = as_led(read_page_record(&read, number, NULL, &buffer, &record));
    env_read_end(&read);
    if (result == OK && !ID_EQUAL(record.id, *id)) {
        result = ERR_CORRUPT;
    }
    if (result == OK) {
        *ret_record = record;
    }
    return result;
}

err record_table_nth(struct store *store, uint64_t number,
                     uint8_t memory[static STORE_RECORD_SIZE_MAX], struct store_record *ret_record)
{
    struct env_read read;
    struct buffer buffer = buffer_over(memory, STORE_RECORD_SIZE_MAX);
    err result = env_read_begin(store, &read);
    if (result != OK) {
        return result;
    }
    result = read_page_record(&read, number, NULL, &buffer, ret_record);
    env_read_end(&read);
    return result;
}

bool record_table_has(struct store *store, const struct record_id *id)
{
    uint64_t number;
    return read_page_number(store, id, &number) == OK;
}

/* ---- pages ---- */

struct page {
    struct store_page *out;
    struct buffer memory;
};

static struct page page_over(struct store_page *out)
{
    out->record_count = 0;
    return (struct page){.out = out, .memory = buffer_over(out->memory, out->memory_size)};
}

static bool page_open(const struct page *page)
{
    return page->out->record_count < page->out->record_max;
}

/* ERR_TOO_LARGE when it does not fit any more, which ends the page. */
static err page_add(struct page *page, struct env_read *read, uint64_t number,
                    const struct value_cell *cell)
{
    struct store_record *record = &page->out->records[page->out->record_count];
    err result = as_led(read_page_record(read, number, cell, &page->memory, record));
    if (result == OK) {
        page->out->record_count += 1;
    }
    return result;
}

/* A page that is full of what it could hold is no failure; nor is one that ends in damage: what
 * stands before it is handed out first, and the next page begins with the damage. */
static err page_end(const struct page *page, err result)
{
    bool harmless = result == ERR_NOT_FOUND || (result != OK && page->out->record_count > 0);
    return harmless ? OK : result;
}

static err range(struct env_read *read, const struct stream_id *stream, uint64_t sequence,
                 struct page *page)
{
    struct value_stream row;
    MDB_cursor *cursor;
    uint8_t position[VALUE_PAIR_SIZE];
    err result = read_page_stream(read, stream, &row);
    if (result == OK) {
        result = env_error(mdb_cursor_open(read->txn, read->store->env.positions, &cursor));
    }
    if (result != OK) {
        return result;
    }
    value_pair(row.number, sequence, position);
    MDB_val key = env_val(position, sizeof position);
    MDB_val value;
    MDB_cursor_op op = MDB_SET_RANGE;
    while (result == OK && page_open(page)) {
        struct value_cell cell;
        result = env_error(mdb_cursor_get(cursor, &key, &value, op));
        op = MDB_NEXT;
        if (result != OK || !value_pair_read(env_bytes_of(key), row.number, &sequence)) {
            break;
        }
        result = value_cell_open(read->store, key.mv_data, env_bytes_of(value), &cell);
        if (result == OK) {
            result = page_add(page, read, cell.number, &cell);
            sodium_memzero(&cell, sizeof cell);
        }
    }
    mdb_cursor_close(cursor);
    return result;
}

err record_table_range(struct store *store, const struct stream_id *stream, uint64_t sequence,
                       struct store_page *out)
{
    struct env_read read;
    struct page page = page_over(out);
    err result = env_read_begin(store, &read);
    if (result != OK) {
        return result;
    }
    result = page_end(&page, range(&read, stream, sequence, &page));
    env_read_end(&read);
    return result;
}

static err scope_page(struct env_read *read, const struct scope *scope, uint64_t number,
                      struct page *page)
{
    MDB_cursor *cursor;
    uint32_t scope_number;
    uint8_t pair[VALUE_PAIR_SIZE];
    err result = number == UINT64_MAX ? ERR_NOT_FOUND : OK;
    if (result == OK) {
        result = read_page_scope(read, scope, &scope_number);
    }
    if (result == OK) {
        result = env_error(mdb_cursor_open(read->txn, read->store->env.scopes, &cursor));
    }
    if (result != OK) {
        return result;
    }
    value_pair(scope_number, number + 1, pair);
    MDB_val key = env_val(pair, sizeof pair);
    MDB_cursor_op op = MDB_SET_RANGE;
    while (result == OK && page_open(page)) {
        result = env_error(mdb_cursor_get(cursor, &key, NULL, op));
        op = MDB_NEXT;
        if (result != OK || !value_pair_read(env_bytes_of(key), scope_number, &number)) {
            break;
        }
        result = page_add(page, read, number, NULL);
    }
    mdb_cursor_close(cursor);
    return result;
}

err record_table_scope(struct store *store, const struct scope *scope, uint64_t number,
                       struct store_page *out)
{
    struct env_read read;
    struct page page = page_over(out);
    err result = env_read_begin(store, &read);
    if (result != OK) {
        return result;
    }
    result = page_end(&page, scope_page(&read, scope, number, &page));
    env_read_end(&read);
    return result;
}

static err all_page(struct env_read *read, uint64_t number, struct page *page)
{
    MDB_cursor *cursor;
    err result = number == UINT64_MAX ? ERR_NOT_FOUND : OK;
    if (result == OK) {
        result = env_error(mdb_cursor_open(read->txn, read->store->env.records, &cursor));
    }
    if (result != OK) {
        return result;
    }
    size_t first = number + 1;
    MDB_val key = env_val(&first, sizeof first);
    MDB_val value;
    MDB_cursor_op op = MDB_SET_RANGE;
    while (result == OK && page_open(page)) {
        size_t next;
        result = env_error(mdb_cursor_get(cursor, &key, &value, op));
        op = MDB_NEXT;
        if (result == OK) {
            memcpy(&next, key.mv_data, sizeof next);
            result = page_add(page, read, next, NULL);
        }
    }
    mdb_cursor_close(cursor);
    return result;
}

err record_table_all(struct store *store, uint64_t number, struct store_page *out)
{
    struct env_read read;
    struct page page = page_over(out);
    err result = env_read_begin(store, &read);
    if (result != OK) {
        return result;
    }
    result = page_end(&page, all_page(&read, number, &page));
    env_read_end(&read);
    return result;
}
