/* Ids of pictures: their order, and looking one up among sorted ones. */
#ifndef IMS_BASE_IDS_H
#define IMS_BASE_IDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of int64_t, or of structs that begin with one, for qsort and bsearch. */
int ims_id_compare(const void *a, const void *b);

/* Is id among n sorted ids? *at (may be NULL): its place, or the place where it would be inserted. */
bool ims_id_find(const int64_t *ids, size_t n, int64_t id, size_t *at);

#endif
