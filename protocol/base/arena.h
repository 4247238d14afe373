/* One piece of memory, handed in once, cut into arrays: so that a room's bounds are proved at its
 * start and it never asks for memory again.
 *
 * A room cuts twice with the same code: over nothing, to learn the size, then over memory of that
 * size. The memory must be zeroed and stay untouched where it is not used; so pages that no one
 * needs cost nothing. Hence 0 means "none" in every index kept there, and things count from 1. */
#ifndef CONSILIUM_PROTOCOL_BASE_ARENA_H
#define CONSILIUM_PROTOCOL_BASE_ARENA_H

#include <stddef.h>
#include <stdint.h>

struct arena {
    uint8_t *memory; /* NULL while measuring; aligned to ARENA_ALIGNMENT */
    size_t used;
};

enum { ARENA_ALIGNMENT = 64 };

/* The next `count` things of `each` bytes; NULL while measuring. */
void *arena_take(struct arena *arena, size_t count, size_t each);

/* Free places 1 to `capacity` in an array beside it: those given back first, then the lowest one
 * never used. */
struct arena_places {
    uint32_t *next_free; /* capacity + 1 of them, from the slab */
    uint32_t first_free;
    uint32_t touched; /* places ever used */
    uint32_t used;
    uint32_t capacity;
};

void arena_places_init(struct arena_places *places, struct arena *arena, uint32_t capacity);

/* A place, or 0 when all are used. What stands there is what was left. */
uint32_t arena_places_get(struct arena_places *places);

void arena_places_put(struct arena_places *places, uint32_t place);

#endif
