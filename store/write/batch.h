/* A batch of ops in the queue. It holds a copy of all the caller's data in one block of memory,
 * laid out so that each value can be sealed straight into a page of LMDB. */
#ifndef CONSILIUM_STORE_WRITE_BATCH_H
#define CONSILIUM_STORE_WRITE_BATCH_H

#include "store/disk/item_row.h"
#include "store/disk/row_codec.h"

enum batch_kind {
    BATCH_PUT,
    BATCH_FILL,
    BATCH_MEND,
    BATCH_FLAG,
    BATCH_DESTROY,
    BATCH_DROP,
    BATCH_STREAM,
    BATCH_ROW_PUT,
    BATCH_ROW_DELETE,
    BATCH_AUDIT,
    BATCH_TOMBSTONE,
    BATCH_ITEM_CREATE, /* from item_writer.c: row of a new item */
    BATCH_ITEM_BITS,   /* from item_writer.c: chunks that are synced now */
    BATCH_ITEM_DELETE,
};

struct batch_op {
    enum batch_kind kind;
    struct stream_id stream;
    uint64_t sequence;
    uint64_t number; /* of a repair */
    struct record_id id;
    uint32_t flags;
    uint32_t flags_mask;
    bool continues; /* the state begins with the sequence before */
    bool has_key;
    struct record_key key;
    uint16_t head_size;
    struct bytes head;  /* of a fill */
    struct bytes body;  /* of a fill */
    struct bytes state; /* stream state */
    unsigned table;
    struct bytes name; /* key of a row, within `plain` */
    bool has_file;     /* of a deleted item: its file is deleted after the commit */
    uint8_t file[ITEM_ROW_FILE_SIZE];
    uint8_t *plain; /* the plaintext to seal: prefix (filled in later), head, body; or a row */
    size_t plain_size;
};

struct batch {
    struct batch *next;
    uint64_t token;
    enum store_urgency urgency;
    bool waited_for; /* store_commit: `finished` is signalled, nothing is drained */
    bool finished;
    bool grows; /* holds records: refused from 90 % of the quota on */
    err result;
    size_t op_failed;
    size_t size; /* of this memory */
    size_t op_count;
    struct batch_op *ops;
    uint64_t *numbers;
};

/* Checks and copies. ERR_INVALID, ERR_TOO_LARGE, ERR_NO_MEMORY. */
MUST_USE err batch_new(const struct store_op *ops, size_t op_count, enum store_urgency urgency,
                       uint64_t token, struct batch **ret_batch);

/* One op of item_writer.c: `value` becomes the row of `item`. */
MUST_USE err batch_new_item(enum batch_kind kind, const struct item_id *item, struct bytes value,
                            uint64_t token, struct batch **ret_batch);

/* A batch without ops, to carry a result to store_drain. NULL when out of memory. */
struct batch *batch_new_empty(uint64_t token);

/* Wipes the record keys and frees; NULL is allowed. */
void batch_free(struct batch *batch);

#endif
