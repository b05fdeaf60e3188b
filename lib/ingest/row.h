/*
 * From a prepared picture to the record of its row (store/record.h), and questions that are asked
 * before one is written.
 */
#ifndef IMS_INGEST_ROW_H
#define IMS_INGEST_ROW_H

#include "ingest/prepare.h"
#include "store/record.h"

/* The reason of a row whose vector is not finite. */
extern const char ims_row_reason_no_feature[];

/*
 * A record that admits the picture; all is borrowed. The caller sets the place and the times of the
 * row. vector: (dim), NULL: none is needed, since the bytes are known.
 */
store_record ims_row_record(const prepared *p, const float *vector, uint32_t dim);

/* Adds the regions that were made, to a record with a vector. */
void ims_row_add_regions(store_record *r, const prepared *p);

/* Adds the facts that were read, if they were. */
void ims_row_add_facts(store_record *r, const prepared *p);

/*
 * EINVAL: the path or name is that of an item that was deleted on purpose, below whichever root.
 * path may be NULL.
 */
int ims_row_refuse_deleted(imgsearch *s, const char *path, imgsearch_error *err);
/* Whether the index has items that were deleted on purpose. */
int ims_row_any_deleted(imgsearch *s, bool *any, imgsearch_error *err);
/* By id; name is for the sentence. 0 where there is no such item. */
int ims_row_refuse_deleted_id(imgsearch *s, const char *name, int64_t id, imgsearch_error *err);

/* The indexed or deleted picture with these bytes: *id is 0 where there is none, or no hash. */
int ims_row_twin(imgsearch *s, const hash256 *hash, int64_t *id, imgsearch_error *err);

#endif
