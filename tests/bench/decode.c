/*
 * What decoding and fitting cost: decode AT_LEAST FULL_DECODE FILE...
 * Prints the processor seconds of this thread spent in each, and how many files failed.
 */
#include "image/image.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double processor_seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

int main(int argc, char **argv){ 0, 0 };
0
}
;
float *out = ims_alloc((size_t)recipe.crop * recipe.crop * 3, sizeof(float));
double decode_s = 0, fit_s = 0;
int bad = 0;
if (argc < 4 || !out)
	return 2;
image_limits limits = { .at_least = (uint32_t)atoi(argv[1]),
	.full_decode = (uint32_t)atoi(argv[2]) };
for (int i = 3; i < argc; i++) {
	buf file = { 0 };
	image im = { 0 };
	int rc = ims_read_file(&file, argv[i], 1u << 30, NULL);
	double t0 = processor_seconds();
	if (!rc)
		rc = ims_image_decode(&im, NULL, file.data, file.len, &limits, NULL, NULL);
	double t1 = processor_seconds();
	if (!rc)
		rc = ims_image_fit(&im, &recipe, false, out, NULL);
	fit_s += processor_seconds() - t1;
	decode_s += t1 - t0;
	bad += rc != 0;
	ims_image_free(&im);
	ims_buf_free(&file);
}
ims_free(out);
printf("%.6f %.6f %d\n", decode_s, fit_s, bad);
return 0;
}
