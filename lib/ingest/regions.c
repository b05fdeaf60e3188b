/* Regions: the setting, and how they are made. */
#include "ingest/regions.h"

#include "handle/view.h"
#include "store/store.h"

#include <math.h>
#include <string.h>

static const char setting[] = "regions";

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
	if (kept)
		rc = ims_store_regions_clear(s->store, err);
	if (!rc)
		rc = ims_store_setting_set(s->store, setting, kept ? NULL : tiles, sizeof tiles, err);
	if (!rc) /* so that queries see it, */
		rc = ims_view_renew(s, err);
	return rc ? rc : ims_store_models_renew(s->store, err); /* by either model */
}

/* -------------------------------------------------------------------------- the features ---- */

uint32_t ims_regions_least_side(const image_recipe *recipe)
{
	return (uint32_t)ceil(recipe->crop / IMS_REGION_SHARE);
}

/* The inputs of a row of tiles: (IMS_REGIONS_ACROSS, crop, crop, 3). */
static int fit_row(const image *im, const image_recipe *recipe, unsigned row, float *out,
	imgsearch_error *err)
{
	const size_t slot = (size_t)recipe->crop * recipe->crop * 3;
	int rc = 0;
	for (unsigned i = 0; !rc && i < IMS_REGIONS_ACROSS; i++) {
		double box[4];
		ims_region_box(row * IMS_REGIONS_ACROSS + i, box);
		rc = ims_image_fit_part(im, recipe, box, recipe->crop, out + i * slot, err);
	}
	return rc;
}

/* A row of tiles is a batch that leaves the runs beside it their share of the cache. */
int ims_regions_make(const image *im, const image_recipe *recipe, model *m, buf *out,
	imgsearch_error *err)
{
	const size_t dim = ims_model_dim(m), slot = (size_t)recipe->crop * recipe->crop * 3;
	float *in = ims_alloc_aligned(IMS_REGIONS_ACROSS, slot * sizeof *in),
		  *rows = ims_alloc_aligned(IMS_REGIONS_PARTS, dim * sizeof *rows);
	int rc = in && rows ? 0 : ims_nomem(err);
	for (unsigned i = 0; !rc && i < IMS_REGIONS_ACROSS; i++) {
		rc = fit_row(im, recipe, i, in, err);
		if (!rc)
			rc = ims_model_run_parts(m, in, IMS_REGIONS_ACROSS, rows + i * IMS_REGIONS_ACROSS * dim,
				err);
	}
	for (size_t i = 0; !rc && i < IMS_REGIONS_PARTS; i++)
		if (!ims_all_finite(rows + i * dim, dim))
			memset(rows + i * dim, 0, dim * sizeof *rows);
	if (!rc)
		ims_regions_encode(out, rows, IMS_REGIONS_PARTS, (uint32_t)dim);
	ims_free(in);
	ims_free(rows);
	return !rc && out->failed ? ims_nomem(err) : rc;
}
