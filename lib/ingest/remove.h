/* Removes pictures and moves roots. Both functions acquire the writer lock. */
#ifndef IMS_INGEST_REMOVE_H
#define IMS_INGEST_REMOVE_H

#include "handle/handle.h"

int ims_remove(imgsearch *s, const int64_t *ids, size_t n,
	imgsearch_error *err); /* imgsearch_index_remove */
int ims_root_move(imgsearch *s, const char *from, const char *to,
	imgsearch_error *err); /* imgsearch_root_move */

#endif
