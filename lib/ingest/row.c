/* Writes rows and finds the indexed picture with the same bytes (the twin). */
#include "ingest/row.h"

#include "handle/items.h"
#include "meta/meta.h"
#include "store/store.h"

const char ims_row_reason_no_feature[] = "the network gives no feature: not finite, or all zeros";

/* Indexed, or deleted on purpose. */
static int find_twin(imgsearch *s, const hash256 *hash, store_picture *out, imgsearch_error *err)
{
	*out = (store_picture){ 0 };
	if (ims_hash_is_zero(hash))
		return 0;
	int rc = ims_store_picture_by_hash(s->store, hash, out, err);
	if (rc == IMGSEARCH_ENOTFOUND)
		rc = ims_store_deleted_by_hash(s->store, hash, out, err);
	return rc == IMGSEARCH_ENOTFOUND ? 0 : rc;
}

int ims_row_twin(imgsearch *s, const hash256 *hash, int64_t *id, imgsearch_error *err)
{
	store_picture p;
	int rc = find_twin(s, hash, &p, err);
	*id = p.id;
	ims_store_picture_clear(&p);
	return rc;
}

int ims_row_refuse_deleted_id(imgsearch *s, const char *name, int64_t id, imgsearch_error *err)
{
	bool deleted = false;
	imgsearch_error why;
	int rc = ims_store_is_deleted(s->store, id, &deleted, &why);
	if (rc == IMGSEARCH_ENOTFOUND)
		return 0;
	if (rc && err)
		*err = why;
	return deleted ? ims_store_refuse_deleted(s->store, name, id, err) : rc;
}

int ims_row_refuse_deleted(imgsearch *s, const char *path, imgsearch_error *err)
{
	int64_t id;
	imgsearch_error why;
	int rc = path ? ims_items_find(s, path, &id, &why) : IMGSEARCH_ENOTFOUND;
	if (rc == IMGSEARCH_ENOTFOUND)
		return 0;
	if (rc && err)
		*err = why;
	return rc ? rc : ims_row_refuse_deleted_id(s, path, id, err);
}

/* Finds the id of the row by its path, if it has none. */
static int find_own(imgsearch *s, const store_picture *row, int64_t *id, imgsearch_error *err)
{
	store_picture own = { 0 };
	*id = row->id;
	if (row->id)
		return 0;
	int rc = ims_store_picture_find(s->store, row->root, row->path, &own, err);
	*id = own.id;
	ims_store_picture_clear(&own);
	return rc == IMGSEARCH_ENOTFOUND ? 0 : rc;
}

/* Moves the row of the twin to this path. A row that had the path is removed. */
static int move(const row_writer *w, const store_picture *row, int64_t own, int64_t twin,
	imgsearch_error *err)
{
	int rc = own ? ims_store_picture_remove(w->s->store, own, err) : 0;
	if (!rc)
		rc = ims_store_picture_move(w->s->store, twin, row->root, row->path, row->mtime, err);
	return rc || !row->has_ctime ? rc : ims_store_ctime_set(w->s->store, twin, row->ctime, err);
}

/* Whether the row has these bytes already: then no other one moved here. */
static int has_bytes(imgsearch *s, int64_t id, const hash256 *hash, bool *has, imgsearch_error *err)
{
	store_picture p = { 0 };
	int rc = id ? ims_store_picture_get(s->store, id, &p, NULL, err) : 0;
	*has = id && !rc && ims_hash_equal(&p.hash, hash);
	ims_store_picture_clear(&p);
	return rc;
}

static int put_duplicate(const row_writer *w, store_picture *row, int64_t own,
	const store_picture *twin, row_outcome *outcome, imgsearch_error *err)
{
	bool moved = false, known = false, deleted = twin->state == IMGSEARCH_STATE_DELETED;
	if (deleted && w->refuses_deleted)
		return ims_store_refuse_deleted(w->s->store, "a picture with these bytes", twin->id, err);
	int rc = w->moved ? has_bytes(w->s, own, &row->hash, &known, err) : 0;
	if (!rc && w->moved && !known)
		rc = w->moved(w->user, twin->id, &moved, err);
	if (rc)
		return rc;
	if (moved) {
		*outcome = ROW_MOVED;
		rc = move(w, row, own, twin->id, err);
		row->id = twin->id;
		row->state = twin->state;
		return rc;
	}
	*outcome = deleted ? ROW_KEPT_OUT : known ? ROW_UNCHANGED : ROW_DUPLICATE;
	row->state = deleted ? IMGSEARCH_STATE_DELETED : IMGSEARCH_STATE_DUPLICATE;
	row->reason = deleted ? ims_store_reason_deleted_copy : NULL;
	row->same_as = deleted && twin->same_as ? twin->same_as : twin->id;
	row->width = twin->width;
	row->height = twin->height;
	return ims_store_picture_put(w->s->store, row, err);
}

int ims_row_put_facts(imgsearch *s, int64_t id, const prepared *p, imgsearch_error *err)
{
	return p->has_facts
		? ims_store_facts_put(s->store, id, &p->facts, META_VERSION, p->sidecars, err)
		: 0;
}

static int put_indexed(const row_writer *w, store_picture *row, const prepared *p,
	const float *vector, imgsearch_error *err)
{
	int rc = ims_store_picture_put(w->s->store, row, err);
	if (!rc && p->decoded && !ims_hash_is_zero(&p->hash))
		rc = ims_store_signature_put(w->s->store, row->id, &p->hash, p->signature.data,
			p->signature.len, err);
	if (!rc && vector)
		rc = ims_store_vector_put(w->s->store, row->id, vector, w->dim, w->next, err);
	return rc ? rc : ims_row_put_facts(w->s, row->id, p, err);
}

int ims_row_put(const row_writer *w, store_picture *row, const prepared *p, const float *vector,
	row_outcome *outcome, imgsearch_error *err)
{
	store_picture twin;
	int64_t own = 0;
	int rc = find_twin(w->s, &p->hash, &twin, err);
	if (!rc && twin.id)
		rc = find_own(w->s, row, &own, err);
	if (rc) {
		ims_store_picture_clear(&twin);
		return rc;
	}
	row->size = p->size;
	row->hash = p->hash;
	row->width = p->width;
	row->height = p->height;
	row->pixels = p->pixels;
	row->state = IMGSEARCH_STATE_INDEXED;
	if (twin.id && (twin.id != own || twin.state == IMGSEARCH_STATE_DELETED)) {
		rc = put_duplicate(w, row, own, &twin, outcome, err);
		if (!rc && *outcome == ROW_MOVED)
			rc = ims_row_put_facts(w->s, row->id, p, err);
	} else if (!twin.id && !vector) {
		*outcome = ROW_UNPREPARED;
	} else if (vector && !ims_is_feature(vector, w->dim)) {
		*outcome = ROW_REFUSED;
		row->state = IMGSEARCH_STATE_DAMAGED;
		row->reason = ims_row_reason_no_feature;
		rc = ims_store_picture_put(w->s->store, row, err);
	} else {
		*outcome = twin.id ? ROW_UNCHANGED : ROW_INDEXED;
		if (!p->decoded) {
			row->width = twin.width;
			row->height = twin.height;
			row->pixels = twin.pixels;
		}
		rc = put_indexed(w, row, p, vector, err);
	}
	ims_store_picture_clear(&twin);
	return rc;
}
