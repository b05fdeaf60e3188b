/*
 * Reads the paths, pictures and vectors of an index. Errors: see the public functions named. Any
 * thread.
 */
#ifndef IMS_HANDLE_ITEMS_H
#define IMS_HANDLE_ITEMS_H

#include "handle/handle.h"

typedef int item_each(void *user, const imgsearch_item *item);
typedef int vector_each(void *user, const int64_t *ids, const float *rows, size_t n, size_t dim);

int ims_items_list(imgsearch *s, uint32_t state, item_each *each, void *user,
	imgsearch_error *err); /* imgsearch_item_each */
int ims_item_get(imgsearch *s, int64_t id, imgsearch_item **out,
	imgsearch_error *err); /* imgsearch_item_get */
int ims_items_find(imgsearch *s, const char *path, int64_t *id,
	imgsearch_error *err); /* imgsearch_item_find */
int ims_items_vectors(imgsearch *s, vector_each *each, void *user,
	imgsearch_error *err); /* imgsearch_vectors_each */

#endif
