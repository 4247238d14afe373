/* Cuts: the positions where streams of removed members end.
 *
 * Entries of CUT_SIZE bytes (stream_id, sequence u64, record_id), ascending by stream_id, one for
 * each stream. Sequence 0 with a zero record_id ends a stream before its first record. A signed cut
 * is never changed or revoked. */
#ifndef CONSILIUM_PROTOCOL_MEMBER_CUTS_H
#define CONSILIUM_PROTOCOL_MEMBER_CUTS_H

#include "protocol/base/bytes.h"
#include "protocol/base/error.h"
#include "protocol/base/hash.h"
#include "protocol/base/scope.h"

struct cut {
    struct stream_id stream;
    uint64_t sequence; /* the last record that counts */
    struct record_id record;
};

enum { CUT_SIZE = STREAM_ID_SIZE + 8 + HASH_SIZE };

void cuts_write(struct buffer *buffer, const struct cut *cut);

/* Checks order and shape of a whole list. ERR_TOO_LARGE, ERR_TRUNCATED, ERR_NOT_CANONICAL (order)
 * or ERR_MALFORMED. */
MUST_USE err cuts_check(struct bytes cuts);

struct hash cuts_hash(struct bytes cuts);

/* The caller has checked `cuts`. False when the stream is not cut. */
bool cuts_find(struct bytes cuts, const struct stream_id *stream, struct cut *ret_cut);

uint32_t cuts_count(struct bytes cuts);
void cuts_at(struct bytes cuts, uint32_t index, struct cut *ret_cut);

/* Appends the union of `cuts` and `added`, both checked, to `merged`. ERR_EXISTS when a stream is
 * in both; ERR_FULL when `merged` is too small. */
MUST_USE err cuts_merge(struct bytes cuts, struct bytes added, struct buffer *merged);

#endif
