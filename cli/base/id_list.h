/* Ids of pictures: a list that grows. A zeroed id_list is empty; the owner frees id. */
#ifndef IMGSEARCH_CLI_ID_LIST_H
#define IMGSEARCH_CLI_ID_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct id_list {
	int64_t *id;
	size_t n, cap;
} id_list;

bool id_list_add(id_list *list, int64_t id); /* false: out of memory */
void id_list_sort(id_list *list);            /* ascending */
void id_list_unique(id_list *list);          /* of a sorted list: each id once */

/* For qsort and bsearch over ids, and over structs that begin with an id. */
int id_compare(const void *a, const void *b);

#endif
