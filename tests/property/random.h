/* Numbers that can be drawn again: splitmix64, one stream a round. */
#ifndef MIRRORCTL_TESTS_PROPERTY_RANDOM_H
#define MIRRORCTL_TESTS_PROPERTY_RANDOM_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct random {
    uint64_t state;
};

static inline uint64_t random_next(struct random *r)
{
    uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* 0 … n-1 */
static inline unsigned pick(struct random *r, unsigned n)
{
    return (unsigned)(random_next(r) % n);
}

/* True in `percent` of all cases. */
static inline int chance(struct random *r, unsigned percent)
{
    return pick(r, 100) < percent;
}

static inline unsigned long environment_number(const char *name, unsigned long otherwise)
{
    const char *text = getenv(name);
    return text != NULL && *text != '\0' ? strtoul(text, NULL, 10) : otherwise;
}

/* Calls round(seed) for seeds from MIRRORCTL_SEED on. */
static inline void run_rounds(const char *what, unsigned long rounds, void (*round)(uint64_t seed))
{
    unsigned long first = environment_number("MIRRORCTL_SEED", 1);
    unsigned long n = environment_number("MIRRORCTL_ROUNDS", rounds);
    printf("%s: seeds %lu to %lu\n", what, first, first + n - 1);
    for (unsigned long i = 0; i < n; i++)
        round(first + i);
}

#endif
