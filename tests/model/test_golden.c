/*
 * A network of each family against features that the reference implementations gave, in f32:
 * golden/NETWORK.txt, which tests/model/make_golden.py writes. Weights and pictures are drawn by a
 * generator that it has too.
 *	network NAME SIDE			or words NAME CONTEXT, its text tower
 *	tensor NAME MEAN SPREAD DIMENSION...
 *	norm NAME CHANNELS MEAN SPREAD...	of weight, bias, running_mean, running_var
 *	text USED TOKEN...			of a text tower
 *	feature LENGTH VALUE...			of a picture or text; values at LENGTH * i / VALUES
 */
#include "model/shim_load.h"
#include "test.h"

#include <glob.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	PICTURES = 2,
	VALUES = 32,
	MOST_TENSORS = 1000,
	MOST_FILES = 64,
	SQUARE = 8,
	MOST_TOKENS = 16
};

typedef struct golden {
	char network[64];
	uint32_t side, context; /* one of both is 0 */
	shim_tensor tensors[MOST_TENSORS];
	size_t n;
	uint32_t used[PICTURES];
	int32_t tokens[PICTURES * MOST_TOKENS]; /* (texts, context) */
	size_t texts;
	size_t length, features;
	float want[PICTURES][VALUES];
} golden;

/* ------------------------------------------------------------------------------ generator ---- */

/* FNV-1a. */
static uint64_t seed_of(const char *name)
{
	uint64_t h = 0xCBF29CE484222325u;
	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * 0x100000001B3u;
	return h;
}

/* Steele, Lea and Flood's splitmix64 (2014): the i-th value, in [-1, 1). */
static float uniform(uint64_t seed, uint64_t i)
{
	uint64_t z = seed + (i + 1) * 0x9E3779B97F4A7C15u;
	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
	z = (z ^ z >> 27) * 0x94D049BB133111EBu;
	z ^= z >> 31;
	return ((float)(z >> 40) - 8388608.0f) / 8388608.0f;
}

static float *drawn(const char *name, size_t n, float mean, float spread)
{
	float *out = ims_alloc(n, sizeof *out);
	uint64_t seed = seed_of(name);
	assert_non_null(out);
	for (size_t i = 0; i < n; i++)
		out[i] = mean + spread * uniform(seed, i);
	return out;
}

/* (PICTURES, side, side, 3), in squares of one colour. */
static float *pictures(uint32_t side)
{
	size_t squares = (side + SQUARE - 1) / SQUARE, n = 0;
	float *colours = drawn("pictures", PICTURES * squares * squares * 3, 0, 2);
	float *out = ims_alloc((size_t)PICTURES * side * side * 3, sizeof *out);
	assert_non_null(out);
	for (size_t p = 0; p < PICTURES; p++)
		for (size_t y = 0; y < side; y++)
			for (size_t x = 0; x < side; x++)
				for (size_t c = 0; c < 3; c++)
					out[n++] = colours[((p * squares + y / SQUARE) * squares + x / SQUARE) * 3 + c];
	ims_free(colours);
	return out;
}

/* --------------------------------------------------------------------------------- reading ---- */

static shim_tensor *add_tensor(golden *g, char *name)
{
	assert_non_null(name);
	assert_true(g->n < MOST_TENSORS);
	shim_tensor *t = &g->tensors[g->n++];
	t->name = name;
	t->dtype = SHIM_F32;
	return t;
}

static void read_tensor(golden *g, char *rest)
{
	char *name = strsep(&rest, " ");
	float mean = strtof(rest, &rest), spread = strtof(rest, &rest);
	size_t values = 1;
	shim_tensor *t = add_tensor(g, ims_strdup(name));
	for (; *rest == ' '; values *= (size_t)t->shape[t->ndim++]) {
		assert_true(t->ndim < SHIM_MAX_NDIM);
		t->shape[t->ndim] = strtol(rest, &rest, 10);
	}
	t->data = drawn(t->name, values, mean, spread);
}

static void read_norm(golden *g, char *rest)
{
	static const char *const parts[] = { "weight", "bias", "running_mean", "running_var" };
	char *name = strsep(&rest, " ");
	int64_t channels = strtol(rest, &rest, 10);
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		shim_tensor *t = add_tensor(g, ims_format("%s.%s", name, parts[i]));
		float mean = strtof(rest, &rest), spread = strtof(rest, &rest);
		t->shape[t->ndim++] = channels;
		t->data = drawn(t->name, (size_t)channels, mean, spread);
	}
}

static void read_text(golden *g, char *rest)
{
	assert_true(g->texts < PICTURES && g->context <= MOST_TOKENS);
	g->used[g->texts] = (uint32_t)strtoul(rest, &rest, 10);
	for (size_t i = 0; i < g->context; i++)
		g->tokens[g->texts * g->context + i] = (int32_t)strtol(rest, &rest, 10);
	g->texts++;
}

