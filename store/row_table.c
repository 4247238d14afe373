#include "store/row_table.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "store/disk/row_reader.h"

static bool key_fits(unsigned table, struct bytes key)
{
    return row_codec_table_known(table) && key.size > 0 && key.size <= STORE_ROW_KEY_SIZE_MAX &&
           (!row_codec_table_ordered(table) || key.size == 8);
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
    err result = row_reader_load(store, &row_key, &plain, &size, &row);
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
    err result = row_reader_load(store, &row_key, &plain, &size, &row);
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

err row_table_scan(struct store *store, enum store_table table,
                   bool (*on_row)(void *arg, const struct store_row *row), void *arg)
{
    struct row_codec_row_key from = {.size = 1, .bytes = {(uint8_t)table}};
    return row_reader_scan(store, from, on_row, arg);
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
    return row_reader_scan(store,
                           row_codec_row_key(store, ROW_CODEC_TABLE_AUDIT, buffer_bytes(&buffer)),
                           on_audit_row, &audit);
}
