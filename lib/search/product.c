/*
 * The squared distance |q|^2 + |x|^2 - 2 q.x, or minus the dot product. Any order of adding up a
 * dot product of n terms in f32 is off by at most g |q| |x| with g = n u / (1 - n u) (Higham,
 * "Accuracy and Stability of Numerical Algorithms", section 3.1), and so is every part of the
 * estimate, and the distance in the fixed order. |q| |x| is at most half of |q|^2 + |x|^2.
 */
#include "search/product.h"

#include <float.h>
#include <string.h>

int ims_product_init(product *out, const row_source *rows, const search_request *request,
	imgsearch_error *err)
{
	size_t dim = rows->dim, panels = (request->n + IMS_PANEL - 1) / IMS_PANEL;
	*out = (product){ request, rows->dim, rows->metric, panels, NULL, NULL };
	out->panel = ims_alloc_aligned(panels * dim, IMS_PANEL * sizeof(float));
	out->square = ims_alloc(panels * IMS_PANEL, sizeof(float));
	if (!out->panel || !out->square) {
		ims_product_free(out);
		return ims_nomem(err);
	}
	memset(out->panel, 0, panels * dim * IMS_PANEL * sizeof(float));
	memset(out->square, 0, panels * IMS_PANEL * sizeof(float));
	for (size_t i = 0; i < request->n; i++) {
		const float *query = request->queries + i * dim;
		float *column = out->panel + i / IMS_PANEL * dim * IMS_PANEL + i % IMS_PANEL;
		for (size_t j = 0; j < dim; j++)
			column[j * IMS_PANEL] = query[j];
		out->square[i] = ims_kernels()->dot_f32(query, query, dim);
	}
	return 0;
}

void ims_product_free(product *p)
{
	ims_free(p->panel);
	ims_free(p->square);
	p->panel = p->square = NULL;
}

/* What the estimate less its error is made of: sum * (|q|^2 + |x|^2) - dot * q.x */
typedef struct factors {
	float sum, dot;
} factors;

static factors factors_of(const product *p)
{
	/* four such errors, and some more terms for what is added last */
	float error = 4 * ((float)p->dim + 16) * 0x1p-24f;
	bool ip = p->metric == IMGSEARCH_METRIC_IP;
	return ip ? (factors){ -error, 1 } : (factors){ 1 - error, 2 };
}

/* Whether any of a row's estimates is at most as large as the worst distance of its query. */
static bool any_near(factors f, float square, const float *query_square, const float *dot,
	const float *worst)
{
	int near = 0;
	for (size_t c = 0; c < IMS_PANEL; c++) {
		float least = f.sum * (query_square[c] + square) - f.dot * dot[c];
		/* what is no number, or too large for one, proves nothing */
		near |= !((least > worst[c]) & (least <= FLT_MAX));
	}
	return near;
}

typedef struct panel_scan {
	const product *product;
	size_t first, n; /* queries of the panel */
	topk *out;       /* their heaps */
	float worst[IMS_PANEL];
} panel_scan;

static void set_worst(panel_scan *s, size_t c)
{
	float limit = s->product->request->max_distance, worst = ims_topk_worst(&s->out[c]);
	s->worst[c] = worst < limit ? worst : limit;
}

/* The distances of one row to the queries that it may be near to. */
static void push_row(panel_scan *s, factors f, int64_t id, const float *row, float square,
	const float *dot)
{
	const product *p = s->product;
	for (size_t c = 0; c < s->n; c++) {
		float least = f.sum * (p->square[s->first + c] + square) - f.dot * dot[c];
		if (least > s->worst[c] && least <= FLT_MAX)
			continue;
		float d = ims_search_distance(p->metric, p->request->queries + (s->first + c) * p->dim, row,
			p->dim);
		if (d > p->request->max_distance)
			continue;
		ims_topk_push(&s->out[c], d, id);
		set_worst(s, c);
	}
}

void ims_product_scan(const product *p, size_t panel, const int64_t *ids, const float *rows,
	const float *square, const uint8_t *take, size_t n, topk *out)
{
	float dots[PRODUCT_ROWS * IMS_PANEL];
	size_t first = panel * IMS_PANEL, left = p->request->n - first;
	panel_scan s = { p, first, left < IMS_PANEL ? left : IMS_PANEL, out + first, { 0 } };
	factors f = factors_of(p);
	for (size_t c = 0; c < IMS_PANEL; c++)
		s.worst[c] = -FLT_MAX; /* of a column without a query: nothing is near */
	for (size_t c = 0; c < s.n; c++)
		set_worst(&s, c);
	ims_kernels()->panel_f32(rows, n, p->dim, p->panel + first * p->dim, dots, IMS_PANEL);
	for (size_t r = 0; r < n; r++) {
		const float *dot = dots + r * IMS_PANEL;
		if (take[r] && any_near(f, square[r], p->square + first, dot, s.worst))
			push_row(&s, f, ids[r], rows + r * p->dim, square[r], dot);
	}
}
