/* The blocks beside the pixels: Exif, XMP, ICC. */
#include "image/colour.h"
#include "image/metadata.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const metadata exif = { .exif = data, .exif_size = size },
				   xmp = { .xmp = data, .xmp_size = size };
	uint32_t a = ims_image_orientation(&exif), b = ims_image_orientation(&xmp);
	if (a < 1 || a > 8 || b < 1 || b > 8)
		__builtin_trap();
	ims_icc_is_srgb(data, size);
	return 0;
}
