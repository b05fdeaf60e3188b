/* Groups of near-duplicates. */
#ifndef IMS_COLLECTION_GROUPS_H
#define IMS_COLLECTION_GROUPS_H

#include "base/base.h"

/*
 * imgsearch_groups; options are a complete copy. Errors: see there. *out is freed by
 * imgsearch_group_list_free.
 */
int ims_groups(imgsearch *s, const imgsearch_groups_options *options, job *job,
	imgsearch_group_list **out, imgsearch_error *err);

#endif
