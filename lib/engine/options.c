/* Copies option structs. */
#include "engine/options.h"

#include <string.h>

int ims_options_copy(void *ours, size_t size, const void *theirs, imgsearch_error *err)
{
	size_t given = size;
	memset(ours, 0, size);
	if (theirs) {
		memcpy(&given, theirs, sizeof given);
		if (given < sizeof given)
			return ims_fail(err, IMGSEARCH_EINVAL, "options: struct_size is not set");
		for (size_t i = size; i < given; i++)
			if (((const unsigned char *)theirs)[i])
				return ims_fail(err, IMGSEARCH_EVERSION,
					"options: made for a newer version than %s", imgsearch_version_text());
		memcpy(ours, theirs, given < size ? given : size);
	}
	memcpy(ours, &size, sizeof size);
	return 0;
}
