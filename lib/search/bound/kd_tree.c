/* Building splits the widest side of a box at the median. A walk keeps a heap of bounds. */
#include "search/bound/kd_tree.h"

#include <math.h>
#include <string.h>

typedef struct tree_builder {
	kd_tree *t;
	const float *points, *residual;
	uint32_t *order;
	uint32_t bucket, unit;
} tree_builder;

static float key(const tree_builder *g, uint32_t i, uint32_t side)
{
	return g->points[(size_t)g->order[i] * g->t->coordinates + side];
}

static void swap(uint32_t *a, uint32_t *b)
{
	uint32_t t = *a;
	*a = *b;
	*b = t;
}

/*
 * Orders rows from .. to - 1 so that the rows before `middle` have the smaller keys: Hoare's
 * selection, the pivot being the median of three.
 */
static void split_at(tree_builder *g, uint32_t from, uint32_t to, uint32_t middle, uint32_t side)
{
	while (to - from > 1) {
		uint32_t last = to - 1, mid = from + (last - from) / 2;
		if (key(g, mid, side) < key(g, from, side))
			swap(&g->order[mid], &g->order[from]);
		if (key(g, last, side) < key(g, from, side))
			swap(&g->order[last], &g->order[from]);
		if (key(g, last, side) < key(g, mid, side))
			swap(&g->order[last], &g->order[mid]);
		float pivot = key(g, mid, side);
		uint32_t i = from, j = last;
		for (;;) {
			while (key(g, i, side) < pivot)
				i++;
			while (pivot < key(g, j, side))
				j--;
			if (i >= j)
				break;
			swap(&g->order[i++], &g->order[j--]);
		}
		if (middle <= j)
			to = j + 1;
		else
			from = j + 1;
	}
}

/* The coordinates of a box past the last one. */
static void unbounded(const kd_tree *t, float *low)
{
	uint32_t stride = ims_kd_stride(t->coordinates);
	for (uint32_t c = t->coordinates; c < stride; c++) {
		low[c] = -INFINITY;
		low[stride + c] = INFINITY;
	}
}

/* The box of a node, the range of its residuals, and the widest side. */
static void measure(tree_builder *g, uint32_t node, uint32_t *widest, float *width)
{
	kd_tree *t = g->t;
	kd_node *d = &t->node[node];
	uint32_t stride = ims_kd_stride(t->coordinates);
	float *low = t->box + (size_t)node * 2 * stride, *high = low + stride;
	for (uint32_t c = 0; c < t->coordinates; c++) {
		low[c] = INFINITY;
		high[c] = -INFINITY;
	}
	unbounded(t, low);
	d->residual_low = g->residual ? INFINITY : 0;
	d->residual_high = 0;
	for (uint32_t i = d->from; i < d->to; i++) {
		const float *p = g->points + (size_t)g->order[i] * t->coordinates;
		for (uint32_t c = 0; c < t->coordinates; c++) {
			low[c] = p[c] < low[c] ? p[c] : low[c];
			high[c] = p[c] > high[c] ? p[c] : high[c];
		}
		if (!g->residual)
			continue;
		const float *r = g->residual + (size_t)g->order[i] * 2;
		d->residual_low = r[0] < d->residual_low ? r[0] : d->residual_low;
		d->residual_high = r[1] > d->residual_high ? r[1] : d->residual_high;
	}
	*width = 0;
	*widest = 0;
	for (uint32_t c = 0; c < t->coordinates; c++)
		if (high[c] - low[c] > *width) {
			*width = high[c] - low[c];
			*widest = c;
		}
}

/* Makes nodes breadth first: children follow their parent. */
static int grow(tree_builder *g, const job *job, imgsearch_error *err)
{
	int rc = 0;
	kd_tree *t = g->t;
	t->node[0] = (kd_node){ .to = t->n };
	t->nodes = 1;
	for (uint32_t i = 0; !(rc = ims_job_check(job, err)) && i < t->nodes; i++) {
		kd_node *d = &t->node[i];
		uint32_t side, n = d->to - d->from;
		float width;
		measure(g, i, &side, &width);
		if (n <= g->bucket || !(width > 0))
			continue;
		uint32_t half = (n / 2 + g->unit - 1) / g->unit * g->unit;
		split_at(g, d->from, d->to, d->from + half, side);
		d->left = t->nodes;
		t->node[t->nodes++] = (kd_node){ .from = d->from, .to = d->from + half };
		t->node[t->nodes++] = (kd_node){ .from = d->from + half, .to = d->to };
	}
	return rc;
}

