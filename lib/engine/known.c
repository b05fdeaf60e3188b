/* Open-addressing tables of an index run: paths that the index knows, and hashes claimed by this run. */
#include "engine/index.h"

#include <string.h>

static void path_key(uint64_t key[2], int64_t root, const char *path)
{
	size_t n = strlen(path);
	key[0] = ims_checksum(path, n, (uint64_t)root);
	key[1] = ims_checksum(path, n, ~(uint64_t)root);
}

/* The slot of that key, or the free one where it belongs. */
static known *known_slot(known *slot, size_t cap, const uint64_t key[2])
{
	size_t i = key[0] & (cap - 1);
	while (slot[i].id && (slot[i].key[0] != key[0] || slot[i].key[1] != key[1]))
		i = (i + 1) & (cap - 1);
	return &slot[i];
}

static int known_grow(known_table *t)
{
	size_t cap = t->cap ? 2 * t->cap : 1024;
	known *slot = ims_zalloc(cap, sizeof *slot);
	if (!slot)
		return IMGSEARCH_ENOMEM;
	for (size_t i = 0; i < t->cap; i++)
		if (t->slot[i].id)
			*known_slot(slot, cap, t->slot[i].key) = t->slot[i];
	ims_free(t->slot);
	t->slot = slot;
	t->cap = cap;
	return 0;
}

int ims_known_add(known_table *t, int64_t root, const char *path, const known *k)
{
	uint64_t key[2];
	if (2 * (t->n + 1) > t->cap && known_grow(t))
		return IMGSEARCH_ENOMEM;
	path_key(key, root, path);
	known *slot = known_slot(t->slot, t->cap, key);
	t->n += !slot->id;
	*slot = *k;
	memcpy(slot->key, key, sizeof key);
	return 0;
}

known *ims_known_find(const known_table *t, int64_t root, const char *path)
{
	uint64_t key[2];
	if (!t->cap)
		return NULL;
	path_key(key, root, path);
	known *slot = known_slot(t->slot, t->cap, key);
	return slot->id ? slot : NULL;
}

void ims_known_free(known_table *t)
{
	ims_free(t->slot);
	*t = (known_table){ 0 };
}

static claim *claim_slot(claim *slot, size_t cap, const hash256 *h)
{
	size_t i;
	memcpy(&i, h, sizeof i);
	for (i &= cap - 1; slot[i].id && !ims_hash_equal(&slot[i].hash, h);)
		i = (i + 1) & (cap - 1);
	return &slot[i];
}

static int claim_grow(claim_table *t)
{
	size_t cap = t->cap ? 2 * t->cap : 1024;
	claim *slot = ims_zalloc(cap, sizeof *slot);
	if (!slot)
		return IMGSEARCH_ENOMEM;
	for (size_t i = 0; i < t->cap; i++)
		if (t->slot[i].id)
			*claim_slot(slot, cap, &t->slot[i].hash) = t->slot[i];
	ims_free(t->slot);
	t->slot = slot;
	t->cap = cap;
	return 0;
}

int ims_claim_add(claim_table *t, const hash256 *h, int64_t id)
{
	if (2 * (t->n + 1) > t->cap && claim_grow(t))
		return IMGSEARCH_ENOMEM;
	claim *slot = claim_slot(t->slot, t->cap, h);
	t->n += !slot->id;
	*slot = (claim){ *h, id };
	return 0;
}

int64_t ims_claim_find(const claim_table *t, const hash256 *h)
{
	return t->cap ? claim_slot(t->slot, t->cap, h)->id : 0;
}

void ims_claim_free(claim_table *t)
{
	ims_free(t->slot);
	*t = (claim_table){ 0 };
}
