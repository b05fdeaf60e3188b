/*
 * A batch is linked as in ParlayANN (Manohar et al. 2024). Every new node searches the graph as it
 * was before the batch, so that nodes do not wait for each other and the result does not depend on
 * threads. Then each node that was linked to gets its back links, and is pruned where it has too
 * many.
 */
#include "search/graph/link.h"

#include "search/graph/beam.h"

enum { CHUNK = 16 /* nodes that a worker links at once */ };

typedef struct batch {
	graph *g;
	const uint32_t *slot;
	size_t n, beam;
	float alpha;
	uint32_t *links; /* n * degree: the links of the new nodes */
	/* back links, grouped by their target */
	uint32_t *begin; /* of every slot: where its group begins in source */
	uint32_t *count;
	uint32_t *target;
	uint32_t *source;
	size_t targets;
	graph_scratch **scratch; /* of every worker */
	const job *job;          /* that may stop the call; or NULL */
	atomic_bool failed;
} batch;

bool ims_graph_find_links(const graph *g, graph_scratch *s, uint32_t slot, size_t beam, float alpha,
	uint32_t *out)
{
	int32_t own = ims_graph_node_query(ims_graph_code(g, slot), g->quantiser.size, s->query_code);
	size_t had = ims_graph_count(g, slot), n = 0;
	const graph_list *found = ims_graph_beam_search(g, s, s->query_code, beam, NULL, true);
	if (s->failed || !ims_graph_reserve_candidates(s, found->n + s->expanded_n + had))
		return false;
	for (size_t j = 0; j < found->n + s->expanded_n; j++) {
		graph_item item = j < found->n ? found->item[j] : s->expanded[j - found->n];
		if (!ims_graph_is_deleted(g, ims_graph_slot(item)))
			s->candidate[n++] = ims_graph_item(ims_graph_distance(item) + own,
				ims_graph_slot(item));
	}
	for (size_t j = 0; j < had; j++)
		if (!ims_graph_is_deleted(g, ims_graph_links(g, slot)[j]))
			ims_graph_add_candidates(g, s, slot, n++, ims_graph_links(g, slot) + j, 1);
	size_t kept = ims_graph_prune(g, s, slot, n, alpha, out, g->degree);
	for (; kept < g->degree; kept++)
		out[kept] = GRAPH_NONE;
	return true;
}

static void find_chunk(void *arg, size_t chunk, unsigned worker)
{
	batch *b = arg;
	if (ims_job_stopped(b->job))
		return;
	for (size_t i = chunk * CHUNK; i < b->n && i < (chunk + 1) * CHUNK; i++)
		if (!ims_graph_find_links(b->g, b->scratch[worker], b->slot[i], b->beam, b->alpha,
				b->links + i * b->g->degree))
			atomic_store(&b->failed, true);
}

bool ims_graph_link_back(graph *g, graph_scratch *s, uint32_t target, const uint32_t *source,
	size_t n, float alpha)
{
	uint32_t *links = ims_graph_links(g, target);
	size_t had = ims_graph_count(g, target), end = had;
	for (size_t i = 0; i < n; i++) {
		size_t j = 0;
		while (j < end && links[j] != source[i])
			j++;
		if (j < end)
			continue;
		if (end < g->stride) {
			links[end++] = source[i];
			continue;
		}
		if (!ims_graph_reserve_candidates(s, end + n - i))
			return false;
		ims_graph_add_candidates(g, s, target, 0, links, end);
		ims_graph_add_candidates(g, s, target, end, source + i, n - i);
		end = ims_graph_prune(g, s, target, end + n - i, alpha, links, g->degree);
		break;
	}
	if (end < g->stride)
		links[end] = GRAPH_NONE;
	return true;
}

static void back_chunk(void *arg, size_t chunk, unsigned worker)
{
	batch *b = arg;
	for (size_t i = chunk * CHUNK; i < b->targets && i < (chunk + 1) * CHUNK; i++) {
		uint32_t t = b->target[i];
		if (!ims_graph_link_back(b->g, b->scratch[worker], t, b->source + b->begin[t], b->count[t],
				b->alpha))
			atomic_store(&b->failed, true);
	}
}

