/* The writer's cache of streams. It holds their numbers, so that a record needs no look-up, and
 * their state, so that a run of records writes one row for each stream and commit, not one for each
 * record. */
#ifndef CONSILIUM_STORE_WRITE_STREAM_CACHE_H
#define CONSILIUM_STORE_WRITE_STREAM_CACHE_H

#include "store/disk/row_codec.h"

struct write_txn;
struct stream_cache;

struct stream_cache *stream_cache_new(void);
void stream_cache_free(struct stream_cache *cache);

/* The stream's row; borrowed until the next call. ERR_NOT_FOUND unless `create`, which assigns its
 * numbers. */
MUST_USE err stream_cache_get(struct write_txn *group, const struct stream_id *id, bool create,
                              struct row_codec_stream **ret_stream);

/* Replaces the state of the stream that the last stream_cache_get returned. */
void stream_cache_set(struct write_txn *group, struct row_codec_stream *stream, struct bytes state);

/* The highest sequence of that stream so far, as far as the writer knows: every position above it
 * is empty. The caller raises it. */
uint64_t *stream_cache_last(struct row_codec_stream *stream);

/* Writes the changes into the group's transaction. */
MUST_USE err stream_cache_flush(struct write_txn *group);

/* Drops everything: its transaction was aborted. */
void stream_cache_clear(struct stream_cache *cache);

#endif
