/* TIFF, as a helper decodes it, by libtiff. */
#include "fuzz/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_codec(data, size, IMAGE_TIFF, IMAGE_TIFF);
	return 0;
}
