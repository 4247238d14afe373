/* The store of a node: records, streams, small rows, audit entries, and the files of case items.
 *
 * One directory, one owner, one process, one `struct store`; one store for each federation. Only
 * this folder uses LMDB and the item files. Everything on disk is sealed, and keys of tables are
 * keyed hashes (spec/storage.md says what a thief of the disk still sees).
 *
 *   store.h         open, write, get results, rekey, close
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

#include "protocol/base/limits.h"
#include "protocol/base/scope.h"

struct store;

enum store_limits {
    STORE_HEAD_SIZE_MAX = 1024, /* header and signature of a record */
    STORE_RECORD_SIZE_MAX = RECORD_SIZE_MAX,
    STORE_STREAM_STATE_SIZE_MAX = 256, /* the caller's own bytes in a stream's row */
    STORE_ROW_KEY_SIZE_MAX = 256,
    STORE_ROW_SIZE_MAX = 256 * 1024, /* value of a row */
    STORE_AUDIT_SIZE_MAX = 16 * 1024,
    STORE_BATCH_OP_MAX = 4096,               /* ops of one batch */
    STORE_BATCH_SIZE_MAX = 8 * 1024 * 1024,  /* bytes of one batch as copied */
    STORE_QUEUE_SIZE_MAX = 16 * 1024 * 1024, /* bytes of all batches that wait */
    STORE_PROBLEM_SIZE = 512,
};

/* ---- opening ---- */

struct store_options {
    struct hash owner;   /* a hash over federation and node_id */
    uint64_t quota;      /* bytes for records and rows; 0 means 8 GiB; the map is 4 times that */
    uint64_t item_quota; /* bytes for item files; 0 means 64 GiB */
    bool verify;         /* open every stored value before store_open returns */
    void (*notify)(
        void *arg); /* results wait for store_drain; called in the writer thread; or NULL */
    void (*fatal)(
        void *arg,
        err reason); /* the disk failed: stop, exit; called in the writer thread; or NULL */
    void *arg;       /* borrowed until store_close */
};

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

/* Finishes the waiting batches, stops the threads, closes. NULL is allowed. Results that were not
 * drained are lost (their batches are durable all the same). */
void store_close(struct store *store);

/* ---- writing ---- */

/* Tables of small rows. The numbers are stored: never change one, never use one again. Rows of
 * ordered tables have keys of exactly 8 bytes (a big-endian number, stored in clear text) and are
 * scanned in ascending order. All other keys are hashed, and scanned in an arbitrary order. */
#define STORE_TABLE_LIST(X)                                                                        \
    X(META, 1, false) /* the node's own single values */                                           \
    X(HEAD, 2, false) /* roster heads and forks */                                                 \
    X(MEMBER, 3, false)                                                                            \
    X(ROSTER, 4, false) /* settings, transport list, cuts, deltas */                               \
    X(CASE, 5, false)                                                                              \
    X(ACK, 6, false) /* what peers reported durable */                                             \
    X(DRAFT, 7, false)                                                                             \
    X(CLINICIAN, 8, false) /* certificates, sealed key files */                                    \
    X(ITEM, 9, false)      /* keys and description of case items */                                \
    X(OUTBOX, 10, true)                                                                            \
    X(JOB, 11, true)                                                                               \
    X(INDEX, 12, false) /* data of the local search */                                             \
    X(PEER, 13, false)                                                                             \
    X(LACK, 14, false)       /* positions whose body or key is still missing */                    \
    X(GENERATION, 15, false) /* when one was opened, whether the node's own was ended */           \
    X(RETRACTION, 16, false) /* announcements of erased cases still to be destroyed */             \
    X(MAILBOX, 17, false)    /* secrets of mailbox keys */                                         \
    X(HELD, 18, true)        /* envelopes held for other members */

#define STORE_TABLE_ENUM(name, number, ordered) STORE_TABLE_##name = number,
enum store_table { STORE_TABLE_LIST(STORE_TABLE_ENUM) };
#undef STORE_TABLE_ENUM

enum store_op_kind {
    STORE_PUT,     /* append a record to its stream */
    STORE_FILL,    /* add missing parts to a record, or replace its signature by a better one */
    STORE_MEND,    /* write a record again that the disk lost, or whose index entries it lost */
    STORE_FLAG,    /* change a record's flags */
    STORE_DESTROY, /* erase body and key for ever; header and signature stay */
    STORE_DROP,    /* delete a whole record (below a checkpoint) */
    STORE_STREAM,  /* set a stream's state bytes without a record */
    STORE_ROW_PUT,
    STORE_ROW_DELETE, /* OK when there is none */
    STORE_AUDIT,      /* append an audit entry */
    STORE_TOMBSTONE,  /* this id was erased; it remains after the record is gone */
    STORE_ITEM_DELETE /* delete the item's file and row; OK when there is none */
};

