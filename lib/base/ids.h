/* Sorted arrays of row ids, and of structs that begin with one. */
#ifndef IMS_IDS_H
#define IMS_IDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Orders int64_t ids for qsort, and so structs whose first member is one. */
int ims_id_compare(const void *a, const void *b);

/* Sorts n ids and leaves each once; returns how many there are then. */
size_t ims_ids_sort(int64_t *ids, size_t n);

/* Is id among n sorted ids? *at (may be NULL): the place of the first id that is not smaller. */
bool ims_id_find(const int64_t *ids, size_t n, int64_t id, size_t *at);

/*
 * The place of the first of n items whose id is not smaller; n: there is none. Items have `size`
 * bytes, begin with an id, and are in order of it.
 */
size_t ims_id_place(const void *items, size_t n, size_t size, int64_t id);

/* Is id among n ids in any order? */
bool ims_id_among(const int64_t *ids, size_t n, int64_t id);

#endif
