/*
 * imgsearch_groups_find: near-duplicates of three kinds; each looser kind sees one member of every
 * stricter group.
 *
 * 1. Same bytes: equal content hashes.
 * 2. Same picture: a self-join over features that do not change under rotation and reflection
 *    proposes pairs, the coarse signatures sort most of them out, and the detail of the signatures
 *    decides. Of a group every two members pass.
 * 3. Same scene: a self-join over the features of the network proposes pairs, whose signatures must
 *    be similar, and no two drawings laid out alike. A vector without a picture has no signature,
 *    and its feature decides alone.
 *
 * Each kind adds edges between members (indices into members.item). The connected components (of
 * same picture: cliques) are the groups. Members that a stricter kind has joined are one node,
 * whose number is its smallest member. Edges are added by ascending distance. An edge that would
 * join a rejected pair is left out. The result does not depend on the number of threads.
 */
#include "collection/groups.h"

#include "analysis/components.h"
#include "analysis/detail.h"
#include "collection/file_paths.h"
#include "collection/members.h"
#include "collection/memory_rows.h"
#include "collection/self_join.h"
#include "handle/space.h"
#include "handle/view.h"
#include "store/store.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NEAREST = 16 };

typedef struct edge {
	float distance;
	uint32_t a, b;
} edge;

typedef struct group_builder {
	imgsearch *s;
	job *job;
	imgsearch_error *err; /* for callbacks */
	members all;
	uint32_t *node;          /* (n): the smallest member that each member is joined with */
	uint32_t *pixels_of;     /* (n): of a node with edges of same picture: its member with pixels */
	float *longest;          /* of a node: its longest edge of the current kind */
	uint32_t (*rejected)[2]; /* pairs of members; of their nodes since the first join_nodes */
	size_t n_rejected, cap_rejected;
	edge *edges;
	size_t n_edges, cap_edges;
	const uint32_t *row_member; /* (rows of the current self-join): their members */
	imgsearch_metric metric;
	buf groups, ids, links; /* the result: group_record; ids; imgsearch_link with borrowed paths */
	uint64_t n_groups;
	size_t n_stale; /* files of groups that are not those of the index any more */
} group_builder;

/* A group of the result, whose ids and links follow those of the groups before. */
typedef struct group_record {
	imgsearch_group group;
	size_t n_links;
} group_record;

static int add_edge(group_builder *g, uint32_t a, uint32_t b, float distance)
{
	edge *more = ims_grow(g->edges, g->n_edges, &g->cap_edges, sizeof *more);
	if (!more)
		return IMGSEARCH_ENOMEM;
	g->edges = more;
	g->edges[g->n_edges++] = a < b ? (edge){ distance, a, b } : (edge){ distance, b, a };
	return 0;
}

static int by_strength(const void *x, const void *y)
{
	const edge *a = x, *b = y;
	if (a->distance != b->distance)
		return a->distance < b->distance ? -1 : 1;
	if (a->a != b->a)
		return a->a < b->a ? -1 : 1;
	return (a->b > b->b) - (a->b < b->b);
}

/* ---------------------------------------------------------------------- comparing pictures ---- */

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

static detail_side detail_of(const member *m)
{
	return (detail_side){ m->full, m->width, m->height };
}

/* Below 1: they are one picture; less means more alike. INFINITY where one has no detail. */
static float picture_difference(const member *a, const member *b)
{
	float least = INFINITY;
	detail_side one = detail_of(a), other = detail_of(b);
	if (!a->full || !b->full)
		return least;
	int turn = ims_signature_turn(a->pixels, b->pixels, 0);
	for (; turn >= 0; turn = ims_signature_turn(a->pixels, b->pixels, turn + 1))
		if (same_shape(a, b, turn))
			least = fminf(least, ims_detail_difference(&one, &other, turn));
	return least;
}

/* Whether two nodes are. The smaller one comes first, so that their order does not matter. */
static bool is_one_picture(void *user, uint32_t a, uint32_t b)
{
	const group_builder *g = user;
	uint32_t x = g->pixels_of[a], y = g->pixels_of[b];
	return picture_difference(&g->all.item[x < y ? x : y], &g->all.item[x < y ? y : x]) < 1;
}

