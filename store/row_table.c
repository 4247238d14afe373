#include "store/row_table.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "store/disk/row_codec.h"

enum { PAGE_ROW_COUNT = 256, PAGE_SIZE_MAX = ROW_CODEC_ROW_PLAIN_MAX + 64 * 1024 };

static bool key_fits(unsigned table, struct bytes key)
{
    return row_codec_table_known(table) && key.size > 0 && key.size <= STORE_ROW_KEY_SIZE_MAX &&
           (!row_codec_table_ordered(table) || key.size == 8);
}

/* Opens the row into heap memory, since a row may be large; the caller wipes and frees it. */
static err load(struct store *store, const struct row_codec_row_key *row_key, uint8_t **ret_plain,
                size_t *ret_size, struct store_row *ret_row)
{
    struct env_read read;
    MDB_val key = env_val(row_key->bytes, row_key->size);
    MDB_val value;
    uint8_t *plain = NULL;
    err result = env_read_begin(store, &read);
    if (result != OK) {
        return result;
    }
    result = env_error(mdb_get(read.txn, store->env.rows, &key, &value));
    if (result == OK) {
        plain = malloc(value.mv_size);
        result = plain == NULL ? ERR_NO_MEMORY : OK;
    }
    if (result == OK) {
        *ret_size = value.mv_size;
        result = row_codec_row_open(store, env_bytes_of(key), env_bytes_of(value), plain, ret_row);
    }
    env_read_end(&read);
    if (result != OK) {
        free(plain);
        return result;
    }
    *ret_plain = plain;
    return OK;
}

err row_table_get(struct store *store, enum store_table table, struct bytes key,
                  struct buffer *memory)
{
    if (!key_fits(table, key)) {
        return ERR_INVALID;
    }
    struct row_codec_row_key row_key = row_codec_row_key(store, table, key);
    struct store_row row;
    uint8_t *plain;
    size_t size;
    err result = load(store, &row_key, &plain, &size, &row);
    if (result != OK) {
        return result;
    }
    if (!bytes_equal(row.key, key)) {
        result = ERR_CORRUPT;
    } else if (memory->failed || row.value.size > memory->capacity - memory->size) {
        result = ERR_TOO_LARGE;
    } else {
        buffer_put(memory, row.value.data, row.value.size);
    }
    sodium_memzero(plain, size);
    free(plain);
    return result;
}

bool row_table_tombstone(struct store *store, enum store_tombstone_kind kind,
                         const uint8_t id[static HASH_SIZE], struct wall *ret_erased_at)
{
    uint8_t name[1 + HASH_SIZE] = {(uint8_t)kind};
    memcpy(name + 1, id, HASH_SIZE);
    struct row_codec_row_key row_key =
        row_codec_row_key(store, ROW_CODEC_TABLE_TOMBSTONE, (struct bytes){name, sizeof name});
    struct store_row row;
    uint8_t *plain;
    size_t size;
    err result = load(store, &row_key, &plain, &size, &row);
    if (result != OK) {
        return result != ERR_NOT_FOUND; /* a tombstone that does not open still counts */
    }
    struct reader reader = reader_of(row.value);
    if (ret_erased_at != NULL) {
        ret_erased_at->ms = reader_u64(&reader);
    }
    free(plain);
    return true;
}

/* ---- scans ---- */

/* Rows copied out of one short transaction. */
struct page {
    struct store_row rows[PAGE_ROW_COUNT];
    size_t row_count;
    bool last; /* the table ends with this page */
    size_t size;
    uint8_t memory[PAGE_SIZE_MAX];
};

static err add_row(struct store *store, struct page *page, MDB_val key, MDB_val value)
{
    err result = row_codec_row_open(store, env_bytes_of(key), env_bytes_of(value),
                                    page->memory + page->size, &page->rows[page->row_count]);
    if (result == OK) {
        page->row_count += 1;
        page->size += value.mv_size - ROW_CODEC_ROW_OVERHEAD;
    }
    return result;
}

static bool page_takes(const struct page *page, MDB_val value)
{
    return page->row_count < PAGE_ROW_COUNT && value.mv_size <= sizeof page->memory - page->size;
}

/* Fills the page with rows of the table of `from`, from that key on (or after it), and sets `from`
 * to the last one read. */
static err fill_page(struct env_read *read, struct row_codec_row_key *from, bool after,
                     struct page *page)
{
    MDB_cursor *cursor;
    err result = env_error(mdb_cursor_open(read->txn, read->store->env.rows, &cursor));
    if (result != OK) {
        return result;
    }
    MDB_val key = env_val(from->bytes, from->size);
    MDB_val value;
    int code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    if (code == 0 && after && key.mv_size == from->size &&
        memcmp(key.mv_data, from->bytes, from->size) == 0) {
        code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    while (code == 0 && *(const uint8_t *)key.mv_data == from->bytes[0]) {
        if (!page_takes(page, value)) {
            result = page->row_count == 0 ? ERR_CORRUPT : OK; /* no row is larger than a page */
            break;
        }
        result = add_row(read->store, page, key, value);
        if (result != OK) {
            break;
        }
        from->size = key.mv_size; /* it opened, so it has a valid key size */
        memcpy(from->bytes, key.mv_data, key.mv_size);
        code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    page->last = code == MDB_NOTFOUND ||
                 (code == 0 && key.mv_size > 0 && *(const uint8_t *)key.mv_data != from->bytes[0]);
    mdb_cursor_close(cursor);
    if (result == OK && code != 0 && code != MDB_NOTFOUND) {
        result = env_error(code);
    }
    return result;
}

static err scan(struct store *store, struct row_codec_row_key from,
                bool (*on_row)(void *arg, const struct store_row *row), void *arg)
{
    struct page *page = malloc(sizeof *page);
    if (page == NULL) {
        return ERR_NO_MEMORY;
    }
    bool after = false;
    bool go_on = true;
    err result = OK;
    page->last = false;
    while (go_on && result == OK && !page->last) {
        struct env_read read;
        page->row_count = 0;
        page->size = 0;
        result = env_read_begin(store, &read);
        if (result == OK) {
            result = fill_page(&read, &from, after, page);
            env_read_end(&read);
        }
        after = true;
        for (size_t i = 0; go_on && result == OK && i < page->row_count; i += 1) {
            go_on = on_row(arg, &page->rows[i]);
        }
        sodium_memzero(page->memory, page->size);
    }
    free(page);
    return result;
}

err row_table_scan(struct store *store, enum store_table table,
                   bool (*on_row)(void *arg, const struct store_row *row), void *arg)
{
    struct row_codec_row_key from = {.size = 1, .bytes = {(uint8_t)table}};
    return scan(store, from, on_row, arg);
}

struct audit_scan {
    bool (*on_entry)(void *arg, const struct store_audit *entry);
    void *arg;
};

static bool on_audit_row(void *arg, const struct store_row *row)
{
    const struct audit_scan *audit = arg;
    struct reader reader = reader_of(row->key);
    struct store_audit entry = {.number = reader_u64(&reader), .entry = row->value};
    return audit->on_entry(audit->arg, &entry);
}

err row_table_audit(struct store *store, uint64_t number,
                    bool (*on_entry)(void *arg, const struct store_audit *entry), void *arg)
{
    uint8_t key[8];
    struct buffer buffer = buffer_over(key, sizeof key);
    buffer_u64(&buffer, number);
    struct audit_scan audit = {.on_entry = on_entry, .arg = arg};
    return scan(store, row_codec_row_key(store, ROW_CODEC_TABLE_AUDIT, buffer_bytes(&buffer)),
                on_audit_row, &audit);
}
