/* The newest positions, in memory until they are merged into the table `positions`.
 *
 * Many writers' streams grow at the same time, and each stream has its own place in the table:
 * written at once, every record would cost a page. So positions wait here, by stream; each commit
 * merges as many streams, in turn, as it takes to stay within FRESH_COUNT_MAX, and those of one
 * stream go in together. Nothing is lost with the memory: what is not merged are records above
 * `recent_merged` (kept with the state), and they are read again at the next open.
 *
 * The writer thread adds and merges; a reader asks here *before* it begins its transaction, so that
 * what it does not find here any more, its transaction shows. */
#ifndef CONSILIUM_STORE_WRITE_FRESH_H
#define CONSILIUM_STORE_WRITE_FRESH_H

#include "store/disk/env.h"

enum { FRESH_COUNT_MAX = 64 * 1024 };

struct fresh;

struct fresh_place {
    uint64_t sequence;
    uint64_t number; /* of the record */
};

/* NULL without memory. Records up to `merged` are in the table; those above are to be added and
 * committed now. */
struct fresh *fresh_new(uint64_t merged);
void fresh_free(struct fresh *fresh);

/* ---- the writer ---- */

/* Remembers a position for this transaction. ERR_NO_MEMORY. */
MUST_USE err fresh_add(struct fresh *fresh, uint32_t stream_number, struct fresh_place place);

/* The stream's highest sequence here, this transaction's too; 0: none. */
uint64_t fresh_last(const struct fresh *fresh, uint32_t stream_number);

/* False when it is not here, or was put into the table by this transaction. */
bool fresh_find_own(const struct fresh *fresh, uint32_t stream_number, uint64_t sequence,
                    uint64_t *ret_number);

/* Puts all of one stream into the table at once, so that it can be changed there. `positions` is a
 * cursor of the transaction. Returns a result of LMDB. */
MUST_USE int fresh_settle(struct fresh *fresh, MDB_cursor *positions, uint32_t stream_number);

/* Merges what is due into the table, or everything; `number_last` is the last record that was
 * committed before. Returns a result of LMDB. */
MUST_USE int fresh_merge(struct fresh *fresh, MDB_cursor *positions, bool is_all,
                         uint64_t number_last);

/* All records up to this one will be in the table when the transaction is committed. */
uint64_t fresh_merged(const struct fresh *fresh);

void fresh_committed(struct fresh *fresh);
void fresh_aborted(struct fresh *fresh);

/* ---- any thread ---- */

/* False when it is not here: then it is in the table, or nowhere. */
bool fresh_find(struct fresh *fresh, uint32_t stream_number, uint64_t sequence,
                uint64_t *ret_number);

/* Up to `count_max` positions of the stream from `sequence` on, ascending; how many. */
size_t fresh_range(struct fresh *fresh, uint32_t stream_number, uint64_t sequence,
                   struct fresh_place *ret_places, size_t count_max);

#endif
