/* Where secrets live: one locked, guarded arena, handed out in pieces, wiped when given back.
 *
 * A sodium_malloc for each secret runs out of mappings at 16,377; so there is one, made at the
 * start. Any thread may take and drop. */
#ifndef CONSILIUM_NODE_IO_SECRETS_H
#define CONSILIUM_NODE_IO_SECRETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/error.h"

enum { SECRETS_PIECE_SIZE_MAX = 4096 };

struct secrets;

/* An arena of `size` bytes (rounded up to whole pieces of 64). ERR_NO_MEMORY. */
MUST_USE err secrets_new(size_t size, struct secrets **ret_secrets);

/* Wipes everything; pieces not given back die with it. Accepts NULL. */
void secrets_free(struct secrets *secrets);

/* `size` zeroed bytes, 1 to SECRETS_PIECE_SIZE_MAX, aligned to 64; NULL when the arena is full. */
uint8_t *secrets_take(struct secrets *secrets, size_t size);

/* Wipes a piece and gives it back. Accepts NULL. */
void secrets_drop(struct secrets *secrets, uint8_t *piece);

/* False when the kernel refused to lock the arena (RLIMIT_MEMLOCK): say so at the start; the
 * secrets may then reach the swap. */
bool secrets_locked(const struct secrets *secrets);

/* No core dumps, and no reading of our memory by other processes of the same user.
 * ERR_IO when the kernel refuses: do not start. */
MUST_USE err secrets_harden(void);

#endif
