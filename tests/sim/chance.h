/* The one source of chance in a simulation: same seed, same numbers (splitmix64, public domain). */
#ifndef CONSILIUM_TESTS_SIM_CHANCE_H
#define CONSILIUM_TESTS_SIM_CHANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct chance {
    uint64_t state;
};

uint64_t chance_next(struct chance *chance);
/* 0 to `bound` - 1. */
uint64_t chance_below(struct chance *chance, uint64_t bound);
/* True in `percent` of 100 cases. */
bool chance_of(struct chance *chance, unsigned percent);
void chance_bytes(struct chance *chance, uint8_t *out, size_t size);

#endif
