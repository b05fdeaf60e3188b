/* JPEG: decoding in full and at a scale, and what comes of it fitted; the last byte chooses. */
#include "image/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	image_recipe recipe = { 16, 14, { 0, 0, 0 }, { 1, 1, 1 }, 0, 0, 0 };
	float out[14 * 14 * 3];
	image im;
	if (ims_image_sniff(data, size) != IMAGE_JPEG)
		return 0;
	uint8_t choice = data[size - 1];
	image_limits limits = { .max_pixels = 1 << 18, .at_least = choice & 63 };
	if (ims_image_decode(&im, NULL, data, size, &limits, NULL, NULL) == 0) {
		recipe.bicubic = choice >> 7;
		ims_image_fit(&im, &recipe, choice >> 6 & 1, out, NULL);
	}
	ims_image_free(&im);
	return 0;
}
