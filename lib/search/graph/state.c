/*
 * Saving and loading. Chunk 0 is the header: sizes, the parameters of the quantiser, the operating
 * points, the entry points. Then come the arrays one after the other, each cut into chunks of 1
 * MiB: axes, ids, links, deleted bits, codes, residual codes. Several threads read chunks into
 * place.
 *
 * Bytes are untrusted: every size in the header agrees with the number of chunks before memory
 * is allocated, every chunk has its one right length, and every link and entry point is below the
 * number of slots. Codes and ids may be anything: they only make answers bad.
 */
#include "search/graph/state.h"

#include <math.h>

enum { CHUNK = 1 << 20, MAGIC = 0x31475249, SECTIONS = 6, LOAD_THREADS = 8 };

typedef enum kind { AXES, IDS, LINKS, DELETED, CODES, RESIDUALS } kind;

typedef struct section {
	uint8_t *data;
	size_t size;
	uint32_t first, chunks; /* numbers of its chunks */
} section;

/* The arrays, and the numbers of their chunks. */
static void sections_of(const graph *g, section out[SECTIONS])
{
	const graph_quantiser *qz = &g->quantiser;
	out[AXES] = (section){ .data = qz->axes, .size = (size_t)qz->components * qz->axis_size };
	out[IDS] = (section){ .data = (uint8_t *)g->ids, .size = g->n * sizeof *g->ids };
	out[LINKS] = (section){
		.data = (uint8_t *)g->links,
		.size = g->n * g->stride * sizeof *g->links,
	};
	out[DELETED] = (section){
		.data = (uint8_t *)g->deleted,
		.size = (g->n + 63) / 64 * sizeof *g->deleted,
	};
	out[CODES] = (section){ .data = g->codes, .size = g->n * qz->size };
	out[RESIDUALS] = (section){ .data = g->residuals, .size = g->n * qz->residual_size };
	uint32_t at = 1;
	for (int i = 0; i < SECTIONS; i++) {
		out[i].first = at;
		out[i].chunks = (uint32_t)((out[i].size + CHUNK - 1) / CHUNK);
		at += out[i].chunks;
	}
}

/* Arrays are saved as they lie in memory. */
static bool little_endian(void)
{
	const uint32_t one = 1;
	return *(const uint8_t *)&one == 1;
}

/* ---------------------------------------------------------------------------------- saving ---- */

static void put_header(const graph *g, buf *b)
{
	const graph_quantiser *qz = &g->quantiser;
	ims_buf_u32(b, MAGIC);
	ims_buf_u32(b, ims_search_graph.version);
	ims_buf_u32(b, qz->dim);
	ims_buf_u32(b, qz->components);
	ims_buf_u32(b, qz->augmented);
	ims_buf_u32(b, g->degree);
	ims_buf_u32(b, g->beam);
	ims_buf_u32(b, g->points);
	ims_buf_u64(b, g->n);
	ims_buf_u64(b, g->entries);
	ims_buf_f32(b, g->alpha);
	ims_buf_f32(b, qz->step);
	ims_buf_f32(b, qz->axis_step);
	ims_buf_f32(b, qz->length);
	ims_buf_f32(b, qz->residual_factor_max);
	for (uint32_t i = 0; i < g->points; i++) {
		ims_buf_f32(b, g->point[i].recall_in);
		ims_buf_f32(b, g->point[i].recall_out);
		ims_buf_u32(b, g->point[i].ef);
		ims_buf_f32(b, g->point[i].margin);
		ims_buf_f32(b, g->point[i].contrast);
	}
	for (size_t i = 0; i < g->entries; i++)
		ims_buf_u32(b, g->entry[i]);
	for (uint32_t i = 0; i < qz->dim; i++)
		ims_buf_f32(b, qz->mean[i]);
}

int ims_graph_save(const searcher *s, const chunk_sink *sink, imgsearch_error *err)
{
	const graph *g = (const graph *)s;
	section part[SECTIONS];
	buf header = { 0 };
	if (!little_endian())
		return ims_fail(err, IMGSEARCH_EUNSUPPORTED,
			"graphs are kept on little-endian machines only");
	put_header(g, &header);
	int rc = header.failed ? ims_nomem(err) : sink->put(sink->ctx, 0, header.data, header.len, err);
	sections_of(g, part);
	for (int i = 0; i < SECTIONS; i++)
		for (uint32_t j = 0; !rc && j < part[i].chunks; j++) {
			size_t at = (size_t)j * CHUNK, left = part[i].size - at;
			rc = sink->put(sink->ctx, part[i].first + j, part[i].data + at,
				left < CHUNK ? left : CHUNK, err);
		}
	ims_buf_free(&header);
	return rc;
}

