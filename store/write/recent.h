/* The newest record_ids, in memory until they are merged into the table `ids`.
 *
 * Hashes come in random order: written at once, each would cost a page of its own, several times
 * the record itself. So they wait here, in buckets by their first byte; each commit merges as many
 * buckets, in turn, as it takes to stay within RECENT_COUNT_MAX, and entries that share pages go
 * in together. Nothing is lost with the memory: what is not merged are records above
 * `recent_merged` (kept with the state), and they are read again at the next open.
 *
 * The writer thread adds and merges; a reader asks here *before* it begins its transaction, so that
 * what it does not find here any more, its transaction shows. */
#ifndef CONSILIUM_STORE_WRITE_RECENT_H
#define CONSILIUM_STORE_WRITE_RECENT_H

#include "store/disk/env.h"

enum { RECENT_COUNT_MAX = 64 * 1024 };

struct recent;

/* NULL without memory. Of the records up to `number_last`, those up to `merged` are in the table;
 * the others are to be added and committed now. */
struct recent *recent_new(uint64_t merged, uint64_t number_last);
void recent_free(struct recent *recent);

/* ---- the writer ---- */

/* Remembers an id for this transaction. ERR_NO_MEMORY. */
MUST_USE err recent_add(struct recent *recent, const uint8_t index[static SEAL_INDEX_SIZE],
                        uint64_t number);

/* Forgets an id, here or in the table (an op of a batch: takes effect with the commit). Returns a
 * result of LMDB. */
MUST_USE int recent_remove(struct recent *recent, MDB_txn *txn, MDB_dbi ids,
                           const uint8_t index[static SEAL_INDEX_SIZE]);

/* Merges what is due into the table, or everything that was committed before; `number_last` is the
 * last record that was. Returns a result of LMDB. */
enum recent_extent { RECENT_DUE, RECENT_ALL };
MUST_USE int recent_merge(struct recent *recent, MDB_txn *txn, MDB_dbi ids,
                          enum recent_extent extent, uint64_t number_last);

/* All records up to this one will be in the table when the transaction is committed. */
uint64_t recent_merged(const struct recent *recent);

void recent_committed(struct recent *recent);
void recent_aborted(struct recent *recent);

/* ---- any thread ---- */

/* False when it is not here: then it is in the table, or nowhere. */
bool recent_find(struct recent *recent, const uint8_t index[static SEAL_INDEX_SIZE],
                 uint64_t *ret_number);

#endif
