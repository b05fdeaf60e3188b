/*
 * cold NETWORK WEIGHTS PICTURE: the steps of a new picture's feature in a process that has done
 * nothing yet, in milliseconds, as JSON. What a cold query does besides is in bench-index's query
 * of an indexed picture.
 */
#include "model/model.h"
#include "model/shim_load.h"

#include <stdio.h>

static double last;

static void step(const char *name)
{
	double now = ims_now();
	printf("%s\"%s\": %.2f", last > 0 ? ", " : "{", name, (now - (last > 0 ? last : now)) * 1e3);
	last = ims_now();
}

static int fit(const char *path, const image_recipe *r, float *slot, imgsearch_error *err)
{
	buf bytes = { 0 };
	image im = { 0 };
	image_head head;
	image_limits limits = { .at_least = r->resize };
	int rc = ims_read_file(&bytes, path, 1 << 30, err);
	if (!rc)
		rc = ims_image_decode(&im, &head, bytes.data, bytes.len, &limits, NULL, err);
	if (!rc)
		rc = ims_image_fit(&im, r, false, slot, err);
	ims_image_free(&im);
	ims_buf_free(&bytes);
	return rc;
}

int main(int argc, char **argv)
{
	imgsearch_error err;
	model_identity id = { 0 };
	model *m = NULL;
	const shim_table *shim;
	if (argc != 4)
		return 2;
	model_spec spec = { .name = argv[1], .weights = argv[2] };
	step("start");
	int rc = ims_model_identify(&id, &spec, &err);
	step("hash of the weights");
	float *slot = rc ? NULL
					 : ims_alloc_aligned((size_t)id.recipe.crop * id.recipe.crop, 3 * sizeof *slot);
	float *out = rc ? NULL : ims_alloc(id.dim, sizeof *out);
	if (!rc)
		rc = slot && out ? fit(argv[3], &id.recipe, slot, &err) : ims_nomem(&err);
	step("decode and fit");
	if (!rc)
		rc = ims_shim_load(&shim, &err);
	step("loading libtorch");
	if (!rc)
		rc = ims_model_load(&m, &id, &spec, &err);
	step("reading weights, making the network");
	if (!rc)
		rc = ims_model_run(m, slot, 1, out, &err);
	step("first pass");
	if (!rc)
		rc = ims_model_run(m, slot, 1, out, &err);
	step("second pass");
	puts("}");
	if (rc)
		fprintf(stderr, "%s\n", err.message);
	ims_model_free(m);
	ims_model_identity_free(&id);
	ims_free(slot);
	ims_free(out);
	return rc != 0;
}
