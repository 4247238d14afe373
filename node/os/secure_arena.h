/* Where secrets live: one locked, guarded arena, handed out in pieces, wiped when given back.
 *
 * A sodium_malloc for each secret runs out of mappings at 16,377; so there is one, made at the
 * start. Any thread may take and drop. */
#ifndef CONSILIUM_NODE_OS_SECURE_ARENA_H
#define CONSILIUM_NODE_OS_SECURE_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/base/error.h"

enum { SECURE_ARENA_PIECE_SIZE_MAX = 4096 };

struct secure_arena;

/* An arena of `size` bytes (rounded up to whole pieces of 64). ERR_NO_MEMORY. */
MUST_USE err secure_arena_new(size_t size, struct secure_arena **ret_secrets);

/* Wipes everything; pieces not given back die with it. Accepts NULL. */
void secure_arena_free(struct secure_arena *secrets);

/* `size` zeroed bytes, 1 to SECURE_ARENA_PIECE_SIZE_MAX, aligned to 64; NULL when the arena is
 * full. */
uint8_t *secure_arena_take(struct secure_arena *secrets, size_t size);

/* Wipes a piece and gives it back. Accepts NULL. */
void secure_arena_drop(struct secure_arena *secrets, uint8_t *piece);

/* False when the kernel refused to lock the arena (RLIMIT_MEMLOCK): say so at the start; the
 * secrets may then reach the swap. */
bool secure_arena_locked(const struct secure_arena *secrets);

/* No core dumps, and no reading of our memory by other processes of the same user.
 * ERR_IO when the kernel refuses: do not start. */
MUST_USE err secure_arena_harden(void);

#endif
