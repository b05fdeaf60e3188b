/* WebP, as a helper decodes it: the container, and libwebp. The last byte chooses `partial`. */
#include "codec/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	image_head head;
	image im;
	if (ims_image_sniff(data, size) != IMAGE_WEBP)
		return 0;
	image_limits limits = {
		.max_pixels = 1 << 18,
		.partial = data[size - 1] & 1,
		.codecs = ims_codec_local(),
	};
	int bad = ims_image_head(&head, data, size, &limits, NULL);
	if (ims_image_decode(&im, NULL, data, size, &limits, NULL, NULL) == 0 && bad)
		__builtin_trap(); /* a picture whose head is bad */
	ims_image_free(&im);
	return 0;
}
