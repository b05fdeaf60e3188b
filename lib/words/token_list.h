/* A list of tokens that grows. */
#ifndef IMS_WORDS_TOKEN_LIST_H
#define IMS_WORDS_TOKEN_LIST_H

#include "base/alloc.h"
#include "imgsearch.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct token_list {
	int32_t *id;
	size_t n, cap;
} token_list;

/* False: out of memory. */
static inline bool token_add(token_list *list, int32_t id)
{
	int32_t *grown = ims_grow(list->id, list->n, &list->cap, sizeof *grown);
	if (!grown)
		return false;
	list->id = grown;
	list->id[list->n++] = id;
	return true;
}

#endif
