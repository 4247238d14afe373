/* The types of the store's interface: limits, options, tables, ops, results, records and chunks.
 * Callers include store/store.h. */
#ifndef CONSILIUM_STORE_DISK_STORE_TYPES_H
#define CONSILIUM_STORE_DISK_STORE_TYPES_H

#include "protocol/base/error.h"
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

struct store_options {
    struct hash owner;   /* a hash over federation and node_id */
    bool is_any_owner;   /* do not compare `owner`: the master key is proof enough (a restore) */
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

/* ---- writing ---- */

/* Tables of small rows. The numbers are stored: never change one, never use one again; 8
 * and 10 to 13 are reserved, no release wrote them. Rows of
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
    X(ITEM, 9, false)        /* keys and description of case items */                              \
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

struct store_done {
    uint64_t token;
    err result;              /* OK: durable. Else nothing of the batch was done. */
    size_t op_failed;        /* the op that `result` is about; 0 when it is about the whole */
    const uint64_t *numbers; /* for each op its record's number, 0 for ops without one */
    size_t number_count;
};

/* ---- reading ---- */

/* A stored record. `head` and `body` borrow from the caller's memory that the read filled. They are
 * adjacent, head first, so head.data with head.size + body.size is the whole record as sent. The
 * key is secret: wipe it after use. */
struct store_record {
    uint64_t number; /* order of arrival, from 1 */
    uint64_t sequence;
    struct record_id id;
    uint32_t flags; /* the caller's own */
    bool has_body;
    bool has_key;
    bool destroyed;
    struct record_key key; /* zeros unless has_key */
    struct bytes head;     /* header and signature */
    struct bytes body;
};

/* ---- item files ---- */

enum { ITEM_FILE_CHUNK_COUNT_MAX = 1 << 20 };

struct item_file_shape {
    uint64_t size;       /* ciphertext of all chunks */
    uint32_t chunk_size; /* of each but the last; 1 to CHUNK_SIZE_MAX */
};

struct item_file_chunk {
    uint32_t index;
    struct hash leaf;  /* stored beside the chunk */
    struct bytes data; /* ciphertext */
};

#endif
