/* One block of memory, given once by the caller and divided into arrays. A data structure built on
 * an arena has a fixed bound, and allocates nothing after its start.
 *
 * A data structure calls the same layout code twice: first with `memory` NULL, to learn the size,
 * then with memory of that size. The memory must be zeroed, and the data structure must not touch
 * the parts it does not use, so that the kernel never maps those pages. Therefore 0 means "none" in
 * every index kept in an arena, and indexes start at 1. */
#ifndef CONSILIUM_PROTOCOL_BASE_ARENA_H
#define CONSILIUM_PROTOCOL_BASE_ARENA_H

#include <stddef.h>
#include <stdint.h>

struct arena {
    uint8_t *memory; /* NULL while measuring; aligned to ARENA_ALIGNMENT */
    size_t used;
};

enum { ARENA_ALIGNMENT = 64 };

/* The next `count` elements of `each` bytes; NULL while measuring. */
void *arena_take(struct arena *arena, size_t count, size_t each);

/* Allocates the indexes 1 to `capacity` of an array: first those that were returned, then the
 * lowest index never used. */
struct arena_places {
    uint32_t *next_free; /* capacity + 1 of them, in the arena */
    uint32_t first_free;
    uint32_t touched; /* indexes ever used */
    uint32_t used;
    uint32_t capacity;
};

void arena_places_init(struct arena_places *places, struct arena *arena, uint32_t capacity);

/* An index, or 0 when all are used. The element keeps the content of its last use. */
uint32_t arena_places_get(struct arena_places *places);

void arena_places_put(struct arena_places *places, uint32_t place);

#endif
