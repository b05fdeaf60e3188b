/* Where codes lie: columns of chunks, kept as they are in memory, read when first touched. */
#include "search/bound/code_store.h"

#include "kernels/kernels.h"

#include <math.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "codes are kept as they lie in memory, which is defined to be little-endian"
#endif

enum { CHUNK = 1 << 24 /* in memory: large enough for large pages */, PIECE = 1 << 20 /* kept */, OVER = 64 /* kernels may read so far past the last item */ };

static void column_size(column *col, size_t stride)
{
	col->stride = stride;
	for (col->shift = 0; ((size_t)2 << col->shift) * stride <= CHUNK; col->shift++)
		;
}

void ims_codes_level_size(code_level *l, bool first)
{
	size_t floats = l->blocks ? (first ? 2 : 3) : l->raw ? 2 : 4;
	l->bytes = (l->count + 3) / 4 * 4;
	column_size(&l->col, (l->blocks ? IMS_BLOCK_ROWS : 1) * (l->bytes + floats * sizeof(float)));
}

static size_t blocks_of(size_t rows)
{
	return (rows + IMS_BLOCK_ROWS - 1) / IMS_BLOCK_ROWS;
}

static size_t items(const codes *c, const column *col, size_t rows)
{
	for (unsigned l = 0; l < c->levels; l++)
		if (col == &c->level[l].col && c->level[l].blocks)
			return blocks_of(rows);
	return rows;
}

static void columns_free(column *col)
{
	for (size_t i = 0; i < col->chunks; i++)
		ims_free(atomic_load_explicit(&col->chunk[i], memory_order_relaxed));
	ims_free(col->chunk);
}

void ims_codes_free(codes *c)
{
	if (!c)
		return;
	for (unsigned l = 0; l < c->levels; l++) {
		columns_free(&c->level[l].col);
		ims_free(c->level[l].scale);
		ims_free(c->level[l].block_error);
	}
	columns_free(&c->ids);
	pthread_mutex_destroy(&c->lock);
	ims_free(c->mean);
	ims_free(c->panels);
	ims_free(c->by_id);
	ims_free(c->free_slot);
	ims_free(c);
}

static uint64_t column_memory(const column *col)
{
	uint64_t bytes = col->room * sizeof(*col->chunk);
	for (size_t i = 0; i < col->chunks; i++)
		if (atomic_load_explicit(&col->chunk[i], memory_order_relaxed))
			bytes += (i + 1 < col->chunks ? (size_t)1 << col->shift : col->last_cap) * col->stride + OVER;
	return bytes;
}

uint64_t ims_codes_memory(const codes *c)
{
	if (!c)
		return 0;
	uint64_t bytes = sizeof(*c) + column_memory(&c->ids) + c->dim * sizeof(float) +
		(c->by_id_cap + c->free_cap) * sizeof(uint32_t) + (uint64_t)(c->components + 31) / 32 * 32 * c->dim * sizeof(float);
	for (unsigned l = 0; l < c->levels; l++)
		bytes += column_memory(&c->level[l].col) + (c->level[l].count + (c->level[l].blocks ? c->block_cap : 0)) * sizeof(float);
	return bytes;
}

/* --------------------------------------------------------------------------------------------------- room ---- */

static uint8_t *new_chunk(const column *col, size_t n, imgsearch_error *err)
{
	uint8_t *chunk = ims_alloc_aligned(n * col->stride + OVER, 1);
	if (!chunk)
		ims_nomem(err);
	else
		memset(chunk, 0, n * col->stride + OVER);
	return chunk;
}

static int more_chunks(column *col, size_t chunks, imgsearch_error *err)
{
	if (chunks <= col->room)
		return 0;
	_Atomic(uint8_t *) *chunk = ims_realloc(col->chunk, chunks, sizeof(*chunk));
	if (!chunk)
		return ims_nomem(err);
	for (size_t i = col->room; i < chunks; i++)
		atomic_init(&chunk[i], NULL);
	col->chunk = chunk;
	col->room = chunks;
	return 0;
}

