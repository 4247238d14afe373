/* The store of a node: records, streams, small rows, audit entries, and the files of case items.
 *
 * One directory, one owner, one process, one `struct store`; one store for each federation. Only
 * this folder uses LMDB and the item files. Everything on disk is sealed, and keys of tables are
 * keyed hashes (spec/storage.md says what a thief of the disk still sees).
 *
 *   store.h         open, write, get results, rekey, close
 *   store_types.h   limits, options, tables, ops, records, chunks (store/disk)
 *   record_table.h  read records
 *   stream_table.h  read streams
 *   row_table.h     read rows, audit entries and tombstones
 *   item_file.h     write and read the chunks of a case file's items
 *
 * Writing: `store_submit` copies a batch of ops and returns at once. One writer thread puts all
 * waiting batches into one LMDB transaction (group commit). A batch is atomic, batches keep their
 * order, and nothing is reported done before it is on the disk. When results are ready, the writer
 * thread calls `notify`; the main thread then calls `store_drain`.
 *
 * Reading: any thread, at any time. Every call uses a short transaction of its own, sees whole
 * batches only, and copies the result. No pointer into the store leaves it.
 *
 * The disk: at 90 % of the quota, or when it is full, whole batches are refused (ERR_FULL), except
 * those submitted as STORE_RELEASING: a ballast file reserves space for them. Any other failed
 * commit is fatal: `fatal` is called once, everything afterwards returns ERR_IO, and the program
 * must end; the next open verifies the data. */
#ifndef CONSILIUM_STORE_STORE_H
#define CONSILIUM_STORE_STORE_H

#include "store/disk/store_types.h"

/* ---- opening ---- */

/* Creates the store in the directory `path`, or opens an existing one. `master` is copied into
 * locked memory; the caller wipes its own copy. On failure `ret_problem` holds one line that names
 * the file and says what to do.
 *
 *   ERR_BAD_KEY      it was made with another master key
 *   ERR_EXISTS       it is another owner's, or holds something that is not a store
 *   ERR_BUSY         another process has it open
 *   ERR_UNSUPPORTED  on a network file system, or readable by others, or of a later version
 *   ERR_CORRUPT      a check failed: restore it, or let the peers fill a new one
 *   ERR_FULL, ERR_IO, ERR_NO_MEMORY */
MUST_USE err store_open(const char *path, const uint8_t master[static KEY_SIZE],
                        const struct store_options *options,
                        char ret_problem[static STORE_PROBLEM_SIZE], struct store **ret_store);

/* Opens a copy that store_copy made and that nobody else uses, to read it; closed, it is as it
 * was before, and the file system may be any. Streams and rows are checked. Of the functions of
 * this header only store_verify, store_damage and store_close may follow. As store_open; any
 * owner's is opened. */
MUST_USE err store_open_copy(const char *path, const uint8_t master[static KEY_SIZE],
                             char ret_problem[static STORE_PROBLEM_SIZE], struct store **ret_store);

/* Finishes the waiting batches, stops the threads, closes. NULL is allowed. Results that were not
 * drained are lost (their batches are durable all the same). */
void store_close(struct store *store);

/* ---- writing ---- */

/* Copies `ops` into the queue. The result comes with `token` through store_drain, once.
 *
 *   ERR_BUSY       the queue is full: keep the batch, submit it again after the next store_drain
 *   ERR_TOO_LARGE  an op or the batch is over its limit; nothing was queued
 *   ERR_INVALID    an op is not well-formed (no stream, wrong key size, unknown table)
 *   ERR_IO         the store has failed or is closing
 *   ERR_NO_MEMORY */
MUST_USE err store_submit(struct store *store, const struct store_op *ops, size_t op_count,
                          enum store_urgency urgency, uint64_t token);

/* Returns results since the last call, in the order of the commits; borrowed for the call.
 * `on_done` may submit. Main thread only. Returns their number. */
size_t store_drain(struct store *store, void (*on_done)(void *arg, const struct store_done *done),
                   void *arg);

/* Submits and waits until it is durable: for start-up, tests, command-line tools. Never from
 * `notify` or `fatal`. `ret_numbers` (op_count of them) may be NULL. */
MUST_USE err store_commit(struct store *store, const struct store_op *ops, size_t op_count,
                          enum store_urgency urgency, uint64_t *ret_numbers);

/* ---- looking after it ---- */

/* Makes destroyed data unreadable in old pages too. It makes a new epoch key, seals all live data
 * under it in small steps between other commits, and then overwrites and removes the old key's
 * file. The result comes with `token` through store_drain. A rekey that the end of the process
 * interrupted continues at the next open; on a full disk it waits for space. ERR_BUSY when one is
 * in progress: it may have passed data that was destroyed since, so another one follows, whose end
 * is not reported. An open starts one by itself when data was destroyed after the last one. */
MUST_USE err store_rekey(struct store *store, uint64_t token);

struct store_usage {
    uint64_t record_number_last; /* numbers are assigned in order of arrival, from 1 */
    uint64_t record_count;
    uint64_t bytes; /* in use for records and rows */
    uint64_t quota;
    uint64_t item_bytes; /* reserved for item files */
    uint64_t item_quota;
    uint32_t epoch; /* goes up by one with each rekey */
    bool rekeying;
    bool full; /* STORE_NORMAL batches are refused now */
};

MUST_USE err store_usage(struct store *store, struct store_usage *ret_usage);

/* Checks the stored values of up to `count` records after `number`: that they open, and that all
 * indexes lead to them. `*ret_number` is the last one checked: call again with it until it comes
 * back unchanged. ERR_CORRUPT: `*ret_number` is the bad one; fetch it again from a peer. */
MUST_USE err store_verify(struct store *store, uint64_t number, size_t count, uint64_t *ret_number);

/* What is still known of a record that store_verify found to be damaged. */
struct store_damage {
    struct stream_id stream;
    uint64_t sequence;
    bool has_id;
    struct record_id id;
    uint32_t flags; /* 0 when they are lost too */
};
/* ERR_NOT_FOUND when its position is lost. */
MUST_USE err store_damage(struct store *store, uint64_t number, struct store_damage *ret_damage);

#endif
