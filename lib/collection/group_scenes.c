/* Same scene: pairs whose features are near, and whose layouts agree. */
#include "collection/group_builder.h"
#include "collection/self_join.h"
#include "handle/space.h"
#include "handle/view.h"

#include <math.h>
#include <string.h>

/*
 * Pictures of two similar objects have features as close as two pictures of one object, but their
 * layouts seldom agree.
 */
static const float alike_layout = 0.8f;

/* Whether both are drawings, and hold something else. */
static int is_other_text(group_builder *g, member *a, member *b, bool *other)
{
	int rc = ims_members_look(g->s, a, g->err);
	if (!rc && a->is_drawing)
		rc = ims_members_look(g->s, b, g->err);
	detail_side one = ims_groups_side(a), two = ims_groups_side(b);
	*other = !rc && a->is_drawing && b->is_drawing && ims_detail_other_text(&one, &two);
	return rc;
}

static int add_scene_pair(void *user, size_t row, size_t rank, neighbour found)
{
	group_builder *g = user;
	member *one = &g->all.item[g->row_member[row]], *two = ims_members_find(&g->all, found.id);
	bool other_text = false;
	int rc = 0;
	(void)rank;
	if (!two || two == one)
		return 0;
	if (one->has_signature && two->has_signature) {
		if (ims_signature_correlation(one->coarse, two->coarse) < alike_layout)
			return 0;
		rc = is_other_text(g, one, two, &other_text);
	}
	if (rc || other_text)
		return rc;
	return ims_groups_add_edge(g, g->row_member[row], (uint32_t)(two - g->all.item),
		found.distance);
}

/* Works in blocks, since the features need not fit into memory. */
static int join_features(group_builder *g, view *v, self_join *j, imgsearch_error *err)
{
	enum { BLOCK = 4096 };
	size_t dim = v->space.dim;
	float *rows = ims_alloc_aligned(BLOCK, dim * sizeof *rows);
	int64_t *ids = ims_alloc(BLOCK, sizeof *ids);
	uint32_t *row_members = ims_alloc(BLOCK, sizeof *row_members);
	uint8_t *found = ims_alloc(BLOCK, 1);
	int rc = rows && ids && row_members && found ? 0 : ims_nomem(err);
	g->row_member = row_members;
	for (size_t at = 0; at < g->all.n && !rc;) {
		size_t n = 0;
		for (; at < g->all.n && n < BLOCK; at++)
			if (g->all.item[at].has_vector)
				ids[n] = g->all.item[at].vector, row_members[n++] = (uint32_t)at;
		size_t asked = n, kept = 0;
		rc = n ? ims_search_fetch(&v->rows, ids, &n, rows, found, err) : 0;
		for (size_t i = 0; i < asked && !rc; i++)
			if (found[i])
				row_members[kept++] = row_members[i];
		if (!rc)
			rc = ims_self_join(j, rows, ids, n, (uint32_t)dim, g->job, err);
	}
	ims_free(rows);
	ims_free(ids);
	ims_free(row_members);
	ims_free(found);
	return rc;
}

int ims_groups_join_scenes(group_builder *g, float min_score, imgsearch_error *err)
{
	view *v;
	search_index *own = NULL;
	self_join j = { .k = GROUP_NEAREST, .each = add_scene_pair, .user = g, .total = g->all.n };
	int rc = ims_view_acquire(g->s, &v, err);
	if (rc)
		return rc;
	g->metric = v->space.metric;
	j.max_distance = ims_score_distance(v->space.metric,
		min_score > 0 ? min_score : v->scene_score);
	rc = g->all.n > 1 && v->space.dim ? ims_view_searcher(g->s, v, &v->wholes,
			 v->wholes.chosen[0] ? v->wholes.chosen : "exact", g->job, &j.index, err)
									  : 0;
	if (!rc && !j.index && g->all.n > 1 && v->space.dim) {
		rc = ims_search_build(&own, "exact", &v->rows, &(search_params){ 0 }, g->job, err);
		j.index = own;
	}
	if (!rc && j.index)
		rc = join_features(g, v, &j, err);
	if (!rc)
		rc = ims_groups_join(g, IMGSEARCH_SAMENESS_SCENE, true, err);
	ims_search_free(own);
	ims_view_release(v);
	return rc;
}
