/* One picture at a time, for tests: store/record.h writes many. */
#ifndef IMS_TEST_RECORDS_H
#define IMS_TEST_RECORDS_H

#include "store/record.h"

#include <string.h>

#define ONE(id) &(int64_t){ id }, 1

static inline int put_row(store *st, store_picture *p, imgsearch_error *err)
{
	store_record r = { .way = STORE_PUT, .row = *p };
	int rc = ims_store_write(st, &r, 1, err);
	*p = r.row;
	return rc;
}

static inline int put_vector(store *st, int64_t id, const float *v, uint32_t dim, bool next,
	imgsearch_error *err)
{
	store_record r = {
		.way = STORE_TOUCH,
		.row = { .id = id },
		.vector = v,
		.dim = dim,
		.next = next,
	};
	return ims_store_write(st, &r, 1, err);
}

static inline int put_facts(store *st, int64_t id, const facts *f, uint32_t version,
	uint64_t sidecars, imgsearch_error *err)
{
	store_record r = {
		.way = STORE_TOUCH,
		.row = { .id = id },
		.facts = f,
		.facts_version = version,
		.sidecars = sidecars,
	};
	return ims_store_write(st, &r, 1, err);
}

/* With a vector, or of the one that is there. */
static inline int put_regions(store *st, int64_t id, const float *v, uint32_t dim, const char *data,
	bool next, imgsearch_error *err)
{
	store_record r = {
		.way = STORE_TOUCH,
		.row = { .id = id },
		.vector = v,
		.dim = dim,
		.next = next,
		.regions = data,
		.regions_size = strlen(data),
	};
	return ims_store_write(st, &r, 1, err);
}

static inline int put_signature(store *st, int64_t id, const hash256 *hash, const void *data,
	size_t size, imgsearch_error *err)
{
	store_record r = {
		.way = STORE_TOUCH,
		.row = { .id = id, .hash = *hash },
		.signature = data,
		.signature_size = size,
	};
	return ims_store_write(st, &r, 1, err);
}

static inline int put_pixels(store *st, int64_t id, uint32_t pixels, imgsearch_error *err)
{
	store_record r = {
		.way = STORE_TOUCH,
		.row = { .id = id, .pixels = pixels },
		.has_pixels = true,
	};
	return ims_store_write(st, &r, 1, err);
}

static inline int put_ctime(store *st, int64_t id, timestamp ctime, imgsearch_error *err)
{
	store_record r = {
		.way = STORE_TOUCH,
		.row = { .id = id, .ctime = ctime, .has_ctime = true },
	};
	return ims_store_write(st, &r, 1, err);
}

static inline int name_files(store *st, int what, int64_t id, int64_t other, imgsearch_error *err)
{
	return ims_store_name_files(st, &(store_naming){ what, id, other }, 1, err);
}

static inline int put_columns(store *st, int64_t id, const char *const *names,
	const char *const *values, size_t n, int title, imgsearch_error *err)
{
	return ims_store_columns_put(st, &(store_columns){ id, names, values, n, title }, 1, err);
}

#endif
