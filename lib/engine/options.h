/* Option structs of older and newer callers. */
#ifndef IMS_ENGINE_OPTIONS_H
#define IMS_ENGINE_OPTIONS_H

#include "base/base.h"

/*
 * ours (size bytes) receives a complete copy of the caller's struct, whose first member is
 * struct_size. Members that an older caller does not have are zero. theirs NULL: all zero. EINVAL:
 * struct_size is not set; EVERSION: a newer caller set a member that this version does not have.
 */
int ims_options_copy(void *ours, size_t size, const void *theirs, imgsearch_error *err);

#endif