/*
 * Puts the links of the new nodes in place. Groups the back links by target, in order of the nodes.
 */
static void group(batch *b)
{
	graph *g = b->g;
	uint32_t end = 0;
	b->targets = 0;
	for (size_t i = 0; i < b->n * g->degree; i++)
		if (b->links[i] != GRAPH_NONE && !b->count[b->links[i]]++)
			b->target[b->targets++] = b->links[i];
	for (size_t i = 0; i < b->targets; i++) {
		b->begin[b->target[i]] = end;
		end += b->count[b->target[i]];
		b->count[b->target[i]] = 0;
	}
	for (size_t i = 0; i < b->n; i++) {
		uint32_t *links = ims_graph_links(g, b->slot[i]);
		memcpy(links, b->links + i * g->degree, g->degree * sizeof *links);
		if (g->degree < g->stride)
			links[g->degree] = GRAPH_NONE;
		for (uint32_t j = 0; j < g->degree && links[j] != GRAPH_NONE; j++)
			b->source[b->begin[links[j]] + b->count[links[j]]++] = b->slot[i];
	}
}

static int batch_new(batch *b, size_t most, job *job, imgsearch_error *err)
{
	graph *g = b->g;
	unsigned workers = job ? ims_pool_threads(job->pool) : 1;
	b->links = ims_alloc(most * g->degree, sizeof *b->links);
	b->begin = ims_zalloc(g->room, sizeof *b->begin);
	b->count = ims_zalloc(g->room, sizeof *b->count);
	b->target = ims_alloc(most * g->degree, sizeof *b->target);
	b->source = ims_alloc(most * g->degree, sizeof *b->source);
	b->scratch = ims_zalloc(workers + 1, sizeof *b->scratch);
	bool made = b->links && b->begin && b->count && b->target && b->source && b->scratch;
	int rc = made ? 0 : ims_nomem(err);
	for (unsigned i = 0; !rc && i < workers; i++)
		rc = ims_graph_scratch_acquire(g, &b->scratch[i], err);
	return rc;
}

static void batch_free(batch *b)
{
	for (graph_scratch **s = b->scratch; s && *s; s++)
		ims_graph_scratch_release(b->g, *s);
	ims_free(b->links);
	ims_free(b->begin);
	ims_free(b->count);
	ims_free(b->target);
	ims_free(b->source);
	ims_free(b->scratch);
}

int ims_graph_link(graph *g, const uint32_t *slot, size_t n, size_t first, size_t most, float alpha,
	size_t beam, job *job, uint64_t done, uint64_t total, imgsearch_error *err)
{
	/* with a total the job is looked at, and the graph dropped where it stops */
	batch b = { .g = g, .beam = beam, .alpha = alpha, .job = total ? job : NULL };
	pool *pool = job ? job->pool : NULL;
	int rc = batch_new(&b, n < most ? n : most, job, err);
	for (size_t at = 0; !rc && at < n; at += b.n) {
		size_t size = at + first < most ? at + first : most; /* a batch at most doubles the graph */
		b.slot = slot + at;
		b.n = n - at < size ? n - at : size;
		ims_parallel(pool, (b.n + CHUNK - 1) / CHUNK, find_chunk, &b);
		if (!atomic_load(&b.failed) && !ims_job_stopped(b.job)) {
			group(&b);
			ims_parallel(pool, (b.targets + CHUNK - 1) / CHUNK, back_chunk, &b);
			for (size_t i = 0; i < b.targets; i++)
				b.count[b.target[i]] = 0;
		}
		if (atomic_load(&b.failed))
			rc = ims_nomem(err);
		else if (job && total)
			rc = ims_job_step(job, "build", done + at + b.n, total, err);
	}
	batch_free(&b);
	return rc;
}
