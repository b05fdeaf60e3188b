/* Groups of near-duplicates. */
#ifndef IMS_COLLECTION_GROUPS_H
#define IMS_COLLECTION_GROUPS_H

#include "base/base.h"

/* imgsearch_groups; options are a complete copy. */
int ims_groups(imgsearch *s, const imgsearch_groups_options *options, job *job,
	imgsearch_group_list **out, imgsearch_error *err);

#endif
