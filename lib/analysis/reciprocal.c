/*
 * Re-ranking by k-reciprocal encoding (Zhong and others 2017): two pictures are alike when they have the same
 * reciprocal neighbours. Every row gets a sparse code: its k-reciprocal neighbours, and those of them in turn where two
 * thirds are shared, weighted by exp(-squared distance) and averaged with the codes of its five nearest. A query's new
 * score is mostly the Jaccard similarity of codes, found through lists of the rows that hold each member.
 */
#include "analysis/analysis.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { AVERAGED = 5 };

typedef struct member {
	uint32_t id;
	float weight;
} member;

typedef struct code {
	member *m;
	size_t n;
} code;

struct reciprocal {
	size_t n, k;
	const uint32_t *near; /* (n, k) */
	const float *score;   /* (n, k) */
	code *plain, *smooth; /* of each row; smooth: averaged */
	code *holders;        /* of each member: rows and weights */
};

/* A point whose code is made: a row, or a query with its scores of all rows. */
typedef struct point {
	size_t row;           /* SIZE_MAX: not among the rows */
	const uint32_t *near;
	const float *near_score;
	const float *all;     /* scores of all rows; NULL: ask */
	ims_pair_score *ask;
	void *user;
} point;

static int by_id(const void *a, const void *b)
{
	uint32_t x = ((const member *)a)->id, y = ((const member *)b)->id;
	return (x > y) - (x < y);
}

/* Is the row one of x's first k, too? */
static bool returns(const reciprocal *r, size_t x, size_t k, float score)
{
	return score >= r->score[x * r->k + k - 1];
}

static size_t half_of(const reciprocal *r, uint32_t c, uint32_t *out)
{
	size_t n = 0, half = r->k > 1 ? r->k / 2 : 1;
	out[n++] = c;
	for (size_t j = 0; j < half; j++) {
		uint32_t x = r->near[c * r->k + j];
		if (returns(r, x, half, r->score[c * r->k + j]))
			out[n++] = x;
	}
	return n;
}

static bool holds(const uint32_t *list, size_t n, uint32_t id)
{
	for (size_t i = 0; i < n; i++)
		if (list[i] == id)
			return true;
	return false;
}

/* The members of a point's code; out has room for (k + 1) * (k + 2). */
static size_t collect(const reciprocal *r, const point *p, uint32_t *out, uint32_t *half)
{
	size_t n = 0;
	if (p->row != SIZE_MAX)
		out[n++] = (uint32_t)p->row;
	for (size_t j = 0; j < r->k; j++)
		if (returns(r, p->near[j], r->k, p->near_score[j]))
			out[n++] = p->near[j];
	size_t first = n;
	for (size_t i = p->row != SIZE_MAX; i < first; i++) {
		size_t h = half_of(r, out[i], half), shared = 0;
		for (size_t j = 0; j < h; j++)
			shared += holds(out, first, half[j]);
		for (size_t j = 0; 3 * shared > 2 * h && j < h; j++)
			if (!holds(out, n, half[j]))
				out[n++] = half[j];
	}
	return n;
}

static int encode(const reciprocal *r, const point *p, code *out)
{
	uint32_t *id = ims_alloc((r->k + 1) * (r->k + 2) + r->k + 1, sizeof *id);
	size_t n = id ? collect(r, p, id, id + (r->k + 1) * (r->k + 2)) : 0;
	double sum = 0;
	out->m = id ? ims_alloc(n, sizeof *out->m) : NULL;
	if (!out->m) {
		ims_free(id);
		return IMGSEARCH_ENOMEM;
	}
	out->n = n;
	for (size_t i = 0; i < n; i++) {
		float score = id[i] == p->row ? 1 : p->all ? p->all[id[i]] : p->ask(p->user, p->row, id[i]);
		out->m[i] = (member){ id[i], expf(2 * score - 2) };
		sum += (double)out->m[i].weight;
	}
	for (size_t i = 0; i < n; i++)
		out->m[i].weight /= (float)sum;
	ims_free(id);
	return 0;
}

