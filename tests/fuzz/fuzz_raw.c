/* RAW files: the directories of TIFF, and the previews that they name or that are looked for. */
#include "image/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	image_head head;
	image im;
	const image_limits limits = { .max_pixels = 1 << 18 };
	if (ims_image_sniff(data, size) != IMAGE_RAW)
		return 0;
	int bad = ims_image_head(&head, data, size, &limits, NULL);
	if (ims_image_decode(&im, NULL, data, size, &limits, NULL, NULL) == 0 && bad)
		__builtin_trap(); /* a picture whose head is bad */
	ims_image_free(&im);
	return 0;
}