int ims_kd_build(kd_tree *t, const float *points, const float *residual, uint32_t n,
	uint32_t coordinates, uint32_t bucket, uint32_t unit, uint32_t *slot, const job *job,
	imgsearch_error *err)
{
	size_t most = 4 * ((size_t)n / bucket + 1) + 1;
	tree_builder g = { t, points, residual, ims_alloc(n, sizeof(uint32_t)), bucket, unit };
	*t = (kd_tree){ .coordinates = coordinates, .n = n };
	t->node = ims_zalloc(most, sizeof *t->node);
	t->box = ims_alloc_aligned(most * 2 * ims_kd_stride(coordinates), sizeof(float));
	if (!g.order || !t->node || !t->box) {
		ims_free(g.order);
		ims_kd_free(t);
		return ims_nomem(err);
	}
	for (uint32_t i = 0; i < n; i++)
		g.order[i] = i;
	int rc = grow(&g, job, err);
	for (uint32_t i = 0; !rc && i < n; i++)
		slot[g.order[i]] = i;
	ims_free(g.order);
	if (rc)
		ims_kd_free(t);
	return rc;
}

void ims_kd_free(kd_tree *t)
{
	ims_free(t->node);
	ims_free(t->box);
	*t = (kd_tree){ 0 };
}

void ims_kd_save(const kd_tree *t, buf *out)
{
	ims_buf_u32(out, t->coordinates);
	ims_buf_u32(out, t->nodes);
	for (uint32_t i = 0; i < t->nodes; i++) {
		ims_buf_u32(out, t->node[i].left);
		ims_buf_u32(out, t->node[i].from);
		ims_buf_u32(out, t->node[i].to);
		ims_buf_f32(out, t->node[i].residual_low);
		ims_buf_f32(out, t->node[i].residual_high);
	}
	for (size_t i = 0; i < 2 * (size_t)t->nodes; i++)
		ims_buf_put(out, t->box + i * ims_kd_stride(t->coordinates),
			t->coordinates * sizeof(float));
}

/* Whether children follow their parent and share its rows, so that every walk ends. */
static bool sound(const kd_tree *t, uint32_t i)
{
	const kd_node *d = &t->node[i];
	if (d->from > d->to || d->to > t->n || (i == 0 && (d->from || d->to != t->n)))
		return false;
	if (!d->left)
		return true;
	if (d->left <= i || d->left >= t->nodes - 1)
		return false;
	const kd_node *l = &t->node[d->left], *r = l + 1;
	return l->from == d->from && l->to == r->from && r->to == d->to && l->to > l->from
		&& r->to > r->from;
}

static bool load_boxes(kd_tree *t, reader *r)
{
	uint32_t stride = ims_kd_stride(t->coordinates);
	for (size_t i = 0; i < t->nodes; i++) {
		float *low = t->box + i * 2 * stride;
		for (float *side = low; side <= low + stride; side += stride) {
			const void *values = ims_read_bytes(r, t->coordinates * sizeof(float));
			if (!values)
				return false;
			memcpy(side, values, t->coordinates * sizeof(float));
		}
		unbounded(t, low);
	}
	return true;
}

int ims_kd_load(kd_tree *t, reader *r, uint32_t n, imgsearch_error *err)
{
	*t = (kd_tree){ .n = n };
	t->coordinates = ims_read_u32(r);
	t->nodes = ims_read_u32(r);
	size_t left = r->failed ? 0 : r->len - r->pos, each = 20 + (size_t)t->coordinates * 8;
	if (!t->coordinates || t->coordinates > IMGSEARCH_DIM_MAX || !t->nodes
		|| t->nodes > left / each)
		return ims_fail(err, IMGSEARCH_EFORMAT, "the tree is cut off");
	t->node = ims_alloc(t->nodes, sizeof *t->node);
	t->box = ims_alloc_aligned((size_t)t->nodes * 2 * ims_kd_stride(t->coordinates), sizeof(float));
	if (!t->node || !t->box)
		return ims_nomem(err);
	for (uint32_t i = 0; i < t->nodes; i++) {
		kd_node *d = &t->node[i];
		d->left = ims_read_u32(r);
		d->from = ims_read_u32(r);
		d->to = ims_read_u32(r);
		d->residual_low = ims_read_f32(r);
		d->residual_high = ims_read_f32(r);
	}
	bool whole = load_boxes(t, r);
	for (uint32_t i = 0; i < t->nodes; i++)
		if (!whole || !sound(t, i))
			return ims_fail(err, IMGSEARCH_EFORMAT, "node %u of the tree is out of range", i);
	return 0;
}

/* ----------------------------------------------------------------------------------- walks ---- */

enum { LANES = 4 };
typedef float lanes __attribute__((vector_size(LANES * sizeof(float))));
typedef int32_t lane_mask __attribute__((vector_size(LANES * sizeof(float))));

static inline lanes positive(lanes x)
{
	return (lanes)((lane_mask)x & (x > 0));
}

