/* Repeatable random numbers: SplitMix64. The state is the caller's and starts as the seed. */
#ifndef IMS_BASE_RANDOM_H
#define IMS_BASE_RANDOM_H

#include <stdint.h>

/* The next 64 random bits. */
uint64_t ims_random(uint64_t *state);
double ims_random_unit(uint64_t *state); /* in [0, 1) */

#endif
