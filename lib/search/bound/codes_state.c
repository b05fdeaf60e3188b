/*
 * Saving and loading codes: a header, the axes, the errors of blocks, the columns of the stages,
 * the ids. A loaded header is untrusted: every size is checked before memory is allocated for
 * it.
 */
#include "search/bound/codes_state.h"

#include "search/bound/chunks.h"

#include <string.h>

static const char magic[] = "IMSCODES"; /* saved without its end */
enum { MAGIC_SIZE = sizeof magic - 1 };

/* ------------------------------------------------------------------------------------ save ---- */

static void put_header(const codes *c, buf *b)
{
	ims_buf_put(b, magic, MAGIC_SIZE);
	ims_buf_u32(b, c->dim);
	ims_buf_u32(b, (uint32_t)c->metric);
	ims_buf_u32(b, c->axes.components);
	ims_buf_u32(b, c->stages);
	ims_buf_u64(b, c->n);
	ims_buf_u64(b, c->live);
	ims_buf_f32(b, (float)(c->axes.skew * 1.000001) + 1e-37f); /* bounds are rounded up */
	ims_buf_f32(b, (float)(c->radius * 1.000001));
	for (unsigned i = 0; i < c->stages; i++) {
		const code_stage *s = &c->stage[i];
		ims_buf_u32(b, s->first);
		ims_buf_u32(b, s->count);
		ims_buf_u32(b, s->raw);
		ims_buf_u32(b, s->blocks);
		ims_buf_f32(b, s->longest);
		ims_buf_put(b, s->scale, s->count * sizeof(float));
	}
	ims_buf_put(b, c->mean, c->dim * sizeof(float));
}

int ims_codes_save(const codes *c, const chunk_sink *sink, uint32_t *number, imgsearch_error *err)
{
	buf b = { 0 };
	size_t errors = ims_codes_blocks(c->n) * sizeof(float);
	put_header(c, &b);
	int rc = b.failed ? ims_nomem(err) : sink->put(sink->ctx, (*number)++, b.data, b.len, err);
	if (!rc)
		rc = ims_chunks_put(sink, number, c->axes.panels, ims_projection_size(&c->axes), err);
	for (unsigned i = 0; !rc && i < c->stages; i++)
		if (c->stage[i].blocks)
			rc = ims_chunks_put(sink, number, c->stage[i].block_error, errors, err);
	for (unsigned i = 0; !rc && i < c->stages; i++) {
		const code_stage *s = &c->stage[i];
		rc = ims_column_save(&s->column, ims_stage_items(s, c->n), sink, number, err);
	}
	if (!rc)
		rc = ims_column_save(&c->ids, c->n, sink, number, err);
	ims_buf_free(&b);
	return rc;
}

/* ------------------------------------------------------------------------------------ load ---- */

static bool in_range(const float *f, size_t n, float low, float high)
{
	for (size_t i = 0; i < n; i++)
		if (!(f[i] >= low && f[i] <= high))
			return false;
	return true;
}

static int get_floats(reader *r, float **out, size_t n, float low, float high, imgsearch_error *err)
{
	const void *data = ims_read_bytes(r, n * sizeof(float));
	if (!data)
		return ims_fail(err, IMGSEARCH_EFORMAT, "the header of the codes is cut off");
	*out = ims_alloc_aligned(n, sizeof(float));
	if (!*out)
		return ims_nomem(err);
	memcpy(*out, data, n * sizeof(float));
	if (in_range(*out, n, low, high))
		return 0;
	return ims_fail(err, IMGSEARCH_EFORMAT, "the header of the codes has a number out of range");
}

/*
 * Whether stage i follows stage i - 1, and fits the kernels. covered: components of those before.
 */
static bool stage_fits(const codes *c, unsigned i, uint32_t covered)
{
	const code_stage *s = &c->stage[i];
	uint32_t end = s->raw ? c->dim : c->axes.components;
	if (!s->count || s->count > end || s->first > end - s->count)
		return false;
	if (!in_range(&s->longest, 1, 0, 1e9f))
		return false;
	if (i == 0 ? !s->blocks : s->blocks && (s->raw || !s[-1].blocks))
		return false;
	if (s->blocks && s->count > IMS_SCAN_MAX)
		return false;
	return s->raw ? !s->first && s->count == c->dim && i + 1 == c->stages : s->first == covered;
}

static int get_stage(reader *r, codes *c, unsigned i, uint32_t *covered, imgsearch_error *err)
{
	code_stage *s = &c->stage[i];
	s->first = ims_read_u32(r);
	s->count = ims_read_u32(r);
	s->raw = ims_read_u32(r) != 0;
	s->blocks = ims_read_u32(r) != 0;
	s->longest = ims_read_f32(r);
	if (r->failed || !stage_fits(c, i, *covered))
		return ims_fail(err, IMGSEARCH_EFORMAT, "stage %u of the codes is out of range", i);
	*covered += s->raw ? 0 : s->count;
	ims_stage_init(s, i, &c->lock);
	return get_floats(r, &s->scale, s->count, 0, 1e16f, err);
}

