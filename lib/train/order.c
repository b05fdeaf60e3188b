/* Shuffled, and for the contrastive loss in runs of one class. */
#include "train/order.h"

#include <string.h>

static void swap_runs(uint32_t *order, size_t a, size_t b, size_t length)
{
	for (size_t j = 0; j < length; j++) {
		uint32_t t = order[a * length + j];
		order[a * length + j] = order[b * length + j];
		order[b * length + j] = t;
	}
}

static void shuffle(uint32_t *order, size_t runs, size_t length, uint64_t random)
{
	for (size_t i = runs; i > 1; i--)
		swap_runs(order, i - 1, ims_random(&random) % i, length);
}

/* A stable counting sort by class. Labels begin at -1. */
static int sort(const dataset *set, uint32_t *order, imgsearch_error *err)
{
	size_t n = set->n_train;
	uint32_t *sorted = ims_alloc(n, sizeof *sorted);
	size_t *at = ims_zalloc(set->n_classes + 2, sizeof *at);
	if (sorted && at) {
		for (size_t i = 0; i < n; i++)
			at[set->item[i].label + 2]++;
		for (size_t c = 1; c < set->n_classes + 2; c++)
			at[c] += at[c - 1];
		for (size_t i = 0; i < n; i++)
			sorted[at[set->item[order[i]].label + 1]++] = order[i];
		memcpy(order, sorted, n * sizeof *order);
	}
	int rc = sorted && at ? 0 : ims_nomem(err);
	ims_free(sorted);
	ims_free(at);
	return rc;
}

/*
 * Makes neighbouring runs differ in class until only runs of one class are left, since a batch of
 * one class has no contrastive loss.
 */
static void alternate(const dataset *set, uint32_t *order, size_t runs, size_t length)
{
	for (size_t i = 1; i < runs; i++) {
		int32_t last = set->item[order[(i - 1) * length]].label;
		size_t k = i;
		while (k < runs && set->item[order[k * length]].label == last)
			k++;
		if (k == runs)
			return;
		swap_runs(order, i, k, length);
	}
}

int ims_train_order(const dataset *set, size_t run, uint64_t random, uint32_t *order,
	imgsearch_error *err)
{
	for (size_t i = 0; i < set->n_train; i++)
		order[i] = (uint32_t)i;
	shuffle(order, set->n_train, 1, random);
	if (run == 1)
		return 0;
	int rc = sort(set, order, err);
	if (!rc) {
		shuffle(order, set->n_train / run, run, random);
		alternate(set, order, set->n_train / run, run);
	}
	return rc;
}