/* --------------------------------------------------------------------------------- results ---- */

/* A member of a group that is being made. */
typedef struct node_member {
	uint32_t group, node, member;
} node_member;

static int by_node(const void *x, const void *y)
{
	const node_member *a = x, *b = y;
	if (a->group != b->group)
		return a->group < b->group ? -1 : 1;
	if (a->node != b->node)
		return a->node < b->node ? -1 : 1;
	return (a->member > b->member) - (a->member < b->member);
}

/* Adds the file of each node: that of its first member whose file is still the one indexed. */
static int add_files(group_builder *g, file_paths *p, const node_member *order, size_t n)
{
	int rc = 0;
	size_t before = 0; /* paths, before those of the node */
	for (size_t i = 0; !rc && i < n; i++) {
		if (i && order[i - 1].node != order[i].node)
			before = p->n;
		if (p->n != before)
			continue;
		rc = ims_file_paths_add(p, &g->all, &g->all.item[order[i].member]);
		if (!rc)
			g->n_stale += ims_file_paths_drop_stale(p, before, &g->all.offline);
	}
	return rc;
}

static int append_group(group_builder *g, imgsearch_group *group, const node_member *order,
	size_t n, imgsearch_error *err)
{
	file_paths p = { 0 };
	int rc = add_files(g, &p, order, n);
	ims_file_paths_sort(&p, group->kind == IMGSEARCH_SAMENESS_BYTES);
	if (!rc && p.files >= 2) {
		group->count = p.files;
		group_record record = { *group, p.n - p.files };
		ims_buf_put(&g->groups, &record, sizeof record);
		for (size_t i = 0; i < p.files; i++)
			ims_buf_put(&g->ids, &p.item[i].id, sizeof(int64_t));
		for (size_t i = p.files; i < p.n; i++) {
			imgsearch_link link = { p.item[i].id, p.item[i].file, p.item[i].path };
			ims_buf_put(&g->links, &link, sizeof link);
		}
		g->n_groups++;
	}
	ims_file_paths_free(&p);
	return rc || g->ids.failed || g->groups.failed || g->links.failed ? ims_nomem(err) : 0;
}

/* A name may be a copy by now. */
static bool has_names(const group_builder *g, uint32_t i)
{
	size_t n;
	ims_members_names(&g->all, g->all.item[i].id, &n);
	return n > 0;
}

/* Appends the groups to the result. label is the new number of each node. */
static int append_groups(group_builder *g, uint32_t kind, const uint32_t *label,
	imgsearch_error *err)
{
	size_t n = 0;
	node_member *order = ims_alloc(g->all.n + 1, sizeof *order);
	if (!order)
		return ims_nomem(err);
	for (size_t i = 0; i < g->all.n; i++)
		order[n++] = (node_member){ label[g->node[i]], g->node[i], (uint32_t)i };
	qsort(order, n, sizeof *order, by_node);
	int rc = 0;
	for (size_t from = 0, to; !rc && from < n; from = to) {
		for (to = from + 1; to < n && order[to].group == order[from].group; to++)
			;
		if (order[from].node == order[to - 1].node
			&& !(kind == IMGSEARCH_SAMENESS_BYTES && has_names(g, order[from].member)))
			continue;
		imgsearch_group group = { .kind = kind, .score = 1 };
		if (kind == IMGSEARCH_SAMENESS_SCENE)
			group.score = ims_score(g->metric, g->longest[order[from].group]);
		rc = append_group(g, &group, order + from, to - from, err);
	}
	ims_free(order);
	return rc;
}

