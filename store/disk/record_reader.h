/* Opens records inside a read transaction, into the caller's memory. */
#ifndef CONSILIUM_STORE_DISK_RECORD_READER_H
#define CONSILIUM_STORE_DISK_RECORD_READER_H

#include "store/disk/row_codec.h"
#include "store/disk/store_types.h"

/* The position that an index gave; the record must confirm it. */
struct record_reader_place {
    uint32_t stream_number;
    uint64_t sequence;
};

/* Opens record `number` into `memory`. ERR_TOO_LARGE, and nothing done, when it does not fit.
 * ERR_CORRUPT when it is not at `place` (NULL: anywhere). */
MUST_USE err record_reader_record(struct env_read *read, uint64_t number,
                                  const struct record_reader_place *place, struct buffer *memory,
                                  struct store_record *ret_record);

/* Finds the number of a stream or scope. ERR_NOT_FOUND, ERR_CORRUPT. */
MUST_USE err record_reader_stream(struct env_read *read, const struct stream_id *id,
                                  struct row_codec_stream *ret_stream);
MUST_USE err record_reader_scope(struct env_read *read, const struct scope *scope,
                                 uint32_t *ret_number);

/* The record's meta. ERR_NOT_FOUND, ERR_CORRUPT. */
MUST_USE err record_reader_cell(struct env_read *read, uint64_t number,
                                struct row_codec_cell *ret_cell);

/* The number of the record with this id, or at this position. Each uses a transaction of its own,
 * so the caller must not hold one. ERR_NOT_FOUND, ERR_CORRUPT. */
MUST_USE err record_reader_number(struct store *store, const struct record_id *id,
                                  uint64_t *ret_number);
MUST_USE err record_reader_position(struct store *store, uint32_t stream_number, uint64_t sequence,
                                    uint64_t *ret_number);

#endif
