/* Deleting pictures on purpose, and moving a root. All acquire the writer lock. */
#ifndef IMS_INGEST_REMOVE_H
#define IMS_INGEST_REMOVE_H

#include "handle/handle.h"

/*
 * imgsearch_index_keep_out and imgsearch_index_readmit, all or none. ENOTFOUND: there is no item of
 * an id, which the sentence names. Readmitting: EINVAL where an item is not deleted on purpose.
 */
int ims_keep_out(imgsearch *s, const int64_t *ids, size_t n, job *j, imgsearch_error *err);
int ims_readmit(imgsearch *s, const int64_t *ids, size_t n, job *j, imgsearch_error *err);

int ims_root_move(imgsearch *s, const char *from, const char *to, job *j,
	imgsearch_error *err); /* imgsearch_root_move */

#endif