/* Joins nodes along the edges of a kind, and appends the groups if the kind is wanted. */
static int join_nodes(group_builder *g, uint32_t kind, bool wanted, imgsearch_error *err)
{
	size_t n = g->all.n;
	uint32_t *label = ims_alloc(n + 1, sizeof *label),
			 (*pairs)[2] = ims_alloc(g->n_edges + 1, sizeof *pairs);
	uint8_t *joined = ims_alloc(g->n_edges + 1, 1);
	int rc = label && pairs && joined ? 0 : ims_nomem(err);
	if (rc)
		goto done;
	if (g->n_edges)
		qsort(g->edges, g->n_edges, sizeof *g->edges, by_strength);
	for (size_t e = 0; e < g->n_edges; e++)
		pairs[e][0] = g->node[g->edges[e].a], pairs[e][1] = g->node[g->edges[e].b];
	for (size_t i = 0; i < g->n_rejected; i++)
		for (int end = 0; end < 2; end++)
			g->rejected[i][end] = g->node[g->rejected[i][end]];
	if (kind == IMGSEARCH_SAMENESS_PICTURE)
		rc = ims_analysis_cliques(label, n, (const uint32_t(*)[2])pairs, g->n_edges,
			(const uint32_t(*)[2])g->rejected, g->n_rejected, is_one_picture, g, joined);
	else
		ims_analysis_components(label, n, (const uint32_t(*)[2])pairs, g->n_edges,
			(const uint32_t(*)[2])g->rejected, g->n_rejected, joined);
	if (rc)
		goto done;
	memset(g->longest, 0, n * sizeof *g->longest);
	for (size_t e = 0; e < g->n_edges; e++)
		if (joined[e])
			g->longest[label[pairs[e][0]]] = fmaxf(g->longest[label[pairs[e][0]]],
				g->edges[e].distance);
	if (wanted)
		rc = append_groups(g, kind, label, err);
	for (size_t i = 0; i < n; i++)
		g->node[i] = label[g->node[i]];
	g->n_edges = 0;
done:
	ims_free(label);
	ims_free(pairs);
	ims_free(joined);
	return rc;
}

/* -------------------------------------------------------------------------------- by bytes ---- */

typedef struct member_hash {
	hash256 hash;
	uint32_t member;
} member_hash;

static int by_hash(const void *x, const void *y)
{
	const member_hash *a = x, *b = y;
	int order = memcmp(a->hash.byte, b->hash.byte, sizeof a->hash.byte);
	return order ? order : (a->member > b->member) - (a->member < b->member);
}

/*
 * Members sorted by content hash, without those that have none. The caller frees *out by ims_free.
 */
static int sort_hashes(const group_builder *g, member_hash **out, size_t *n, imgsearch_error *err)
{
	member_hash *order = *out = ims_alloc(g->all.n + 1, sizeof *order);
	*n = 0;
	if (!order)
		return ims_nomem(err);
	for (size_t i = 0; i < g->all.n; i++)
		if (!ims_hash_is_zero(&g->all.item[i].hash))
			order[(*n)++] = (member_hash){ g->all.item[i].hash, (uint32_t)i };
	qsort(order, *n, sizeof *order, by_hash);
	return 0;
}

typedef struct rejection_reader {
	group_builder *g;
	const member_hash *order;
	size_t n;
} rejection_reader;

