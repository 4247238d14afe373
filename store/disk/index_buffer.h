/* The index buffer: the newest entries of the indexes `ids` and `positions`, in memory until they
 * are merged into their tables.
 *
 * Hashes of ids arrive in random order, and the streams of many writers grow at the same time.
 * Written at once, each entry would dirty a page of its own, several times the size of its record.
 * So an entry waits here, and a commit dirties only the appended pages of `records` and `cells`.
 *
 * Entries come in generations. New entries go into the filling generation. When it has
 * INDEX_BUFFER_GENERATION entries, it becomes the draining one: commits merge it into the tables in
 * key order, in groups that share pages, and as fast as the next generation fills. When its last
 * entry is merged, `merged` rises to the last record of that generation.
 *
 * Losing the memory loses nothing: unmerged entries belong to records above `merged` (stored with
 * the state), and opening the store reads those records again. They are at most two generations;
 * four when the process is killed repeatedly or the disk is full.
 *
 * The writer thread adds, erases and merges; index_buffer_committed makes its changes visible. A
 * reader looks here *before* it begins its transaction: an entry that has left the buffer is
 * visible in that transaction. */
#ifndef CONSILIUM_STORE_DISK_INDEX_BUFFER_H
#define CONSILIUM_STORE_DISK_INDEX_BUFFER_H

#include "store/disk/env.h"

enum { INDEX_BUFFER_GENERATION = 128 * 1024 /* entries of each index */ };

enum index_buffer_table { INDEX_BUFFER_IDS, INDEX_BUFFER_POSITIONS, INDEX_BUFFER_TABLE_COUNT };

/* A key as two numbers, in the order of the table's keys. */
struct index_buffer_key {
    uint64_t high;
    uint64_t low;
};

struct index_buffer_key index_buffer_id(const uint8_t index[static SEAL_INDEX_SIZE]);
struct index_buffer_key index_buffer_position(uint32_t stream_number, uint64_t sequence);

struct index_buffer;

/* NULL when out of memory. `env` is borrowed. Records up to `merged` are in the tables; the caller
 * now adds and commits those above. `generation`: INDEX_BUFFER_GENERATION, or less in a test. */
struct index_buffer *index_buffer_new(const struct env *env, uint64_t merged, size_t generation);
void index_buffer_free(struct index_buffer *buffer);

/* ---- the writer ---- */

/* From the commit on, the key leads to the record `number`. After ERR_NO_MEMORY the transaction can
 * go on without the entry's batch. */
MUST_USE err index_buffer_add(struct index_buffer *buffer, enum index_buffer_table table,
                              struct index_buffer_key key, uint64_t number);

/* From the commit on, the key leads to no record; OK when it led to none before. Returns a result
 * of LMDB. */
MUST_USE int index_buffer_erase(struct index_buffer *buffer, MDB_txn *txn,
                                enum index_buffer_table table, struct index_buffer_key key);

/* From the commit on, the key leads to the record `number`, whatever it led to before; for a record
 * that is merged already. Returns a result of LMDB. */
MUST_USE int index_buffer_put(struct index_buffer *buffer, MDB_txn *txn,
                              enum index_buffer_table table, struct index_buffer_key key,
                              uint64_t number);

/* The state of a key in the buffer. */
enum index_buffer_answer {
    INDEX_BUFFER_ABSENT, /* not in the buffer: ask the table */
    INDEX_BUFFER_ERASED, /* erased, whatever the table says */
    INDEX_BUFFER_FOUND
};

/* Sees the entries that this transaction added and erased. */
enum index_buffer_answer index_buffer_find_own(const struct index_buffer *buffer,
                                               enum index_buffer_table table,
                                               struct index_buffer_key key, uint64_t *ret_number);

/* The highest position of the stream in the buffer, with those of this transaction; 0: none. */
uint64_t index_buffer_last(const struct index_buffer *buffer, uint32_t stream_number);

enum index_buffer_extent {
    INDEX_BUFFER_LEAST, /* as little as the bound allows, because the disk is full */
    INDEX_BUFFER_DUE,
    INDEX_BUFFER_ALL, /* the whole draining generation */
};

/* Merges entries into the tables; the last call before a commit. Returns a result of LMDB. */
MUST_USE int index_buffer_merge(struct index_buffer *buffer, MDB_txn *txn,
                                enum index_buffer_extent extent);

/* When the transaction is committed, the tables hold all records up to this one. */
uint64_t index_buffer_merged(const struct index_buffer *buffer);

/* `number_last` is the last committed record now. */
void index_buffer_committed(struct index_buffer *buffer, uint64_t number_last);
void index_buffer_aborted(struct index_buffer *buffer);

/* Between transactions: turns the filling generation into the draining one, unless one drains
 * already. False when nothing drains: the buffer is empty, or out of memory. */
bool index_buffer_turn(struct index_buffer *buffer, uint64_t number_last);

/* Waiting entries of the index, erased ones too, without those of this transaction. */
size_t index_buffer_count(const struct index_buffer *buffer, enum index_buffer_table table);

/* ---- any thread ---- */

enum index_buffer_answer index_buffer_find(struct index_buffer *buffer,
                                           enum index_buffer_table table,
                                           struct index_buffer_key key, uint64_t *ret_number);

struct index_buffer_place {
    uint64_t sequence;
    uint64_t number; /* of the record */
};

/* Up to `count_max` positions of the stream from `sequence` on, ascending; returns their number. */
size_t index_buffer_range(struct index_buffer *buffer, uint32_t stream_number, uint64_t sequence,
                          struct index_buffer_place *ret_places, size_t count_max);

#endif
