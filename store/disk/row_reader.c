#include "store/disk/row_reader.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE_ROW_COUNT = 256, PAGE_SIZE_MAX = ROW_CODEC_ROW_PLAIN_MAX + 64 * 1024 };

err row_reader_load(struct store *store, const struct row_codec_row_key *row_key,
                    uint8_t **ret_plain, size_t *ret_size, struct store_row *ret_row)
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

err row_reader_scan(struct store *store, struct row_codec_row_key from,
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
