/*
 * make bench-model: the default model against MobileNetV2 at 224 pixels (weights: the argument), in
 * turns, on one thread, the network alone. Processor time, so that other work on the machine
 * disturbs it little; the best of each.
 */
#include "model/model.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 12, BATCH = 8 };

static double cpu_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

typedef struct contender {
	model_spec spec;
	model_identity id;
	model *m;
	float *in, *out;
	double best;
} contender;

static int get_ready(contender *c, uint32_t precision, imgsearch_error *err)
{
	c->spec.precision = precision;
	c->spec.threads = 1;
	c->spec.device = "cpu";
	c->best = 1e9;
	int r = ims_model_identify(&c->id, &c->spec, err);
	if (!r)
		r = ims_model_load(&c->m, &c->id, &c->spec, err);
	if (r)
		return r;
	size_t side = c->id.recipe.crop;
	c->in = ims_zalloc(BATCH * side * side, 3 * sizeof *c->in);
	c->out = ims_alloc(BATCH, c->id.dim * sizeof *c->out);
	uint64_t random = 1;
	for (size_t i = 0; c->in && i < BATCH * side * side * 3; i++)
		c->in[i] = (float)(ims_random_unit(&random) * 4 - 2);
	return c->in && c->out ? ims_model_run(c->m, c->in, BATCH, c->out, err) : ims_nomem(err);
}

static void release(contender *c)
{
	ims_model_free(c->m);
	ims_model_identity_free(&c->id);
	ims_free(c->in);
	ims_free(c->out);
}

static int compare(const char *weights, uint32_t precision, imgsearch_error *err)
{
	contender c[2] = { { .spec = { .name = "mobilenet_v2", .weights = weights } },
		{ .spec = { 0 } } };
	int r = get_ready(&c[0], precision, err);
	if (!r)
		r = get_ready(&c[1], precision, err);
	for (int i = 0; !r && i < 2 * ROUNDS; i++) {
		contender *k = &c[i % 2];
		double before = cpu_now();
		r = ims_model_run(k->m, k->in, BATCH, k->out, err);
		double t = cpu_now() - before;
		k->best = t < k->best ? t : k->best;
	}
	if (!r)
		printf("%s: MobileNetV2 at %u %.1f images/s, default at %u %.1f images/s of one processor: "
			   "%.2f x\n",
			precision == IMGSEARCH_PRECISION_BF16 ? "bf16" : "f32", c[0].id.recipe.crop,
			BATCH / c[0].best, c[1].id.recipe.crop, BATCH / c[1].best, c[0].best / c[1].best);
	release(&c[0]);
	release(&c[1]);
	return r;
}

int main(int argc, char **argv)
{
	imgsearch_error err;
	const char *weights = argc > 1 ? argv[1] : "../shared/weights/mobilenet_v2.pth";
	if (compare(weights, IMGSEARCH_PRECISION_BF16, &err)
		|| compare(weights, IMGSEARCH_PRECISION_F32, &err)) {
		fprintf(stderr, "%s\n", err.message);
		return 1;
	}
	return 0;
}
