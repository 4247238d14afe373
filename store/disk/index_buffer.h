/* The newest entries of the indexes `ids` and `positions`, in memory until they are merged into
 * their tables.
 *
 * Hashes of ids come in random order, and many writers' streams grow side by side: written at once,
 * each entry would dirty a page of its own, several times the size of its record. So an entry waits
 * here, and a commit dirties the appended pages of `records` and `cells` alone.
 *
 * Entries come in generations. All that is added goes into the generation that fills. When it has
 * INDEX_BUFFER_GENERATION entries, it becomes the one that drains: commits put it into the tables
 * in the order of the keys, in groups that share pages, and as fast as the next generation fills.
 * When the last entry is in its table, `merged` rises to the last record of that generation.
 *
 * Nothing is lost with the memory: what is not merged are records above `merged` (kept with the
 * state), and an open reads them again. They are at most two generations, unless the process is
 * killed again and again or the disk is full: four then.
 *
 * The writer thread adds, erases and merges; what it does takes effect with index_buffer_committed.
 * A reader asks here *before* it begins its transaction: what is not here any more, its transaction
 * shows. */
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

/* NULL without memory. `env` is borrowed. Records up to `merged` are in the tables; those above are
 * to be added and committed now. `generation`: INDEX_BUFFER_GENERATION, less in a test. */
struct index_buffer *index_buffer_new(const struct env *env, uint64_t merged, size_t generation);
void index_buffer_free(struct index_buffer *buffer);

/* ---- the writer ---- */

/* The key leads to the record `number` from the commit on. ERR_NO_MEMORY: the transaction can go on
 * without the entry's batch. */
MUST_USE err index_buffer_add(struct index_buffer *buffer, enum index_buffer_table table,
                              struct index_buffer_key key, uint64_t number);

/* The key leads nowhere from the commit on; OK when it led nowhere before. Returns a result of
 * LMDB. */
MUST_USE int index_buffer_erase(struct index_buffer *buffer, MDB_txn *txn,
                                enum index_buffer_table table, struct index_buffer_key key);

/* The key leads to the record `number` from the commit on, whatever it led to; for a record that is
 * merged already. Returns a result of LMDB. */
MUST_USE int index_buffer_put(struct index_buffer *buffer, MDB_txn *txn,
                              enum index_buffer_table table, struct index_buffer_key key,
                              uint64_t number);

/* What the buffer knows of a key. */
enum index_buffer_answer {
    INDEX_BUFFER_ABSENT, /* nothing: ask the table */
    INDEX_BUFFER_ERASED, /* it leads nowhere, whatever the table says */
    INDEX_BUFFER_FOUND
};

/* Sees what this transaction added and erased. */
enum index_buffer_answer index_buffer_find_own(const struct index_buffer *buffer,
                                               enum index_buffer_table table,
                                               struct index_buffer_key key, uint64_t *ret_number);

/* No position of the stream here is above this one, this transaction's included; 0: none. */
uint64_t index_buffer_last(const struct index_buffer *buffer, uint32_t stream_number);

enum index_buffer_extent {
    INDEX_BUFFER_LEAST, /* as little as the bound allows: the disk is full */
    INDEX_BUFFER_DUE,
    INDEX_BUFFER_ALL, /* the generation that drains, to its end */
};

/* Puts entries into the tables; the last thing before a commit. Returns a result of LMDB. */
MUST_USE int index_buffer_merge(struct index_buffer *buffer, MDB_txn *txn,
                                enum index_buffer_extent extent);

/* All records up to this one are in the tables when the transaction is committed. */
uint64_t index_buffer_merged(const struct index_buffer *buffer);

/* `number_last` is the last record that is committed now. */
void index_buffer_committed(struct index_buffer *buffer, uint64_t number_last);
void index_buffer_aborted(struct index_buffer *buffer);

/* Between transactions: makes what fills the generation that drains, unless one drains already.
 * False when nothing drains: the buffer is empty, or there is no memory. */
bool index_buffer_turn(struct index_buffer *buffer, uint64_t number_last);

/* Entries of the index that wait, erased ones too; this transaction's not. */
size_t index_buffer_count(const struct index_buffer *buffer, enum index_buffer_table table);

/* ---- any thread ---- */

enum index_buffer_answer index_buffer_find(struct index_buffer *buffer,
                                           enum index_buffer_table table,
                                           struct index_buffer_key key, uint64_t *ret_number);

struct index_buffer_place {
    uint64_t sequence;
    uint64_t number; /* of the record */
};

/* Up to `count_max` positions of the stream from `sequence` on, ascending; how many. */
size_t index_buffer_range(struct index_buffer *buffer, uint32_t stream_number, uint64_t sequence,
                          struct index_buffer_place *ret_places, size_t count_max);

#endif
