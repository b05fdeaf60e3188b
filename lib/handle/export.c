/*
 * Exports: blocks of vectors in order of id, in one snapshot. A block is read by its keys, and the
 * items are looked up behind it, so that no read runs within another one.
 */
#include "handle/export.h"

#include "handle/items.h"
#include "handle/view.h"
#include "store/transfer.h"

#include <string.h>

enum { BLOCK_BYTES = 1 << 20, BLOCK_LEAST = 16, BLOCK_MOST = 1024 };

typedef struct export
{
	imgsearch *s;
	const imgsearch_vectors_export_options *options;
	imgsearch_vectors_export_fn each;
	void *user;
	job *job;
	imgsearch_error *err;
	const space *space;
	offline_folders offline;
	imgsearch_vectors_export_block block;
	int64_t *ids;
	float *rows;
	imgsearch_item **items;
	size_t n, most; /* of the block */
	uint64_t done;
}
export;

static int take_row(void *user, const store_value *row, imgsearch_error *err)
{
	export *x = user;
	uint32_t dim = x->space->dim;
	if (row[1].size != dim * sizeof *x->rows)
		return ims_fail(err, IMGSEARCH_EDB,
			"index %s is damaged: vector %lld has %zu bytes instead of %zu",
			ims_store_label(x->s->store), (long long)row->number, row[1].size,
			dim * sizeof *x->rows);
	x->ids[x->n] = row->number;
	memcpy(x->rows + x->n++ * dim, row[1].data, row[1].size);
	return 0;
}

static int read_item(export *x, store_picture *p, int64_t id, imgsearch_item **out)
{
	int rc = p->path ? 0 : ims_item_vector_row(x->s, id, p, x->err);
	return rc ? rc : ims_item_make(x->s, p, p->root_path, &x->offline, out, x->err);
}

static int read_items(export *x)
{
	store_picture *p = ims_zalloc(x->n, sizeof *p);
	int rc = p ? ims_store_get(x->s->store, x->ids, x->n, p, x->err) : ims_nomem(x->err);
	for (size_t i = 0; !rc && i < x->n; i++)
		rc = read_item(x, &p[i], x->ids[i], &x->items[i]);
	if (p)
		ims_store_pictures_clear(p, x->n);
	ims_free(p);
	return rc;
}

static void free_items(export *x)
{
	for (size_t i = 0; x->items && i < x->n; i++) {
		imgsearch_item_free(x->items[i]);
		x->items[i] = NULL;
	}
}

/* The next block behind the id `after`; x->n is 0 at the end. */
static int read_block(export *x, int64_t after)
{
	const store_value key = { .kind = VALUE_NUMBER, .number = after };
	x->n = 0;
	int rc = ims_store_table_each(x->s->store, TABLE_VECTOR, &key, x->most, take_row, x, x->err);
	for (size_t i = 0; !rc && x->options->compared && i < x->n; i++) {
		float *row = x->rows + i * x->space->dim;
		ims_space_apply(x->space, row, row);
	}
	return rc || !x->options->with_items ? rc : read_items(x);
}

static int export_block(export *x)
{
	x->block.count = x->n;
	x->done += x->n;
	int rc = ims_job_step(x->job, "export", x->done, x->block.total, x->err);
	return rc ? rc : ims_call_export(x->each, x->user, &x->block);
}

static int export_blocks(export *x)
{
	int64_t after = INT64_MIN;
	int rc;
	do {
		rc = read_block(x, after);
		if (!rc && x->n)
			rc = export_block(x);
		after = x->n ? x->ids[x->n - 1] : after;
		free_items(x);
	} while (!rc && x->n);
	return rc;
}

static int make_room(export *x)
{
	uint32_t dim = x->space->dim;
	x->most = BLOCK_BYTES / (dim * sizeof *x->rows);
	x->most = x->most < BLOCK_LEAST ? BLOCK_LEAST : x->most > BLOCK_MOST ? BLOCK_MOST : x->most;
	x->ids = ims_alloc(x->most, sizeof *x->ids);
	x->rows = ims_alloc_aligned(x->most, dim * sizeof *x->rows);
	x->items = x->options->with_items ? ims_zalloc(x->most, sizeof *x->items) : NULL;
	x->block.ids = x->ids;
	x->block.rows = x->rows;
	x->block.items = (const imgsearch_item *const *)x->items;
	return x->ids && x->rows && (x->items || !x->options->with_items) ? 0 : ims_nomem(x->err);
}

/* What the blocks have in common. */
static int describe(export *x, store_model *model)
{
	store_counts counts;
	int rc = ims_store_counts(x->s->store, &counts, x->err);
	if (!rc)
		rc = ims_store_model_get(x->s->store, model, false, x->err);
	rc = rc == IMGSEARCH_ENOTFOUND ? 0 : rc;
	x->block.total = counts.vectors;
	x->block.dim = x->space->dim;
	x->block.metric = x->space->metric;
	x->block.mean = x->space->mean;
	x->block.model = model->name;
	x->block.weights_hash = model->weights_hash;
	return rc;
}

static int export_view(export *x)
{
	store_model model = { 0 };
	view *v;
	int rc = ims_view_acquire(x->s, &v, x->err);
	if (rc)
		return rc;
	x->space = &v->space;
	if (x->space->dim) { /* otherwise there is no vector yet */
		rc = make_room(x);
		if (!rc && x->options->with_items)
			rc = ims_offline_read(x->s, &x->offline, x->err);
		if (!rc)
			rc = describe(x, &model);
		if (!rc)
			rc = export_blocks(x);
	}
	ims_store_model_clear(&model);
	ims_view_release(v);
	return rc;
}

int ims_export(imgsearch *s, const imgsearch_vectors_export_options *options,
	imgsearch_vectors_export_fn each, void *user, job *j, imgsearch_error *err)
{
	export x = { s, options, each, user, .job = j, .err = err };
	store_hold hold;
	store_snapshot snapshot;
	ims_store_hold_acquire(s->store, &hold);
	ims_store_snapshot_begin(s->store, &snapshot);
	int rc = export_view(&x);
	ims_store_snapshot_end(&snapshot);
	ims_store_hold_release(s->store, &hold);
	ims_offline_free(&x.offline);
	ims_free(x.ids);
	ims_free(x.rows);
	ims_free(x.items);
	return rc;
}
