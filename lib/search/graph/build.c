/*
 * The graph of a whole collection: fit the codes on a sample, encode every row, link the nodes in a random order (two
 * passes: the first finds the neighbourhoods, the second links them through a graph that knows all nodes), cut to the
 * final degree, make sure that every node can be reached, measure which beam meets which recall.
 * The first sqrt(n) nodes of the random order are the entries: every search starts at those nearest to it, so that
 * clusters far from everything are found.
 */
#include "search/graph/graph.h"

#include <math.h>

enum { ENTRIES_MAX = 4096, ENCODE_CHUNK = 64, BATCH_MIN = 256, BATCH_MAX = 16384 };

#define ALPHA 1.15f

/* ----------------------------------------------------------------------------------------------- encoding ---- */

typedef struct encoding {
	graph *g;
	job *job;
	void **room; /* of every worker */
	const float *rows;
	size_t n, first;
	uint64_t total;
	imgsearch_error *err;
} encoding;

static void encode_chunk(void *arg, size_t chunk, unsigned worker)
{
	encoding *e = arg;
	const graph_coder *c = &e->g->coder;
	for (size_t i = chunk * ENCODE_CHUNK; i < e->n && i < (chunk + 1) * ENCODE_CHUNK; i++)
		ims_graph_encode(c, e->rows + i * c->dim, e->g->codes + (e->first + i) * c->size, e->g->details + (e->first + i) * c->detail_size, e->room[worker]);
}

static int encode_block(void *user, const int64_t *ids, const float *rows, size_t n)
{
	encoding *e = user;
	graph *g = e->g;
	if (g->n + n > g->room) {
		int rc = ims_graph_reserve(g, g->n + n, e->err);
		if (rc)
			return rc;
	}
	e->rows = rows;
	e->n = n;
	e->first = g->n;
	ims_parallel(e->job ? e->job->pool : NULL, (n + ENCODE_CHUNK - 1) / ENCODE_CHUNK, encode_chunk, e);
	memcpy(g->ids + g->n, ids, n * sizeof(*ids));
	g->n += n;
	return e->job ? ims_job_step(e->job, "build", g->n, e->total > g->n ? e->total : g->n + 1, e->err) : 0;
}

static int encode_all(graph *g, const row_source *rows, job *job, uint64_t total, imgsearch_error *err)
{
	unsigned workers = job ? ims_pool_threads(job->pool) : 1;
	encoding e = { .g = g, .job = job, .total = total, .err = err };
	e.room = ims_zalloc(workers, sizeof(*e.room));
	int rc = e.room ? 0 : ims_nomem(err);
	for (unsigned i = 0; !rc && i < workers; i++)
		if (!(e.room[i] = ims_alloc_aligned(ims_graph_coder_room(&g->coder), 1)))
			rc = ims_nomem(err);
	if (!rc)
		rc = rows->scan(rows->ctx, encode_block, &e, err);
	for (unsigned i = 0; e.room && i < workers; i++)
		ims_free(e.room[i]);
	ims_free(e.room);
	g->live = g->n;
	return rc;
}

/* ------------------------------------------------------------------------------------------------ linking ---- */

static void shuffle(uint32_t *order, size_t n, uint64_t seed)
{
	for (size_t i = 0; i < n; i++)
		order[i] = (uint32_t)i;
	for (size_t i = n; i > 1; i--) {
		size_t j = (size_t)(ims_random(&seed) % i);
		uint32_t t = order[i - 1];
		order[i - 1] = order[j];
		order[j] = t;
	}
}

size_t ims_graph_entry_count(size_t nodes)
{
	size_t n = (size_t)sqrt((double)nodes);
	return n > ENTRIES_MAX ? ENTRIES_MAX : n;
}

