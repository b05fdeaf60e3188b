/* Streams of random numbers. */
#include "train/seed.h"

#include "base/random.h"

uint64_t ims_seed_derive(uint64_t seed, uint64_t a, uint64_t b)
{
	uint64_t state = seed;
	state = ims_random(&state) ^ (a * 0x9e3779b97f4a7c15u);
	state = ims_random(&state) ^ (b * 0xd1b54a32d192ed03u);
	ims_random(&state);
	return state | 1;
}