/* Makes the last chunk hold n items. */
static int widen_last(codes *c, column *col, size_t n, imgsearch_error *err)
{
	if (!col->chunks || n <= col->last_cap)
		return 0;
	size_t full = (size_t)1 << col->shift, doubled = col->last_cap * 2 > full ? full : col->last_cap * 2;
	n = n > doubled ? n : doubled;
	size_t last = col->chunks - 1;
	uint8_t *old = atomic_load_explicit(&col->chunk[last], memory_order_relaxed);
	if (!old && !(old = (uint8_t *)ims_codes_load_chunk(c, col, last, err)))
		return err ? err->code : IMGSEARCH_EFORMAT;
	uint8_t *wide = new_chunk(col, n, err);
	if (!wide)
		return IMGSEARCH_ENOMEM;
	memcpy(wide, old, col->last_cap * col->stride);
	atomic_store_explicit(&col->chunk[last], wide, memory_order_relaxed);
	ims_free(old);
	col->last_cap = n;
	return 0;
}

static int reserve_column(codes *c, column *col, size_t n, imgsearch_error *err)
{
	size_t full = (size_t)1 << col->shift, chunks = (n + full - 1) >> col->shift;
	if (!n)
		return 0;
	int rc = more_chunks(col, chunks, err);
	if (!rc)
		rc = widen_last(c, col, chunks > col->chunks ? full : n - ((chunks - 1) << col->shift), err);
	while (!rc && col->chunks < chunks) {
		size_t wanted = col->chunks + 1 < chunks ? full : n - ((chunks - 1) << col->shift);
		uint8_t *chunk = new_chunk(col, wanted, err);
		if (!chunk)
			return IMGSEARCH_ENOMEM;
		atomic_store_explicit(&col->chunk[col->chunks++], chunk, memory_order_relaxed);
		col->last_cap = wanted;
	}
	return rc;
}

/* What goes with blocks: their errors, and new rows score infinity. */
static int reserve_blocks(codes *c, size_t blocks, imgsearch_error *err)
{
	size_t had = c->block_cap;
	if (blocks <= had)
		return 0;
	size_t cap = had ? blocks + blocks / 8 : blocks;
	for (unsigned l = 0; l < c->levels; l++) {
		if (!c->level[l].blocks)
			continue;
		float *e = ims_realloc(c->level[l].block_error, cap, sizeof(*e));
		if (!e)
			return ims_nomem(err);
		memset(e + had, 0, (cap - had) * sizeof(*e));
		c->level[l].block_error = e;
	}
	c->block_cap = cap;
	return 0;
}

static void kill_rows(codes *c, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		*ims_codes_m(c, i) = INFINITY;
}

int ims_codes_reserve(codes *c, size_t n, imgsearch_error *err)
{
	if (!c->ids.stride)
		column_size(&c->ids, sizeof(int64_t));
	int rc = reserve_column(c, &c->ids, n, err);
	for (unsigned l = 0; !rc && l < c->levels; l++)
		rc = reserve_column(c, &c->level[l].col, items(c, &c->level[l].col, n), err);
	if (!rc)
		rc = reserve_blocks(c, blocks_of(n), err);
	if (!rc && blocks_of(n) > blocks_of(c->n))
		kill_rows(c, blocks_of(c->n) * IMS_BLOCK_ROWS, blocks_of(n) * IMS_BLOCK_ROWS);
	return rc;
}

/* --------------------------------------------------------------------------------------------------- save ---- */

int ims_codes_put_bytes(const chunk_sink *sink, uint32_t *number, const void *data, size_t size, imgsearch_error *err)
{
	int rc = 0;
	for (size_t at = 0; !rc && at < size; at += PIECE)
		rc = sink->put(sink->ctx, (*number)++, (const uint8_t *)data + at, size - at < PIECE ? size - at : PIECE, err);
	return rc;
}

