/* Copies of pictures are compared as queries are: with the regions of pictures, too. */
#include "base/ids.h"
#include "base/regions.h"
#include "collection/eval_state.h"
#include "handle/feature.h"
#include "kernels/kernels.h"
#include "store/store.h"

#include <math.h>

typedef struct region_reader {
	evaluation *e;
	imgsearch_error *err;
} region_reader;

static int add_data(void *user, size_t i, int64_t id, const void *data, size_t size)
{
	region_reader *r = user;
	evaluation *e = r->e;
	size_t row;
	(void)i;
	if (ims_regions_count(size, e->dim) != IMS_REGIONS_PARTS
		|| !ims_id_find(e->ids, e->n, id, &row))
		return 0;
	e->region_at[row] = e->regions.len;
	ims_buf_put(&e->regions, data, size);
	return e->regions.failed ? ims_nomem(r->err) : 0;
}

int ims_eval_load_regions(evaluation *e, size_t queries, imgsearch_error *err)
{
	region_reader r = { e, err };
	if (!e->view->has_regions || e->options->whiten || e->improve.expand || e->improve.reciprocal)
		return 0;
	e->region_at = ims_alloc(e->n, sizeof *e->region_at);
	e->region_rows = ims_alloc_aligned(queries, e->dim * sizeof *e->region_rows);
	if (!e->region_at || !e->region_rows)
		return ims_nomem(err);
	for (size_t i = 0; i < e->n; i++)
		e->region_at[i] = NO_ROW;
	return ims_store_regions_scan(e->s->store, add_data, &r, err);
}

int ims_eval_region_rows(evaluation *e, const imgsearch_input *in, size_t n, float *out,
	const uint8_t *bad, imgsearch_error *err)
{
	int rc = 0;
	for (size_t i = 0; !rc && i < n; i++) {
		float *row = out + i * e->dim;
		if (bad[i])
			continue;
		rc = ims_feature_of_all(e->s, e->job, &in[i], (uint32_t)e->dim, row, err);
		if (!rc)
			ims_space_apply(e->space, row, row);
	}
	return rc;
}

void ims_eval_score_regions(const evaluation *e, size_t first, size_t n, float *score,
	float *scratch)
{
	for (size_t i = 0; i < e->n; i++)
		for (size_t part = 0; e->region_at[i] != NO_ROW && part < IMS_REGIONS_PARTS; part++) {
			ims_region_decode(scratch, e->regions.data + e->region_at[i], part, e->dim);
			ims_space_apply(e->space, scratch, scratch);
			for (size_t q = 0; q < n; q++) {
				float *best = &score[q * e->n + i];
				*best = fmaxf(*best,
					ims_eval_score(e, e->region_rows + (first + q) * e->dim, scratch));
			}
		}
}
