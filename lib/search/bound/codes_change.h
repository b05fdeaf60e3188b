/*
 * Adding, replacing and removing coded rows in place. New rows take the axes and scales that are
 * there. The slot of a removed row scores infinity until an added row takes it.
 */
#ifndef IMS_SEARCH_BOUND_CODES_CHANGE_H
#define IMS_SEARCH_BOUND_CODES_CHANGE_H

#include "search/bound/codes.h"

/*
 * Both: the caller holds off every reader. On failure the rows before the failing one are changed.
 */
int ims_codes_add(codes *c, const int64_t *ids, const float *rows, size_t n, imgsearch_error *err);
int ims_codes_remove(codes *c, const int64_t *ids, size_t n, imgsearch_error *err);

#endif