static int save_column(codes *c, column *col, const chunk_sink *sink, uint32_t *number, imgsearch_error *err)
{
	size_t n = items(c, col, c->n), full = (size_t)1 << col->shift;
	int rc = 0;
	for (size_t i = 0; !rc && i << col->shift < n; i++) {
		size_t left = n - (i << col->shift);
		const uint8_t *chunk = ims_codes_at(c, col, i << col->shift, err);
		if (!chunk)
			return err ? err->code : IMGSEARCH_EFORMAT;
		rc = ims_codes_put_bytes(sink, number, chunk, (left < full ? left : full) * col->stride, err);
	}
	return rc;
}

static void save_header(const codes *c, buf *b)
{
	ims_buf_put(b, "IMSCODES", 8);
	ims_buf_u32(b, c->dim);
	ims_buf_u32(b, (uint32_t)c->metric);
	ims_buf_u32(b, c->components);
	ims_buf_u32(b, c->levels);
	ims_buf_u64(b, c->n);
	ims_buf_u64(b, c->live);
	ims_buf_f32(b, (float)(c->skew * 1.000001) + 1e-37f);
	ims_buf_f32(b, (float)(c->radius * 1.000001));
	for (unsigned l = 0; l < c->levels; l++) {
		const code_level *v = &c->level[l];
		ims_buf_u32(b, v->from);
		ims_buf_u32(b, v->count);
		ims_buf_u32(b, v->raw);
		ims_buf_u32(b, v->blocks);
		ims_buf_f32(b, v->longest);
		ims_buf_put(b, v->scale, v->count * sizeof(float));
	}
	ims_buf_put(b, c->mean, c->dim * sizeof(float));
}

static size_t panels_size(const codes *c)
{
	return (size_t)(c->components + IMS_PANEL - 1) / IMS_PANEL * IMS_PANEL * c->dim * sizeof(float);
}

int ims_codes_save(codes *c, const chunk_sink *sink, uint32_t *number, imgsearch_error *err)
{
	buf b = { 0 };
	save_header(c, &b);
	int rc = b.failed ? ims_nomem(err) : sink->put(sink->ctx, (*number)++, b.data, b.len, err);
	if (!rc)
		rc = ims_codes_put_bytes(sink, number, c->panels, panels_size(c), err);
	for (unsigned l = 0; !rc && l < c->levels; l++)
		if (c->level[l].blocks)
			rc = ims_codes_put_bytes(sink, number, c->level[l].block_error, blocks_of(c->n) * sizeof(float), err);
	for (unsigned l = 0; !rc && l < c->levels; l++)
		rc = save_column(c, &c->level[l].col, sink, number, err);
	if (!rc)
		rc = save_column(c, &c->ids, sink, number, err);
	ims_buf_free(&b);
	return rc;
}

/* --------------------------------------------------------------------------------------------------- load ---- */

static size_t pieces(size_t size)
{
	return (size + PIECE - 1) / PIECE;
}

int ims_codes_get_bytes(const chunk_source *source, uint32_t *number, void *data, size_t size, imgsearch_error *err)
{
	int rc = 0;
	for (size_t at = 0; !rc && at < size; at += PIECE) {
		size_t want = size - at < PIECE ? size - at : PIECE;
		buf b = { .data = (uint8_t *)data + at, .cap = want, .fixed = true };
		rc = source->get(source->ctx, (*number)++, &b, err);
		if (b.failed || (!rc && b.len != want))
			rc = ims_fail(err, IMGSEARCH_EFORMAT, "chunk %u has not the %zu bytes that belong there", *number - 1, want);
	}
	return rc;
}

