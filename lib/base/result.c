/* A chain of blocks; the struct of the result lies in the first one, behind its header. */
#include "base/result.h"

#include "base/alloc.h"

#include <stdalign.h>
#include <stdint.h>
#include <string.h>

enum { BLOCK = 4096, LARGEST_BLOCK = 1 << 20, UNIT = alignof(max_align_t) };

typedef struct block {
	struct block *next; /* of the first block: the newest of the others */
	size_t used, size;  /* of the bytes behind this header */
	alignas(max_align_t) unsigned char data[];
} block;

static block *first_block(void *result)
{
	return (block *)(void *)((unsigned char *)result - offsetof(block, data));
}

static block *new_block(size_t size)
{
	block *b = size > SIZE_MAX - sizeof *b ? NULL : ims_zalloc(1, sizeof *b + size);
	if (b)
		b->size = size;
	return b;
}

void *ims_result_new(size_t size)
{
	block *b = new_block(size);
	if (!b)
		return NULL;
	b->used = size;
	return b->data;
}

void ims_result_free(void *result)
{
	for (block *b = result ? first_block(result) : NULL, *next; b; b = next) {
		next = b->next;
		ims_free(b);
	}
}

void *ims_result_alloc(void *result, size_t n, size_t size)
{
	if (!result || (size && n > (SIZE_MAX - UNIT) / size))
		return NULL;
	size_t bytes = (n * size + UNIT - 1) / UNIT * UNIT;
	block *first = first_block(result), *b = first->next;
	if (!b || b->size - b->used < bytes) {
		size_t room = !b || b->size < BLOCK ? BLOCK
			: b->size < LARGEST_BLOCK       ? 2 * b->size
											: b->size;
		block *added = new_block(bytes > room ? bytes : room);
		if (!added)
			return NULL;
		added->next = b;
		first->next = b = added;
	}
	void *out = b->data + b->used;
	b->used += bytes;
	return out;
}

const char *ims_result_text_n(void *result, const char *text, size_t n)
{
	char *copy = ims_result_alloc(result, n + 1, 1);
	return copy ? memcpy(copy, text, n) : NULL;
}

const char *ims_result_text(void *result, const char *text)
{
	return text ? ims_result_text_n(result, text, strlen(text)) : NULL;
}

void *ims_result_list(void *result, size_t n, size_t size)
{
	if (size > SIZE_MAX - UNIT)
		return NULL;
	void **list = ims_result_alloc(result, n ? n : 1, sizeof *list);
	size_t step = (size + UNIT - 1) / UNIT * UNIT;
	unsigned char *items = list ? ims_result_alloc(result, n, step) : NULL;
	for (size_t i = 0; items && i < n; i++)
		list[i] = items + i * step;
	return items ? list : NULL;
}

const imgsearch_strings *ims_result_strings(void *result, char *const *text, size_t n)
{
	imgsearch_strings *list = ims_result_alloc(result, 1, sizeof *list);
	const char **items = list ? ims_result_alloc(result, n + 1, sizeof *items) : NULL;
	if (!items)
		return NULL;
	for (size_t i = 0; i < n; i++)
		if (!(items[i] = ims_result_text(result, text[i])))
			return NULL;
	*list = (imgsearch_strings){ n, items };
	return list;
}
