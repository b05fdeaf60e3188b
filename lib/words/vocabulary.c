#include "words/vocabulary.h"

#include "base/alloc.h"
#include "base/hash.h"

#include <string.h>

/* The slot of a text, or the free one where it would be. There always is a free one. */
static uint32_t *slot_of(const vocabulary *v, const void *text, size_t length)
{
	size_t mask = v->slots - 1, at = (size_t)ims_checksum(text, length, 0) & mask;
	while (v->slot[at]) {
		const vocabulary_entry *e = &v->entry[v->slot[at] - 1];
		if (e->length == length && !memcmp(v->text.data + e->at, text, length))
			break;
		at = (at + 1) & mask;
	}
	return &v->slot[at];
}

static bool grow_slots(vocabulary *v)
{
	vocabulary larger = *v;
	larger.slots = v->slots ? 2 * v->slots : 1024;
	larger.slot = ims_zalloc(larger.slots, sizeof *larger.slot);
	if (!larger.slot)
		return false;
	for (size_t i = 0; i < v->n; i++) {
		const vocabulary_entry *e = &v->entry[i];
		*slot_of(&larger, v->text.data + e->at, e->length) = (uint32_t)i + 1;
	}
	ims_free(v->slot);
	*v = larger;
	return true;
}

bool ims_vocabulary_add(vocabulary *v, const void *text, size_t length, int32_t id)
{
	if (v->n >= VOCABULARY_MOST || length > UINT32_MAX
		|| (2 * (v->n + 1) > v->slots && !grow_slots(v)))
		return false;
	uint32_t *slot = slot_of(v, text, length);
	if (*slot)
		return true;
	vocabulary_entry *grown = ims_grow(v->entry, v->n, &v->cap, sizeof *grown);
	if (!grown)
		return false;
	v->entry = grown;
	v->entry[v->n] = (vocabulary_entry){ v->text.len, (uint32_t)length, id };
	ims_buf_put(&v->text, text, length);
	*slot = (uint32_t)++v->n;
	return !v->text.failed;
}

int32_t ims_vocabulary_find(const vocabulary *v, const void *text, size_t length)
{
	uint32_t slot = v->slots ? *slot_of(v, text, length) : 0;
	return slot ? v->entry[slot - 1].id : -1;
}

void ims_vocabulary_free(vocabulary *v)
{
	ims_buf_free(&v->text);
	ims_free(v->entry);
	ims_free(v->slot);
	*v = (vocabulary){ 0 };
}
