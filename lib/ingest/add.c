/* Changes one by one: a picture or vector under a name, many vectors, removal, a root that moved. */
#include "handle/handle.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int ims_engine_set_dim(imgsearch *s, uint32_t dim, imgsearch_error *err)
{
	buf b = { 0 };
	ims_buf_u32(&b, dim);
	int rc = b.failed ? ims_nomem(err) : ims_store_set(s->store, "dim", b.data, b.len, err);
	ims_buf_free(&b);
	return rc ? rc : ims_view_renew(s, err);
}

/* The first vectors of an index decide its dimension. Within a transaction. */
static int settle_dim(imgsearch *s, uint32_t dim, imgsearch_error *err)
{
	view *v;
	int rc = ims_view_get(s, &v, err);
	if (rc)
		return rc;
	uint32_t have = v->space.dim ? v->space.dim : s->options.dim;
	bool first = !v->space.dim;
	ims_view_release(v);
	if (have && have != dim)
		return ims_fail(err, IMGSEARCH_EINVAL, "vectors of %u values; the index has %u", dim, have);
	return first ? ims_engine_set_dim(s, dim, err) : 0;
}

static int check_rows(const float *rows, size_t n, size_t dim, imgsearch_error *err)
{
	if (!dim || dim > 65536)
		return ims_fail(err, IMGSEARCH_EINVAL, "dimension %zu is not within 1..65536", dim);
	for (size_t i = 0; i < n * dim; i++)
		if (!isfinite(rows[i]))
			return ims_fail(err, IMGSEARCH_EINVAL, "row %zu has a value that is not finite", i / dim);
	return 0;
}

static int end_transaction(imgsearch *s, int rc, imgsearch_error *err)
{
	if (!rc)
		return ims_store_tx_commit(s->store, err);
	ims_store_tx_rollback(s->store);
	return rc;
}

/* ---------------------------------------------------------------------------------------------- one picture ---- */

/* By the model of the index; a new index takes the one that the options ask for. Within a transaction. */
static int settle_model(imgsearch *s, model_identity *id, imgsearch_error *err)
{
	model_identity stored = { 0 };
	char why[200];
	int rc = ims_engine_identity_stored(s, false, &stored, err);
	bool first = rc == IMGSEARCH_ENOTFOUND;
	if (!rc || first)
		rc = ims_engine_identify(s, first ? NULL : &stored, id, err);
	if (!rc && first) {
		rc = settle_dim(s, id->dim, err);
		if (!rc)
			rc = ims_engine_model_keep(s, id, false, err);
	} else if (!rc && !ims_model_same(&stored, id, why, sizeof why)) {
		rc = ims_fail(err, IMGSEARCH_EMODEL, "%s: made by another model (%s)", ims_store_path(s->store), why);
	}
	ims_model_identity_free(&stored);
	return rc;
}

/* What the row says of the picture that its feature does not. Bytes that are no picture are an error of the feature. */
static int describe(imgsearch *s, const imgsearch_input *in, const void *data, size_t size, store_picture *p, imgsearch_error *err)
{
	struct stat st;
	image_head head = { .width = (uint32_t)in->width, .height = (uint32_t)in->height };
	image_limits limits = ims_engine_limits(s, NULL);
	int rc = in->kind == IMGSEARCH_KIND_PIXELS ? 0 : ims_image_head(&head, data, size, &limits, err);
	if (rc)
		return rc;
	p->width = in->crop[2] ? (uint32_t)in->crop[2] : head.width;
	p->height = in->crop[2] ? (uint32_t)in->crop[3] : head.height;
	if (in->kind != IMGSEARCH_KIND_PIXELS) {
		p->size = size;
		if (!in->crop[2])
			p->hash = ims_hash(data, size);
	}
	if (in->kind == IMGSEARCH_KIND_FILE && !stat(in->path, &st))
		p->mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
	return 0;
}

