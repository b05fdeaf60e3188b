/*
 * auto: which searcher for these rows. Whether an answer may be approximate follows from the number
 * of rows and dimensions alone, so that no measurement decides what a query finds. So does the
 * searcher, mostly. Where more than one exact searcher stands a chance, the caller builds them,
 * times each on a few rows, and keeps the faster one. docs/searchers.md has the figures that the
 * limits come from.
 */
#include "kernels/kernels.h"
#include "search/internal.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

enum {
	SCANNED = 256,     /* below, every searcher scans */
	FEW = 1000,        /* below, nothing is measured: building is most of the work */
	SOME = 5000,       /* likewise for long rows */
	MANY = 100000,     /* from here on a graph, but for */
	TREE_DIM = 8,      /* rows of so few dimensions: a tree over them is faster than all others */
	EXACT_TREE = 16,   /* and of so few: faster than all others that are exact */
	PCA_MIN = 97,      /* from so many on pca, up to */
	PCA_MAX = 512,     /* so many; of longer rows it keeps few enough to be slow at times */
	CHANCE_SPREAD = 8, /* a tree stands a chance where rows spread in no more than so many */
	SAMPLE = 512,
	ASKED = 64,
	K = 10,
};

/* another candidate is chosen where its time is below this share of the first one's */
static const double clearly = 0.95;

/* Whether more than the size decides. */
static bool is_measured(const search_facts *f)
{
	return !f->near && f->n >= FEW && f->n < MANY && f->dim > EXACT_TREE;
}

/* -------------------------------------------------------------------------------- the rows ---- */

typedef struct fact_sampler {
	search_facts *f;
	size_t every, at;
} fact_sampler;

static int take(void *user, const int64_t *ids, const float *rows, size_t n)
{
	fact_sampler *s = user;
	search_facts *f = s->f;
	(void)ids;
	for (size_t i = 0; i < n; i++, s->at++)
		if (s->at % s->every == 0 && f->sampled < SAMPLE)
			memcpy(f->sample + f->sampled++ * f->dim, rows + i * f->dim, f->dim * sizeof(float));
	return 0;
}

/*
 * With λ the variances along the principal axes, (Σλ)² / Σλ²: how many equal ones would spread rows
 * so. No axes are needed: Σλ is the mean of |x|², Σλ² that of (x·y)² over pairs of rows, less the
 * mean row.
 */
static int measure_spread(search_facts *f, imgsearch_error *err)
{
	size_t n = f->sampled, dim = f->dim;
	double squares = 0, pairs = 0, *mean = ims_zalloc(dim, sizeof *mean);
	float *x = ims_alloc_aligned(n * dim, sizeof *x);
	int rc = x && mean ? 0 : ims_nomem(err);
	for (size_t i = 0; !rc && i < n * dim; i++)
		mean[i % dim] += f->sample[i];
	for (size_t i = 0; !rc && i < n * dim; i++)
		x[i] = (float)(f->sample[i] - mean[i % dim] / (double)n);
	for (size_t i = 0; !rc && i < n; i++) {
		for (size_t j = 0; j < i; j++) {
			double dot = ims_kernels()->dot_f32(x + i * dim, x + j * dim, (uint32_t)dim);
			pairs += dot * dot;
		}
		squares += ims_kernels()->dot_f32(x + i * dim, x + i * dim, (uint32_t)dim);
	}
	squares /= (double)n;
	pairs /= (double)n * (double)(n - 1) / 2;
	f->spread = pairs > 0 && isfinite(squares * squares) ? squares * squares / pairs : 0;
	ims_free(x);
	ims_free(mean);
	return rc;
}

int ims_search_look(search_facts *f, const row_source *rows, imgsearch_error *err)
{
	fact_sampler s = { f, rows->n / SAMPLE + 1, 0 };
	*f = (search_facts){ .n = rows->n, .dim = rows->dim, .near = rows->near != NULL };
	if (!is_measured(f))
		return 0;
	f->sample = ims_alloc_aligned((size_t)SAMPLE * rows->dim, sizeof(float));
	int rc = f->sample ? rows->scan(rows->ctx, take, &s, err) : ims_nomem(err);
	return rc || f->sampled < 2 ? rc : measure_spread(f, err);
}

void ims_search_facts_free(search_facts *f)
{
	ims_free(f->sample);
	f->sample = NULL;
}

/* ------------------------------------------------------------------------------ the choice ---- */

static bool approximate(size_t n, uint32_t dim)
{
	return n >= MANY && dim > TREE_DIM;
}

