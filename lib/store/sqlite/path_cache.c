#include "store/sqlite/path_cache.h"

#include <string.h>

/* What stands before the path of a picture in the text. */
typedef struct entry {
	int64_t id, root;
	uint32_t state, root_text;
	uint32_t width, height;
	uint32_t has_path;
	char path[];
} entry;

enum { UNIT = 8 /* bytes */, FIRST_SLOTS = 256 };

static size_t slot_of(const path_cache *c, int64_t id)
{
	return (size_t)(((uint64_t)id * 0x9e3779b97f4a7c15u) >> 20) & (c->slots - 1);
}

static const entry *entry_at(const path_cache *c, uint32_t slot)
{
	return (const entry *)(const void *)(c->text.data + (size_t)(slot - 1) * UNIT);
}

bool ims_path_cache_get(const path_cache *c, int64_t id, cached_path *out)
{
	if (!c->n)
		return false;
	for (size_t i = slot_of(c, id); c->slot[i]; i = (i + 1) & (c->slots - 1)) {
		const entry *e = entry_at(c, c->slot[i]);
		if (e->id != id)
			continue;
		*out = (cached_path){
			.root = e->root,
			.state = e->state,
			.width = e->width,
			.height = e->height,
			.path = e->has_path ? e->path : NULL,
			.root_path = e->has_path ? (const char *)c->text.data + e->root_text : NULL,
		};
		return true;
	}
	return false;
}

static void insert(path_cache *c, uint32_t slot)
{
	size_t i = slot_of(c, entry_at(c, slot)->id);
	while (c->slot[i])
		i = (i + 1) & (c->slots - 1);
	c->slot[i] = slot;
}

static size_t bytes_of(const path_cache *c)
{
	return c->text.cap + c->slots * sizeof *c->slot;
}

/* At most half of the slots are in use. */
static bool make_slots(path_cache *c)
{
	if (c->slots && c->n < c->slots / 2)
		return true;
	size_t old = c->slots, more = old ? 2 * old : FIRST_SLOTS;
	uint32_t *was = c->slot, *now = ims_zalloc(more, sizeof *now);
	if (!now)
		return false;
	c->slot = now;
	c->slots = more;
	for (size_t i = 0; i < old; i++)
		if (was[i])
			insert(c, was[i]);
	ims_free(was);
	return true;
}

/* Appends size bytes at a multiple of UNIT. NULL: out of memory. */
static void *append(path_cache *c, size_t size, size_t *at)
{
	size_t padding = (UNIT - c->text.len % UNIT) % UNIT;
	unsigned char *p = ims_buf_grow(&c->text, padding + size);
	*at = c->text.len - size;
	return p ? memset(p, 0, padding + size) : NULL;
}

/* The offset of a root's path, which is kept once. False: out of memory. */
static bool keep_root(path_cache *c, const cached_path *p, uint32_t *out)
{
	size_t which = (size_t)((uint64_t)p->root % PATH_CACHE_ROOTS), at;
	if (!c->root_text[which] || c->root_id[which] != p->root) {
		size_t size = strlen(p->root_path) + 1;
		if (!append(c, size, &at))
			return false;
		memcpy(c->text.data + at, p->root_path, size);
		c->root_id[which] = p->root;
		c->root_text[which] = (uint32_t)at + 1;
	}
	*out = c->root_text[which] - 1;
	return true;
}

static bool add_entry(path_cache *c, int64_t id, const cached_path *p)
{
	size_t length = p->path ? strlen(p->path) + 1 : 0, at;
	uint32_t root_text = 0;
	if (!make_slots(c) || (p->path && !keep_root(c, p, &root_text))
		|| !append(c, sizeof(entry) + length, &at))
		return false;
	entry *e = (entry *)(void *)(c->text.data + at);
	*e = (entry){
		.id = id,
		.root = p->root,
		.state = p->state,
		.root_text = root_text,
		.width = p->width,
		.height = p->height,
		.has_path = p->path != NULL,
	};
	if (length)
		memcpy(e->path, p->path, length);
	insert(c, (uint32_t)(at / UNIT) + 1);
	c->n++;
	return true;
}

/* The most that an entry with so many bytes of text adds to bytes_of. */
static size_t growth(const path_cache *c, size_t length)
{
	size_t need = sizeof(entry) + length + 3 * UNIT, text = c->text.len + need, bytes = 0;
	if (text > c->text.cap)
		bytes += text > 2 * c->text.cap ? need : c->text.cap;
	if (c->n >= c->slots / 2)
		bytes += (c->slots ? c->slots : FIRST_SLOTS) * sizeof *c->slot;
	return bytes;
}

void ims_path_cache_put(path_cache *c, atomic_size_t *used, int64_t id, const cached_path *p)
{
	size_t length = p->path ? strlen(p->path) + strlen(p->root_path) + 2 : 0;
	if (atomic_load(used) + growth(c, length) > PATH_CACHE_BYTES)
		ims_path_cache_clear(c, used);
	if (atomic_load(used) + growth(c, length) > PATH_CACHE_BYTES)
		return; /* other connections have it all */
	size_t before = bytes_of(c);
	bool kept = add_entry(c, id, p);
	atomic_fetch_add(used, bytes_of(c) - before);
	if (!kept)
		ims_path_cache_clear(c, used);
}

void ims_path_cache_clear(path_cache *c, atomic_size_t *used)
{
	atomic_fetch_sub(used, bytes_of(c));
	ims_buf_free(&c->text);
	ims_free(c->slot);
	*c = (path_cache){ 0 };
}
