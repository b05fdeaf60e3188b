/*
 * The saved form of the kdtree searcher: a header, the tree, then its rows with their ids, or the
 * codes.
 */
#include "search/bound/kdtree.h"

#include "search/bound/chunks.h"
#include "search/bound/codes_state.h"
#include "search/internal.h"

#include <math.h>
#include <string.h>

typedef enum kind { SCAN, ROWS, CODES } kind; /* in the saved header */

static float *place(float *rows, size_t i, size_t dim)
{
	return rows + i / IMS_BLOCK_ROWS * IMS_BLOCK_ROWS * dim + i % IMS_BLOCK_ROWS;
}

void ims_kdtree_put_row(float *rows, size_t i, const float *row, size_t dim)
{
	float *to = place(rows, i, dim);
	for (size_t c = 0; c < dim; c++)
		to[c * IMS_BLOCK_ROWS] = row[c];
}

float *ims_kdtree_rows(size_t n, size_t dim)
{
	size_t blocks = ims_codes_blocks(n), last = (blocks - 1) * IMS_BLOCK_ROWS * dim;
	float *rows = n ? ims_alloc_aligned(blocks * IMS_BLOCK_ROWS, dim * sizeof(float)) : NULL;
	for (size_t i = 0; rows && i < IMS_BLOCK_ROWS * dim; i++)
		rows[last + i] = NAN;
	return rows;
}

/* The rows, one after the other. */
static int save_rows(const kdtree *s, const chunk_sink *sink, uint32_t *number,
	imgsearch_error *err)
{
	size_t n = s->tree.n, dim = s->coded.base.rows->dim;
	float *rows = ims_alloc(n, dim * sizeof *rows);
	for (size_t i = 0; rows && i < n * dim; i++)
		rows[i] = place(s->rows, i / dim, dim)[i % dim * IMS_BLOCK_ROWS];
	int rc = rows ? ims_chunks_put(sink, number, rows, n * dim * sizeof *rows, err)
				  : ims_nomem(err);
	if (!rc)
		rc = ims_chunks_put(sink, number, s->ids, n * sizeof(int64_t), err);
	ims_free(rows);
	return rc;
}

int ims_kdtree_save(const searcher *base, const chunk_sink *sink, imgsearch_error *err)
{
	const kdtree *s = (const kdtree *)base;
	uint32_t number = 1;
	buf head = { 0 }, tree = { 0 };
	if (s->tree.nodes)
		ims_kd_save(&s->tree, &tree);
	ims_buf_put(&head, "IMSKDTR", 8);
	ims_buf_u32(&head, !s->tree.nodes ? SCAN : s->rows ? ROWS : CODES);
	ims_buf_u32(&head, s->tree.n);
	ims_buf_u64(&head, tree.len);
	ims_buf_f32(&head, (float)(s->longest * 1.000001));
	int rc = head.failed || tree.failed ? ims_nomem(err) : 0;
	if (!rc)
		rc = sink->put(sink->ctx, 0, head.data, head.len, err);
	if (!rc)
		rc = ims_chunks_put(sink, &number, tree.data, tree.len, err);
	if (!rc && s->rows)
		rc = save_rows(s, sink, &number, err);
	if (!rc && s->coded.codes)
		rc = ims_codes_save(s->coded.codes, sink, &number, err);
	ims_buf_free(&head);
	ims_buf_free(&tree);
	return rc;
}

/* Whether the chunks can hold so many bytes: checked before memory is allocated. */
static bool plausible(const chunk_source *source, uint64_t bytes)
{
	return bytes >> 20 <= source->chunks;
}

static int load_rows(kdtree *s, const chunk_source *source, uint32_t *number, imgsearch_error *err)
{
	size_t n = s->tree.n, dim = s->coded.base.rows->dim;
	if (dim > KDTREE_RAW_DIM
		|| !plausible(source, (uint64_t)n * (dim * sizeof(float) + sizeof(int64_t))))
		return ims_fail(err, IMGSEARCH_EFORMAT, "a tree of %zu rows in %u chunks", n,
			source->chunks);
	float *rows = ims_alloc(n, dim * sizeof *rows);
	s->rows = ims_kdtree_rows(n, dim);
	s->ids = ims_alloc(n, sizeof(int64_t));
	int rc = rows && s->rows && s->ids
		? ims_chunks_get(source, number, rows, n * dim * sizeof *rows, err)
		: ims_nomem(err);
	for (size_t i = 0; !rc && i < n; i++)
		ims_kdtree_put_row(s->rows, i, rows + i * dim, dim);
	ims_free(rows);
	return rc ? rc : ims_chunks_get(source, number, s->ids, n * sizeof(int64_t), err);
}

/* Whether the tree is over the rows or codes that were loaded with it. */
static bool tree_fits(const kdtree *s)
{
	const codes *c = s->coded.codes;
	if (!c)
		return s->tree.coordinates == s->coded.base.rows->dim;
	return s->tree.coordinates <= c->axes.components && c->n == s->tree.n;
}

static int load_tree(kdtree *s, const chunk_source *source, imgsearch_error *err)
{
	uint32_t number = 1;
	buf head = { 0 };
	uint8_t *tree = NULL;
	int rc = source->get(source->ctx, 0, &head, err);
	reader r = { .data = head.data, .len = head.len };
	const void *magic = ims_read_bytes(&r, 8);
	uint32_t kind = ims_read_u32(&r), n = ims_read_u32(&r);
	uint64_t size = ims_read_u64(&r);
	s->longest = ims_read_f32(&r);
	bool sound = !r.failed && !memcmp(magic, "IMSKDTR", 8) && kind <= CODES
		&& plausible(source, size) && s->longest >= 0 && s->longest < 1e16;
	if (!rc && !sound)
		rc = ims_fail(err, IMGSEARCH_EFORMAT, "not the state of a kdtree searcher");
	if (rc || !kind)
		goto done;
	tree = ims_alloc(size, 1);
	rc = tree ? ims_chunks_get(source, &number, tree, size, err) : ims_nomem(err);
	reader t = { .data = tree, .len = size };
	if (!rc)
		rc = ims_kd_load(&s->tree, &t, n, err);
	if (!rc)
		rc = kind == ROWS
			? load_rows(s, source, &number, err)
			: ims_codes_load(&s->coded.codes, s->coded.base.rows, source, &number, err);
	if (!rc && !tree_fits(s))
		rc = ims_fail(err, IMGSEARCH_EFORMAT, "the tree does not fit its rows");
done:
	ims_buf_free(&head);
	ims_free(tree);
	return rc;
}

int ims_kdtree_load(searcher **out, const row_source *rows, const chunk_source *source,
	imgsearch_error *err)
{
	kdtree *s = ims_coded_new(&ims_search_kdtree, sizeof *s, rows, err);
	return s ? ims_coded_finish(out, &s->coded, load_tree(s, source, err)) : IMGSEARCH_ENOMEM;
}
