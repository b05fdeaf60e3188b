/* Growing arrays, and lists of texts. */
#include "cli/base/list.h"

#include <stdlib.h>

void *list_grow(void *list, size_t n, size_t *cap, size_t item)
{
	if (n < *cap)
		return list;
	size_t more = *cap ? 2 * *cap : 64;
	list = realloc(list, more * item);
	if (list)
		*cap = more;
	return list;
}

void text_list_free(char **list, size_t n)
{
	for (size_t i = 0; list && i < n; i++)
		free(list[i]);
	free(list);
}
