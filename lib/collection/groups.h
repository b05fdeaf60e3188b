#ifndef IMS_COLLECTION_GROUPS_H
#define IMS_COLLECTION_GROUPS_H

#include "base/base.h"

int ims_groups(imgsearch *s, const imgsearch_groups_options *o, job *job, imgsearch_group_list **out, imgsearch_error *err);

#endif
