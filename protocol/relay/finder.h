/* Finds numbered things by a hash, for rooms that live in a slab. The caller keeps the things and
 * compares them; the hash is keyed with a secret, so that nobody can choose what collides. */
#ifndef CONSILIUM_PROTOCOL_RELAY_FINDER_H
#define CONSILIUM_PROTOCOL_RELAY_FINDER_H

#include "protocol/bytes.h"
#include "protocol/relay/slab.h"

enum { FINDER_SECRET_SIZE = 16 };

struct finder {
    uint32_t *heads;
    uint32_t *next;
    uint32_t mask;
};

/* For things 1 to `capacity`. */
void finder_init(struct finder *finder, struct slab *slab, uint32_t capacity);

/* SipHash-2-4 of the bytes; `salt` tells apart what has the same bytes. */
uint64_t finder_hash(const uint8_t secret[static FINDER_SECRET_SIZE], struct bytes bytes,
                     uint64_t salt);

/* The first thing that may have this hash, and the one after it; 0 at the end. */
uint32_t finder_first(const struct finder *finder, uint64_t hash);
uint32_t finder_next(const struct finder *finder, uint32_t index);

void finder_add(struct finder *finder, uint64_t hash, uint32_t index);
void finder_remove(struct finder *finder, uint64_t hash, uint32_t index);

#endif
