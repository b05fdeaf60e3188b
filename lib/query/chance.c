#include "query/chance.h"
#include "handle/cohort.h"
#include "kernels/kernels.h"
#include "base/ids.h"

#include <math.h>
#include <string.h>

/* The scores of the query with the cohort, as precise as the 8-bit codes of both allow. */
static int score_cohort(const space *sp, const chance_cohort *c, const float *query, float *score,
	imgsearch_error *err)
{
	int8_t *code = ims_alloc_aligned(c->stride, 1);
	int32_t *sum = ims_alloc(c->n, sizeof *sum), total = 0;
	float scale = ims_cohort_largest(query, sp->dim) / 127,
		  square = ims_kernels()->dot_f32(query, query, sp->dim);
	int rc = code && sum ? 0 : ims_nomem(err);
	if (!rc) {
		memset(code, 0, c->stride);
		for (size_t j = 0; j < sp->dim; j++)
			total += code[j] = (int8_t)lrintf(query[j] / scale);
		ims_kernels()->dot_u8_i8(c->code, c->stride, NULL, c->n, code, sum);
	}
	for (size_t i = 0; !rc && i < c->n; i++) {
		float dot = scale * c->scale[i] * (float)(sum[i] - 128 * total);
		score[i] = sp->metric == IMGSEARCH_METRIC_L2
			? -sqrtf(fmaxf(square + c->square[i] - 2 * dot, 0))
			: dot;
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
