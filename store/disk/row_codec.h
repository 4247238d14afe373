/* Encodes keys and values of the tables of env.h, and seals and opens them. Big-endian. */
#ifndef CONSILIUM_STORE_DISK_ROW_CODEC_H
#define CONSILIUM_STORE_DISK_ROW_CODEC_H

#include "store/disk/env.h"

/* ---- keys ---- */

enum { ROW_CODEC_PAIR_SIZE = 12, ROW_CODEC_ROW_KEY_SIZE_MAX = 1 + SEAL_INDEX_SIZE };

/* The key in `positions` (stream number, sequence) and `scopes` (scope number, record number). */
void row_codec_pair(uint32_t first, uint64_t second, uint8_t ret_key[static ROW_CODEC_PAIR_SIZE]);
/* False when `key` is no pair or its first half is not `first`. */
bool row_codec_pair_read(struct bytes key, uint32_t first, uint64_t *ret_second);

/* A record number as a value. ERR_CORRUPT. */
enum { ROW_CODEC_NUMBER_SIZE = 8 };
void row_codec_number(uint64_t number, uint8_t ret_value[static ROW_CODEC_NUMBER_SIZE]);
MUST_USE err row_codec_number_read(struct bytes value, uint64_t *ret_number);

/* Tables of rows that only the store uses; after those of STORE_TABLE_LIST. Sealed under the
 * master's row key, because they hold nothing that may have to be destroyed. */
enum row_codec_table {
    ROW_CODEC_TABLE_PUBLIC_MAX = 99,
    ROW_CODEC_TABLE_STATE = 100,     /* counters and owner */
    ROW_CODEC_TABLE_SCOPE = 101,     /* scope -> scope number */
    ROW_CODEC_TABLE_AUDIT = 102,     /* ordered */
    ROW_CODEC_TABLE_TOMBSTONE = 103, /* kind and id -> time */
    ROW_CODEC_TABLE_ITEM = 104,      /* item_id -> shape and bitmap of chunks */
};

bool row_codec_table_known(unsigned table);
bool row_codec_table_ordered(unsigned table);

struct row_codec_row_key {
    size_t size;
    uint8_t bytes[ROW_CODEC_ROW_KEY_SIZE_MAX];
};
struct row_codec_row_key row_codec_row_key(const struct store *store, unsigned table,
                                           struct bytes key);

/* ---- records ---- */

enum {
    ROW_CODEC_META_SIZE = 51,
    ROW_CODEC_RECORD_PLAIN_MAX = ROW_CODEC_META_SIZE + STORE_RECORD_SIZE_MAX
};

struct row_codec_meta {
    uint64_t sequence;
    uint32_t stream_number;
    uint32_t scope_number;
    struct record_id id;
    uint16_t head_size;
    bool has_body;
};

void row_codec_meta_write(const struct row_codec_meta *meta,
                          uint8_t out[static ROW_CODEC_META_SIZE]);

/* `plain` begins with the prefix; `out` takes plain.size + SEAL_OVERHEAD. */
void row_codec_record_seal(const struct store *store, struct seal_nonces *nonces, uint64_t number,
                           struct bytes plain, uint8_t *out);

/* Opens into `plain` (ROW_CODEC_RECORD_PLAIN_MAX); head and body borrow from it. */
struct row_codec_record {
    struct row_codec_meta meta;
    struct bytes head;
    struct bytes body;
};
MUST_USE err row_codec_record_open(const struct store *store, uint64_t number, struct bytes sealed,
                                   uint8_t *plain, struct row_codec_record *ret_record);

/* ---- cells: what may change or be forgotten of a record ---- */

struct row_codec_cell {
    uint32_t stream_number; /* the record's position, which reveals a wrong index entry */
    uint64_t sequence;
    uint32_t flags;
    bool destroyed;
    bool has_key;
    struct record_key key;
};

enum { ROW_CODEC_CELL_SIZE_MAX = 4 + SEAL_OVERHEAD + 17 + KEY_SIZE };

size_t row_codec_cell_size(const struct row_codec_cell *cell);
/* Seals under the current epoch key (writer thread). */
void row_codec_cell_seal(const struct store *store, struct seal_nonces *nonces, uint64_t number,
                         const struct row_codec_cell *cell, uint8_t *out);
MUST_USE err row_codec_cell_open(const struct store *store, uint64_t number, struct bytes sealed,
                                 struct row_codec_cell *ret_cell);
uint32_t row_codec_cell_epoch(struct bytes sealed);

/* ---- streams ---- */

struct row_codec_stream {
    uint32_t number;
    uint32_t scope_number;
    struct stream_id id;
    size_t state_size;
    uint8_t state[STORE_STREAM_STATE_SIZE_MAX];
};

enum {
    ROW_CODEC_STREAM_PLAIN_MAX = 8 + STREAM_ID_SIZE + STORE_STREAM_STATE_SIZE_MAX,
    ROW_CODEC_STREAM_SIZE_MAX = ROW_CODEC_STREAM_PLAIN_MAX + SEAL_OVERHEAD
};

void row_codec_stream_key(const struct store *store, const struct stream_id *id,
                          uint8_t ret_key[static SEAL_INDEX_SIZE]);
size_t row_codec_stream_seal(const struct store *store, struct seal_nonces *nonces,
                             const uint8_t key[static SEAL_INDEX_SIZE],
                             const struct row_codec_stream *stream, uint8_t *out);
MUST_USE err row_codec_stream_open(const struct store *store, struct bytes key, struct bytes sealed,
                                   struct row_codec_stream *ret_stream);

/* ---- rows ---- */

/* plain: u16 key size | key | value */
enum {
    ROW_CODEC_ROW_OVERHEAD = 4 + SEAL_OVERHEAD,
    ROW_CODEC_ROW_PLAIN_MAX = 2 + STORE_ROW_KEY_SIZE_MAX + STORE_ROW_SIZE_MAX
};

void row_codec_row_seal(const struct store *store, struct seal_nonces *nonces, struct bytes row_key,
                        struct bytes plain, uint8_t *out);
/* Opens into `plain`, sealed.size - ROW_CODEC_ROW_OVERHEAD bytes; key and value borrow from it. */
MUST_USE err row_codec_row_open(const struct store *store, struct bytes row_key,
                                struct bytes sealed, uint8_t *plain, struct store_row *ret_row);
uint32_t row_codec_row_epoch(struct bytes sealed);

#endif
