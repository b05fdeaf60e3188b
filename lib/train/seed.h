/* Random numbers that follow from the seed of a run and a position in it alone. */
#ifndef IMS_TRAIN_SEED_H
#define IMS_TRAIN_SEED_H

#include <stdint.h>

/* The state of a stream of its own for every (seed, a, b), for ims_random. Never 0. */
uint64_t ims_seed_derive(uint64_t seed, uint64_t a, uint64_t b);

#endif