static bool sizes_fit(const codes *c, const row_source *rows, uint64_t n, uint64_t live)
{
	return c->dim == rows->dim && c->metric == rows->metric && c->axes.components <= c->dim
		&& c->stages && c->stages <= CODE_STAGES && n && n <= CODES_MAX && live <= n
		&& c->axes.skew >= 0 && c->axes.skew < 0.01 && c->radius > 0 && c->radius < 1e16;
}

static int get_header(reader *r, codes *c, const row_source *rows, imgsearch_error *err)
{
	const void *start = ims_read_bytes(r, MAGIC_SIZE);
	uint32_t covered = 0;
	if (!start || memcmp(start, magic, MAGIC_SIZE))
		return ims_fail(err, IMGSEARCH_EFORMAT, "no codes where they are expected");
	c->dim = c->axes.dim = ims_read_u32(r);
	c->metric = (imgsearch_metric)ims_read_u32(r);
	c->axes.components = ims_read_u32(r);
	uint32_t stages = ims_read_u32(r);
	uint64_t n = ims_read_u64(r), live = ims_read_u64(r);
	c->axes.skew = ims_read_f32(r);
	c->radius = ims_read_f32(r);
	c->stages = stages <= CODE_STAGES ? stages : 0;
	if (r->failed || !sizes_fit(c, rows, n, live))
		return ims_fail(err, IMGSEARCH_EFORMAT, "the header of the codes does not fit the rows");
	c->n = (size_t)n;
	c->live = (size_t)live;
	int rc = 0;
	for (unsigned i = 0; !rc && i < c->stages; i++)
		rc = get_stage(r, c, i, &covered, err);
	if (!rc)
		rc = get_floats(r, &c->mean, c->dim, -1e16f, 1e16f, err);
	if (!rc && (covered != c->axes.components || !c->stage[c->stages - 1].raw))
		rc = ims_fail(err, IMGSEARCH_EFORMAT, "the stages of the codes do not add up");
	return rc;
}

static int load_axes(codes *c, const chunk_source *source, uint32_t *number, imgsearch_error *err)
{
	size_t size = ims_projection_size(&c->axes);
	if (!size)
		return 0;
	c->axes.panels = ims_alloc_aligned(size, 1);
	if (!c->axes.panels)
		return ims_nomem(err);
	int rc = ims_chunks_get(source, number, c->axes.panels, size, err);
	if (!rc && !in_range(c->axes.panels, size / sizeof(float), -2, 2))
		rc = ims_fail(err, IMGSEARCH_EFORMAT, "the axes of the codes have a number out of range");
	return rc;
}

static int load_errors(const codes *c, code_stage *s, const chunk_source *source, uint32_t *number,
	imgsearch_error *err)
{
	size_t blocks = ims_codes_blocks(c->n);
	s->block_error = ims_alloc(blocks, sizeof(float));
	if (!s->block_error)
		return ims_nomem(err);
	int rc = ims_chunks_get(source, number, s->block_error, blocks * sizeof(float), err);
	if (!rc && !in_range(s->block_error, blocks, 0, 1e17f))
		rc = ims_fail(err, IMGSEARCH_EFORMAT, "the errors of the codes have a number out of range");
	return rc;
}

static int load_arrays(codes *c, const chunk_source *source, uint32_t *number, imgsearch_error *err)
{
	size_t errors = ims_codes_blocks(c->n) * sizeof(float), chunks = source->chunks;
	if (errors >> 20 > chunks || ims_projection_size(&c->axes) >> 20 > chunks)
		return ims_fail(err, IMGSEARCH_EFORMAT, "codes of %zu rows in %zu chunks", c->n, chunks);
	int rc = load_axes(c, source, number, err);
	c->block_cap = ims_codes_blocks(c->n);
	for (unsigned i = 0; !rc && i < c->stages; i++)
		if (c->stage[i].blocks)
			rc = load_errors(c, &c->stage[i], source, number, err);
	for (unsigned i = 0; !rc && i < c->stages; i++) {
		code_stage *s = &c->stage[i];
		rc = ims_column_load(&s->column, ims_stage_items(s, c->n), source, number, err);
	}
	return rc ? rc : ims_column_load(&c->ids, c->n, source, number, err);
}

int ims_codes_load(codes **out, const row_source *rows, const chunk_source *source,
	uint32_t *number, imgsearch_error *err)
{
	buf b = { 0 };
	codes *c = ims_codes_new(err);
	*out = NULL;
	if (!c)
		return IMGSEARCH_ENOMEM;
	int rc = source->get(source->ctx, (*number)++, &b, err);
	reader r = { .data = b.data, .len = b.len };
	if (!rc)
		rc = get_header(&r, c, rows, err);
	if (!rc)
		rc = load_arrays(c, source, number, err);
	ims_buf_free(&b);
	if (rc)
		ims_codes_free(c);
	else
		*out = c;
	return rc;
}
