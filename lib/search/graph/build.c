/*
 * Building, as in Vamana: the nodes are linked in a random order in two passes. The first pass
 * finds neighbourhoods, the second one links them through a graph that has all nodes. Then links
 * are cut to the final degree, every node is made reachable, and the operating points are measured.
 * Of rows of equal code one is linked, and the others are chained behind it (copies.h).
 * Our own: the first sqrt(n) nodes of the random order are the entry points. Every search begins at
 * those nearest to it, so that it finds clusters that are far from everything.
 */
#include "search/graph/build.h"

#include "search/graph/connect.h"
#include "search/graph/copies.h"
#include "search/graph/link.h"
#include "search/graph/tune.h"

#include <math.h>

enum {
	ENTRIES_MAX = 4096,
	ENCODE_CHUNK = 64, /* rows that a worker encodes at once */
	BATCH_MIN = 256,   /* nodes that are linked at once */
	BATCH_MAX = 16384,
};

static const float alpha_built = 1.15f; /* of robust prune, in the second pass */

/* -------------------------------------------------------------------------------- encoding ---- */

typedef struct row_encoder {
	graph *g;
	job *job;
	void **room; /* of every worker */
	const float *rows;
	size_t n, first;
	uint64_t total;
	imgsearch_error *err;
} row_encoder;

static void encode_chunk(void *arg, size_t chunk, unsigned worker)
{
	row_encoder *e = arg;
	const graph_quantiser *qz = &e->g->quantiser;
	for (size_t i = chunk * ENCODE_CHUNK; i < e->n && i < (chunk + 1) * ENCODE_CHUNK; i++)
		ims_graph_encode(qz, e->rows + i * qz->dim, e->g->codes + (e->first + i) * qz->size,
			e->g->residuals + (e->first + i) * qz->residual_size, e->room[worker]);
}

static int encode_block(void *user, const int64_t *ids, const float *rows, size_t n)
{
	row_encoder *e = user;
	graph *g = e->g;
	if (g->n + n > g->room) {
		int rc = ims_graph_reserve(g, g->n + n, e->err);
		if (rc)
			return rc;
	}
	e->rows = rows;
	e->n = n;
	e->first = g->n;
	ims_parallel(e->job ? e->job->pool : NULL, (n + ENCODE_CHUNK - 1) / ENCODE_CHUNK, encode_chunk,
		e);
	memcpy(g->ids + g->n, ids, n * sizeof *ids);
	g->n += n;
	uint64_t total = e->total > g->n ? e->total : g->n + 1;
	return e->job ? ims_job_step(e->job, "build", g->n, total, e->err) : 0;
}

static int encode_all(graph *g, const row_source *rows, job *job, uint64_t total,
	imgsearch_error *err)
{
	unsigned workers = job ? ims_pool_threads(job->pool) : 1;
	row_encoder e = { .g = g, .job = job, .total = total, .err = err };
	e.room = ims_zalloc(workers, sizeof *e.room);
	int rc = e.room ? 0 : ims_nomem(err);
	for (unsigned i = 0; !rc && i < workers; i++)
		if (!(e.room[i] = ims_alloc_aligned(ims_graph_quantiser_scratch(&g->quantiser), 1)))
			rc = ims_nomem(err);
	if (!rc)
		rc = rows->scan(rows->ctx, encode_block, &e, err);
	for (unsigned i = 0; e.room && i < workers; i++)
		ims_free(e.room[i]);
	ims_free(e.room);
	g->live = g->n;
	return rc;
}

/* --------------------------------------------------------------------------------- linking ---- */

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

