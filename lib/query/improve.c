/*
 * Better answers from the same features, as imgsearch_query gives them and imgsearch_eval measures them: query expansion,
 * average (Chum and others 2007) or weighted by a power of the score (Radenovic and others 2018); k-reciprocal re-ranking
 * (lib/analysis) of the first results; the mean feature of several views of a query picture.
 */
#include "analysis/reciprocal.h"
#include "handle/handle.h"
#include "kernels/kernels.h"

#include <math.h>
#include <string.h>

int ims_improve_check(const improvement *o, const space *sp, imgsearch_error *err)
{
	if (o->plain && (o->expand || o->reciprocal || o->views > 1))
		return ims_fail(err, IMGSEARCH_EINVAL, "plain leaves out every improvement: neither expand nor reciprocal nor views go with it");
	if (o->expand > EXPAND_MOST || !isfinite(o->expand_power))
		return ims_fail(err, IMGSEARCH_EINVAL, "at most %d results can be expanded by, with a finite power", EXPAND_MOST);
	if (o->reciprocal >= RERANK_DEPTH)
		return ims_fail(err, IMGSEARCH_EINVAL, "k of re-ranking must be below %d", RERANK_DEPTH);
	if (o->reciprocal && sp->metric != IMGSEARCH_COSINE)
		return ims_fail(err, IMGSEARCH_EINVAL, "re-ranking is for cosine");
	if (o->views > VIEWS_MOST)
		return ims_fail(err, IMGSEARCH_EINVAL, "at most %d views of a picture", VIEWS_MOST);
	return 0;
}

void ims_improve_expand(const improvement *o, const space *sp, float *query, const float *rows, const float *score, size_t n)
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
	ims_space_apply(&(space){ .metric = sp->metric, .dim = sp->dim }, query, query);
}

/* ---------------------------------------------------------------------------------------------- re-ranking ---- */

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
		t->score[a * t->n + b] = t->score[b * t->n + a] = b ? ims_kernels()->dot_f32(x, t->rows + (b - 1) * t->dim, t->dim) : 1;
}

int ims_improve_rank(const improvement *o, const space *sp, const float *query, const float *rows, size_t n, uint32_t *order, pool *pool, imgsearch_error *err)
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

/* --------------------------------------------------------------------------------------------------- views ---- */

/* View 1 is the middle, 2 to 5 are the corners: three quarters of each side. */
static void place(int32_t crop[4], const imgsearch_picture *p, uint32_t view)
{
	int32_t w = (int32_t)(p->width - p->width / 4), h = (int32_t)(p->height - p->height / 4);
	int32_t right = (int32_t)p->width - w, low = (int32_t)p->height - h;
	bool middle = view == 1, east = view == 3 || view == 5, south = view > 3;
	memcpy(crop, (int32_t[4]){ middle ? right / 2 : east ? right : 0, middle ? low / 2 : south ? low : 0, w, h }, 4 * sizeof *crop);
}

/* The other views of one picture, added to its row. */
static int add_views(imgsearch *s, const model_identity *id, const space *sp, const imgsearch_input *in, uint32_t views, float *row,
	float *seen, imgsearch_error *err)
{
	imgsearch_picture *p = NULL;
	imgsearch_input view[VIEWS_MOST];
	imgsearch_error why[VIEWS_MOST] = { { 0 } };
	int rc = imgsearch_picture_load(s, in, 0, &p, err);
	for (uint32_t i = 1; !rc && i < views; i++) {
		view[i - 1] = imgsearch_pixels(p->rgb, (int32_t)p->width, (int32_t)p->height, 0);
		place(view[i - 1].crop, p, i);
	}
	if (!rc)
		rc = ims_features(s, NULL, id, view, views - 1, seen, why, err);
	for (uint32_t i = 0; !rc && i + 1 < views; i++) {
		rc = why[i].code ? ims_fail(err, why[i].code, "%s", why[i].message) : 0;
		ims_space_apply(sp, seen + i * sp->dim, seen + i * sp->dim);
		for (uint32_t j = 0; j < sp->dim; j++)
			row[j] += seen[i * sp->dim + j];
	}
	for (uint32_t j = 0; j < sp->dim; j++)
		row[j] /= (float)views;
	ims_space_apply(&(space){ .metric = sp->metric, .dim = sp->dim }, row, row);
	imgsearch_picture_free(p);
	return rc;
}

int ims_improve_views(imgsearch *s, const space *sp, const imgsearch_input *in, uint32_t views, float *row, imgsearch_error *err)
{
	model_identity id = { 0 };
	float *seen = ims_alloc_aligned(VIEWS_MOST, sp->dim * sizeof *seen);
	int rc = seen ? ims_engine_identity_same(s, &id, err) : ims_nomem(err);
	if (!rc)
		rc = add_views(s, &id, sp, in, views, row, seen, err);
	ims_model_identity_free(&id);
	ims_free(seen);
	return rc;
}
