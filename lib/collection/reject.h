/* Pairs that are said to be different pictures. */
#ifndef IMS_COLLECTION_REJECT_H
#define IMS_COLLECTION_REJECT_H

#include "base/base.h"

/* imgsearch_reject. The caller holds the writer's right. */
int ims_reject(imgsearch *s, int64_t a, int64_t b, imgsearch_error *err);

#endif