/* PUT: ERR_DUPLICATE when the position is taken, ERR_DESTROYED when the record_id has a tombstone
 * and a body or key is given. Sequences need not be consecutive: gaps below a cut may be filled
 * later. */
/* MEND: the position was put before; it replaces the record and its index entries. What was
 * destroyed stays destroyed. The caller must have proved that these bytes are the original ones.
 * ERR_NOT_FOUND when the position was never taken and `number` names no record. */
struct store_put {
    const struct stream_id *stream;
    uint64_t sequence;
    const struct record_id *id;
    struct bytes head;            /* header and signature, <= STORE_HEAD_SIZE_MAX */
    struct bytes body;            /* as received; empty when it is missing */
    const struct record_key *key; /* NULL when clear or missing */
    uint32_t flags;               /* the caller's own */
    struct bytes stream_state; /* replaces the stream's state bytes; empty does not change them */
    /* The state must begin with the u64 of the previous position (or be empty, for position 1):
     * ERR_OUT_OF_ORDER when an earlier batch of the stream was refused. */
    bool continues;
    uint64_t number; /* MEND: the record's number, when the position does not lead to it; else 0 */
};

/* `head`: replaces header and signature (same size); `body`, `key`: stored only where none was.
 * Empty and NULL change nothing. ERR_NOT_FOUND, ERR_DESTROYED, ERR_INVALID. */
struct store_fill {
    const struct stream_id *stream;
    uint64_t sequence;
    struct bytes head;
    struct bytes body;
    const struct record_key *key;
    uint32_t flags; /* new value of the flags in flags_mask */
    uint32_t flags_mask;
};

/* STORE_FLAG, STORE_DESTROY, STORE_DROP: ERR_NOT_FOUND when the position is empty. Destroying twice
 * is OK; a destroyed record can be flagged. */
struct store_position {
    const struct stream_id *stream;
    uint64_t sequence;
    uint32_t flags;
    uint32_t flags_mask; /* 0 changes none */
};

struct store_stream {
    const struct stream_id *stream;
    struct bytes state; /* <= STORE_STREAM_STATE_SIZE_MAX */
};

struct store_row {
    enum store_table table;
    struct bytes key;   /* 1 to STORE_ROW_KEY_SIZE_MAX, or 8 in an ordered table */
    struct bytes value; /* <= STORE_ROW_SIZE_MAX; unused in a delete */
};

/* The caller numbers entries, ascending: ERR_OUT_OF_ORDER for a number that is not above the last
 * one. */
struct store_audit {
    uint64_t number;
    struct bytes entry; /* <= STORE_AUDIT_SIZE_MAX */
};

enum store_tombstone_kind {
    STORE_TOMBSTONE_RECORD = 1,
    STORE_TOMBSTONE_CASE = 2,
    STORE_TOMBSTONE_RETRACTION = 3, /* an announcement of an erased case to nodes outside of it */
};

struct store_tombstone {
    enum store_tombstone_kind kind;
    uint8_t id[HASH_SIZE]; /* a record_id or case_id */
    struct wall erased_at;
};

struct store_op {
    enum store_op_kind kind;
    union {
        struct store_put put; /* PUT, MEND */
        struct store_fill fill;
        struct store_position position; /* FLAG, DESTROY, DROP */
        struct store_stream stream;
        struct store_row row; /* ROW_PUT, ROW_DELETE */
        struct store_audit audit;
        struct store_tombstone tombstone;
        struct item_id item; /* ITEM_DELETE */
    };
};

enum store_urgency {
    STORE_NORMAL,
    STORE_RELEASING, /* erases or frees space (with the record and audit entry about it): accepted
                        above 90 % of the quota, and may use the ballast when the disk is full */
};

/* Copies `ops` into the queue. The result comes with `token` through store_drain, once.
 *
 *   ERR_BUSY       the queue is full: keep the batch, submit it again after the next store_drain
 *   ERR_TOO_LARGE  an op or the batch is over its limit; nothing was queued
 *   ERR_INVALID    an op is not well-formed (no stream, wrong key size, unknown table)
 *   ERR_IO         the store has failed or is closing
 *   ERR_NO_MEMORY */
MUST_USE err store_submit(struct store *store, const struct store_op *ops, size_t op_count,
                          enum store_urgency urgency, uint64_t token);

struct store_done {
    uint64_t token;
    err result;              /* OK: durable. Else nothing of the batch was done. */
    size_t op_failed;        /* the op that `result` is about; 0 when it is about the whole */
    const uint64_t *numbers; /* for each op its record's number, 0 for ops without one */
    size_t number_count;
};

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