const uint8_t *ims_codes_load_chunk(codes *c, column *col, size_t i, imgsearch_error *err)
{
	size_t n = items(c, col, c->n), full = (size_t)1 << col->shift, left = n - (i << col->shift);
	size_t size = (left < full ? left : full) * col->stride;
	pthread_mutex_lock(&c->lock);
	uint8_t *chunk = atomic_load_explicit(&col->chunk[i], memory_order_acquire);
	if (!chunk) {
		uint32_t number = col->first + (uint32_t)(i * pieces(full * col->stride));
		uint8_t *fresh = ims_alloc_aligned(size + OVER, 1);
		if (!fresh) {
			ims_nomem(err);
		} else if (ims_codes_get_bytes(c->source, &number, fresh, size, err)) {
			ims_free(fresh);
		} else {
			memset(fresh + size, 0, OVER);
			chunk = fresh;
			atomic_store_explicit(&col->chunk[i], chunk, memory_order_release);
		}
	}
	pthread_mutex_unlock(&c->lock);
	return chunk;
}

static bool sane(const float *f, size_t n, float low, float high)
{
	for (size_t i = 0; i < n; i++)
		if (!(f[i] >= low && f[i] <= high))
			return false;
	return true;
}

static int read_floats(reader *r, float **out, size_t n, float low, float high, imgsearch_error *err)
{
	const void *data = ims_read_bytes(r, n * sizeof(float));
	if (!data)
		return ims_fail(err, IMGSEARCH_EFORMAT, "the header of the codes is cut off");
	*out = ims_alloc_aligned(n, sizeof(float));
	if (!*out)
		return ims_nomem(err);
	memcpy(*out, data, n * sizeof(float));
	return sane(*out, n, low, high) ? 0 : ims_fail(err, IMGSEARCH_EFORMAT, "the header of the codes has a number out of range");
}

static int read_level(reader *r, codes *c, unsigned l, uint32_t *covered, imgsearch_error *err)
{
	code_level *v = &c->level[l];
	v->from = ims_read_u32(r);
	v->count = ims_read_u32(r);
	v->raw = ims_read_u32(r) != 0;
	v->blocks = ims_read_u32(r) != 0;
	v->longest = ims_read_f32(r);
	uint32_t end = v->raw ? c->dim : c->components;
	if (r->failed || !v->count || v->count > end || v->from > end - v->count || !sane(&v->longest, 1, 0, 1e9f) ||
		(l == 0 ? !v->blocks : v->blocks && (v->raw || !c->level[l - 1].blocks)) || (v->blocks && v->count > IMS_SCAN_MAX) || (v->raw ? v->from || v->count != c->dim || l + 1 != c->levels : v->from != *covered))
		return ims_fail(err, IMGSEARCH_EFORMAT, "level %u of the codes is out of range", l);
	*covered += v->raw ? 0 : v->count;
	ims_codes_level_size(v, l == 0);
	c->levels = l + 1 > c->levels ? l + 1 : c->levels;
	return read_floats(r, &v->scale, v->count, 0, 1e16f, err);
}

static int read_header(reader *r, codes *c, const row_source *rows, imgsearch_error *err)
{
	const void *magic = ims_read_bytes(r, 8);
	if (!magic || memcmp(magic, "IMSCODES", 8))
		return ims_fail(err, IMGSEARCH_EFORMAT, "no codes where they are expected");
	c->dim = ims_read_u32(r);
	c->metric = (imgsearch_metric)ims_read_u32(r);
	c->components = ims_read_u32(r);
	uint32_t levels = ims_read_u32(r), covered = 0;
	uint64_t n = ims_read_u64(r), live = ims_read_u64(r);
	c->skew = ims_read_f32(r);
	c->radius = ims_read_f32(r);
	if (r->failed || c->dim != rows->dim || c->metric != rows->metric || c->components > c->dim || !levels || levels > CODE_LEVELS ||
		!n || n > UINT32_MAX - 1024 || live > n || !(c->skew >= 0 && c->skew < 0.01) || !(c->radius > 0 && c->radius < 1e16))
		return ims_fail(err, IMGSEARCH_EFORMAT, "the header of the codes does not fit the rows");
	c->n = (size_t)n;
	c->live = (size_t)live;
	c->levels = levels;
	int rc = 0;
	for (unsigned l = 0; !rc && l < levels; l++)
		rc = read_level(r, c, l, &covered, err);
	if (!rc)
		rc = read_floats(r, &c->mean, c->dim, -1e16f, 1e16f, err);
	if (!rc && (covered != c->components || !c->level[levels - 1].raw))
		rc = ims_fail(err, IMGSEARCH_EFORMAT, "the levels of the codes do not add up");
	return rc;
}

