/*
 * A program may trap division by zero, invalid operations and overflow (feenableexcept): no call
 * with sound vectors raises them, neither on the program's thread nor on the library's. The answers
 * are those without traps.
 */
#include "scene.h"

#include <fenv.h>
#include <math.h>
#include <signal.h>

enum { TRAPS = FE_DIVBYZERO | FE_INVALID | FE_OVERFLOW };

static char at[200]; /* what runs */

static void trapped(int number)
{
	static const char text[] = "# SIGFPE in: ";
	(void)number;
	if (write(STDOUT_FILENO, text, sizeof text - 1) < 0 || write(STDOUT_FILENO, at, strlen(at)) < 0
		|| write(STDOUT_FILENO, "\n", 1) < 0)
		_exit(2);
	_exit(1);
}

#define traced(call) \
	do { \
		imgsearch_error err = { 0 }; \
		snprintf(at, sizeof at, "%s: %.120s", what, #call); \
		if ((call) != 0) \
			fail_msg("%s: %s", at, err.message); \
	} while (0)

/* Rows of zeros have no direction, which cosine needs. */
static float *make_rows(size_t n, size_t dim, float scale, bool cosine)
{
	float *rows = malloc(n * dim * sizeof *rows);
	uint64_t seed = n + dim;
	assert_non_null(rows);
	for (size_t i = 0; i < n * dim; i++)
		rows[i] = scale * ((float)(ims_random(&seed) >> 40) / (1 << 23) - 1);
	if (!cosine)
		memset(rows, 0, dim * sizeof *rows);
	memcpy(rows + 2 * dim, rows + dim, dim * sizeof *rows); /* the same row twice */
	for (size_t k = 0; k < dim; k++) {
		rows[3 * dim + k] = rows[dim + k] * -1;
		if (!cosine)
			rows[4 * dim + k] = 1e-42f; /* denormal */
		rows[5 * dim + k] = k ? 0 : scale;
	}
	return rows;
}

static void ask(imgsearch *s, const char *what, const float *rows, size_t n, size_t dim,
	const char *searcher, bool cosine)
{
	for (size_t i = 0; i < 6; i++) {
		imgsearch_input in = imgsearch_input_vector(rows + i * dim, dim);
		imgsearch_query_options o = { .struct_size = sizeof o, .searcher = searcher };
		imgsearch_hits *hits;
		o.k = i == 1 ? (uint32_t)n : 5;
		o.epsilon = i == 2 ? 0.5 : 0;
		traced(imgsearch_query(s, &in, 1, &o, NULL, &hits, &err));
		float last = hits->count ? hits->items[hits->count - 1]->score : 0;
		imgsearch_hits_free(hits);
		traced(imgsearch_range(s, &in, last, &o, NULL, &hits, &err));
		imgsearch_hits_free(hits);
		o.checks = 30;
		o.max_chance = 0.5;
		o.plain = i == 3;
		traced(imgsearch_query(s, &in, 1, &o, NULL, &hits, &err));
		imgsearch_hits_free(hits);
		if (!cosine)
			continue;
		o.expand = 3;
		o.expand_power = 2;
		o.reciprocal = 5;
		o.plain = 0;
		traced(imgsearch_query(s, &in, 1, &o, NULL, &hits, &err));
		imgsearch_hits_free(hits);
	}
	int64_t ids[80 * 5];
	float scores[80 * 5];
	imgsearch_query_options o = { .struct_size = sizeof o, .searcher = searcher, .k = 5 };
	size_t many = n < 40 ? n : 40;
	traced(imgsearch_vectors_query(s, rows, many, dim, &o, NULL, ids, scores, 80 * 5, &err));
}

static void use(uint32_t metric, size_t n, size_t dim, float scale, uint32_t threads)
{
	static const char *const searchers[] = { "exact", "kdtree", "pca", "graph", "auto" };
	char what[80];
	bool cosine = metric == IMGSEARCH_METRIC_COSINE;
	float *rows = make_rows(n, dim, scale, cosine);
	imgsearch *s;
	imgsearch_options open = { .struct_size = sizeof open, .metric = metric, .threads = threads };
	snprintf(what, sizeof what, "metric %u, %zu rows of %zu, scale %g, %u threads", metric, n, dim,
		(double)scale, threads);
	traced(imgsearch_open(":memory:", &open, NULL, &s, &err));
	traced(imgsearch_vectors_add(s, rows, n, dim, NULL, NULL, NULL, &err));
	ask(s, what, rows, n, dim, NULL, cosine);
	for (int i = 0; i < 5; i++) {
		imgsearch_build_options b = { .struct_size = sizeof b, .searcher = searchers[i] };
		char with[120];
		snprintf(with, sizeof with, "%s, %s", what, searchers[i]);
		traced(imgsearch_build(s, &b, NULL, NULL, &err));
		traced(imgsearch_vectors_add(s, rows + 7 * dim, 3, dim, NULL, NULL, NULL, &err));
		ask(s, with, rows, n, dim, i < 4 ? searchers[i] : NULL, cosine);
	}
	imgsearch_check_options c = { .struct_size = sizeof c, .queries = 20 };
	traced(imgsearch_check(s, &c, NULL, NULL, &err));
	imgsearch_groups *groups;
	if (cosine) {
		traced(imgsearch_groups_find(s, NULL, NULL, &groups, &err));
		imgsearch_groups_free(groups);
	}
	for (uint32_t pca = 0; n <= 300 && pca < 2; pca++) {
		imgsearch_map_options m = { .struct_size = sizeof m, .pca = pca };
		imgsearch_map *map;
		uint32_t cells[400];
		traced(imgsearch_map_compute(s, &m, NULL, &map, &err));
		traced(imgsearch_map_grid(map, 20, 20, NULL, cells, 400, &err));
		imgsearch_map_free(map);
	}
	float reduced[3];
	traced(
		imgsearch_vectors_reduce(s, rows + dim, 1, dim, dim < 3 ? dim : 3, NULL, reduced, 3, &err));
	imgsearch_close(s);
	free(rows);
}

static void all_of(float scale)
{
	static const size_t n[] = { 300, 40, 1200 }, dim[] = { 2, 16, 70 };
	for (uint32_t metric = 0; metric < 3; metric++)
		for (int i = 0; i < (scale == 1 ? 3 : 1); i++)
			for (int k = 0; k < 3; k++)
				use(metric, n[i], dim[k], scale, !i && k == 1 ? 2 : 1);
}

static void trap(float scale)
{
	signal(SIGFPE, trapped);
	feclearexcept(FE_ALL_EXCEPT);
	assert_int_not_equal(feenableexcept(TRAPS), -1);
	all_of(scale);
	assert_int_equal(fegetexcept(), TRAPS);
	fedisableexcept(TRAPS);
	signal(SIGFPE, SIG_DFL);
}

static void no_trap(void **state)
{
	(void)state;
	trap(1);
}

static void no_trap_with_large_values(void **state)
{
	(void)state;
	trap(1e12f);
}

static void no_trap_with_small_values(void **state)
{
	(void)state;
	trap(1e-12f);
}

/* The library's own threads have the default mode, whatever that of their maker is. */
static void look(void *mode)
{
	int *m = mode;
	m[0] = fegetexcept();
	m[1] = fegetround();
}

static void threads_have_the_default_mode(void **state)
{
	(void)state;
	pool *p;
	int mode[2] = { -1, -1 };
	feenableexcept(TRAPS);
	fesetround(FE_UPWARD);
	assert_int_equal(ims_pool_new(&p, 1, 1, NULL), 0);
	ims_pool_run(p, look, mode);
	ims_pool_wait(p);
	ims_pool_free(p);
	assert_int_equal(fegetexcept(), TRAPS);
	assert_int_equal(fegetround(), FE_UPWARD);
	fesetround(FE_TONEAREST);
	fedisableexcept(TRAPS);
	assert_int_equal(mode[0], 0);
	assert_int_equal(mode[1], FE_TONEAREST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_have_the_default_mode),
		cmocka_unit_test(no_trap),
		cmocka_unit_test(no_trap_with_large_values),
		cmocka_unit_test(no_trap_with_small_values),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
