#include "protocol/base/hash_index.h"

#include <assert.h>
#include <sodium.h>

_Static_assert(crypto_shorthash_KEYBYTES == HASH_INDEX_SECRET_SIZE, "the secret of SipHash");

void hash_index_init(struct hash_index *hash_index, struct arena *arena, uint32_t capacity)
{
    uint32_t heads = 16;
    assert(capacity <= UINT32_MAX / 4);
    while (heads < capacity)
        heads *= 2;
    hash_index->heads = arena_take(arena, heads, sizeof(uint32_t));
    hash_index->next = arena_take(arena, (size_t)capacity + 1, sizeof(uint32_t));
    hash_index->mask = heads - 1;
}

uint64_t hash_index_hash(const uint8_t secret[static HASH_INDEX_SECRET_SIZE], struct bytes bytes,
                         uint64_t salt)
{
    uint8_t out[crypto_shorthash_BYTES];
    uint64_t hash = 0;
    int failed = crypto_shorthash(out, bytes.data, bytes.size, secret);
    assert(failed == 0);
    for (unsigned i = 0; i < sizeof out; i++)
        hash = hash << 8 | out[i];
    hash ^= salt * 0x9e3779b97f4a7c15u; /* spreads small numbers over all bits */
    return hash ^ hash >> 32;
}

uint32_t hash_index_first(const struct hash_index *hash_index, uint64_t hash)
{
    return hash_index->heads[hash & hash_index->mask];
}

uint32_t hash_index_next(const struct hash_index *hash_index, uint32_t index)
{
    return hash_index->next[index];
}

void hash_index_add(struct hash_index *hash_index, uint64_t hash, uint32_t index)
{
    uint32_t *head = &hash_index->heads[hash & hash_index->mask];
    assert(index != 0);
    hash_index->next[index] = *head;
    *head = index;
}

void hash_index_remove(struct hash_index *hash_index, uint64_t hash, uint32_t index)
{
    uint32_t *at = &hash_index->heads[hash & hash_index->mask];
    while (*at != index) {
        assert(*at != 0);
        at = &hash_index->next[*at];
    }
    *at = hash_index->next[index];
}