/* Another picture with these bytes is indexed: this one is its duplicate. 1: so it is. */
static int add_twin(imgsearch *s, store_picture *p, imgsearch_error *err)
{
	static const hash256 unknown;
	store_picture twin = { 0 }, own = { 0 };
	if (ims_hash_equal(&p->hash, &unknown))
		return 0;
	int rc = ims_store_picture_by_hash(s->store, &p->hash, &twin, err);
	if (rc)
		return rc == IMGSEARCH_ENOTFOUND ? 0 : rc;
	rc = ims_store_picture_find(s->store, 0, p->path, &own, err);
	bool other = !rc ? own.id != twin.id : true;
	if (rc == IMGSEARCH_ENOTFOUND)
		rc = 0;
	if (!rc && other) {
		p->state = IMGSEARCH_DUPLICATE;
		p->same_as = twin.id;
		rc = ims_store_picture_put(s->store, p, err);
	}
	ims_store_picture_clear(&own);
	ims_store_picture_clear(&twin);
	return rc ? rc : other;
}

static int put_picture(imgsearch *s, const imgsearch_input *in, const model_identity *id, store_picture *p, imgsearch_error *err)
{
	imgsearch_error why = { 0 };
	float *v = ims_alloc_aligned(id->dim, sizeof(float));
	int rc = v ? ims_features(s, NULL, id, in, 1, v, &why, err) : ims_nomem(err);
	if (!rc && why.code) {
		rc = why.code;
		if (err)
			*err = why;
	}
	if (!rc)
		rc = ims_store_picture_put(s->store, p, err);
	if (!rc)
		rc = ims_store_vector_put(s->store, p->id, v, id->dim, false, err);
	ims_free(v);
	return rc;
}

/* A file is read once, so that its hash and its feature are of the same bytes. */
static int add_picture(imgsearch *s, const imgsearch_input *in, store_picture *p, imgsearch_error *err)
{
	model_identity id = { 0 };
	buf held = { 0 };
	imgsearch_input bytes = *in;
	int rc = ims_input_bytes(in, &held, &bytes.data, &bytes.size, err);
	if (in->kind == IMGSEARCH_KIND_FILE)
		bytes.kind = IMGSEARCH_KIND_MEMORY;
	if (!rc)
		rc = settle_model(s, &id, err);
	if (!rc) {
		rc = describe(s, in, bytes.data, bytes.size, p, err);
		if (!rc)
			rc = add_twin(s, p, err);
		if (!rc)
			rc = put_picture(s, &bytes, &id, p, err);
		if (rc < 0 && in->kind == IMGSEARCH_KIND_FILE)
			ims_error_prefix(err, "%s", in->path);
	}
	ims_model_identity_free(&id);
	ims_buf_free(&held);
	return rc < 0 ? rc : 0;
}

static int add_vector(imgsearch *s, const imgsearch_input *in, store_picture *p, imgsearch_error *err)
{
	int rc = check_rows(in->data, 1, in->size, err);
	if (!rc)
		rc = settle_dim(s, (uint32_t)in->size, err);
	if (!rc)
		rc = ims_store_picture_put(s->store, p, err);
	return rc ? rc : ims_store_vector_put(s->store, p->id, in->data, (uint32_t)in->size, false, err);
}

static int add_named(imgsearch *s, const imgsearch_input *in, const char *name, int64_t *id, imgsearch_error *err)
{
	store_picture p = { .path = name ? name : in->path, .state = IMGSEARCH_INDEXED };
	char unnamed[40];
	if (!p.path) { /* "id:N" of the id that it gets */
		uint64_t by_state[8], vectors, next;
		int64_t max_id;
		int rc = ims_store_counts(s->store, by_state, &vectors, &next, &max_id, err);
		if (rc)
			return rc;
		snprintf(unnamed, sizeof unnamed, "id:%lld", (long long)max_id + 1);
		p.path = unnamed;
	}
	char *absolute = !name && in->path ? realpath(in->path, NULL) : NULL;
	if (absolute)
		p.path = absolute;
	int rc = in->kind == IMGSEARCH_KIND_VECTOR ? add_vector(s, in, &p, err) : add_picture(s, in, &p, err);
	free(absolute);
	if (!rc && id)
		*id = p.id;
	return rc;
}