bool ims_search_suits(const char *name, size_t n, uint32_t dim)
{
	const searcher_ops *ops = ims_search_find(name);
	return ops && ops->approximate == approximate(n, dim);
}

/* The searcher that the size alone decides for, and a sentence that says why. */
static const char *by_size(size_t n, uint32_t dim, const char **why)
{
	static const char enough[] =
		"below 100000 rows the exact search is fast enough to be the best answer";
	static const struct {
		size_t rows;  /* fewer */
		uint32_t dim; /* and no more dimensions */
		const char *name, *why;
	} rule[] = {
		{ SCANNED, UINT32_MAX, "exact", "so few are scanned" },
		{ SIZE_MAX, TREE_DIM, "kdtree",
			"up to 8 dimensions a tree over the coordinates is exact and fastest" },
		{ MANY, EXACT_TREE, "kdtree",
			"up to 16 dimensions a tree over the coordinates is the fastest exact search" },
		{ MANY, PCA_MIN - 1, "exact", enough },
		{ MANY, PCA_MAX, "pca", "from 97 to 512 dimensions pca is the fastest exact search" },
		{ FEW, UINT32_MAX, "exact", "below 1000 rows the exact search is about as fast as any" },
		{ SOME, UINT32_MAX, "kdtree", "below 5000 rows kdtree is the fastest exact search" },
		{ MANY, UINT32_MAX, "exact", enough },
		{ SIZE_MAX, UINT32_MAX, "graph",
			"from 100000 rows on a graph answers many times faster than an exact search" },
	};
	size_t i = 0;
	while (n >= rule[i].rows || dim > rule[i].dim)
		i++;
	*why = rule[i].why;
	return rule[i].name;
}

/* The same of rows on a server, which compares them itself. */
static const char *of_server(size_t n, uint32_t dim, const char **why)
{
	bool many = approximate(n, dim);
	*why = many ? "from 100000 rows on the server's index answers many times faster than a scan"
				: "below 100000 rows the server compares all of them fast enough";
	return many ? "pgvector" : "exact";
}

size_t ims_search_candidates(const search_facts *f, const char *name[SEARCH_CANDIDATES], char *why,
	size_t size)
{
	const char *reason;
	size_t n = 1;
	name[0] = f->near ? of_server(f->n, f->dim, &reason) : by_size(f->n, f->dim, &reason);
	ims_print(why, size, "%zu rows of %u: %s", f->n, f->dim, reason);
	if (!is_measured(f))
		return n;
	if (f->spread > 0 && f->spread <= CHANCE_SPREAD && strcmp(name[0], "kdtree"))
		name[n++] = "kdtree";
	if (f->n >= SOME && f->dim > PCA_MAX && f->spread > 0)
		name[n++] = "pca";
	return n;
}

/* CPU time of this thread: what else the machine does counts little. */
static double thread_time(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int ims_search_time(search_index *x, const search_facts *f, double *seconds, imgsearch_error *err)
{
	enum { ROUNDS = 3 };
	topk out;
	int rc = ims_topk_init(&out, K) ? ims_nomem(err) : 0;
	*seconds = INFINITY;
	for (int round = 0; !rc && round < ROUNDS; round++) {
		double start = thread_time();
		for (size_t i = 0; !rc && i < ASKED; i++) {
			search_request q = {
				.queries = f->sample + i * f->sampled / ASKED * f->dim,
				.n = 1,
				.k = K,
				.max_distance = INFINITY,
				.filter_count = SIZE_MAX,
			};
			ims_topk_clear(&out);
			rc = ims_search_query(x, &q, &out, NULL, err);
		}
		*seconds = fmin(*seconds, (thread_time() - start) / ASKED);
	}
	ims_topk_free(&out);
	return rc;
}

size_t ims_search_fastest(const search_facts *f, const char *const *name, const double *seconds,
	size_t n, char *why, size_t size)
{
	size_t best = 0;
	for (size_t i = 1; i < n; i++)
		if (seconds[i] < seconds[best] * (best ? 1 : clearly))
			best = i;
	int at = ims_print(why, size, "%zu rows of %u, spread in %.1f dimensions; a query takes", f->n,
		f->dim, f->spread);
	for (size_t i = 0; i < n && at > 0 && (size_t)at < size; i++)
		at += ims_print(why + at, size - (size_t)at, "%s %.3g ms by %s", i ? "," : "",
			1000 * seconds[i], name[i]);
	return best;
}
