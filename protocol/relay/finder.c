#include "protocol/relay/finder.h"

#include <assert.h>
#include <sodium.h>

_Static_assert(crypto_shorthash_KEYBYTES == FINDER_SECRET_SIZE, "the secret of SipHash");

void finder_init(struct finder *finder, struct slab *slab, uint32_t capacity)
{
    uint32_t heads = 16;
    assert(capacity <= UINT32_MAX / 4);
    while (heads < capacity)
        heads *= 2;
    finder->heads = slab_take(slab, heads, sizeof(uint32_t));
    finder->next = slab_take(slab, (size_t)capacity + 1, sizeof(uint32_t));
    finder->mask = heads - 1;
}

uint64_t finder_hash(const uint8_t secret[static FINDER_SECRET_SIZE], struct bytes bytes,
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

uint32_t finder_first(const struct finder *finder, uint64_t hash)
{
    return finder->heads[hash & finder->mask];
}

uint32_t finder_next(const struct finder *finder, uint32_t index)
{
    return finder->next[index];
}

void finder_add(struct finder *finder, uint64_t hash, uint32_t index)
{
    uint32_t *head = &finder->heads[hash & finder->mask];
    assert(index != 0);
    finder->next[index] = *head;
    *head = index;
}

void finder_remove(struct finder *finder, uint64_t hash, uint32_t index)
{
    uint32_t *at = &finder->heads[hash & finder->mask];
    while (*at != index) {
        assert(*at != 0);
        at = &finder->next[*at];
    }
    *at = finder->next[index];
}
