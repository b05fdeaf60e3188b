/* Groups of near-duplicates. */
#ifndef IMS_COLLECTION_GROUPS_H
#define IMS_COLLECTION_GROUPS_H

#include "base/base.h"

/*
 * imgsearch_groups_find; options are a complete copy. Errors: see there. *out is freed by
 * imgsearch_groups_free.
 */
int ims_groups(imgsearch *s, const imgsearch_groups_options *options, job *job,
	imgsearch_groups **out, imgsearch_error *err);

#endif
