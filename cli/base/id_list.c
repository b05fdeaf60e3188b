/* Ids of pictures. */
#include "cli/base/id_list.h"

#include "cli/base/list.h"

#include <stdlib.h>

bool id_list_add(id_list *list, int64_t id)
{
	int64_t *grown = list_grow(list->id, list->n, &list->cap, sizeof *grown);
	if (!grown)
		return false;
	list->id = grown;
	list->id[list->n++] = id;
	return true;
}

int id_compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

void id_list_sort(id_list *list)
{
	if (list->n)
		qsort(list->id, list->n, sizeof *list->id, id_compare);
}

void id_list_unique(id_list *list)
{
	size_t n = 0;
	for (size_t i = 0; i < list->n; i++)
		if (!i || list->id[i] != list->id[i - 1])
			list->id[n++] = list->id[i];
	list->n = n;
}
