/*
 * make bench-model: the default model, and what MODELS names (NAME=FILE:SIDE ...), against
 * MobileNetV2 at 224 pixels (weights: the first argument), in turns, on one thread, the network
 * alone. Processor time, so that other work on the machine disturbs it little; the best of each.
 */
#include "model/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 12, BATCH = 8, CONTENDERS = 12 };

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

static int run(contender *c, imgsearch_error *err)
{
	double before = cpu_now();
	int rc = ims_model_run(c->m, c->in, BATCH, c->out, err);
	double t = cpu_now() - before;
	c->best = t < c->best ? t : c->best;
	return rc;
}

static int compare(const contender *all, size_t n, uint32_t precision, imgsearch_error *err)
{
	contender c[CONTENDERS];
	int rc = 0;
	memcpy(c, all, sizeof c);
	for (size_t i = 0; !rc && i < n; i++)
		rc = get_ready(&c[i], precision, err);
	for (size_t i = 0; !rc && i < n * ROUNDS; i++)
		rc = run(&c[i % n], err);
	for (size_t i = 0; !rc && i < n; i++)
		printf("%s: %s at %u: %.1f images/s of one processor, %.2f x\n",
			precision == IMGSEARCH_PRECISION_BF16 ? "bf16" : "f32", c[i].id.name,
			c[i].id.recipe.crop, BATCH / c[i].best, c[0].best / c[i].best);
	for (size_t i = 0; i < n; i++)
		release(&c[i]);
	return rc;
}

/* NAME=FILE:SIDE */
static void parse(contender *c, char *text)
{
	char *file = strchr(text, '='), *side = file ? strchr(file, ':') : NULL;
	if (!side)
		return;
	*file = *side = '\0';
	c->spec.name = text;
	c->spec.weights = file + 1;
	c->spec.recipe.resize = c->spec.recipe.crop = (uint32_t)atoi(side + 1);
}

int main(int argc, char **argv)
{
	imgsearch_error err;
	contender c[CONTENDERS] = {
		{ .spec = { .name = "mobilenet_v2",
			  .weights = argc > 1 ? argv[1] : "../shared/weights/mobilenet_v2.pth" } },
	};
	size_t n = 2;
	for (int i = 2; i < argc && n < CONTENDERS; i++)
		parse(&c[n++], argv[i]);
	if (compare(c, n, IMGSEARCH_PRECISION_BF16, &err)
		|| compare(c, n, IMGSEARCH_PRECISION_F32, &err)) {
		fprintf(stderr, "%s\n", err.message);
		return 1;
	}
	return 0;
}