static int link_all(graph *g, const uint32_t *order, job *job, uint64_t done, uint64_t total, imgsearch_error *err)
{
	size_t n = g->n, entries = ims_graph_entry_count(n), most = n / 50;
	most = most < BATCH_MIN ? BATCH_MIN : most > BATCH_MAX ? BATCH_MAX : most;
	int rc = ims_graph_entries(g, order, 1, err);
	if (!rc)
		rc = ims_graph_link(g, order + 1, entries - 1, 1, most, 1, g->beam / 2, job, done, total, err);
	if (!rc)
		rc = ims_graph_entries(g, order, entries, err);
	if (!rc)
		rc = ims_graph_link(g, order + entries, n - entries, entries, most, 1, g->beam / 2, job, done + entries, total, err);
	if (!rc)
		rc = ims_graph_link(g, order, n, most, most, g->alpha, g->beam, job, done + n, total, err);
	return rc;
}

/* Cuts every row of links to the degree. */
static int cut(graph *g, imgsearch_error *err)
{
	graph_scratch *s;
	uint32_t degree = g->degree, *links;
	int rc = ims_graph_scratch_acquire(g, &s, err);
	if (rc)
		return rc;
	if (!ims_graph_pool_room(s, g->stride))
		rc = ims_nomem(err);
	for (uint32_t i = 0; !rc && i < g->n; i++) {
		uint32_t *from = ims_graph_links(g, i);
		size_t n = ims_graph_count(g, i);
		if (n > degree) {
			ims_graph_pool_add(g, s, i, 0, from, n);
			n = ims_graph_prune(g, s, i, n, g->alpha, from, degree);
		}
		if (n < degree)
			from[n] = GRAPH_NONE;
		memmove(g->links + (size_t)i * degree, from, degree * sizeof(*from));
	}
	ims_graph_scratch_release(g, s);
	g->stride = degree;
	links = rc || !g->n ? NULL : ims_alloc_aligned(g->n * degree, sizeof(*links));
	if (links) { /* gives the rest back; without memory for that it stays */
		memcpy(links, g->links, g->n * degree * sizeof(*links));
		ims_free(g->links);
		g->links = links;
		g->room = g->n;
	}
	return rc;
}

/* ------------------------------------------------------------------------------------------- reachability ---- */

typedef struct reach {
	graph *g;
	uint64_t *seen;
	uint32_t *queue;
	size_t n;
} reach;

static void reach_from(reach *r, uint32_t slot)
{
	size_t at = r->n;
	if (r->seen[slot >> 6] >> (slot & 63) & 1)
		return;
	r->seen[slot >> 6] |= (uint64_t)1 << (slot & 63);
	r->queue[r->n++] = slot;
	for (; at < r->n; at++) {
		const uint32_t *links = ims_graph_links(r->g, r->queue[at]);
		for (uint32_t i = 0; i < r->g->stride && links[i] != GRAPH_NONE; i++) {
			uint64_t bit = (uint64_t)1 << (links[i] & 63), *word = &r->seen[links[i] >> 6];
			if (!(*word & bit)) {
				*word |= bit;
				r->queue[r->n++] = links[i];
			}
		}
	}
}

/* Gives `slot` a link from a near node that can be reached, in place of that one's last link if need be. */
static bool link_to(graph *g, graph_scratch *s, uint32_t slot, bool replace)
{
	int32_t sum;
	ims_graph_turn(ims_graph_code(g, slot), g->coder.size, s->code, &sum);
	const graph_list *near = ims_graph_search(g, s, s->code, GRAPH_DEGREE, NULL, false);
	for (size_t i = 0; i < near->n; i++) {
		uint32_t from = ims_graph_slot(near->item[i]);
		size_t n = ims_graph_count(g, from);
		if (from == slot || n == g->stride || ims_graph_is_deleted(g, from))
			continue;
		ims_graph_links(g, from)[n] = slot;
		if (n + 1 < g->stride)
			ims_graph_links(g, from)[n + 1] = GRAPH_NONE;
		return true;
	}
	for (size_t i = 0; replace && i < near->n; i++) {
		uint32_t from = ims_graph_slot(near->item[i]);
		if (from == slot || ims_graph_is_deleted(g, from))
			continue;
		ims_graph_links(g, from)[g->stride - 1] = slot;
		return true;
	}
	return false;
}

