/*
 * Average precision, precision, recall and NDCG at cuts, F1 at a threshold, bootstrap.
 *
 * Only the ranks of the r relevant items matter, and they are few. So only they are sorted. Every
 * other item finds by binary search the relevant item that it precedes, and the running sum of
 * these counts gives all ranks in O(n log r). Average precision is the sum over distinct scores of
 * (recall gained) x (precision there), as in scikit-learn. NDCG has gains 0 and 1 (Jarvelin and
 * Kekalainen, "Cumulated gain-based evaluation of IR techniques", 2002). The interval is the
 * percentile bootstrap (Efron, "Bootstrap methods", 1979).
 */
#include "analysis/metrics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const uint32_t ims_analysis_cuts[IMS_CUTS] = { 1, 5, 10, 100 };

typedef struct ranked_item {
	float score;
	uint32_t item;
	uint32_t before; /* irrelevant items between the previous relevant one and this */
	uint32_t level;  /* the same, with all items of equal score before it */
} ranked_item;

static int nearer_first(const void *a, const void *b)
{
	const ranked_item *x = a, *y = b;
	if (x->score != y->score)
		return x->score > y->score ? -1 : 1;
	return x->item < y->item ? -1 : x->item > y->item;
}

/* The first relevant item that scores no higher. */
static size_t find_level(const ranked_item *p, size_t r, float score)
{
	size_t lo = 0, hi = r;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (p[mid].score > score)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void count_unrelated(ranked_item *p, size_t r, const float *score, const uint8_t *relation,
	size_t n)
{
	float worst = p[r - 1].score;
	for (size_t i = 0; i < n; i++) {
		if (relation[i] != IMS_IRRELEVANT || !(score[i] >= worst))
			continue;
		size_t at = find_level(p, r, score[i]);
		p[at].level++;
		while (at < r && p[at].score == score[i] && p[at].item < i)
			at++;
		if (at < r)
			p[at].before++;
	}
}

static double average_precision(const ranked_item *p, size_t r)
{
	double sum = 0;
	uint64_t irrelevant = 0;
	for (size_t i = 0; i < r;) {
		size_t next = i;
		for (; next < r && p[next].score == p[i].score; next++)
			irrelevant += p[next].level;
		sum += (double)(next - i) * (double)next / (double)(next + irrelevant);
		i = next;
	}
	return sum / (double)r;
}

static void score_cuts(retrieval *out, const ranked_item *p, size_t r)
{
	double gained = 0, ideal = 0;
	uint64_t irrelevant = 0, rank = 0;
	size_t i = 0;
	for (int c = 0; c < IMS_CUTS; c++) {
		uint32_t cut = ims_analysis_cuts[c];
		for (; i < r; i++) {
			uint64_t here = i + 1 + irrelevant + p[i].before;
			if (here > cut)
				break;
			irrelevant += p[i].before;
			rank = here;
			gained += 1 / log2((double)rank + 1);
		}
		for (size_t j = c ? ims_analysis_cuts[c - 1] : 0; j < r && j < cut; j++)
			ideal += 1 / log2((double)j + 2);
		out->precision[c] = (double)i / cut;
		out->recall[c] = (double)i / (double)r;
		out->ndcg[c] = gained / ideal;
	}
	out->first = out->precision[0] > 0;
}

int ims_analysis_retrieval(retrieval *out, const float *score, const uint8_t *relation, size_t n,
	imgsearch_error *err)
{
	size_t r = 0, k = 0;
	*out = (retrieval){ 0 };
	for (size_t i = 0; i < n; i++)
		r += relation[i] == IMS_RELEVANT;
	if (!r)
		return 0;
	ranked_item *p = ims_alloc(r, sizeof *p);
	if (!p)
		return ims_nomem(err);
	for (size_t i = 0; i < n; i++)
		if (relation[i] == IMS_RELEVANT)
			p[k++] = (ranked_item){ score[i], (uint32_t)i, 0, 0 };
	qsort(p, r, sizeof *p, nearer_first);
	count_unrelated(p, r, score, relation, n);
	out->relevant = (uint32_t)r;
	out->average_precision = average_precision(p, r);
	score_cuts(out, p, r);
	ims_free(p);
	return 0;
}

/* ------------------------------------------------------------------------------ thresholds ---- */

static size_t bin_of(const agreement *a, double score)
{
	double at = (score - a->lo) / (a->hi - a->lo) * IMS_AGREEMENT_BINS;
	return at > 0 ? at < IMS_AGREEMENT_BINS ? (size_t)at : IMS_AGREEMENT_BINS - 1 : 0;
}

void ims_analysis_agreement_add(agreement *a, const float *score, const uint8_t *relation, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t b = bin_of(a, (double)score[i]);
		a->relevant[b] += relation[i] == IMS_RELEVANT;
		a->irrelevant[b] += relation[i] == IMS_IRRELEVANT;
	}
}

void ims_analysis_agreement_merge(agreement *a, const agreement *other)
{
	for (size_t b = 0; b < IMS_AGREEMENT_BINS; b++) {
		a->relevant[b] += other->relevant[b];
		a->irrelevant[b] += other->irrelevant[b];
	}
}

/*
 * F1 of calling every pair from bin `from` on relevant; *best (may be NULL): the bin of the best
 * F1.
 */
static double f1_from(const agreement *a, size_t from, size_t *best)
{
	uint64_t all = 0, relevant = 0, taken = 0;
	double f1 = 0;
	for (size_t b = 0; b < IMS_AGREEMENT_BINS; b++)
		all += a->relevant[b];
	for (size_t b = IMS_AGREEMENT_BINS; b-- > from;) {
		relevant += a->relevant[b];
		taken += a->relevant[b] + a->irrelevant[b];
		double now = all + taken ? 2 * (double)relevant / (double)(all + taken) : 0;
		if (!best)
			f1 = now;
		else if (now > f1) {
			f1 = now;
			*best = b;
		}
	}
	return f1;
}

double ims_analysis_agreement_f1(const agreement *a, double threshold)
{
	return f1_from(a, bin_of(a, threshold), NULL);
}

double ims_analysis_agreement_best(const agreement *a, double *f1)
{
	size_t best = IMS_AGREEMENT_BINS - 1;
	*f1 = f1_from(a, 0, &best);
	return a->lo + (a->hi - a->lo) * (double)best / IMS_AGREEMENT_BINS;
}

/* ------------------------------------------------------------------------------- bootstrap ---- */

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

void ims_analysis_bootstrap(double ci[2], const double *value, size_t n, uint64_t seed)
{
	enum { SAMPLES = 1000 };
	double mean[SAMPLES];
	ci[0] = ci[1] = n ? value[0] : 0;
	if (n < 2)
		return;
	for (int s = 0; s < SAMPLES; s++) {
		double sum = 0;
		for (size_t i = 0; i < n; i++)
			sum += value[ims_random(&seed) % n];
		mean[s] = sum / (double)n;
	}
	qsort(mean, SAMPLES, sizeof *mean, ascending);
	ci[0] = mean[24];
	ci[1] = mean[975];
}
