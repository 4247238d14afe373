/* A hash index over numbered elements in an arena. The caller keeps the elements and compares them.
 * The hash is keyed with a secret, so that a remote party cannot choose colliding keys. */
#ifndef CONSILIUM_PROTOCOL_BASE_HASH_INDEX_H
#define CONSILIUM_PROTOCOL_BASE_HASH_INDEX_H

#include "protocol/base/arena.h"
#include "protocol/base/bytes.h"

enum { HASH_INDEX_SECRET_SIZE = 16 };

struct hash_index {
    uint32_t *heads;
    uint32_t *next;
    uint32_t mask;
};

/* For elements 1 to `capacity`. */
void hash_index_init(struct hash_index *hash_index, struct arena *arena, uint32_t capacity);

/* SipHash-2-4 of the bytes; `salt` separates elements of different types that have the same
 * bytes. */
uint64_t hash_index_hash(const uint8_t secret[static HASH_INDEX_SECRET_SIZE], struct bytes bytes,
                         uint64_t salt);

/* The first element that may have this hash, and the next one; 0 at the end. */
uint32_t hash_index_first(const struct hash_index *hash_index, uint64_t hash);
uint32_t hash_index_next(const struct hash_index *hash_index, uint32_t index);

void hash_index_add(struct hash_index *hash_index, uint64_t hash, uint32_t index);
void hash_index_remove(struct hash_index *hash_index, uint64_t hash, uint32_t index);

#endif