/* One round: true when every node could be reached. The last round makes entries of those that cannot. */
static int connect_round(graph *g, reach *r, graph_scratch *s, bool last, bool *all, imgsearch_error *err)
{
	int rc = 0;
	*all = true;
	r->n = 0;
	memset(r->seen, 0, (g->n / 64 + 1) * sizeof(*r->seen));
	for (size_t i = 0; i < g->entries; i++)
		reach_from(r, g->entry[i]);
	for (uint32_t i = 0; !rc && i < g->n; i++) {
		if (ims_graph_is_deleted(g, i) || (r->seen[i >> 6] >> (i & 63) & 1))
			continue;
		*all = false;
		if (!link_to(g, s, i, !last)) {
			g->entry[g->entries] = i; /* entry has room for one more: see ims_graph_entries */
			rc = ims_graph_entries(g, g->entry, g->entries + 1, err);
		}
		reach_from(r, i);
	}
	return rc;
}

int ims_graph_connect(graph *g, job *job, imgsearch_error *err)
{
	reach r = { .g = g };
	graph_scratch *s = NULL;
	bool all = false;
	(void)job;
	r.seen = ims_alloc(g->n / 64 + 1, sizeof(*r.seen));
	r.queue = ims_alloc(g->n ? g->n : 1, sizeof(*r.queue));
	int rc = r.seen && r.queue ? ims_graph_scratch_acquire(g, &s, err) : ims_nomem(err);
	for (int round = 0; !rc && !all && round < 4; round++)
		rc = connect_round(g, &r, s, round == 3, &all, err);
	ims_graph_scratch_release(g, s);
	ims_free(r.seen);
	ims_free(r.queue);
	return rc;
}

/* --------------------------------------------------------------------------------------------------- build ---- */

int ims_graph_build(searcher **out, const row_source *rows, const search_params *p, job *job, imgsearch_error *err)
{
	graph *g = NULL;
	uint32_t *order = NULL, degree = p->degree ? p->degree : GRAPH_DEGREE;
	uint64_t total = 3 * (uint64_t)rows->n + 1;
	int rc = ims_graph_new(&g, rows, err);
	if (!rc && rows->n > GRAPH_SLOTS)
		rc = ims_fail(err, IMGSEARCH_ELIMIT, "a graph holds at most %d rows", GRAPH_SLOTS);
	if (rc)
		goto done;
	g->degree = degree < 4 ? 4 : degree > GRAPH_DEGREE_MAX ? GRAPH_DEGREE_MAX : degree;
	g->stride = g->degree + g->degree / 2;
	g->beam = !p->beam ? GRAPH_BEAM : p->beam > GRAPH_BEAM_MAX ? GRAPH_BEAM_MAX : p->beam < 8 ? 8 : p->beam;
	g->alpha = ALPHA;
	if ((rc = ims_graph_coder_fit(&g->coder, rows, p, job, err)) || (rc = ims_graph_reserve(g, rows->n, err)) ||
		(rc = encode_all(g, rows, job, total, err)))
		goto done;
	order = ims_alloc(g->n ? g->n : 1, sizeof(*order));
	if (!order) {
		rc = ims_nomem(err);
		goto done;
	}
	shuffle(order, g->n, p->seed + 1);
	if (g->n)
		rc = link_all(g, order, job, g->n, total, err);
	if (!rc)
		rc = cut(g, err);
	if (!rc)
		rc = ims_graph_connect(g, job, err);
	if (!rc)
		rc = ims_graph_tune(g, rows, job, err);
	if (!rc && job)
		rc = ims_job_step(job, "build", total, total, err);
done:
	ims_free(order);
	*out = rc ? NULL : &g->base;
	if (rc)
		ims_graph_free(g);
	return rc;
}