/* The mean of own and the codes of the nearest rows. */
static int average(const reciprocal *r, const code *own, const uint32_t *near, code *out)
{
	size_t many = r->k < AVERAGED ? r->k : AVERAGED, total = own->n, n = 0;
	for (size_t j = 0; j < many; j++)
		total += r->plain[near[j]].n;
	member *m = ims_alloc(total, sizeof *m);
	if (!m)
		return IMGSEARCH_ENOMEM;
	if (own->n)
		memcpy(m, own->m, own->n * sizeof *m);
	total = own->n;
	for (size_t j = 0; j < many; total += r->plain[near[j]].n, j++)
		if (r->plain[near[j]].n)
			memcpy(m + total, r->plain[near[j]].m, r->plain[near[j]].n * sizeof *m);
	if (total)
		qsort(m, total, sizeof *m, by_id);
	for (size_t i = 0; i < total; i++) {
		m[i].weight /= (float)(many + 1);
		if (n && m[n - 1].id == m[i].id)
			m[n - 1].weight += m[i].weight;
		else
			m[n++] = m[i];
	}
	*out = (code){ m, n };
	return 0;
}

static void free_codes(code *c, size_t n)
{
	for (size_t i = 0; c && i < n; i++)
		ims_free(c[i].m);
	ims_free(c);
}

void ims_analysis_reciprocal_free(reciprocal *r)
{
	if (!r)
		return;
	free_codes(r->plain, r->n);
	free_codes(r->smooth, r->n);
	free_codes(r->holders, r->n);
	ims_free(r);
}

/* Which rows hold each member. */
static int invert(reciprocal *r)
{
	for (int fill = 0; fill < 2; fill++) {
		for (size_t i = 0; i < r->n; i++)
			for (size_t j = 0; j < r->smooth[i].n; j++) {
				code *h = &r->holders[r->smooth[i].m[j].id];
				if (fill)
					h->m[h->n] = (member){ (uint32_t)i, r->smooth[i].m[j].weight };
				h->n++;
			}
		for (size_t i = 0; !fill && i < r->n; i++) {
			r->holders[i].m = ims_alloc(r->holders[i].n, sizeof(member));
			if (!r->holders[i].m)
				return IMGSEARCH_ENOMEM;
			r->holders[i].n = 0;
		}
	}
	return 0;
}

int ims_analysis_reciprocal_new(reciprocal **out, size_t n, size_t k, const uint32_t *near, const float *score,
	ims_pair_score *ask, void *user, imgsearch_error *err)
{
	*out = NULL;
	reciprocal *r = ims_zalloc(1, sizeof *r);
	if (!r)
		return ims_nomem(err);
	*r = (reciprocal){ .n = n, .k = k, .near = near, .score = score, .plain = ims_zalloc(n, sizeof(code)),
		.smooth = ims_zalloc(n, sizeof(code)), .holders = ims_zalloc(n, sizeof(code)) };
	int rc = r->plain && r->smooth && r->holders ? 0 : IMGSEARCH_ENOMEM;
	for (size_t i = 0; !rc && i < n; i++)
		rc = encode(r, &(point){ i, near + i * k, score + i * k, NULL, ask, user }, &r->plain[i]);
	for (size_t i = 0; !rc && i < n; i++)
		rc = average(r, &r->plain[i], near + i * k, &r->smooth[i]);
	if (!rc)
		rc = invert(r);
	if (rc) {
		ims_analysis_reciprocal_free(r);
		return ims_nomem(err);
	}
	*out = r;
	return 0;
}

int ims_analysis_reciprocal_rank(const reciprocal *r, size_t row, const uint32_t *near, const float *near_score, float *score, imgsearch_error *err)
{
	code own = { 0 }, smooth = { 0 };
	float *shared = ims_zalloc(r->n, sizeof *shared);
	int rc = shared ? 0 : IMGSEARCH_ENOMEM;
	if (!rc)
		rc = encode(r, &(point){ row, near, near_score, score, NULL, NULL }, &own);
	if (!rc)
		rc = average(r, &own, near, &smooth);
	for (size_t i = 0; !rc && i < smooth.n; i++) {
		const code *h = &r->holders[smooth.m[i].id];
		for (size_t j = 0; j < h->n; j++)
			shared[h->m[j].id] += fminf(smooth.m[i].weight, h->m[j].weight);
	}
	for (size_t i = 0; !rc && i < r->n; i++) /* the paper's 0.7 and 0.3, distances divided by some 2.5 */
		score[i] = 0.7f * shared[i] / (2 - shared[i]) + 0.24f * score[i];
	ims_free(own.m);
	ims_free(smooth.m);
	ims_free(shared);
	return rc ? ims_nomem(err) : 0;
}
