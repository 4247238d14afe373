/* A stored record, opened and read. Nothing is held in the store between calls. */
#ifndef CONSILIUM_NODE_DESK_READOUT_H
#define CONSILIUM_NODE_DESK_READOUT_H

#include "protocol/consult/vocabulary.h"
#include "protocol/record/record.h"
#include "protocol/record/statement.h"
#include "store/record_table.h"

/* Spans borrow from the readout's memory and die with the next read into it. */
struct readout {
    uint64_t number;  /* order of arrival */
    uint32_t flags;   /* enum record_flags */
    bool is_readable; /* the statement below is whole, and of a kind that may stand there */
    struct record_claim claim; /* always */
    struct statement statement;
};

struct readout_memory {
    uint8_t record[STORE_RECORD_SIZE_MAX];
    uint8_t plaintext[RECORD_SIZE_MAX];
};
/* NULL: no memory. Freeing wipes. */
struct readout_memory *readout_memory_new(void);
void readout_memory_free(struct readout_memory *memory);

/* ERR_NOT_FOUND, ERR_CORRUPT. */
MUST_USE err readout_find(struct store *store, const struct record_id *id,
                          struct readout_memory *memory, struct readout *ret_readout);
MUST_USE err readout_at(struct store *store, const struct stream_id *stream, uint64_t sequence,
                        struct readout_memory *memory, struct readout *ret_readout);

/* Calls `on_record` for each record of the scope after `number`, in order of arrival, until it says
 * false. ERR_NO_MEMORY, ERR_CORRUPT. */
MUST_USE err readout_scope(struct store *store, const struct scope *scope, uint64_t number,
                           bool (*on_record)(void *arg, const struct readout *readout), void *arg);

/* The content of a readable record of `kind`, by its table, into `ret_value`. False when it is of
 * another kind, or not readable. */
bool readout_content(const struct readout *readout, uint16_t kind,
                     const struct content_table *table, void *ret_value);

#endif
