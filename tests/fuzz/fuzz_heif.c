/* HEIC and AVIF, as a helper decodes them: the size by boxes, and libheif. */
#include "codec/heif_size.h"
#include "fuzz/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	heif_size s;
	ims_heif_size(&s, data, size);
	fuzz_codec(data, size, IMAGE_HEIC, IMAGE_AVIF);
	return 0;
}
