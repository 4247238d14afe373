/* Reads records. Any thread; nothing is held between calls. */
#ifndef CONSILIUM_STORE_RECORD_TABLE_H
#define CONSILIUM_STORE_RECORD_TABLE_H

#include "store/store.h"

/* The caller's memory for a read. A page holds as many records as fit. */
struct store_page {
    struct store_record *records;
    size_t record_max;
    uint8_t *memory; /* at least STORE_RECORD_SIZE_MAX */
    size_t memory_size;
    size_t record_count; /* set by the read */
};

/* One record, by position, by id, or by number; `memory` has STORE_RECORD_SIZE_MAX bytes.
 *
 *   ERR_NOT_FOUND  no such record here (a destroyed one is found: see `destroyed`)
 *   ERR_CORRUPT    it does not open: fetch it again from a peer */
MUST_USE err record_table_get(struct store *store, const struct stream_id *stream,
                              uint64_t sequence, uint8_t memory[static STORE_RECORD_SIZE_MAX],
                              struct store_record *ret_record);
MUST_USE err record_table_find(struct store *store, const struct record_id *id,
                               uint8_t memory[static STORE_RECORD_SIZE_MAX],
                               struct store_record *ret_record);
MUST_USE err record_table_nth(struct store *store, uint64_t number,
                              uint8_t memory[static STORE_RECORD_SIZE_MAX],
                              struct store_record *ret_record);

/* True when the record is stored (header and signature at least). A cheap index look-up. */
bool record_table_has(struct store *store, const struct record_id *id);

/* A page of one stream's records, ascending, from `sequence` on. An unknown stream or the end of it
 * gives OK and record_count 0. Gaps are skipped: check the sequences. */
MUST_USE err record_table_range(struct store *store, const struct stream_id *stream,
                                uint64_t sequence, struct store_page *page);

/* A page of one scope's records in order of arrival, after record `number` (0: from the first).
 * Damaged ones are skipped: store_verify finds them. */
MUST_USE err record_table_scope(struct store *store, const struct scope *scope, uint64_t number,
                                struct store_page *page);

/* A page of all records in order of arrival, after record `number`. */
MUST_USE err record_table_all(struct store *store, uint64_t number, struct store_page *page);

#endif