int imgsearch_index_add(imgsearch *s, const imgsearch_input *in, const char *name, int64_t *id, imgsearch_error *err)
{
	job j;
	if (!s || !in || in->kind < IMGSEARCH_KIND_FILE || in->kind > IMGSEARCH_KIND_VECTOR || (in->kind == IMGSEARCH_KIND_FILE && !in->path)
		|| (in->kind != IMGSEARCH_KIND_FILE && !in->data))
		return ims_fail(err, IMGSEARCH_EINVAL, "index_add: a picture or a vector is needed");
	int rc = ims_engine_write_begin(s, &j, err);
	if (rc)
		return rc;
	rc = ims_store_tx_begin(s->store, err);
	if (!rc && in->kind == IMGSEARCH_KIND_VECTOR && !name && id && *id > 0) {
		rc = check_rows(in->data, 1, in->size, err);
		if (!rc)
			rc = settle_dim(s, (uint32_t)in->size, err);
		if (!rc)
			rc = ims_store_vectors_put(s->store, id, in->data, 1, (uint32_t)in->size, err);
		rc = end_transaction(s, rc, err);
	} else if (!rc) {
		rc = end_transaction(s, add_named(s, in, name, id, err), err);
	}
	ims_engine_write_end(s);
	return rc;
}

/* --------------------------------------------------------------------------------------------- many vectors ---- */

static int own_ids(imgsearch *s, size_t n, int64_t **ids, imgsearch_error *err)
{
	uint64_t by_state[8], vectors, next;
	int64_t max_id;
	int rc = ims_store_counts(s->store, by_state, &vectors, &next, &max_id, err);
	if (rc)
		return rc;
	*ids = ims_alloc(n, sizeof **ids);
	if (!*ids)
		return ims_nomem(err);
	int64_t first = vectors || max_id > 0 ? max_id + 1 : 0;
	for (size_t i = 0; i < n; i++)
		(*ids)[i] = first + (int64_t)i;
	return 0;
}

static int check_ids(const int64_t *ids, size_t n, imgsearch_error *err)
{
	for (size_t i = 0; ids && i < n; i++)
		if (ids[i] < 0)
			return ims_fail(err, IMGSEARCH_EINVAL, "row %zu: id %lld is negative", i, (long long)ids[i]);
	return 0;
}

int imgsearch_index_vectors(imgsearch *s, const float *rows, size_t n, size_t dim, const int64_t *ids, imgsearch_error *err)
{
	job j;
	int64_t *own = NULL;
	if (!s || (n && !rows))
		return ims_fail(err, IMGSEARCH_EINVAL, "index_vectors: no rows");
	int rc = check_rows(rows, n, dim, err);
	if (!rc)
		rc = check_ids(ids, n, err);
	if (!rc)
		rc = ims_engine_write_begin(s, &j, err);
	if (rc)
		return rc;
	rc = ims_store_tx_begin(s->store, err);
	if (!rc) {
		rc = settle_dim(s, (uint32_t)dim, err);
		if (!rc && !ids)
			rc = own_ids(s, n, &own, err);
		if (!rc)
			rc = ims_store_vectors_put(s->store, ids ? ids : own, rows, n, (uint32_t)dim, err);
		rc = end_transaction(s, rc, err);
	}
	ims_engine_write_end(s);
	ims_free(own);
	return rc;
}

/* -------------------------------------------------------------------------------------------------- removal ---- */

int imgsearch_index_remove(imgsearch *s, const int64_t *ids, size_t n, imgsearch_error *err)
{
	job j;
	if (!s || (n && !ids))
		return ims_fail(err, IMGSEARCH_EINVAL, "index_remove: no ids");
	int rc = ims_engine_write_begin(s, &j, err);
	if (rc)
		return rc;
	rc = ims_store_tx_begin(s->store, err);
	if (!rc) {
		for (size_t i = 0; !rc && i < n; i++)
			rc = ims_store_picture_remove(s->store, ids[i], err);
		rc = end_transaction(s, rc, err);
	}
	if (!rc)
		rc = ims_store_compact(s->store, err);
	ims_engine_write_end(s);
	return rc;
}

int imgsearch_root_move(imgsearch *s, const char *from, const char *to, imgsearch_error *err)
{
	job j;
	if (!s || !from || !to)
		return ims_fail(err, IMGSEARCH_EINVAL, "root_move: two folders are needed");
	int rc = ims_engine_write_begin(s, &j, err);
	if (rc)
		return rc;
	rc = ims_store_tx_begin(s->store, err);
	if (!rc)
		rc = end_transaction(s, ims_store_root_move(s->store, from, to, err), err);
	ims_engine_write_end(s);
	return rc;
}
