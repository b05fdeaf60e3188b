/*
 * The grid is halved across its longer side, recursively. A point goes to the half that it lies in.
 * Where a half has fewer cells than points, the points nearest to the cut go to the other half. So
 * no two points share a cell, empty regions stay empty where there is room, and neighbours stay
 * together. O(n log^2 n).
 */
#include "analysis/grid.h"

#include <math.h>
#include <stdlib.h>

typedef struct point {
	float at[2]; /* in units of cells */
	uint32_t point;
} point;

typedef struct area {
	uint32_t from[2], size[2]; /* column, row */
} area;

typedef struct grid_builder {
	uint32_t *cell;
	uint32_t columns;
	const stop_token *stop;
	int stopped; /* ECANCELED or EDEADLINE */
} grid_builder;

static int by_place(const point *a, const point *b, int axis)
{
	if (a->at[axis] != b->at[axis])
		return a->at[axis] < b->at[axis] ? -1 : 1;
	return a->point < b->point ? -1 : 1;
}

static int by_x(const void *a, const void *b)
{
	return by_place(a, b, 0);
}

static int by_y(const void *a, const void *b)
{
	return by_place(a, b, 1);
}

static void place(grid_builder *g, point *s, size_t n, area a)
{
	while (n && (a.size[0] > 1 || a.size[1] > 1)) {
		if (!g->stopped)
			g->stopped = ims_stopped(g->stop);
		if (g->stopped)
			return;
		int axis = a.size[0] >= a.size[1] ? 0 : 1;
		area low = a, high = a;
		low.size[axis] = a.size[axis] / 2;
		high.from[axis] += low.size[axis];
		high.size[axis] -= low.size[axis];
		size_t low_room = (size_t)low.size[0] * low.size[1],
			   high_room = (size_t)high.size[0] * high.size[1];
		qsort(s, n, sizeof *s, axis ? by_y : by_x);
		size_t cut = 0;
		while (cut < n && s[cut].at[axis] < (float)high.from[axis])
			cut++;
		if (cut > low_room)
			cut = low_room;
		if (n - cut > high_room)
			cut = n - high_room;
		place(g, s, cut, low);
		s += cut, n -= cut, a = high;
	}
	if (n)
		g->cell[s->point] = a.from[1] * g->columns + a.from[0];
}

int ims_analysis_grid(uint32_t *cell, const float *xy, size_t n, uint32_t columns, uint32_t rows,
	const stop_token *stop, imgsearch_error *err)
{
	if ((uint64_t)columns * rows < n)
		return ims_fail(err, IMGSEARCH_EINVAL, "a grid of %u x %u has no room for %zu points",
			columns, rows, n);
	point *s = ims_alloc(n, sizeof *s);
	if (!s)
		return ims_nomem(err);
	float low[2] = { INFINITY, INFINITY }, high[2] = { -INFINITY, -INFINITY };
	for (size_t c = 0; c < 2 * n; c++)
		low[c & 1] = fminf(low[c & 1], xy[c]), high[c & 1] = fmaxf(high[c & 1], xy[c]);
	for (size_t i = 0; i < n; i++) {
		s[i].point = (uint32_t)i;
		for (int axis = 0; axis < 2; axis++) {
			float range = high[axis] - low[axis], cells = (float)(axis ? rows : columns);
			s[i].at[axis] = range > 0 ? (xy[2 * i + (size_t)axis] - low[axis]) / range * cells : 0;
		}
	}
	grid_builder g = { cell, columns, stop, 0 };
	place(&g, s, n, (area){ { 0, 0 }, { columns, rows } });
	ims_free(s);
	return g.stopped ? ims_fail(err, g.stopped, "%s", ims_stop_text(g.stopped)) : 0;
}
