/* Reads the data of pictures and turns it into rows. */
#include "handle/regions.h"

#include "base/regions.h"

#include <string.h>

enum { BLOCK = 256 };

static int check_data(const store *st, int64_t id, size_t size, uint32_t dim, imgsearch_error *err)
{
	return size == IMS_REGIONS_PARTS * ims_region_row_size(dim)
		? 0
		: ims_fail(err, IMGSEARCH_EDB, "index %s is damaged: regions of %lld have %zu bytes",
			ims_store_name(st), (long long)id, size);
}

/* Part `part` of the data into out (dim); false: it can be in no answer. */
static bool read_row(const space *sp, const void *data, uint32_t part, float *out)
{
	ims_region_decode(out, data, part - 1, sp->dim);
	if (!ims_space_accepts(sp, out))
		return false;
	ims_space_apply(sp, out, out);
	return true;
}

/* ------------------------------------------------------------------------------------ scan ---- */

typedef struct scan {
	const space_rows *rows;
	int (*each)(void *user, const int64_t *ids, const float *rows, size_t n);
	void *user;
	float *block;
	int64_t ids[BLOCK]; /* of the rows in block */
	size_t n;
	imgsearch_error *err;
} scan;

static int flush(scan *s)
{
	int rc = s->n ? s->each(s->user, s->ids, s->block, s->n) : 0;
	s->n = 0;
	return rc;
}

static int scan_picture(void *user, size_t i, int64_t id, const void *data, size_t size)
{
	scan *s = user;
	const space *sp = s->rows->space;
	(void)i;
	int rc = check_data(s->rows->store, id, size, sp->dim, s->err);
	for (uint32_t part = 1; !rc && part <= IMS_REGIONS_PARTS; part++) {
		if (!read_row(sp, data, part, s->block + s->n * sp->dim))
			continue;
		s->ids[s->n++] = ims_region_row(id, part);
		if (s->n == BLOCK)
			rc = flush(s);
	}
	return rc;
}

static int scan_rows(void *ctx,
	int (*each)(void *user, const int64_t *ids, const float *rows, size_t n), void *user,
	imgsearch_error *err)
{
	const space_rows *r = ctx;
	scan s = { .rows = r, .each = each, .user = user, .err = err };
	s.block = ims_alloc_aligned(BLOCK, r->space->dim * sizeof(float));
	if (!s.block)
		return ims_nomem(err);
	int rc = ims_store_regions_scan(r->store, scan_picture, &s, err);
	if (!rc)
		rc = flush(&s);
	ims_free(s.block);
	return rc;
}

/* ----------------------------------------------------------------------------------- fetch ---- */

enum { FETCH = 64 }; /* pictures that are asked for at once */

/* Rows of pictures; those of one picture lie beside each other in `rows`. */
typedef struct fetch {
	const space_rows *rows;
	const int64_t *ids;  /* of rows */
	const size_t *first; /* of each picture, and one more: its first row in ids */
	float *out;
	uint8_t *found;
	imgsearch_error *err;
} fetch;

static int take_picture(void *user, size_t i, int64_t id, const void *data, size_t size)
{
	const fetch *f = user;
	const space *sp = f->rows->space;
	int rc = check_data(f->rows->store, id, size, sp->dim, f->err);
	for (size_t k = f->first[i]; !rc && k < f->first[i + 1]; k++) {
		uint32_t part = ims_region_part(f->ids[k]);
		f->found[k] = part && part <= IMS_REGIONS_PARTS
			&& read_row(sp, data, part, f->out + k * sp->dim);
	}
	return rc;
}

/* Neighbouring rows of one picture read its data once. */
static int fetch_rows(void *ctx, const int64_t *ids, size_t n, float *out, uint8_t *found,
	imgsearch_error *err)
{
	const space_rows *r = ctx;
	int64_t picture[FETCH];
	size_t first[FETCH + 1];
	int rc = 0;
	memset(found, 0, n);
	for (size_t at = 0; !rc && at < n;) {
		size_t pictures = 0;
		for (; at < n; at++) {
			int64_t id = ims_region_picture(ids[at]);
			if (pictures && picture[pictures - 1] == id)
				continue;
			if (pictures == FETCH)
				break;
			first[pictures] = at;
			picture[pictures++] = id;
		}
		first[pictures] = at;
		fetch f = { r, ids, first, out, found, err };
		rc = ims_store_regions_fetch(r->store, picture, pictures, take_picture, &f, err);
	}
	return rc;
}

row_source ims_regions_source(space_rows *rows, uint64_t pictures)
{
	return (row_source){
		.ctx = rows,
		.n = (size_t)pictures * IMS_REGIONS_PARTS,
		.dim = rows->space->dim,
		.metric = rows->space->metric,
		.far = ims_store_finds_near(rows->store),
		.scan = scan_rows,
		.fetch = fetch_rows,
	};
}

int ims_regions_fetch(const space_rows *rows, const int64_t *pictures, size_t n, float *out,
	uint8_t *found, imgsearch_error *err)
{
	int64_t ids[IMS_REGIONS_PARTS];
	uint8_t there[IMS_REGIONS_PARTS];
	size_t dim = rows->space->dim;
	int rc = 0;
	for (size_t i = 0; !rc && i < n; i++) {
		for (uint32_t part = 1; part <= IMS_REGIONS_PARTS; part++)
			ids[part - 1] = ims_region_row(pictures[i], part);
		rc = fetch_rows((void *)(uintptr_t)rows, ids, IMS_REGIONS_PARTS,
			out + i * IMS_REGIONS_PARTS * dim, there, err);
		found[i] = !rc && !memchr(there, 0, sizeof there);
	}
	return rc;
}

bool ims_region_place(uint32_t part, uint32_t width, uint32_t height, imgsearch_region *out)
{
	double box[4];
	if (width < IMS_REGIONS_PARTS || height < IMS_REGIONS_PARTS)
		return false;
	ims_region_box(part - 1, box);
	*out = (imgsearch_region){
		.x = (int32_t)(box[0] * width),
		.y = (int32_t)(box[1] * height),
		.width = (int32_t)((box[2] - box[0]) * width),
		.height = (int32_t)((box[3] - box[1]) * height),
		.picture_width = (int32_t)width,
		.picture_height = (int32_t)height,
	};
	return true;
}
