/* HEIC and AVIF, as a helper decodes them: the size by boxes, and libheif. */
#include "codec/heif_size.h"
#include "fuzz/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t width, height;
	ims_heif_size(data, size, &width, &height);
	fuzz_codec(data, size, IMAGE_HEIC, IMAGE_AVIF);
	return 0;
}
