/*
 * Query expansion averages the query with its first results (Chum et al. 2007, "Total recall"),
 * weighted by a power of their score (Radenović et al. 2018, "Fine-tuning CNN image retrieval with
 * no human annotation"). Re-ranking is k-reciprocal (lib/analysis). Views average the features of
 * several crops of a query picture.
 */
#include "query/improve.h"

#include "analysis/reciprocal.h"
#include "handle/feature.h"
#include "handle/picture.h"
#include "handle/space.h"
#include "image/image.h"
#include "kernels/kernels.h"

#include <math.h>
#include <string.h>

int ims_improve_check(const improvement *o, const space *sp, imgsearch_error *err)
{
	if (o->plain && (o->expand || o->reciprocal || o->views > 1))
		return ims_fail(err, IMGSEARCH_EINVAL,
			"plain leaves out every improvement: neither expand nor reciprocal nor views go with "
			"it");
	if (o->expand > IMGSEARCH_EXPAND_MAX || !isfinite(o->expand_power))
		return ims_fail(err, IMGSEARCH_EINVAL, "expand is at most %d, and its power must be finite",
			IMGSEARCH_EXPAND_MAX);
	if (o->reciprocal >= RERANK_DEPTH)
		return ims_fail(err, IMGSEARCH_EINVAL, "k of re-ranking must be below %d", RERANK_DEPTH);
	if (o->reciprocal && sp->metric != IMGSEARCH_METRIC_COSINE)
		return ims_fail(err, IMGSEARCH_EINVAL, "re-ranking needs the cosine metric");
	if (o->views > IMGSEARCH_VIEWS_MAX)
		return ims_fail(err, IMGSEARCH_EINVAL, "at most %d views of a picture",
			IMGSEARCH_VIEWS_MAX);
	return 0;
}

void ims_improve_expand(const improvement *o, const space *sp, float *query, const float *rows,
	const float *score, size_t n)
{
	float sum = 1;
	for (size_t i = 0; i < n; i++) {
		float weight = o->expand_power > 0 ? powf(fmaxf(score[i], 0), o->expand_power) : 1;
		for (uint32_t j = 0; j < sp->dim; j++)
			query[j] += weight * rows[i * sp->dim + j];
		sum += weight;
	}
	for (uint32_t j = 0; j < sp->dim; j++)
		query[j] /= sum;
	if (sp->metric == IMGSEARCH_METRIC_COSINE)
		ims_space_normalise(query, 1, sp->dim);
}

/* ------------------------------------------------------------------------------ re-ranking ---- */

/* Scores of the query and its results with each other. */
typedef struct table {
	const float *query, *rows;
	float *score; /* (n, n): the query, then the rows */
	size_t n, dim;
} table;

static void fill_row(void *arg, size_t a, unsigned worker)
{
	const table *t = arg;
	const float *x = a ? t->rows + (a - 1) * t->dim : t->query;
	(void)worker;
	for (size_t b = a; b < t->n; b++)
		t->score[a * t->n + b] = t->score[b * t->n + a] = b
			? ims_kernels()->dot_f32(x, t->rows + (b - 1) * t->dim, t->dim)
			: 1;
}

int ims_improve_rank(const improvement *o, const space *sp, const float *query, const float *rows,
	size_t n, uint32_t *order, pool *pool, imgsearch_error *err)
{
	table t = { query, rows, ims_alloc(n + 1, (n + 1) * sizeof(float)), n + 1, sp->dim };
	float *score = ims_alloc(n + 1, sizeof *score);
	topk best = { 0 };
	int rc = t.score && score && !ims_topk_init(&best, n) ? 0 : ims_nomem(err);
	if (!rc) {
		ims_parallel(pool, n + 1, fill_row, &t);
		rc = ims_analysis_reciprocal(score, t.score, n + 1, o->reciprocal, err);
	}
	for (size_t i = 0; !rc && i < n; i++)
		ims_topk_push(&best, -score[i], (int64_t)i);
	ims_topk_sort(&best);
	for (size_t i = 0; !rc && i < n; i++)
		order[i] = (uint32_t)best.item[i].id;
	ims_topk_free(&best);
	ims_free(t.score);
	ims_free(score);
	return rc;
}

/* ----------------------------------------------------------------------------------- views ---- */

/*
 * The crop of a view: 1 is the middle, 2 to 5 are the corners; each has three quarters of both
 * sides.
 */
static void place(int32_t crop[4], const image *im, uint32_t view)
{
	int32_t w = (int32_t)(im->width - im->width / 4), h = (int32_t)(im->height - im->height / 4);
	int32_t right = (int32_t)im->width - w, low = (int32_t)im->height - h;
	bool middle = view == 1, east = view == 3 || view == 5, south = view > 3;
	int32_t at[4] = {
		middle     ? right / 2
			: east ? right
				   : 0,
		middle      ? low / 2
			: south ? low
					: 0,
		w,
		h,
	};
	memcpy(crop, at, sizeof at);
}

/*
 * Adds the other views of a picture to its row and divides by their number. features: scratch,
 * (IMGSEARCH_VIEWS_MAX, dim).
 */
static int add_views(imgsearch *s, job *j, const model_identity *id, const space *sp,
	const image *im, uint32_t views, float *row, float *features, imgsearch_error *err)
{
	imgsearch_input view[IMGSEARCH_VIEWS_MAX] = { { 0 } };
	imgsearch_error why[IMGSEARCH_VIEWS_MAX] = { { 0 } };
	for (uint32_t i = 1; i < views; i++) {
		view[i - 1] = imgsearch_input_pixels(im->pixels, (int32_t)im->width, (int32_t)im->height,
			0);
		place(view[i - 1].crop, im, i);
	}
	int rc = ims_features(s, j, id, view, views - 1, features, why, err);
	for (uint32_t i = 0; !rc && i + 1 < views; i++) {
		float *feature = features + i * sp->dim;
		rc = why[i].code ? ims_fail(err, why[i].code, "%s", why[i].message) : 0;
		ims_space_apply(sp, feature, feature);
		for (uint32_t j = 0; j < sp->dim; j++)
			row[j] += feature[j];
	}
	for (uint32_t j = 0; j < sp->dim; j++)
		row[j] /= (float)views;
	if (sp->metric == IMGSEARCH_METRIC_COSINE)
		ims_space_normalise(row, 1, sp->dim);
	return rc;
}

int ims_improve_views(imgsearch *s, job *j, const space *sp, const imgsearch_input *in,
	uint32_t views, float *row, imgsearch_error *err)
{
	identity id = { 0 };
	image im = { 0 };
	float *features = ims_alloc_aligned(IMGSEARCH_VIEWS_MAX, sp->dim * sizeof *features);
	int rc = features ? ims_feature_identity(s, sp->dim, &id, err) : ims_nomem(err);
	if (!rc)
		rc = ims_picture_load(s, j, in, 0, &im, err);
	if (!rc)
		rc = add_views(s, j, &id.model, sp, &im, views, row, features, err);
	ims_identity_free(&id);
	ims_image_free(&im);
	ims_free(features);
	return rc;
}