static int load_column(codes *c, column *col, uint32_t *number, imgsearch_error *err)
{
	size_t n = items(c, col, c->n), full = (size_t)1 << col->shift, chunks = (n + full - 1) >> col->shift;
	size_t last = n - ((chunks - 1) << col->shift), kept = (chunks - 1) * pieces(full * col->stride) + pieces(last * col->stride);
	if (*number > c->source->chunks || kept > c->source->chunks - *number)
		return ims_fail(err, IMGSEARCH_EFORMAT, "codes of %zu rows in %u chunks", c->n, c->source->chunks);
	int rc = more_chunks(col, chunks, err);
	if (rc)
		return rc;
	col->chunks = chunks;
	col->last_cap = last;
	col->first = *number;
	*number += (uint32_t)kept;
	return 0;
}

static int load_errors(codes *c, code_level *l, uint32_t *number, imgsearch_error *err)
{
	size_t blocks = blocks_of(c->n);
	l->block_error = ims_alloc(blocks, sizeof(float));
	if (!l->block_error)
		return ims_nomem(err);
	int rc = ims_codes_get_bytes(c->source, number, l->block_error, blocks * sizeof(float), err);
	if (!rc && !sane(l->block_error, blocks, 0, 1e17f))
		rc = ims_fail(err, IMGSEARCH_EFORMAT, "the errors of the codes have a number out of range");
	return rc;
}

static int load_parts(codes *c, uint32_t *number, imgsearch_error *err)
{
	size_t blocks = blocks_of(c->n), axes = panels_size(c);
	if (blocks * sizeof(float) / PIECE > c->source->chunks || axes / PIECE > c->source->chunks)
		return ims_fail(err, IMGSEARCH_EFORMAT, "codes of %zu rows in %u chunks", c->n, c->source->chunks);
	c->panels = axes ? ims_alloc_aligned(axes, 1) : NULL;
	int rc = c->panels || !axes ? ims_codes_get_bytes(c->source, number, c->panels, axes, err) : ims_nomem(err);
	if (!rc && !sane(c->panels, axes / sizeof(float), -2, 2))
		rc = ims_fail(err, IMGSEARCH_EFORMAT, "the axes of the codes have a number out of range");
	c->block_cap = blocks;
	for (unsigned l = 0; !rc && l < c->levels; l++)
		if (c->level[l].blocks)
			rc = load_errors(c, &c->level[l], number, err);
	for (unsigned l = 0; !rc && l < c->levels; l++)
		rc = load_column(c, &c->level[l].col, number, err);
	column_size(&c->ids, sizeof(int64_t));
	return rc ? rc : load_column(c, &c->ids, number, err);
}

int ims_codes_load(codes **out, const row_source *rows, const chunk_source *source, uint32_t *number, imgsearch_error *err)
{
	buf b = { 0 };
	codes *c = ims_zalloc(1, sizeof(*c));
	*out = NULL;
	if (!c)
		return ims_nomem(err);
	pthread_mutex_init(&c->lock, NULL);
	c->source = source;
	int rc = source->get(source->ctx, (*number)++, &b, err);
	reader r = { .data = b.data, .len = b.len };
	if (!rc)
		rc = read_header(&r, c, rows, err);
	if (!rc)
		rc = load_parts(c, number, err);
	ims_buf_free(&b);
	if (rc)
		ims_codes_free(c);
	else
		*out = c;
	return rc;
}