/* The squared distance of a point from a box. A coordinate without bounds adds 0. */
static inline float gap2(const float *point, const float *box, uint32_t stride)
{
	lanes p, low, high, sum = { 0 };
	for (uint32_t i = 0; i < stride; i += LANES) {
		memcpy(&p, point + i, sizeof p);
		memcpy(&low, box + i, sizeof low);
		memcpy(&high, box + stride + i, sizeof high);
		lanes gap = positive(low - p) + positive(p - high); /* one of them is 0 */
		sum += gap * gap;
	}
	return (sum[0] + sum[2]) + (sum[1] + sum[3]);
}

/* For inner products, and for rows of which the tree holds some coordinates. */
static double bound_of_rest(const kd_walk *w, uint32_t node, double head2)
{
	const kd_node *d = &w->t->node[node];
	if (w->metric == IMGSEARCH_METRIC_IP) {
		uint32_t m = w->t->coordinates;
		const float *low = w->t->box + (size_t)node * 2 * w->stride, *high = low + w->stride;
		double sum = 0;
		for (uint32_t i = 0; i < m; i++)
			sum += fmax((double)w->point[i] * low[i], (double)w->point[i] * high[i]);
		return w->offset - sum - (w->residual + w->residual_error) * d->residual_high - w->error;
	}
	double head = sqrt(head2) * (1 - 1e-12) - w->error;
	double rest = fmax(d->residual_low - w->residual - w->residual_error,
		w->residual - w->residual_error - d->residual_high);
	return (head > 0 ? head * head : 0) + (rest > 0 ? rest * rest : 0);
}

/* A lower bound of the true distance of every row of the node. */
static inline double lower_bound(const kd_walk *w, uint32_t node)
{
	const float *box = w->t->box + (size_t)node * 2 * w->stride;
	double head2 = gap2(w->point, box, w->stride) * w->rounded_down;
	return w->plain ? head2 : bound_of_rest(w, node, head2);
}

/* Room for all nodes that a walk can hold: none is below another, so there are as many as leaves */
static int grow_heap(kd_walk *w, imgsearch_error *err)
{
	size_t most = w->t->nodes / 2 + 2;
	kd_visit *heap = ims_alloc(most > w->n ? most : w->n + 1, sizeof *heap);
	if (!heap)
		return ims_nomem(err);
	memcpy(heap, w->heap, w->n * sizeof *heap);
	w->heap = heap;
	w->room = most;
	return 0;
}

static int push(kd_walk *w, kd_visit v, imgsearch_error *err)
{
	int rc = w->n == w->room ? grow_heap(w, err) : 0;
	if (rc)
		return rc;
	size_t i = w->n++;
	for (; i && v.bound < w->heap[(i - 1) / 2].bound; i = (i - 1) / 2)
		w->heap[i] = w->heap[(i - 1) / 2];
	w->heap[i] = v;
	return 0;
}

static kd_visit pop(kd_walk *w)
{
	kd_visit top = w->heap[0], last = w->heap[--w->n];
	size_t i = 0;
	for (size_t c; (c = 2 * i + 1) < w->n; i = c) {
		if (c + 1 < w->n && w->heap[c + 1].bound < w->heap[c].bound)
			c++;
		if (!(w->heap[c].bound < last.bound))
			break;
		w->heap[i] = w->heap[c];
	}
	w->heap[i] = last;
	return top;
}

void ims_kd_begin(kd_walk *w)
{
	w->heap = w->own;
	w->room = KD_ROOM;
	w->stride = ims_kd_stride(w->t->coordinates);
	w->rounded_down = 1 - (w->stride / LANES + 8) * 0x1p-24;
	w->plain = w->metric != IMGSEARCH_METRIC_IP && !(w->error > 0);
	w->heap[0] = (kd_visit){ lower_bound(w, 0), 0 };
	w->n = 1;
}

/* The nearer child of *v takes its place; the other one waits where it is within the limit. */
static int descend(kd_walk *w, kd_visit *v, double limit, imgsearch_error *err)
{
	uint32_t left = w->t->node[v->node].left;
	kd_visit near = { lower_bound(w, left), left }, far = { lower_bound(w, left + 1), left + 1 };
	if (far.bound < near.bound) {
		kd_visit other = near;
		near = far;
		far = other;
	}
	*v = near;
	return far.bound <= limit ? push(w, far, err) : 0;
}

int ims_kd_next(kd_walk *w, double limit, uint32_t *node, bool *found, imgsearch_error *err)
{
	int rc = 0;
	*found = false;
	while (!rc && w->n && w->heap[0].bound <= limit) {
		kd_visit v = pop(w);
		while (!rc && w->t->node[v.node].left && v.bound <= limit
			&& !(w->n && w->heap[0].bound < v.bound))
			rc = descend(w, &v, limit, err);
		if (rc || v.bound > limit)
			continue;
		if (!w->t->node[v.node].left && !(w->n && w->heap[0].bound < v.bound)) {
			*node = v.node;
			*found = true;
			return 0;
		}
		rc = push(w, v, err);
	}
	return rc;
}

void ims_kd_end(kd_walk *w)
{
	if (w->heap != w->own)
		ims_free(w->heap);
}
