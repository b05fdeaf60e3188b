/* Items of an index, filtered, in an order, page by page. */
#ifndef IMS_HANDLE_LIST_H
#define IMS_HANDLE_LIST_H

#include "handle/handle.h"

/*
 * imgsearch_item_list; the options are a complete copy, without a function. Progress stage "list".
 * Vectors without a picture come last, those that were deleted on purpose behind the others.
 */
int ims_list(imgsearch *s, const imgsearch_item_list_options *options, imgsearch_item_fn each,
	void *user, job *j, uint64_t *total, imgsearch_error *err);

#endif
