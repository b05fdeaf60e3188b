#include "query/chance.h"
#include "handle/cohort.h"
#include "handle/space.h"
#include "kernels/kernels.h"
#include "base/ids.h"

#include <math.h>
#include <string.h>

/* Signed bytes for the row; returns their sum. */
static int32_t encode(const float *row, size_t dim, float scale, int8_t *code)
{
	float inverse = 1 / scale;
	int32_t total = 0;
	for (size_t j = 0; j < dim; j++) {
		float value = row[j] * inverse;
		code[j] = (int8_t)(value + (value < 0 ? -0.5f : 0.5f));
		total += code[j];
	}
	return total;
}

/* sum: of the products of code and query; as part, it has room for the rows of all blocks. */
static void multiply(const chance_cohort *c, const int8_t *query, int32_t *sum, int32_t *part)
{
	const uint8_t *lower = c->codes + c->blocks * c->eights * 64;
	ims_kernels()->scan_u4_i8(c->codes, c->blocks, c->eights, query, sum);
	if (c->planes < 2)
		return;
	ims_kernels()->scan_u4_i8(lower, c->blocks, c->eights, query, part);
	for (size_t i = 0; i < c->n; i++)
		sum[i] = 16 * sum[i] + part[i];
}

/* The scores of the query with the cohort, as precise as the codes of both allow. */
static int score_cohort(const space *sp, const chance_cohort *c, const float *query, float *score,
	imgsearch_error *err)
{
	size_t room = c->blocks * IMS_BLOCK_ROWS;
	int8_t *code = ims_zalloc(c->eights, 8);
	int32_t *sum = ims_alloc(room, 2 * sizeof *sum);
	float scale = ims_cohort_scale(query, sp->dim),
		  square = ims_kernels()->dot_f32(query, query, sp->dim);
	double shift = 0;
	int rc = code && sum ? 0 : ims_nomem(err);
	if (!rc) {
		shift = (double)c->zero * encode(query, sp->dim, scale, code);
		multiply(c, code, sum, sum + room);
	}
	for (size_t i = 0; !rc && i < c->n; i++) {
		float dot = scale * c->scale[i] * (float)(sum[i] - shift);
		float squared = square + c->square[i] - 2 * dot;
		score[i] = sp->metric != IMGSEARCH_METRIC_L2 ? dot : squared > 0 ? -sqrtf(squared) : 0;
	}
	ims_free(code);
	ims_free(sum);
	return rc;
}

/* A distribution, and the norm of a query in it. */
typedef struct normed {
	const chance *chance;
	chance_norm norm;
} normed;

/*
 * The scores of the query with the pictures of the cohort: each the best of its rows, of which the
 * first is that of the whole. region_row: what the others are compared with; NULL: the query.
 */
static int score_pictures(const space *sp, const chance_cohort *c, const float *query,
	const float *region_row, float *score, imgsearch_error *err)
{
	int rc = score_cohort(sp, c, query, score, err);
	if (rc || c->parts == 1)
		return rc;
	float *parts = region_row ? ims_alloc(c->n, sizeof *parts) : score;
	rc = !parts ? ims_nomem(err) : region_row ? score_cohort(sp, c, region_row, parts, err) : 0;
	for (size_t i = 0; !rc && i < c->n / c->parts; i++) {
		float best = score[i * c->parts];
		for (size_t k = 1; k < c->parts; k++)
			best = fmaxf(best, parts[i * c->parts + k]);
		score[i] = best;
	}
	if (parts != score)
		ims_free(parts);
	return rc;
}

/* The distributions that a kind of query needs; 0: one of them is missing. */
static size_t distributions(const chance_model *m, query_kind kind, normed out[2])
{
	bool picture = kind != QUERY_WORDS, words = kind != QUERY_PICTURES;
	size_t n = 0;
	if ((picture && !m->has) || (words && !m->has_words))
		return 0;
	if (picture)
		out[n++].chance = &m->pictures;
	if (words)
		out[n++].chance = &m->words;
	return n;
}

