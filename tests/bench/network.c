/*
 * A network for tests/bench/networks.py.
 *	network NAME WEIGHTS N              for each line of input that says f32 or auto, runs one batch
 *	                                    of N on two threads; writes its processor seconds
 *	network NAME WEIGHTS load PRECISION loads once, when a line of input comes; writes the
 *	                                    processor seconds of the hash and of the rest
 */
#include "model/model.h"
#include "model/shim_load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { THREADS = 2 };

static imgsearch_error err;

static void must(int rc)
{
	if (!rc)
		return;
	fprintf(stderr, "%s\n", err.message);
	exit(1);
}

static double processor_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

typedef struct contender {
	model_identity id;
	model *m;
} contender;

static uint32_t precision(const char *name)
{
	return strcmp(name, "f32") ? IMGSEARCH_PRECISION_AUTO : IMGSEARCH_PRECISION_F32;
}

/* Returns the seconds that the hash took. */
static double load(contender *c, char **argv, const char *name)
{
	double start = processor_now();
	model_spec spec = {
		.name = argv[1],
		.weights = argv[2],
		.precision = precision(name),
		.threads = THREADS,
		.device = "cpu",
	};
	must(ims_model_identify(&c->id, &spec, &err));
	double hashed = processor_now() - start;
	must(ims_model_load(&c->m, &c->id, &spec, &err));
	return hashed;
}

static void release(contender *c)
{
	ims_model_free(c->m);
	ims_model_identity_free(&c->id);
}

static void load_once(char **argv)
{
	contender c;
	const shim_table *shim;
	must(ims_shim_load(&shim, &err)); /* as the other side has imported torch */
	puts("ready");
	fflush(stdout);
	getchar();
	double start = processor_now(), hashed = load(&c, argv, argv[4]);
	printf("%.4f %.4f\n", hashed, processor_now() - start - hashed);
	fflush(stdout);
	while (getchar() != EOF)
		continue;
	release(&c);
}

static void answer(contender c[2], size_t n)
{
	size_t values = n * c->id.recipe.crop * c->id.recipe.crop * 3;
	float *in = ims_alloc(values, sizeof *in), *out = ims_alloc(n, c->id.dim * sizeof *out);
	uint64_t random = 1;
	char line[16];
	must(in && out ? 0 : ims_nomem(&err));
	for (size_t i = 0; i < values; i++)
		in[i] = (float)(ims_random_unit(&random) * 4 - 2);
	while (fgets(line, sizeof line, stdin)) {
		double start = processor_now();
		must(ims_model_run(c[strncmp(line, "f32", 3) != 0].m, in, n, out, &err));
		printf("%.6f\n", processor_now() - start);
		fflush(stdout);
	}
	ims_free(in);
	ims_free(out);
}

int main(int argc, char **argv)
{
	contender c[2];
	if (argc == 5) {
		load_once(argv);
		return 0;
	}
	if (argc != 4)
		return 2;
	load(&c[0], argv, "f32");
	load(&c[1], argv, "auto");
	printf("%s\n", ims_model_describe(c[1].m));
	fflush(stdout);
	answer(c, (size_t)atoi(argv[3]));
	release(&c[0]);
	release(&c[1]);
	return 0;
}
