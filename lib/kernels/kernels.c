/*
 * Chooses the level once: the one that $IMGSEARCH_KERNELS names if the CPU runs it, else the best.
 */
#include "kernels/kernels.h"
#include "kernels/levels.h"

#include <stdlib.h>
#include <string.h>

/* Best first; the last one runs everywhere. */
static const struct {
	const kernels *table;
	bool (*supported)(void);
} level[] = {
#if defined(__x86_64__)
	{ &ims_kernels_avx512, ims_kernels_has_avx512 },
	{ &ims_kernels_avx2, ims_kernels_has_avx2 },
#elif defined(__aarch64__)
	{ &ims_kernels_neon, NULL },
#endif
	{ &ims_kernels_scalar, NULL },
};

#define LEVELS (sizeof level / sizeof *level)

const kernels *ims_kernels_level(size_t i)
{
	for (size_t j = 0; j < LEVELS; j++)
		if ((!level[j].supported || level[j].supported()) && i-- == 0)
			return level[j].table;
	return NULL;
}

static const kernels *choose(void)
{
	const char *wanted = getenv("IMGSEARCH_KERNELS");
	const kernels *k;
	for (size_t i = 0; wanted && (k = ims_kernels_level(i)); i++)
		if (!strcmp(k->name, wanted))
			return k;
	return ims_kernels_level(0);
}

const kernels *ims_kernels(void)
{
	static _Atomic(const kernels *) chosen; /* every thread writes the same value */
	const kernels *k = atomic_load_explicit(&chosen, memory_order_acquire);
	if (!k) {
		k = choose();
		atomic_store_explicit(&chosen, k, memory_order_release);
	}
	return k;
}
