#include "store/record_table.h"

#include <string.h>

#include "store/disk/index_buffer.h"
#include "store/disk/record_reader.h"

enum { RANGE_WAITING_MAX = 256 };

/* An index entry that leads to no record, or to another one, is damage and not absence. */
static err as_led(err result)
{
    return result == ERR_NOT_FOUND ? ERR_CORRUPT : result;
}

/* The number of a stream; with a transaction of its own. */
static err stream_number(struct store *store, const struct stream_id *stream, uint32_t *ret_number)
{
    struct env_read read;
    struct row_codec_stream row;
    err result = env_read_begin(store, &read);
    if (result != OK) {
        return result;
    }
    result = record_reader_stream(&read, stream, &row);
    env_read_end(&read);
    if (result == OK) {
        *ret_number = row.number;
    }
    return result;
}

err record_table_get(struct store *store, const struct stream_id *stream, uint64_t sequence,
                     uint8_t memory[static STORE_RECORD_SIZE_MAX], struct store_record *ret_record)
{
    struct env_read read;
    struct buffer buffer = buffer_over(memory, STORE_RECORD_SIZE_MAX);
    struct record_reader_place place = {.sequence = sequence};
    uint64_t number;
    err result = stream_number(store, stream, &place.stream_number);
    if (result == OK) {
        result = record_reader_position(store, place.stream_number, sequence, &number);
    }
    if (result == OK) {
        result = env_read_begin(store, &read);
    }
    if (result != OK) {
        return result;
    }
    result = as_led(record_reader_record(&read, number, &place, &buffer, ret_record));
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
    err result = record_reader_number(store, id, &number);
    if (result == OK) {
        result = env_read_begin(store, &read);
    }
    if (result != OK) {
        return result;
    }
    result = as_led(record_reader_record(&read, number, NULL, &buffer, &record));
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
    result = record_reader_record(&read, number, NULL, &buffer, ret_record);
    env_read_end(&read);
    return result;
}

bool record_table_has(struct store *store, const struct record_id *id)
{
    uint64_t number;
    return record_reader_number(store, id, &number) == OK;
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

/* ERR_TOO_LARGE when it does not fit, which ends the page. */
static err page_add(struct page *page, struct env_read *read, uint64_t number,
                    const struct record_reader_place *place)
{
    struct store_record *record = &page->out->records[page->out->record_count];
    err result = as_led(record_reader_record(read, number, place, &page->memory, record));
    if (result == OK) {
        page->out->record_count += 1;
    }
    return result;
}

/* A full page is no failure. Neither is one that ends at a damaged record: the records before it
 * are returned first, and the next page begins with the damaged one. */
static err page_end(const struct page *page, err result)
{
    bool harmless = result == ERR_NOT_FOUND || (result != OK && page->out->record_count > 0);
    return harmless ? OK : result;
}

/* Two ascending lists of positions of one stream, merged without duplicates: the table, and the
 * entries that were in the buffer when the read began. */
struct walk {
    MDB_cursor *cursor;
    uint32_t stream_number;
    struct index_buffer_place next; /* of the table; sequence 0: it has no more */
    struct index_buffer_place waiting[RANGE_WAITING_MAX];
    size_t waiting_count;
    size_t waiting_index;
};

static err walk_table(struct walk *walk, MDB_val *key, MDB_cursor_op op)
{
    MDB_val value;
    err result = env_error(mdb_cursor_get(walk->cursor, key, &value, op));
    walk->next.sequence = 0;
    if (result == OK &&
        row_codec_pair_read(env_bytes_of(*key), walk->stream_number, &walk->next.sequence)) {
        result = row_codec_number_read(env_bytes_of(value), &walk->next.number);
    } else {
        walk->next.sequence = 0;
    }
    return result == ERR_NOT_FOUND ? OK : result;
}

static err walk_begin(struct walk *walk, uint64_t sequence)
{
    uint8_t position[ROW_CODEC_PAIR_SIZE];
    row_codec_pair(walk->stream_number, sequence, position);
    MDB_val key = env_val(position, sizeof position);
    return walk_table(walk, &key, MDB_SET_RANGE);
}

/* ERR_NOT_FOUND at the end. */
static err walk_next(struct walk *walk, struct index_buffer_place *ret_place)
{
    MDB_val key;
    const struct index_buffer_place *waiting = &walk->waiting[walk->waiting_index];
    bool waits = walk->waiting_index < walk->waiting_count;
    bool has_next = walk->next.sequence != 0;
    if (!waits && !has_next) {
        return ERR_NOT_FOUND;
    }
    if (waits && (!has_next || waiting->sequence <= walk->next.sequence)) {
        *ret_place = *waiting;
        walk->waiting_index += 1;
        return has_next && waiting->sequence == walk->next.sequence
                   ? walk_table(walk, &key, MDB_NEXT)
                   : OK;
    }
    if (walk->waiting_count == RANGE_WAITING_MAX && !waits) {
        return ERR_NOT_FOUND; /* the buffer may hold more in between: the next page looks again */
    }
    *ret_place = walk->next;
    return walk_table(walk, &key, MDB_NEXT);
}

static err range(struct env_read *read, struct walk *walk, uint64_t sequence, struct page *page)
{
    err result = env_error(mdb_cursor_open(read->txn, read->store->env.positions, &walk->cursor));
    if (result != OK) {
        return result;
    }
    result = walk_begin(walk, sequence);
    while (result == OK && page_open(page)) {
        struct index_buffer_place found;
        result = walk_next(walk, &found);
        if (result == OK) {
            struct record_reader_place place = {walk->stream_number, found.sequence};
            result = page_add(page, read, found.number, &place);
        }
    }
    mdb_cursor_close(walk->cursor);
    return result;
}

err record_table_range(struct store *store, const struct stream_id *stream, uint64_t sequence,
                       struct store_page *out)
{
    struct env_read read;
    struct walk walk = {.cursor = NULL};
    struct page page = page_over(out);
    err result = stream_number(store, stream, &walk.stream_number);
    if (result == OK) {
        walk.waiting_count = index_buffer_range(store->index, walk.stream_number, sequence,
                                                walk.waiting, RANGE_WAITING_MAX);
        result = env_read_begin(store, &read);
    }
    if (result != OK) {
        return page_end(&page, result);
    }
    result = page_end(&page, range(&read, &walk, sequence, &page));
    env_read_end(&read);
    return result;
}

static err scope_page(struct env_read *read, const struct scope *scope, uint64_t number,
                      struct page *page)
{
    MDB_cursor *cursor;
    uint32_t scope_number;
    uint8_t pair[ROW_CODEC_PAIR_SIZE];
    err result = number == UINT64_MAX ? ERR_NOT_FOUND : OK;
    if (result == OK) {
        result = record_reader_scope(read, scope, &scope_number);
    }
    if (result == OK) {
        result = env_error(mdb_cursor_open(read->txn, read->store->env.scopes, &cursor));
    }
    if (result != OK) {
        return result;
    }
    row_codec_pair(scope_number, number + 1, pair);
    MDB_val key = env_val(pair, sizeof pair);
    MDB_cursor_op op = MDB_SET_RANGE;
    while (result == OK && page_open(page)) {
        result = env_error(mdb_cursor_get(cursor, &key, NULL, op));
        op = MDB_NEXT;
        if (result != OK || !row_codec_pair_read(env_bytes_of(key), scope_number, &number)) {
            break;
        }
        result = page_add(page, read, number, NULL);
        result = result == ERR_CORRUPT ? OK : result; /* all others are in the table */
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
