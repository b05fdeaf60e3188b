/* WebP, as a helper decodes it: the container, and libwebp. */
#include "fuzz/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_codec(data, size, IMAGE_WEBP, IMAGE_WEBP);
	return 0;
}