/* --------------------------------------------------------------------------------- loading ---- */

static int damaged(imgsearch_error *err, const char *what)
{
	return ims_fail(err, IMGSEARCH_EFORMAT, "the kept graph is damaged: %s", what);
}

static bool usable(float v)
{
	return isfinite(v) && v > 0;
}

/* Reads the fixed fields, and checks them against the rows and the number of chunks. */
static int get_sizes(graph *g, reader *r, uint32_t chunks, imgsearch_error *err)
{
	graph_quantiser *qz = &g->quantiser;
	const row_source *rows = g->base.rows;
	uint32_t magic = ims_read_u32(r), version = ims_read_u32(r), dim = ims_read_u32(r);
	uint32_t components = ims_read_u32(r), augmented = ims_read_u32(r);
	if (r->failed || magic != MAGIC)
		return damaged(err, "no header");
	if (version != ims_search_graph.version)
		return ims_fail(err, IMGSEARCH_EVERSION,
			"the kept graph has version %u, this library makes %u", version,
			ims_search_graph.version);
	g->degree = ims_read_u32(r);
	g->beam = ims_read_u32(r);
	g->points = ims_read_u32(r);
	uint64_t n = ims_read_u64(r), entries = ims_read_u64(r);
	g->alpha = ims_read_f32(r);
	qz->step = ims_read_f32(r);
	qz->axis_step = ims_read_f32(r);
	qz->length = ims_read_f32(r);
	qz->residual_factor_max = ims_read_f32(r);
	ims_graph_quantiser_shape(qz, rows->dim, rows->metric == IMGSEARCH_METRIC_IP);
	if (r->failed || dim != qz->dim || components != qz->components || augmented != qz->augmented)
		return damaged(err, "it is of other vectors");
	if (g->degree < IMGSEARCH_DEGREE_MIN || g->degree > IMGSEARCH_DEGREE_MAX
		|| g->beam < IMGSEARCH_BEAM_MIN || g->beam > IMGSEARCH_BEAM_MAX || g->points > GRAPH_POINTS
		|| !usable(g->alpha) || !usable(qz->step) || !usable(qz->axis_step)
		|| !usable(qz->residual_factor_max) || !(qz->length >= 0)
		|| n > (uint64_t)chunks * CHUNK / 8 || n > GRAPH_SLOTS || entries > n)
		return damaged(err, "a number in its header");
	g->stride = g->degree;
	g->n = (size_t)n;
	g->entries = (size_t)entries;
	section part[SECTIONS];
	sections_of(g, part);
	uint32_t end = part[RESIDUALS].first + part[RESIDUALS].chunks;
	return chunks == end ? 0 : damaged(err, "chunks are missing");
}

static int get_header(graph *g, reader *r, uint32_t chunks, imgsearch_error *err)
{
	graph_quantiser *qz = &g->quantiser;
	int rc = get_sizes(g, r, chunks, err);
	size_t n = g->n, entries = g->entries;
	g->n = g->entries = 0; /* the arrays are not there */
	if (rc)
		return rc;
	if (r->len - r->pos != g->points * 20u + (entries + qz->dim) * 4)
		return damaged(err, "the length of its header");
	for (uint32_t i = 0; i < g->points; i++) {
		graph_operating_point *l = &g->point[i];
		l->recall_in = ims_read_f32(r);
		l->recall_out = ims_read_f32(r);
		l->ef = ims_read_u32(r);
		l->margin = ims_read_f32(r);
		l->contrast = ims_read_f32(r); /* 0 in files of before */
		if (!l->ef || l->ef > GRAPH_EF_MAX || !(l->margin >= 0) || !(l->contrast >= 0))
			return damaged(err, "its tuning table");
	}
	if (g->points && g->point[g->points - 1].contrast > 0)
		return damaged(err, "its tuning table");
	if ((rc = ims_graph_quantiser_alloc(qz, err)) || (rc = ims_graph_reserve_unset(g, n, err)))
		return rc;
	g->n = n;
	g->entry = ims_alloc(entries + 1, sizeof *g->entry);
	if (!g->entry)
		return ims_nomem(err);
	for (; g->entries < entries; g->entries++)
		if ((g->entry[g->entries] = ims_read_u32(r)) >= n)
			return damaged(err, "an entry");
	for (uint32_t i = 0; i < qz->dim; i++)
		qz->mean[i] = ims_read_f32(r);
	return 0;
}