static int link_all(graph *g, const uint32_t *order, size_t n, job *job, uint64_t done,
	uint64_t total, imgsearch_error *err)
{
	size_t entries = ims_graph_entry_count(n), most = n / 50;
	most = most < BATCH_MIN ? BATCH_MIN : most > BATCH_MAX ? BATCH_MAX : most;
	int rc = ims_graph_entries(g, order, 1, err);
	if (!rc)
		rc = ims_graph_link(g, order + 1, entries - 1, 1, most, 1, g->beam / 2, job, done, total,
			err);
	if (!rc)
		rc = ims_graph_entries(g, order, entries, err);
	if (!rc)
		rc = ims_graph_link(g, order + entries, n - entries, entries, most, 1, g->beam / 2, job,
			done + entries, total, err);
	if (!rc)
		rc = ims_graph_link(g, order, n, most, most, g->alpha, g->beam, job, done + n, total, err);
	return rc;
}

/* Prunes the links of every node to the degree. */
static int cut(graph *g, imgsearch_error *err)
{
	graph_scratch *s;
	uint32_t degree = g->degree, *links;
	int rc = ims_graph_scratch_acquire(g, &s, err);
	if (rc)
		return rc;
	if (!ims_graph_reserve_candidates(s, g->stride))
		rc = ims_nomem(err);
	for (uint32_t i = 0; !rc && i < g->n; i++) {
		uint32_t *from = ims_graph_links(g, i);
		size_t n = ims_graph_count(g, i);
		if (n > degree) {
			ims_graph_add_candidates(g, s, i, 0, from, n);
			n = ims_graph_prune(g, s, i, n, g->alpha, from, degree);
		}
		if (n < degree)
			from[n] = GRAPH_NONE;
		memmove(g->links + (size_t)i * degree, from, degree * sizeof *from);
	}
	ims_graph_scratch_release(g, s);
	g->stride = degree;
	links = rc || !g->n ? NULL : ims_alloc_aligned(g->n * degree, sizeof *links);
	if (links) { /* frees the room for more links; without memory it stays */
		memcpy(links, g->links, g->n * degree * sizeof *links);
		ims_free(g->links);
		g->links = links;
		g->room = g->n;
	}
	return rc;
}

/* ----------------------------------------------------------------------------------- build ---- */

static uint32_t clamp(uint32_t value, uint32_t least, uint32_t most)
{
	return value < least ? least : value > most ? most : value;
}

int ims_graph_build(searcher **out, const row_source *rows, const search_params *p, job *job,
	imgsearch_error *err)
{
	graph *g = NULL;
	uint32_t *order = NULL, degree = p->degree ? p->degree : IMGSEARCH_DEGREE_DEFAULT;
	uint64_t total = 3 * (uint64_t)rows->n + 1;
	size_t firsts;
	int rc = ims_graph_new(&g, rows, err);
	if (!rc && rows->n > GRAPH_SLOTS)
		rc = ims_fail(err, IMGSEARCH_ELIMIT, "a graph holds at most %d rows", GRAPH_SLOTS);
	if (rc)
		goto done;
	g->degree = clamp(degree, IMGSEARCH_DEGREE_MIN, IMGSEARCH_DEGREE_MAX);
	g->stride = g->degree + g->degree / 2;
	g->beam = clamp(p->beam ? p->beam : IMGSEARCH_BEAM_DEFAULT, IMGSEARCH_BEAM_MIN,
		IMGSEARCH_BEAM_MAX);
	g->alpha = alpha_built;
	if ((rc = ims_graph_quantiser_fit(&g->quantiser, rows, p, job, err))
		|| (rc = ims_graph_reserve(g, rows->n, err)) || (rc = encode_all(g, rows, job, total, err)))
		goto done;
	order = ims_alloc(g->n, sizeof *order);
	if (!order) {
		rc = ims_nomem(err);
		goto done;
	}
	shuffle(order, g->n, p->seed + 1);
	rc = ims_graph_split_copies(g, order, &firsts, err);
	if (!rc && g->n)
		rc = link_all(g, order, firsts, job, g->n, total, err);
	if (!rc)
		rc = cut(g, err);
	if (!rc && firsts < g->n)
		rc = ims_graph_chain_copies(g, err);
	if (!rc)
		rc = ims_graph_connect(g, err);
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
