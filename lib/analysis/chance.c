/*
 * The scores of some queries are high with all pictures, those of others low. The scores of a query
 * are therefore normalised by those that it has with a cohort of pictures, as in speaker
 * verification (Z-norm: Auckenthaler, Carey, Lloyd-Thomas, "Score normalization for
 * text-independent speaker verification systems", 2000). Location and spread come from the median
 * and the 84th percentile, which a few related pictures change little. Outliers are left out, in
 * three rounds.
 *
 * Normalised scores have one distribution for all queries: the empirical one up to its 95th
 * percentile, and a generalised Pareto tail above (Pickands 1975; Balkema and de Haan 1974), which
 * assigns a probability to scores above all observed ones.
 *
 * The tail is fitted by maximum likelihood. Scores above the 99.95th percentile are censored, since
 * near-duplicates may be among the pairs that count as unrelated. The shape is searched on a grid,
 * the scale for each shape by golden section. The likelihood uses at most MOST exceedances, evenly
 * spaced.
 */
#include "analysis/chance.h"

#include "analysis/ranks.h"

#include <math.h>
#include <stdlib.h>

static const double tail = 0.05, censored = 0.0005;
/*
 * A score counts as a related picture's where fewer than this share of the cohort, or fewer than
 * one picture, would lie above it by chance. A larger share makes probabilities too small
 * (tests/analysis/test_chance.c), a smaller one too large for queries with many related pictures
 * (make bench-chance).
 */
static const double stands_out = 0.0075;
/* The latter is one standard deviation above the median of a normal distribution. */
static const double middle = 0.5, upper = 0.8413;
enum { MOST = 4000, FEWEST = 20, ROUNDS = 3 };

static float between(const float two[2], double part)
{
	return (float)(two[0] + part * (double)(two[1] - two[0]));
}

static float quantile(const float *sorted, size_t n, double share)
{
	double at = share * (double)(n - 1);
	size_t i = (size_t)at;
	return i + 1 < n ? between(sorted + i, at - (double)i) : sorted[n - 1];
}

typedef struct exceedances {
	double x[MOST];
	size_t n;
	double limit, above; /* the number of those above the limit, which are censored */
} exceedances;

/* The negative log-likelihood of a generalised Pareto distribution. */
static double cost(const exceedances *e, double shape, double scale)
{
	double sum = (double)e->n * log(scale), end = 1 + shape * e->limit / scale;
	if (end <= 0)
		return INFINITY;
	for (size_t i = 0; i < e->n; i++)
		sum += fabs(shape) < 1e-6 ? e->x[i] / scale
								  : (1 + 1 / shape) * log1p(shape * e->x[i] / scale);
	return sum + e->above * (fabs(shape) < 1e-6 ? e->limit / scale : log(end) / shape);
}

static double best_scale(const exceedances *e, double shape, double mean, double *value)
{
	const double golden = 0.6180339887498949;
	double lo = log(mean) - 3, hi = log(mean) + 3, a = hi - golden * (hi - lo),
		   b = lo + golden * (hi - lo);
	double fa = cost(e, shape, exp(a)), fb = cost(e, shape, exp(b));
	for (int i = 0; i < 40; i++) {
		if (fa < fb || (isinf(fa) && !isinf(fb) && a > b)) {
			hi = b, b = a, fb = fa;
			fa = cost(e, shape, exp(a = hi - golden * (hi - lo)));
		} else { /* a negative shape excludes small scales: go up */
			lo = a, a = b, fa = fb;
			fb = cost(e, shape, exp(b = lo + golden * (hi - lo)));
		}
	}
	*value = fmin(fa, fb);
	return exp(fa < fb ? a : b);
}

static int fit_tail(chance *out, const exceedances *e, double mean, const job *job,
	imgsearch_error *err)
{
	int rc = 0;
	double best = INFINITY, value;
	for (double shape = -0.5; !rc && shape <= 0.3; shape += 0.02) {
		double scale = best_scale(e, shape, mean, &value);
		if (value < best) {
			best = value;
			out->shape = (float)shape;
			out->scale = (float)scale;
		}
		rc = ims_job_check(job, err);
	}
	return rc;
}

static chance_norm norm_from(float location, float above)
{
	return (chance_norm){ location, fmaxf(above - location, 1e-6f) };
}

static chance_norm norm_of(const float *sorted, size_t n)
{
	return norm_from(quantile(sorted, n, middle), quantile(sorted, n, upper));
}

/* The distribution of n normalised scores, which it sorts. */
static int fit(chance *out, float *score, size_t n, const job *job, imgsearch_error *err)
{
	int rc = 0;
	exceedances *e = ims_zalloc(1, sizeof *e);
	if (!e)
		return ims_nomem(err);
	qsort(score, n, sizeof *score, ims_float_compare);
	for (int i = 0; i <= IMS_CHANCE_BODY; i++)
		out->body[i] = quantile(score, n, (1 - tail) * i / IMS_CHANCE_BODY);
	double start = (double)out->body[IMS_CHANCE_BODY], mean = 0;
	e->limit = (double)quantile(score, n, 1 - censored) - start;
	size_t first = (size_t)((1 - tail) * (double)n), last = (size_t)((1 - censored) * (double)n),
		   step = (last - first) / MOST + 1;
	for (size_t i = first; i < last; i += step) {
		e->x[e->n] = fmax((double)score[i] - start, 0);
		mean += e->x[e->n++];
	}
	e->above = (double)(n - last) / (double)step;
	if (mean > 0 && e->limit > 0)
		rc = fit_tail(out, e, mean / (double)e->n, job, err);
	ims_free(e);
	return rc;
}

