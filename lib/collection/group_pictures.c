/* Same picture: pairs that look alike, by their signatures. */
#include "collection/group_builder.h"
#include "collection/memory_rows.h"
#include "collection/self_join.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/*
 * The ratios of the sides must agree to 3 %, or one picture is the other one squeezed. A position
 * with bit 2 exchanges width and height.
 */
static bool same_shape(const member *a, const member *b, int turn)
{
	double x = (double)a->width * (turn & 4 ? b->width : b->height),
		   y = (double)a->height * (turn & 4 ? b->height : b->width);
	return !x || !y || fabs(x - y) <= 0.03 * fmax(x, y);
}

detail_side ims_groups_side(const member *m)
{
	return (detail_side){ m->full, m->width, m->height };
}

/* Below 1: they are one picture; less means more alike. INFINITY where one has no detail. */
static float picture_difference(const member *a, const member *b)
{
	float least = INFINITY;
	detail_side one = ims_groups_side(a), other = ims_groups_side(b);
	if (!a->full || !b->full)
		return least;
	int turn = ims_signature_turn(a->coarse, b->coarse, 0);
	for (; turn >= 0; turn = ims_signature_turn(a->coarse, b->coarse, turn + 1))
		if (same_shape(a, b, turn))
			least = fminf(least, ims_detail_difference(&one, &other, turn));
	return least;
}

/* The smaller one comes first, so that their order does not matter. */
bool ims_groups_is_one_picture(void *user, uint32_t a, uint32_t b)
{
	const group_builder *g = user;
	uint32_t x = g->pixels_of[a], y = g->pixels_of[b];
	return picture_difference(&g->all.item[x < y ? x : y], &g->all.item[x < y ? y : x]) < 1;
}

static int propose_picture_pair(void *user, size_t row, size_t rank, neighbour found)
{
	group_builder *g = user;
	(void)rank;
	return ims_groups_add_edge(g, g->row_member[row], g->row_member[found.id], 0);
}

static int by_members(const void *x, const void *y)
{
	const edge *a = x, *b = y;
	if (a->a != b->a)
		return a->a < b->a ? -1 : 1;
	return (a->b > b->b) - (a->b < b->b);
}

/* A pair may have been proposed from either side. */
static void remove_repeated_edges(group_builder *g)
{
	size_t kept = 0;
	if (g->n_edges)
		qsort(g->edges, g->n_edges, sizeof *g->edges, by_members);
	for (size_t i = 0; i < g->n_edges; i++)
		if (!i || by_members(&g->edges[i], &g->edges[i - 1]))
			g->edges[kept++] = g->edges[i];
	g->n_edges = kept;
}

static void remove_far_edges(group_builder *g)
{
	size_t kept = 0;
	for (size_t i = 0; i < g->n_edges; i++)
		if (g->edges[i].distance < 1)
			g->edges[kept++] = g->edges[i];
	g->n_edges = kept;
}

static void compare_coarse(void *arg, size_t i, unsigned worker)
{
	group_builder *g = arg;
	edge *e = &g->edges[i];
	(void)worker;
	e->distance = ims_signature_turn(g->all.item[e->a].coarse, g->all.item[e->b].coarse, 0) < 0;
}

static void compare_detail(void *arg, size_t i, unsigned worker)
{
	group_builder *g = arg;
	edge *e = &g->edges[i];
	(void)worker;
	e->distance = picture_difference(&g->all.item[e->a], &g->all.item[e->b]);
}

static int load_details(group_builder *g, imgsearch_error *err)
{
	int rc = 0;
	for (size_t i = 0; i < g->n_edges && !rc; i++) {
		rc = ims_members_load(g->s, &g->all.item[g->edges[i].a], err);
		if (!rc)
			rc = ims_members_load(g->s, &g->all.item[g->edges[i].b], err);
	}
	return rc;
}

/* Keeps the edges between pictures that are one. */
static int decide_picture_pairs(group_builder *g, imgsearch_error *err)
{
	remove_repeated_edges(g);
	ims_parallel(g->job->pool, g->n_edges, compare_coarse, g);
	remove_far_edges(g);
	int rc = load_details(g, err);
	if (!rc)
		ims_parallel(g->job->pool, g->n_edges, compare_detail, g);
	remove_far_edges(g);
	for (size_t i = 0; i < g->n_edges; i++) {
		g->pixels_of[g->node[g->edges[i].a]] = g->edges[i].a;
		g->pixels_of[g->node[g->edges[i].b]] = g->edges[i].b;
	}
	return rc ? rc : ims_job_check(g->job, err);
}

int ims_groups_join_pictures(group_builder *g, bool wanted, imgsearch_error *err)
{
	size_t n = 0;
	float *rows = ims_alloc_aligned(g->all.n + 1, IMS_INVARIANT_DIM * sizeof *rows);
	uint32_t *row_members = ims_alloc(g->all.n + 1, sizeof *row_members);
	int64_t *ids = ims_alloc(g->all.n + 1, sizeof *ids);
	self_join join_rows = {
		.k = GROUP_NEAREST,
		.max_distance = IMS_INVARIANT_RADIUS,
		.each = propose_picture_pair,
		.user = g,
	};
	memory_rows memory;
	int rc = rows && row_members && ids ? 0 : ims_nomem(err);
	for (size_t i = 0; i < g->all.n && !rc; i++) {
		float *row = rows + n * IMS_INVARIANT_DIM, length = 0;
		if (!g->all.item[i].has_signature)
			continue;
		ims_signature_invariant(row, g->all.item[i].coarse);
		for (int d = 0; d < IMS_INVARIANT_DIM; d++)
			length += row[d];
		if (length > 0)
			ids[n] = (int64_t)n, row_members[n++] = (uint32_t)i;
	}
	g->row_member = row_members;
	join_rows.total = n;
	ims_memory_rows_init(&memory, rows, n, IMS_INVARIANT_DIM, IMGSEARCH_METRIC_L2);
	if (!rc && n > 1)
		rc = ims_search_build(&join_rows.index, "exact", &memory.source, &(search_params){ 0 },
			g->job, err);
	if (!rc && n > 1)
		rc = ims_self_join(&join_rows, rows, ids, n, IMS_INVARIANT_DIM, g->job, err);
	if (!rc)
		rc = decide_picture_pairs(g, err);
	if (!rc)
		rc = ims_groups_join(g, IMGSEARCH_SAMENESS_PICTURE, wanted, err);
	ims_search_free(join_rows.index);
	ims_free(rows);
	ims_free(row_members);
	ims_free(ids);
	return rc;
}
