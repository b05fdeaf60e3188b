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
#include "collection/group_builder.h"
#include "store/store.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int ims_groups_add_edge(group_builder *g, uint32_t a, uint32_t b, float distance)
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

int ims_groups_join(group_builder *g, uint32_t kind, bool wanted, imgsearch_error *err)
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
			(const uint32_t(*)[2])g->rejected, g->n_rejected, ims_groups_is_one_picture, g, joined);
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
		rc = ims_groups_append(g, kind, label, err);
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
			rc = ims_groups_add_edge(g, order[i - 1].member, order[i].member, 0);
	rejection_reader r = { g, order, n };
	if (!rc)
		rc = ims_store_each_rejected(g->s->store, add_rejected, &r, err);
	if (!rc)
		rc = ims_groups_join(g, IMGSEARCH_SAMENESS_BYTES, wanted, err);
	ims_free(order);
	return rc;
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
		rc = ims_groups_join_pictures(&g, picture, err);
	if (!rc && scene)
		rc = ims_groups_join_scenes(&g, o->min_score, err);
	if (!rc)
		rc = ims_groups_result(&g, out, err);
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
	ims_buf_free(&g.grey);
	ims_buf_free(&g.groups);
	ims_buf_free(&g.links);
	return rc == IMGSEARCH_ENOMEM ? ims_nomem(err)
								  : rc; /* callbacks return it without a sentence */
}

void imgsearch_groups_free(imgsearch_groups *list)
{
	ims_result_free(list);
}