static int fit_normed(chance *out, float *normed, size_t n, const job *job, imgsearch_error *err)
{
	return n < IMS_CHANCE_PAIRS
		? ims_fail(err, IMGSEARCH_ENOTFOUND, "%zu pairs are too few to fit the chance model", n)
		: fit(out, normed, n, job, err);
}

int ims_analysis_chance_fit(chance *out, const float *score, const uint64_t *group, size_t n,
	const job *job, imgsearch_error *err)
{
	int rc = 0;
	float *normed = ims_alloc(n, n * sizeof *normed);
	size_t all = 0;
	*out = (chance){ 0 };
	if (!normed)
		return ims_nomem(err);
	for (size_t i = 0; i < n && !rc; i++) {
		size_t first = all;
		rc = ims_job_check(job, err);
		for (size_t j = 0; j < n; j++)
			if (j != i && group[j] != group[i])
				normed[all++] = score[i * n + j];
		if (all - first < FEWEST) {
			all = first;
			continue;
		}
		qsort(normed + first, all - first, sizeof *normed, ims_float_compare);
		chance_norm norm = norm_of(normed + first, all - first);
		for (size_t j = first; j < all; j++)
			normed[j] = (normed[j] - norm.location) / norm.spread;
	}
	if (!rc)
		rc = fit_normed(out, normed, all, job, err);
	ims_free(normed);
	return rc;
}

static float ranked_quantile(ranks *r, size_t n, double share)
{
	size_t i = (size_t)(share * (double)(n - 1));
	float two[] = { ims_ranks_get(r, i), ims_ranks_get(r, i + 1 < n ? i + 1 : i) };
	return between(two, share * (double)(n - 1) - (double)i);
}

/* norm_of the n least. */
static chance_norm ranked_norm(ranks *r, size_t n)
{
	return norm_from(ranked_quantile(r, n, middle), ranked_quantile(r, n, upper));
}

chance_norm ims_analysis_norm(const float *score, size_t n, float *scratch)
{
	ranks r;
	ims_ranks_make(&r, score, n, scratch);
	return ranked_norm(&r, n);
}

chance_norm ims_analysis_chance_norm(const chance *c, const float *score, size_t n, float *scratch)
{
	ranks r;
	ims_ranks_make(&r, score, n, scratch);
	chance_norm norm = ranked_norm(&r, n);
	for (int round = 0; round < ROUNDS; round++) {
		size_t kept = n;
		while (kept > FEWEST
			&& ims_analysis_chance_above(c, norm, (double)ims_ranks_get(&r, kept - 1))
				< fmax(stands_out, 1 / (double)n))
			kept--;
		norm = ranked_norm(&r, kept);
	}
	return norm;
}

/*
 * Of the scores (m, n) of texts. The first pass normalises them as they are, the second one as
 * those of a query, without the pictures that stand out by the first.
 */
static int fit_texts(chance *out, const float *score, size_t m, size_t n, bool second,
	float *normed, float *scratch, const job *job, imgsearch_error *err)
{
	int rc = 0;
	for (size_t i = 0; i < m && !rc; i++) {
		const float *row = score + i * n;
		chance_norm norm = second ? ims_analysis_chance_norm(out, row, n, scratch)
								  : ims_analysis_norm(row, n, scratch);
		for (size_t k = 0; k < n; k++)
			normed[i * n + k] = (row[k] - norm.location) / norm.spread;
		rc = ims_job_check(job, err);
	}
	return rc ? rc : fit_normed(out, normed, m * n, job, err);
}

int ims_analysis_chance_fit_texts(chance *out, const float *score, size_t m, size_t n,
	const job *job, imgsearch_error *err)
{
	float *normed = ims_alloc(m, n * sizeof *normed), *scratch = ims_alloc(n, sizeof *scratch);
	*out = (chance){ 0 };
	int rc = normed && scratch ? 0 : ims_nomem(err);
	if (!rc && n < FEWEST)
		rc = fit_normed(out, normed, 0, job, err);
	for (int pass = 0; !rc && pass < 2; pass++)
		rc = fit_texts(out, score, m, n, pass, normed, scratch, job, err);
	ims_free(normed);
	ims_free(scratch);
	return rc;
}

double ims_analysis_chance_above(const chance *c, chance_norm norm, double score)
{
	score = (score - (double)norm.location) / (double)norm.spread;
	double start = (double)c->body[IMS_CHANCE_BODY];
	if (score < start) {
		int i = 0;
		while (score >= (double)c->body[i + 1])
			i++;
		double lo = (double)c->body[i], hi = (double)c->body[i + 1],
			   within = hi > lo && score > lo ? (score - lo) / (hi - lo) : 0;
		return 1 - (1 - tail) * (i + within) / IMS_CHANCE_BODY;
	}
	if (!(c->scale > 0))
		return score > start ? 0 : tail;
	double z = 1 + (double)c->shape * (score - start) / (double)c->scale;
	if (fabs((double)c->shape) < 1e-6)
		return tail * exp(-(score - start) / (double)c->scale);
	return z > 0 ? tail * pow(z, -1 / (double)c->shape) : 0;
}
