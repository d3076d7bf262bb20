/* Hashes for tables in memory, and pseudo-random numbers that a seed repeats. Neither is for
 * security: secrets need the system's random bytes, and stored data needs crc32c. */
#ifndef OUTDIAL_BASE_HASH_H
#define OUTDIAL_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* Returns a hash of the bytes with all bits usable. After wyhash, public domain: two 64-bit words
 * a multiplication. The value may change with the version of the program: never store it, never
 * order by it. */
uint64_t hash_bytes(const void *data, size_t size);

/* Returns a hash of one number, all bits usable. Different numbers have different hashes. */
uint64_t hash_number(uint64_t number);

/* A sequence of pseudo-random numbers (splitmix64), the same for the same seed on every machine
 * and in every version: failing simulations are repeated by their seed. */
struct prng {
    uint64_t state;
};

/* Starts the sequence of a seed. Any seed is as good as another. */
void prng_seed(struct prng *prng, uint64_t seed);

/* Returns the next number, 64 bits. */
uint64_t prng_next(struct prng *prng);

/* Returns a number below `n`, each with the same chance. `n` is at least 1. */
uint64_t prng_below(struct prng *prng, uint64_t n);

#endif
