/*
 * For the golden test: runs a network on given inputs.
 *	features NAME WEIGHTS f32|bf16 THREADS CROP N IN OUT [REPEAT]
 * IN: (N, CROP, CROP, 3) f32; OUT gets (N, dim) f32. NAME "-": by the weights' card. With REPEAT,
 * prints the speed.
 */
#include "model/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int run(model *m, const model_identity *id, char **argv, size_t n, imgsearch_error *err)
{
	int repeat = argv[9] ? atoi(argv[9]) : 0, rc = 0;
	size_t values = n * id->recipe.crop * id->recipe.crop * 3;
	float *in = ims_alloc(values, sizeof *in), *out = ims_alloc(n * id->dim, sizeof *out);
	FILE *f = fopen(argv[7], "rb");
	if (!in || !out || !f || fread(in, sizeof *in, values, f) != values)
		rc = ims_fail(err, IMGSEARCH_EIO, "%s: too short", argv[7]);
	if (f)
		fclose(f);
	double start = ims_now();
	if (!rc)
		rc = ims_model_run(m, in, n, out, err);
	fprintf(stderr, "first run %.3f s\n", ims_now() - start);
	start = ims_now();
	clock_t busy = clock();
	for (int i = 0; !rc && i < repeat; i++)
		rc = ims_model_run(m, in, n, out, err);
	if (repeat)
		fprintf(stderr, "%.1f images/s, %.1f images per CPU second\n",
			(double)n * repeat / (ims_now() - start),
			(double)n * repeat * CLOCKS_PER_SEC / (double)(clock() - busy));
	f = rc ? NULL : fopen(argv[8], "wb");
	if (!rc && (!f || fwrite(out, sizeof *out * id->dim, n, f) != n))
		rc = ims_fail_errno(err, IMGSEARCH_EIO, "%s", argv[8]);
	if (f)
		fclose(f);
	ims_free(in);
	ims_free(out);
	return rc;
}

int main(int argc, char **argv)
{
	imgsearch_error err = { 0 };
	model_identity id;
	model *m = NULL;
	if (argc < 9)
		return 2;
	model_spec spec = {
		.name = strcmp(argv[1], "-") ? argv[1] : NULL,
		.weights = argv[2],
		.precision = strcmp(argv[3], "bf16") ? IMGSEARCH_PRECISION_F32 : IMGSEARCH_PRECISION_BF16,
		.threads = (uint32_t)atoi(argv[4]),
		.device = "cpu",
	};
	spec.recipe.crop = (uint32_t)atoi(argv[5]);
	double start = ims_now();
	int rc = ims_model_identify(&id, &spec, &err);
	double known = ims_now();
	if (!rc) {
		rc = ims_model_load(&m, &id, &spec, &err);
		if (!rc) {
			fprintf(stderr, "%s: dim %u, batch %zu, identify %.3f s, load %.3f s\n",
				ims_model_describe(m), id.dim, ims_model_batch(m), known - start,
				ims_now() - known);
			rc = run(m, &id, argv, (size_t)atoi(argv[6]), &err);
		}
		ims_model_free(m);
		ims_model_identity_free(&id);
	}
	if (rc)
		fprintf(stderr, "%d: %s\n", rc, err.message);
	return rc ? 1 : 0;
}
