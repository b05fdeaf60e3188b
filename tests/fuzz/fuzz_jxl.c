/* JPEG XL, as a helper decodes it, by libjxl. */
#include "fuzz/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_codec(data, size, IMAGE_JXL, IMAGE_JXL);
	return 0;
}
