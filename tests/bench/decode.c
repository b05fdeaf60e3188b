/* Seconds of work by stage for the files named: decode AT_LEAST FULL_DECODE FILE... */
#include "image/image.h"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	image_recipe recipe = { 256, 224, { 0.485f, 0.456f, 0.406f }, { 0.229f, 0.224f, 0.225f }, 0 };
	image_limits limits = { 0, argc > 2 ? (uint32_t)atoi(argv[2]) : 0, argc > 1 ? (uint32_t)atoi(argv[1]) : 0 };
	float *out = ims_alloc((size_t)recipe.crop * recipe.crop * 3, sizeof(float));
	double decode_s = 0, fit_s = 0;
	int bad = 0;
	for (int i = 3; out && i < argc; i++) {
		buf file = { 0 };
		image im = { 0 };
		if (ims_read_file(&file, argv[i], 1u << 30, NULL))
			return 1;
		double t0 = ims_now();
		bad += ims_image_decode(&im, NULL, file.data, file.len, &limits, NULL, NULL) != 0;
		double t1 = ims_now();
		if (im.pixels)
			ims_image_fit(&im, &recipe, false, out, NULL);
		decode_s += t1 - t0;
		fit_s += ims_now() - t1;
		ims_image_free(&im);
		ims_buf_free(&file);
	}
	printf("%.6f %.6f %d\n", decode_s, fit_s, bad);
	ims_free(out);
	return 0;
}
