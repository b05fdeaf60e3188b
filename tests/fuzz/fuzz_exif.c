/* The Exif block alone. */
#include "image/decoder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t orientation = ims_image_orientation(data, size);
	if (orientation < 1 || orientation > 8)
		__builtin_trap();
	return 0;
}
