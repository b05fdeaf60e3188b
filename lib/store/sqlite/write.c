/* Writes records, and decides what a picture is beside those with the same bytes. */
#include "store/sqlite/changes.h"
#include "store/sqlite/pictures.h"
#include "store/sqlite/regions.h"
#include "store/sqlite/transaction.h"

/* The id of the row by its path, if it has none; *known: it has these bytes already. */
static int find_own(sqlite_store *st, const store_picture *row, int64_t *id, bool *known,
	imgsearch_error *err)
{
	store_picture own;
	const store_place at = { row->root, row->path };
	int rc = row->id ? ims_sqlite_get(&st->base, &row->id, 1, &own, err)
					 : ims_sqlite_find(&st->base, &at, 1, &own, err);
	*id = row->id ? row->id : own.id;
	*known = own.path && ims_hash_equal(&own.hash, &row->hash);
	ims_store_picture_clear(&own);
	return rc;
}

static int put_regions(sqlite_store *st, const store_record *r, imgsearch_error *err)
{
	conn *c;
	int rc = ims_sqlite_writer(st, &c, err);
	if (!rc)
		rc = ims_sqlite_regions_put(st, c, r->row.id, r->regions, r->regions_size, r->next, err);
	return rc || r->vector || r->next ? rc : ims_sqlite_changed(st, c, r->row.id, err);
}

/* What belongs to a row beside it. */
static int put_parts(sqlite_store *st, const store_record *r, imgsearch_error *err)
{
	const store_picture *row = &r->row;
	int rc = 0;
	if (r->signature)
		rc = ims_sqlite_signature_put(st, row->id, &row->hash, r->signature, r->signature_size,
			err);
	if (!rc && r->vector)
		rc = ims_sqlite_vector_put(st, row->id, r->vector, r->dim, r->next, err);
	if (!rc && r->regions)
		rc = put_regions(st, r, err);
	if (!rc && r->facts)
		rc = ims_sqlite_facts_put(st, row->id, r->facts, r->facts_version, r->sidecars, err);
	return rc;
}

static int touch(sqlite_store *st, const store_record *r, imgsearch_error *err)
{
	int rc = put_parts(st, r, err);
	if (!rc && r->has_pixels)
		rc = ims_sqlite_pixels_set(st, r->row.id, r->row.pixels, err);
	if (!rc && r->row.has_ctime)
		rc = ims_sqlite_ctime_set(st, r->row.id, r->row.ctime, err);
	return rc;
}

static int put(sqlite_store *st, store_record *r, imgsearch_error *err)
{
	int rc = ims_sqlite_row_put(st, &r->row, err);
	return rc ? rc : put_parts(st, r, err);
}

/* The row of the twin gets this path. A row that had the path is removed. */
static int move(sqlite_store *st, store_record *r, int64_t own, const store_picture *twin,
	imgsearch_error *err)
{
	store_picture *row = &r->row;
	r->outcome = STORE_MOVED;
	int rc = own ? ims_sqlite_row_remove(st, own, err) : 0;
	if (!rc)
		rc = ims_sqlite_row_move(st,
			&(store_move){ twin->id, { row->root, row->path }, row->mtime }, err);
	if (!rc && row->has_ctime)
		rc = ims_sqlite_ctime_set(st, twin->id, row->ctime, err);
	row->id = twin->id;
	row->state = twin->state;
	return rc || twin->state != IMGSEARCH_STATE_INDEXED ? rc : put_parts(st, r, err);
}

static int put_duplicate(sqlite_store *st, store_record *r, const store_picture *twin, bool known,
	imgsearch_error *err)
{
	bool deleted = twin->state == IMGSEARCH_STATE_DELETED;
	store_picture *row = &r->row;
	r->outcome = deleted ? STORE_KEPT_OUT : known ? STORE_UNCHANGED : STORE_DUPLICATE;
	row->state = deleted ? IMGSEARCH_STATE_DELETED : IMGSEARCH_STATE_DUPLICATE;
	row->reason = deleted ? ims_store_reason_deleted_copy : NULL;
	row->same_as = deleted && twin->same_as ? twin->same_as : twin->id;
	row->width = twin->width;
	row->height = twin->height;
	return ims_sqlite_row_put(st, row, err);
}

static int put_indexed(sqlite_store *st, store_record *r, const store_picture *twin,
	imgsearch_error *err)
{
	store_picture *row = &r->row;
	r->outcome = twin->id ? STORE_UNCHANGED : STORE_INDEXED;
	row->state = IMGSEARCH_STATE_INDEXED;
	if (r->no_feature) {
		r->outcome = STORE_REFUSED;
		row->state = IMGSEARCH_STATE_DAMAGED;
		row->reason = r->no_feature;
		return ims_sqlite_row_put(st, row, err);
	}
	if (!twin->id && !r->vector) {
		r->outcome = STORE_UNPREPARED;
		return 0;
	}
	if (r->is_undecoded) {
		row->width = twin->width;
		row->height = twin->height;
		row->pixels = twin->pixels;
	}
	return put(st, r, err);
}

static int admit_beside(sqlite_store *st, store_record *r, const store_picture *twin,
	imgsearch_error *err)
{
	bool deleted = twin->state == IMGSEARCH_STATE_DELETED, known = false;
	int64_t own = 0;
	int rc = twin->id ? find_own(st, &r->row, &own, &known, err) : 0;
	if (rc)
		return rc;
	if (!twin->id || (twin->id == own && !deleted))
		return put_indexed(st, r, twin, err);
	if (deleted && r->refuses_deleted)
		return ims_store_refuse_deleted(&st->base, "a picture with these bytes", twin->id, err);
	return r->gone == twin->id && !known ? move(st, r, own, twin, err)
										 : put_duplicate(st, r, twin, known, err);
}

static int admit(sqlite_store *st, store_record *r, imgsearch_error *err)
{
	store_picture twin = { 0 };
	bool hashed = !ims_hash_is_zero(&r->row.hash);
	int rc = hashed ? ims_sqlite_by_hash(&st->base, &r->row.hash, 1, &twin, err) : 0;
	if (!rc)
		rc = admit_beside(st, r, &twin, err);
	ims_store_picture_clear(&twin);
	return rc;
}

int ims_sqlite_write(store *base, store_record *r, size_t n, imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	int rc = 0;
	for (size_t i = 0; !rc && i < n; i++) {
		r[i].outcome = STORE_WRITTEN;
		rc = r[i].way == STORE_TOUCH ? touch(st, &r[i], err)
			: r[i].way == STORE_PUT  ? put(st, &r[i], err)
									 : admit(st, &r[i], err);
	}
	return rc;
}
