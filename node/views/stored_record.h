/* A stored record, opened and read. Nothing is held in the store between calls. */
#ifndef CONSILIUM_NODE_VIEWS_STORED_RECORD_H
#define CONSILIUM_NODE_VIEWS_STORED_RECORD_H

#include "protocol/contents/content_registry.h"
#include "protocol/record/record.h"
#include "protocol/record/statement.h"
#include "store/record_table.h"

/* Spans borrow from `stored_record_memory` and are valid until the next read into it. */
struct stored_record {
    uint64_t number;  /* order of arrival */
    uint32_t flags;   /* enum record_flags */
    bool is_readable; /* the statement below is complete, and of a kind that is allowed there */
    struct record_claim claim; /* always */
    struct statement statement;
};

struct stored_record_memory {
    uint8_t record[STORE_RECORD_SIZE_MAX];
    uint8_t plaintext[RECORD_SIZE_MAX];
};
/* NULL: no memory. Freeing wipes. */
struct stored_record_memory *stored_record_memory_new(void);
void stored_record_memory_free(struct stored_record_memory *memory);

/* ERR_NOT_FOUND, ERR_CORRUPT. */
MUST_USE err stored_record_find(struct store *store, const struct record_id *id,
                                struct stored_record_memory *memory,
                                struct stored_record *ret_stored_record);
MUST_USE err stored_record_at(struct store *store, const struct stream_id *stream,
                              uint64_t sequence, struct stored_record_memory *memory,
                              struct stored_record *ret_stored_record);

/* Calls `on_record` for each record of the scope after `number`, in order of arrival, until it
 * returns false. ERR_NO_MEMORY, ERR_CORRUPT. */
MUST_USE err stored_record_scope(struct store *store, const struct scope *scope, uint64_t number,
                                 bool (*on_record)(void *arg,
                                                   const struct stored_record *stored_record),
                                 void *arg);

/* The content of a readable record of `kind`, by its table, into `ret_value`. False when it is of
 * another kind, or not readable. */
bool stored_record_content(const struct stored_record *stored_record, uint16_t kind,
                           const struct content_table *table, void *ret_value);

#endif