typedef struct state_loader {
	const graph *g;
	const chunk_source *source;
	section part[SECTIONS];
	atomic_int failed;
	imgsearch_error errors[LOAD_THREADS];
} state_loader;

static int load_chunk(state_loader *l, uint32_t number, imgsearch_error *err)
{
	int i = 0;
	while (number >= l->part[i].first + l->part[i].chunks)
		i++;
	size_t at = (size_t)(number - l->part[i].first) * CHUNK,
		   want = l->part[i].size - at < CHUNK ? l->part[i].size - at : CHUNK;
	buf b = { .data = l->part[i].data + at, .cap = want, .fixed = true };
	int rc = l->source->get(l->source->ctx, number, &b, err);
	if (b.failed || (!rc && b.len != want))
		rc = damaged(err, "the length of a chunk");
	if (!rc && i == LINKS) {
		const uint32_t *link = (const uint32_t *)b.data;
		uint32_t bad = 0, n = (uint32_t)l->g->n;
		for (size_t j = 0; j < want / 4; j++)
			bad |= (link[j] >= n) & (link[j] != GRAPH_NONE);
		rc = bad ? damaged(err, "a link") : 0;
	}
	return rc;
}

static void load_one(void *arg, size_t i, unsigned worker)
{
	state_loader *l = arg;
	if (atomic_load(&l->failed))
		return;
	int rc = load_chunk(l, (uint32_t)i + 1, &l->errors[worker]);
	if (rc) {
		l->errors[worker].code = rc;
		atomic_store(&l->failed, rc);
	}
}

static int load_arrays(graph *g, const chunk_source *source, imgsearch_error *err)
{
	state_loader l = { .g = g, .source = source };
	unsigned threads = ims_cpu_count();
	pool *pool = NULL;
	threads = threads > LOAD_THREADS ? LOAD_THREADS : threads;
	sections_of(g, l.part);
	if (threads > 1 && source->chunks > 16)
		ims_pool_new(&pool, threads, 2 * threads, NULL); /* without a pool one thread reads */
	ims_parallel(pool, source->chunks - 1, load_one, &l);
	ims_pool_free(pool);
	for (int i = 0; i < LOAD_THREADS; i++)
		if (l.errors[i].code) {
			if (err)
				*err = l.errors[i];
			return l.errors[i].code;
		}
	return 0;
}

/* Counts live, free and deleted slots. */
static int count(graph *g, imgsearch_error *err)
{
	size_t free_n = 0;
	for (size_t i = 0; i < g->n; i++)
		free_n += g->ids[i] == GRAPH_FREE;
	g->free_slot = ims_alloc(free_n, sizeof *g->free_slot);
	if (!g->free_slot)
		return ims_nomem(err);
	g->free_room = free_n;
	for (uint32_t i = 0; i < g->n; i++)
		if (g->ids[i] == GRAPH_FREE) {
			g->free_slot[g->free_n++] = i;
			g->deleted[i >> 6] |= (uint64_t)1 << (i & 63);
		} else if (ims_graph_is_deleted(g, i)) {
			g->deleted_n++;
		}
	g->live = g->n - g->free_n - g->deleted_n;
	return 0;
}

int ims_graph_load(searcher **out, const row_source *rows, const chunk_source *source,
	imgsearch_error *err)
{
	graph *g = NULL;
	buf header = { 0 };
	*out = NULL;
	int rc = ims_graph_new(&g, rows, err);
	if (!rc && !little_endian())
		rc = ims_fail(err, IMGSEARCH_EUNSUPPORTED,
			"graphs are kept on little-endian machines only");
	if (!rc && !source->chunks)
		rc = damaged(err, "no chunks");
	if (!rc)
		rc = source->get(source->ctx, 0, &header, err);
	reader r = { header.data, header.len, 0, false };
	if (!rc)
		rc = get_header(g, &r, source->chunks, err);
	if (!rc)
		rc = load_arrays(g, source, err);
	if (!rc)
		rc = count(g, err);
	if (!rc)
		ims_graph_quantiser_derive(&g->quantiser);
	if (!rc && g->entries)
		rc = ims_graph_entries(g, g->entry, g->entries, err);
	ims_buf_free(&header);
	if (rc)
		ims_graph_free(g);
	else
		*out = &g->base;
	return rc;
}