/* *n becomes 0 where the index has no cohort. */
static int normalise(imgsearch *s, view *v, chance_model *m, const float *query,
	const float *region_row, normed *of, size_t *n, imgsearch_error *err)
{
	const chance_cohort *c = NULL;
	int rc = ims_cohort_get(s, v, m, &c, err);
	if (rc || !c) {
		*n = 0;
		return rc;
	}
	float *score = ims_alloc(c->n, 2 * sizeof *score);
	rc = score ? score_pictures(&v->space, c, query, region_row, score, err) : ims_nomem(err);
	for (size_t i = 0; !rc && i < *n; i++)
		of[i].norm = ims_analysis_chance_norm(of[i].chance, score, c->n / c->parts, score + c->n);
	ims_free(score);
	return rc;
}

/* The greatest of the probabilities that a row scores as high by chance. */
static double above(const normed *of, size_t n, double score)
{
	double most = 0;
	for (size_t i = 0; i < n; i++)
		most = fmax(most, ims_analysis_chance_above(of[i].chance, of[i].norm, score));
	return most;
}

int ims_chance_fill(imgsearch *s, view *v, chance_model *m, query_kind kind, const float *query,
	const float *region_row, const int64_t *own, size_t n_own, double max_chance,
	imgsearch_hits *hits, imgsearch_error *err)
{
	imgsearch_hit **hit = (imgsearch_hit **)(uintptr_t)hits->items; /* its own memory */
	size_t count = hits->count, kept = 0, better = 0;
	normed of[2];
	size_t n = count ? distributions(m, kind, of) : 0;
	int rc = n ? normalise(s, v, m, query, region_row, of, &n, err) : 0;
	if (rc || !n)
		return rc;
	for (size_t i = 0; i < count; i++) {
		imgsearch_hit *h = hit[i];
		h->chance = ims_id_among(own, n_own, h->id)
			? 0
			: (double)v->rows.n * above(of, n, (double)h->score);
		if (max_chance > 0 && h->chance > max_chance)
			continue;
		hit[kept++] = h;
		/* more scores are as high as expected by chance */
		if (h->chance < (hits->reranked ? 1 : (double)kept))
			better = kept;
	}
	hits->count = kept;
	hits->better_than_chance = better;
	return 0;
}

/* ---------------------------------------------------------------------------------- spread ---- */

enum { SPREAD_ROWS = 512, SPREAD_FEWEST = 2 };

/* score (2, cohort): the second half is scratch. */
static int spread_over_cohort(const space *sp, const chance_cohort *c, const float *queries,
	size_t n, float *spread, imgsearch_error *err)
{
	float *score = ims_alloc(c->n, 2 * sizeof *score);
	int rc = score ? 0 : ims_nomem(err);
	for (size_t i = 0; !rc && i < n; i++) {
		rc = score_cohort(sp, c, queries + i * sp->dim, score, err);
		if (!rc)
			spread[i] = ims_analysis_norm(score, c->n, score + c->n).spread;
	}
	ims_free(score);
	return rc;
}

static int spread_over_rows(const row_source *source, const float *queries, size_t n, const job *j,
	float *spread, imgsearch_error *err)
{
	size_t dim = source->dim, found = 0;
	float *rows = ims_alloc_aligned(SPREAD_ROWS, dim * sizeof *rows), score[2 * SPREAD_ROWS];
	int rc = rows ? ims_search_sample(source, SPREAD_ROWS, rows, &found, j, err) : ims_nomem(err);
	for (size_t i = 0; !rc && found >= SPREAD_FEWEST && i < n; i++) {
		for (size_t k = 0; k < found; k++)
			score[k] = ims_score(source->metric,
				ims_search_distance(source->metric, queries + i * dim, rows + k * dim, dim));
		spread[i] = ims_analysis_norm(score, found, score + found).spread;
	}
	ims_free(rows);
	return rc;
}

int ims_chance_spread(imgsearch *s, view *v, const space *sp, const float *queries, size_t n,
	const job *j, float *spread, imgsearch_error *err)
{
	const chance_cohort *c = NULL;
	for (size_t i = 0; i < n; i++)
		spread[i] = 1;
	int rc = v->chance.has && sp == &v->space ? ims_cohort_get(s, v, &v->chance, &c, err) : 0;
	if (rc)
		return rc;
	if (c)
		return spread_over_cohort(sp, c, queries, n, spread, err);
	row_source source = sp == &v->space ? v->rows : v->plain_rows;
	store_counts counts;
	rc = ims_store_counts(s->store, &counts, err);
	source.n = rc ? 0 : (size_t)counts.vectors;
	return rc ? rc : spread_over_rows(&source, queries, n, j, spread, err);
}