static const member_hash *find_hash(const rejection_reader *r, const hash256 *h)
{
	size_t low = 0, high = r->n;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (memcmp(r->order[mid].hash.byte, h->byte, sizeof h->byte) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low < r->n && ims_hash_equal(&r->order[low].hash, h) ? &r->order[low] : NULL;
}

static int add_rejected(void *user, const hash256 *a, const hash256 *b)
{
	rejection_reader *r = user;
	group_builder *g = r->g;
	const member_hash *x = find_hash(r, a), *y = find_hash(r, b);
	if (!x || !y || x == y)
		return 0;
	uint32_t(*more)[2] = ims_grow(g->rejected, g->n_rejected, &g->cap_rejected, sizeof *more);
	if (!more)
		return IMGSEARCH_ENOMEM;
	g->rejected = more;
	g->rejected[g->n_rejected][0] = x->member;
	g->rejected[g->n_rejected++][1] = y->member;
	return 0;
}

static int join_same_bytes(group_builder *g, bool wanted, imgsearch_error *err)
{
	member_hash *order;
	size_t n;
	int rc = sort_hashes(g, &order, &n, err);
	if (rc)
		return rc;
	for (size_t i = 1; i < n && !rc; i++)
		if (ims_hash_equal(&order[i].hash, &order[i - 1].hash))
			rc = add_edge(g, order[i - 1].member, order[i].member, 0);
	rejection_reader r = { g, order, n };
	if (!rc)
		rc = ims_store_each_rejected(g->s->store, add_rejected, &r, err);
	if (!rc)
		rc = join_nodes(g, IMGSEARCH_SAMENESS_BYTES, wanted, err);
	ims_free(order);
	return rc;
}

/* ------------------------------------------------------------------------------- by pixels ---- */

static int propose_picture_pair(void *user, size_t row, size_t rank, neighbour found)
{
	group_builder *g = user;
	(void)rank;
	return add_edge(g, g->row_member[row], g->row_member[found.id], 0);
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
	e->distance = ims_signature_turn(g->all.item[e->a].pixels, g->all.item[e->b].pixels, 0) < 0;
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

static int join_same_picture(group_builder *g, bool wanted, imgsearch_error *err)
{
	size_t n = 0;
	float *rows = ims_alloc_aligned(g->all.n + 1, IMS_INVARIANT_DIM * sizeof *rows);
	uint32_t *row_members = ims_alloc(g->all.n + 1, sizeof *row_members);
	int64_t *ids = ims_alloc(g->all.n + 1, sizeof *ids);
	self_join join_rows = {
		.k = NEAREST,
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
		ims_signature_invariant(row, g->all.item[i].pixels);
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
		rc = join_nodes(g, IMGSEARCH_SAMENESS_PICTURE, wanted, err);
	ims_search_free(join_rows.index);
	ims_free(rows);
	ims_free(row_members);
	ims_free(ids);
	return rc;
}

/* ----------------------------------------------------------------------------- by features ---- */

/*
 * Pictures of two similar objects have features as close as two pictures of one object, but their
 * layouts seldom agree.
 */
static const float alike_layout = 0.8f;

/* The least score of two pictures of a scene, unless the caller names another. */
static const float scene_score = (float)IMGSEARCH_SCENE_SCORE_DEFAULT;

/* Whether both are drawings, and hold something else. */
static int is_other_text(group_builder *g, member *a, member *b, bool *other)
{
	int rc = ims_members_look(g->s, a, g->err);
	if (!rc && a->is_drawing)
		rc = ims_members_look(g->s, b, g->err);
	detail_side one = detail_of(a), two = detail_of(b);
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
		if (ims_signature_correlation(one->pixels, two->pixels) < alike_layout)
			return 0;
		rc = is_other_text(g, one, two, &other_text);
	}
	if (rc || other_text)
		return rc;
	return add_edge(g, g->row_member[row], (uint32_t)(two - g->all.item), found.distance);
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

static int join_same_scene(group_builder *g, float min_score, imgsearch_error *err)
{
	view *v;
	search_index *own = NULL;
	self_join j = { .k = NEAREST, .each = add_scene_pair, .user = g, .total = g->all.n };
	int rc = ims_view_acquire(g->s, &v, err);
	if (rc)
		return rc;
	g->metric = v->space.metric;
	j.max_distance = ims_score_distance(v->space.metric, min_score);
	rc = g->all.n > 1 && v->space.dim
		? ims_view_searcher(g->s, v, v->chosen[0] ? v->chosen : "exact", g->job, &j.index, err)
		: 0;
	if (!rc && !j.index && g->all.n > 1 && v->space.dim) {
		rc = ims_search_build(&own, "exact", &v->rows, &(search_params){ 0 }, g->job, err);
		j.index = own;
	}
	if (!rc && j.index)
		rc = join_features(g, v, &j, err);
	if (!rc)
		rc = join_nodes(g, IMGSEARCH_SAMENESS_SCENE, true, err);
	ims_search_free(own);
	ims_view_release(v);
	return rc;
}

/* ---------------------------------------------------------------------------------------------- */

/* n links of the builder as a list of the result, from number `from` on. NULL: out of memory. */
static const imgsearch_links *copy_links(const group_builder *g, void *result, size_t from,
	size_t n)
{
	imgsearch_links *list = ims_result_alloc(result, 1, sizeof *list);
	imgsearch_link **items = list ? ims_result_list(result, n, sizeof **items) : NULL;
	for (size_t i = 0; items && i < n; i++) {
		memcpy(items[i], g->links.data + (from + i) * sizeof **items, sizeof **items);
		items[i]->path = ims_result_text(result, items[i]->path ? items[i]->path : "");
		if (!items[i]->path)
			return NULL;
	}
	if (!items)
		return NULL;
	*list = (imgsearch_links){ n, (const imgsearch_link *const *)items };
	return list;
}

static int copy_groups(const group_builder *g, void *result, imgsearch_group **items)
{
	int64_t *ids = ims_result_alloc(result, g->ids.len + 1, 1);
	size_t links = 0;
	if (!items || !ids)
		return IMGSEARCH_ENOMEM;
	if (g->n_groups)
		memcpy(ids, g->ids.data, g->ids.len);
	for (size_t i = 0; i < g->n_groups; i++) {
		group_record record;
		memcpy(&record, g->groups.data + i * sizeof record, sizeof record);
		*items[i] = record.group;
		items[i]->items = ids;
		ids += record.group.count;
		if (record.n_links && !(items[i]->links = copy_links(g, result, links, record.n_links)))
			return IMGSEARCH_ENOMEM;
		links += record.n_links;
	}
	return 0;
}

static int make_list(group_builder *g, imgsearch_groups **out, imgsearch_error *err)
{
	imgsearch_groups *list = ims_result_new(sizeof *list);
	imgsearch_group **items = list ? ims_result_list(list, g->n_groups, sizeof **items) : NULL;
	if (copy_groups(g, list, items)) {
		ims_result_free(list);
		return ims_nomem(err);
	}
	list->count = g->n_groups;
	list->items = (const imgsearch_group *const *)items;
	list->unread = g->all.unread;
	list->changed = g->n_stale;
	*out = list;
	return 0;
}

int ims_groups(imgsearch *s, const imgsearch_groups_options *o, job *job, imgsearch_groups **out,
	imgsearch_error *err)
{
	group_builder g = { .s = s, .job = job, .err = err };
	uint32_t kinds = o->kinds ? o->kinds : ~0u;
	bool bytes = kinds >> IMGSEARCH_SAMENESS_BYTES & 1,
		 picture = kinds >> IMGSEARCH_SAMENESS_PICTURE & 1,
		 scene = kinds >> IMGSEARCH_SAMENESS_SCENE & 1;
	int rc = ims_members_read(s, o->filter, picture || scene, g.job, &g.all, err);
	if (!rc) {
		g.node = ims_alloc(g.all.n + 1, sizeof *g.node);
		g.longest = ims_alloc(g.all.n + 1, sizeof *g.longest);
		g.pixels_of = ims_alloc(g.all.n + 1, sizeof *g.pixels_of);
		if (!g.node || !g.longest || !g.pixels_of)
			rc = ims_nomem(err);
	}
	for (size_t i = 0; i < g.all.n && !rc; i++)
		g.node[i] = (uint32_t)i;
	if (!rc)
		rc = join_same_bytes(&g, bytes, err);
	if (!rc && (picture || scene))
		rc = join_same_picture(&g, picture, err);
	if (!rc && scene)
		rc = join_same_scene(&g, o->min_score > 0 ? o->min_score : scene_score, err);
	if (!rc)
		rc = make_list(&g, out, err);
	if (!rc && g.n_stale)
		ims_job_log(job, IMGSEARCH_LOG_WARNING,
			"%zu file%s changed or went since the last index run", g.n_stale,
			g.n_stale == 1 ? "" : "s");
	ims_members_free(&g.all);
	ims_free(g.node);
	ims_free(g.longest);
	ims_free(g.pixels_of);
	ims_free(g.rejected);
	ims_free(g.edges);
	ims_buf_free(&g.ids);
	ims_buf_free(&g.groups);
	ims_buf_free(&g.links);
	return rc == IMGSEARCH_ENOMEM ? ims_nomem(err)
								  : rc; /* callbacks return it without a sentence */
}

void imgsearch_groups_free(imgsearch_groups *list)
{
	ims_result_free(list);
}
