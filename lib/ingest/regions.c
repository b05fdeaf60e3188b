/* Regions: the setting, and how they are made. */
#include "ingest/regions.h"

#include "handle/view.h"
#include "store/store.h"

#include <math.h>
#include <string.h>

static const char setting[] = "regions";

/* Tilings of n x n tiles, whose sides are this share of the picture's. */
typedef struct tiling {
	unsigned n;
	double share;
} tiling;

static const tiling tilings[] = { { 2, 0.6 }, { 3, 0.4 } };

enum { TILINGS = sizeof tilings / sizeof *tilings };

/* --------------------------------------------------------------------------- the setting ---- */

int ims_regions_kept(imgsearch *s, bool *kept, imgsearch_error *err)
{
	buf data = { 0 };
	int rc = ims_store_setting_get(s->store, setting, &data, err);
	reader r = { .data = data.data, .len = data.len };
	uint32_t layout = ims_read_u32(&r);
	ims_buf_free(&data);
	*kept = layout != IMS_REGIONS_NONE;
	if (!rc && layout > IMS_REGIONS_TILES)
		rc = ims_fail(err, IMGSEARCH_EVERSION,
			"index %s: a newer version of imgsearch made its features of parts of pictures",
			ims_store_label(s->store));
	return rc;
}

int ims_regions_choose(imgsearch *s, uint32_t option, imgsearch_error *err)
{
	static const uint8_t tiles[4] = { IMS_REGIONS_TILES };
	bool kept;
	int rc = ims_regions_kept(s, &kept, err);
	if (rc || !option || kept == (option == 1))
		return rc;
	if (!ims_store_keeps_regions(s->store))
		return ims_store_refuse_regions(s->store, err);
	if (kept)
		rc = ims_store_regions_clear(s->store, err);
	if (!rc)
		rc = ims_store_setting_set(s->store, setting, kept ? NULL : tiles, sizeof tiles, err);
	return rc ? rc : ims_view_renew(s, err); /* so that queries see it */
}

/* -------------------------------------------------------------------------- the features ---- */

uint32_t ims_regions_least_side(const model *m)
{
	return (uint32_t)ceil(ims_model_part_side(m) / tilings[TILINGS - 1].share);
}

/* The inputs of all parts, in their order: (IMS_REGIONS_PARTS, side, side, 3). */
static int fit(const image *im, const image_recipe *recipe, uint32_t side, float *out,
	imgsearch_error *err)
{
	int rc = 0;
	for (const tiling *t = tilings; t < tilings + TILINGS; t++)
		for (unsigned i = 0; !rc && i < t->n * t->n; i++, out += (size_t)side * side * 3) {
			double step = (1 - t->share) / (t->n - 1), x = step * (i % t->n), y = step * (i / t->n);
			const double box[4] = { x, y, fmin(x + t->share, 1), fmin(y + t->share, 1) };
			rc = ims_image_fit_part(im, recipe, box, side, out, err);
		}
	return rc;
}

static int run(model *m, const float *in, size_t slot, float *out, imgsearch_error *err)
{
	size_t batch = ims_model_batch(m), dim = ims_model_dim(m);
	int rc = 0;
	for (size_t i = 0, n; !rc && i < IMS_REGIONS_PARTS; i += n) {
		n = IMS_REGIONS_PARTS - i < batch ? IMS_REGIONS_PARTS - i : batch;
		rc = ims_model_run_parts(m, in + i * slot, n, out + i * dim, err);
	}
	return rc;
}

int ims_regions_make(const image *im, const image_recipe *recipe, model *m, buf *out,
	imgsearch_error *err)
{
	uint32_t side = ims_model_part_side(m), dim = ims_model_dim(m);
	size_t slot = (size_t)side * side * 3;
	float *in = ims_alloc_aligned(IMS_REGIONS_PARTS, slot * sizeof *in),
		  *rows = ims_alloc_aligned(IMS_REGIONS_PARTS, dim * sizeof *rows);
	int rc = in && rows ? 0 : ims_nomem(err);
	if (!rc)
		rc = fit(im, recipe, side, in, err);
	if (!rc)
		rc = run(m, in, slot, rows, err);
	for (size_t i = 0; !rc && i < IMS_REGIONS_PARTS; i++)
		if (!ims_all_finite(rows + i * dim, dim))
			memset(rows + i * dim, 0, dim * sizeof *rows);
	if (!rc)
		ims_regions_encode(out, rows, IMS_REGIONS_PARTS, dim);
	ims_free(in);
	ims_free(rows);
	return !rc && out->failed ? ims_nomem(err) : rc;
}
