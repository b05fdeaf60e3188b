#include "query/chance.h"
#include "handle/cohort.h"
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

static int normalise(imgsearch *s, view *v, const float *query, bool *has_norm, chance_norm *norm,
	imgsearch_error *err)
{
	const chance_cohort *c = NULL;
	int rc = ims_cohort_get(s, v, &c, err);
	*has_norm = !rc && c;
	if (!*has_norm)
		return rc;
	float *score = ims_alloc(c->n, 2 * sizeof *score);
	rc = score ? score_cohort(&v->space, c, query, score, err) : ims_nomem(err);
	if (!rc)
		*norm = ims_analysis_chance_norm(&v->chance, score, c->n, score + c->n);
	ims_free(score);
	return rc;
}

int ims_chance_fill(imgsearch *s, view *v, const float *query, const int64_t *own, size_t n_own,
	double max_chance, imgsearch_hits *hits, imgsearch_error *err)
{
	imgsearch_hit **hit = (imgsearch_hit **)(uintptr_t)hits->items; /* its own memory */
	size_t count = hits->count, kept = 0, better = 0;
	bool has_norm = false;
	chance_norm norm;
	int rc = v->has_chance && count ? normalise(s, v, query, &has_norm, &norm, err) : 0;
	if (!has_norm)
		return rc;
	for (size_t i = 0; i < count; i++) {
		imgsearch_hit *h = hit[i];
		h->chance = ims_id_among(own, n_own, h->id)
			? 0
			: (double)v->rows.n * ims_analysis_chance_above(&v->chance, norm, (double)h->score);
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
