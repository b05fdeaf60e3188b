/* Open addressing with linear probing. A slot stays taken. The id of a free one is CONTENT_NONE. */
#include "ingest/content_table.h"

#include <string.h>

typedef struct content_slot {
	content_key key;
	int64_t id;
} content_slot;

content_key ims_content_key(const hash256 *hash)
{
	content_key key;
	memcpy(&key, hash->byte, sizeof key);
	return key;
}

static bool is_known(content_key k)
{
	return k.word[0] || k.word[1];
}

bool ims_content_equal(content_key a, content_key b)
{
	return is_known(a) && !memcmp(&a, &b, sizeof a);
}

void ims_contents_init(content_table *t)
{
	*t = (content_table){ 0 };
	pthread_mutex_init(&t->lock, NULL);
}

void ims_contents_free(content_table *t)
{
	ims_free(t->slot);
	pthread_mutex_destroy(&t->lock);
}

/* The slot of the key, or the free slot where it belongs. */
static content_slot *slot_of(content_slot *slot, size_t cap, content_key key)
{
	size_t i = key.word[0] & (cap - 1);
	while (slot[i].id != CONTENT_NONE && memcmp(&slot[i].key, &key, sizeof key))
		i = (i + 1) & (cap - 1);
	return &slot[i];
}

static int grow(content_table *t)
{
	enum { FIRST = 64 };
	size_t cap = t->cap ? 2 * t->cap : FIRST;
	content_slot *slot = ims_zalloc(cap, sizeof *slot);
	if (!slot)
		return IMGSEARCH_ENOMEM;
	for (size_t i = 0; i < t->cap; i++)
		if (t->slot[i].id != CONTENT_NONE)
			*slot_of(slot, cap, t->slot[i].key) = t->slot[i];
	ims_free(t->slot);
	t->slot = slot;
	t->cap = cap;
	return 0;
}

static int add(content_table *t, content_key key, int64_t id)
{
	if (2 * (t->n + 1) > t->cap && grow(t))
		return IMGSEARCH_ENOMEM;
	content_slot *slot = slot_of(t->slot, t->cap, key);
	t->n += slot->id == CONTENT_NONE;
	*slot = (content_slot){ key, id };
	return 0;
}

int ims_contents_add(content_table *t, content_key key, int64_t id)
{
	if (!is_known(key))
		return 0;
	pthread_mutex_lock(&t->lock);
	int rc = add(t, key, id);
	pthread_mutex_unlock(&t->lock);
	return rc;
}

void ims_contents_lose(content_table *t, content_key key, int64_t id)
{
	pthread_mutex_lock(&t->lock);
	content_slot *slot = t->cap ? slot_of(t->slot, t->cap, key) : NULL;
	if (slot && slot->id == id)
		slot->id = CONTENT_UNSURE;
	pthread_mutex_unlock(&t->lock);
}

int64_t ims_contents_find(content_table *t, content_key key)
{
	pthread_mutex_lock(&t->lock);
	const content_slot *slot = t->cap ? slot_of(t->slot, t->cap, key) : NULL;
	int64_t id = slot ? slot->id : CONTENT_NONE;
	pthread_mutex_unlock(&t->lock);
	return id;
}