static void read_feature(golden *g, char *rest)
{
	assert_true(g->features < PICTURES);
	g->length = strtoul(rest, &rest, 10);
	for (size_t i = 0; i < VALUES; i++)
		g->want[g->features][i] = strtof(rest, &rest);
	g->features++;
}

static golden *read_golden(const char *path)
{
	golden *g = ims_zalloc(1, sizeof *g);
	FILE *f = fopen(path, "r");
	char line[2000];
	assert_non_null(g);
	assert_non_null(f);
	while (fgets(line, sizeof line, f)) {
		if (!strncmp(line, "tensor ", 7))
			read_tensor(g, line + 7);
		else if (!strncmp(line, "norm ", 5))
			read_norm(g, line + 5);
		else if (!strncmp(line, "feature ", 8))
			read_feature(g, line + 8);
		else if (!strncmp(line, "text ", 5))
			read_text(g, line + 5);
		else if (!strncmp(line, "words ", 6))
			assert_int_equal(sscanf(line, "words %63s %u", g->network, &g->context), 2);
		else
			assert_int_equal(sscanf(line, "network %63s %u", g->network, &g->side), 2);
	}
	fclose(f);
	assert_int_equal(g->features, PICTURES);
	return g;
}

static void free_tensors(golden *g)
{
	for (size_t i = 0; i < g->n; i++) {
		ims_free((void *)g->tensors[i].data);
		ims_free((void *)g->tensors[i].name);
	}
	g->n = 0;
}

/* ----------------------------------------------------------------------------------- tests ---- */

static int run_on(const shim_table *shim, shim_net *net, const golden *g, float *out,
	shim_message *msg)
{
	if (g->context)
		return shim->net_run_words(net, g->tokens, g->used, PICTURES, out, msg);
	float *in = pictures(g->side);
	int rc = shim->net_run(net, in, PICTURES, 1, out, msg);
	ims_free(in);
	return rc;
}

/* (PICTURES, length) */
static float *run(golden *g)
{
	const shim_table *shim;
	shim_net *net = NULL;
	shim_message msg = { "" };
	imgsearch_error err = { 0 };
	shim_config c = { .network = g->network, .device = "cpu", .threads = 1, .crop = g->side };
	c.words = g->context > 0;
	assert_int_equal(ims_shim_load(&shim, &err), 0);
	if (shim->net_new(&net, &c, g->tensors, g->n, NULL, &msg))
		fail_msg("%s: %s", g->network, msg.text);
	free_tensors(g);
	assert_int_equal(shim->net_dim(net), g->length);
	assert_int_equal(shim->net_context(net), g->context);
	float *out = ims_alloc(PICTURES * g->length, sizeof *out);
	assert_non_null(out);
	if (run_on(shim, net, g, out, &msg))
		fail_msg("%s: %s", g->network, msg.text);
	shim->net_free(net);
	return out;
}

/* The largest error is told in parts of the root mean square. */
static void agrees(const golden *g, const float *feature, const float *want)
{
	double squares = 0, largest = 0;
	for (size_t i = 0; i < VALUES; i++) {
		squares += want[i] * want[i];
		largest = fmax(largest, fabs(feature[g->length * i / VALUES] - want[i]));
	}
	double part = largest / sqrt(squares / VALUES);
	if (!(part < 1e-4))
		fail_msg("%s: a value differs by %g of their root mean square", g->network, part);
}

static void equals_the_reference(void **state)
{
	golden *g = read_golden(*state);
	float *out = run(g);
	for (size_t i = 0; i < PICTURES; i++)
		agrees(g, out + i * g->length, g->want[i]);
	ims_free(out);
	ims_free(g);
}

/* The real shim, which lies in the build folder. */
static bool find_shim(void)
{
	char shim[1000];
	const char *b = getenv("B");
	snprintf(shim, sizeof shim, "%s/imgsearch-shim.so", b ? b : "build");
	return !access(shim, R_OK) && !setenv("IMGSEARCH_LIBDIR", b ? b : "build", 1);
}

int main(void)
{
	static struct CMUnitTest tests[MOST_FILES];
	glob_t files;
	if (!find_shim()) {
		puts("1..0 # SKIP the shim was not built (libtorch is missing)");
		return 0;
	}
	if (glob("tests/model/golden/*.txt", 0, NULL, &files) || files.gl_pathc > MOST_FILES)
		return 1;
	setenv("OMP_WAIT_POLICY", "passive", 1);
	for (size_t i = 0; i < files.gl_pathc; i++)
		tests[i] = (struct CMUnitTest){ files.gl_pathv[i], equals_the_reference, NULL, NULL,
			files.gl_pathv[i] };
	return _cmocka_run_group_tests("golden", tests, files.gl_pathc, NULL, NULL);
}
