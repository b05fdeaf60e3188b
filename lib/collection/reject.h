/* Pairs of pictures that the user marks as different. */
#ifndef IMS_COLLECTION_REJECT_H
#define IMS_COLLECTION_REJECT_H

#include "base/base.h"

/*
 * imgsearch_groups_reject. The caller holds the writer lock. ENOTFOUND: no such picture; EINVAL: no
 * content, or equal contents; EDB, EIO, ENOMEM.
 */
int ims_reject(imgsearch *s, int64_t a, int64_t b, imgsearch_error *err);

#endif
