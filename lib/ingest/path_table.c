/* The hash table of paths. */
#include "ingest/path_table.h"
#include "base/path.h"

#include <string.h>

path_key ims_path_key(int64_t root, const char *path)
{
	size_t n = strlen(path);
	return (path_key){ { ims_checksum(path, n, (uint64_t)root),
		ims_checksum(path, n, ~(uint64_t)root) } };
}

/* The slot of the key, or the free slot where it belongs. */
static path_entry *slot_of(path_entry *slot, size_t cap, path_key key)
{
	size_t i = key.word[0] & (cap - 1);
	while (slot[i].id && memcmp(&slot[i].key, &key, sizeof key))
		i = (i + 1) & (cap - 1);
	return &slot[i];
}

/* A single edit has such tables, too, and they are small. */
static int grow(path_table *t)
{
	enum { FIRST = 16 };
	size_t cap = t->cap ? 2 * t->cap : FIRST;
	path_entry *slot = ims_zalloc(cap, sizeof *slot);
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

int ims_path_table_reserve(path_table *t, size_t more)
{
	while (2 * (t->n + more) > t->cap)
		if (grow(t))
			return IMGSEARCH_ENOMEM;
	return 0;
}

int ims_path_table_add(path_table *t, const path_entry *k)
{
	if (2 * (t->n + 1) > t->cap && grow(t))
		return IMGSEARCH_ENOMEM;
	path_entry *slot = slot_of(t->slot, t->cap, k->key);
	t->n += !slot->id;
	*slot = *k;
	return 0;
}

path_entry *ims_path_table_find(const path_table *t, path_key key)
{
	path_entry *slot = t->cap ? slot_of(t->slot, t->cap, key) : NULL;
	return slot && slot->id ? slot : NULL;
}

void ims_path_table_free(path_table *t)
{
	ims_free(t->slot);
	*t = (path_table){ 0 };
}
