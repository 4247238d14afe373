/* The one source of chance in a simulation: same seed, same numbers (splitmix64, public domain). */
#ifndef CONSILIUM_TESTS_SIM_PRNG_H
#define CONSILIUM_TESTS_SIM_PRNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct prng {
    uint64_t state;
};

uint64_t prng_next(struct prng *prng);
/* 0 to `bound` - 1. */
uint64_t prng_below(struct prng *prng, uint64_t bound);
/* True in `percent` of 100 cases. */
bool prng_of(struct prng *prng, unsigned percent);
void prng_bytes(struct prng *prng, uint8_t *out, size_t size);

#endif
