/*
 * Reads the items and vectors of an index. Each function is the public function of its comment;
 * errors: see there. Any thread.
 */
#ifndef IMS_HANDLE_ITEMS_H
#define IMS_HANDLE_ITEMS_H

#include "handle/offline.h"
#include "handle/handle.h"
#include "store/store.h"

/*
 * An item from its row, freed by imgsearch_item_free; without its other paths. ims_item_row reads
 * the row by id, of a vector without a picture, too; the caller clears *p, also after a failure.
 * ENOTFOUND.
 */
int ims_item_make(imgsearch *s, const store_picture *p, const char *root, offline_folders *offline,
	imgsearch_item **out, imgsearch_error *err);
int ims_item_row(imgsearch *s, int64_t id, store_picture *p, imgsearch_error *err);
/* The row of a vector without a picture. */
int ims_item_vector_row(imgsearch *s, int64_t id, store_picture *p, imgsearch_error *err);

/*
 * The columns of a CSV that are facts (NULL: not there), and what is shown for each fact beside
 * those (ims_facts_choose), from the facts of the picture.
 */
typedef struct fact_columns {
	imgsearch_column *own[FACTS];
	const char *shown[FACTS];
	char zone[ZONE_SIZE];
} fact_columns;
void ims_fact_columns_make(fact_columns *out, imgsearch_column *const *columns, size_t n,
	const char *const *fact);

/* imgsearch_item_get */
int ims_item_get(imgsearch *s, int64_t id, imgsearch_item **out, imgsearch_error *err);
/* imgsearch_item_find */
int ims_items_find(imgsearch *s, const char *path, int64_t *id, imgsearch_error *err);
/* imgsearch_item_exists */
int ims_items_exist(imgsearch *s, const int64_t *ids, size_t n, uint8_t *exists,
	imgsearch_error *err);
/* imgsearch_vectors_each; progress stage "vectors" */
int ims_items_vectors(imgsearch *s, imgsearch_vectors_fn each, void *user, job *j,
	imgsearch_error *err);
/* imgsearch_vectors_get */
int ims_items_fetch(imgsearch *s, const int64_t *ids, size_t n, job *j, float *rows,
	size_t capacity, uint8_t *found, imgsearch_error *err);

#endif
