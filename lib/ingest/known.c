/* The table of known paths. */
#include "ingest/known.h"
#include "base/path.h"

#include <string.h>

path_key ims_path_key(int64_t root, const char *path)
{
	size_t n = strlen(path);
	return (path_key){ { ims_checksum(path, n, (uint64_t)root), ims_checksum(path, n, ~(uint64_t)root) } };
}

/* The slot of the key, or the free slot where it belongs. */
static known_path *slot_of(known_path *slot, size_t cap, path_key key)
{
	size_t i = key.word[0] & (cap - 1);
	while (slot[i].id && memcmp(&slot[i].key, &key, sizeof key))
		i = (i + 1) & (cap - 1);
	return &slot[i];
}

static int grow(known_table *t)
{
	size_t cap = t->cap ? 2 * t->cap : 1024;
	known_path *slot = ims_zalloc(cap, sizeof *slot);
	if (!slot)
		return IMGSEARCH_ENOMEM;
	for (size_t i = 0; i < t->cap; i++)
		if (t->slot[i].id)
			*slot_of(slot, cap, t->slot[i].key) = t->slot[i];
	ims_free(t->slot);
	t->slot = slot;
	t->cap = cap;
	return 0;
}

int ims_known_add(known_table *t, const known_path *k)
{
	if (2 * (t->n + 1) > t->cap && grow(t))
		return IMGSEARCH_ENOMEM;
	known_path *slot = slot_of(t->slot, t->cap, k->key);
	t->n += !slot->id;
	*slot = *k;
	return 0;
}

known_path *ims_known_find(const known_table *t, path_key key)
{
	known_path *slot = t->cap ? slot_of(t->slot, t->cap, key) : NULL;
	return slot && slot->id ? slot : NULL;
}

void ims_known_free(known_table *t)
{
	ims_free(t->slot);
	*t = (known_table){ 0 };
}
