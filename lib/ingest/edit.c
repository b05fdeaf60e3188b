/* Makes edits and writes them. */
#include "ingest/edit.h"

#include "handle/feature.h"
#include "handle/second.h"
#include "handle/view.h"
#include "ingest/regions.h"
#include "ingest/row.h"
#include "store/store.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { LOOK = 256 }; /* items that are written between two looks at the job */

void ims_edit_free(edit *e)
{
	for (size_t i = 0; e->names && i < e->n; i++)
		ims_free(e->names[i]);
	ims_free(e->names);
	ims_free(e->ids);
	ims_free(e->rows);
	ims_identity_free(&e->identity);
	ims_prepared_clear(&e->picture);
	ims_buf_free(&e->file);
	if (e->second)
		ims_edit_free(e->second);
	ims_free(e->second);
	*e = (edit){ 0 };
}

uint64_t ims_edit_size(const edit *e)
{
	uint64_t size = sizeof *e + e->n * sizeof *e->ids;
	size += e->picture.signature.cap + e->picture.regions.cap + ims_facts_size(&e->picture.facts)
		+ e->file.cap;
	if (e->rows)
		size += e->n * (uint64_t)e->dim * sizeof *e->rows;
	if (e->second)
		size += ims_edit_size(e->second);
	for (size_t i = 0; e->names && i < e->n; i++)
		size += sizeof *e->names + (e->names[i] ? strlen(e->names[i]) + 1 : 0);
	return size;
}

/* ----------------------------------------------------------------------------- one picture ---- */

static int run_network(edit *e, imgsearch *s, const float *input, job *j, imgsearch_error *err)
{
	const model_identity *m = &e->identity.model;
	model *network = NULL;
	e->dim = m->dim;
	e->rows = ims_alloc_aligned(m->dim, sizeof *e->rows);
	int rc = e->rows ? ims_handle_network(s, m, &network, err) : ims_nomem(err);
	if (!rc)
		rc = ims_job_check(j, err);
	if (!rc)
		rc = ims_model_run(network, input, 1, e->rows, err);
	if (!rc && !ims_is_feature(e->rows, m->dim))
		rc = ims_fail(err, IMGSEARCH_EMODEL,
			"the network gives no feature for this picture: not finite, or all zeros");
	ims_model_free(network);
	return rc;
}

/* The name that was asked for, the absolute path of a file, or NULL. */
static int name_picture(edit *e, const imgsearch_input *in, const char *name, imgsearch_error *err)
{
	char *absolute = !name && in->path ? realpath(in->path, NULL) : NULL;
	const char *from = name ? name : absolute ? absolute : in->path;
	e->n = 1;
	e->names = ims_zalloc(1, sizeof *e->names);
	e->is_unnamed = !from;
	if (e->names && from)
		e->names[0] = ims_strdup(from);
	free(absolute);
	return e->names && (e->names[0] || !from) ? 0 : ims_nomem(err);
}

int ims_edit_picture(edit *out, imgsearch *s, const imgsearch_input *in, const char *name,
	edit_has_content *has_content, void *user, job *j, imgsearch_error *err)
{
	struct stat st;
	float *input = NULL;
	*out = (edit){ .kind = EDIT_PICTURE };
	bool regions = false;
	prepare_request request = { .s = s, .single = j, .has_content = has_content, .user = user };
	if (in->kind == IMGSEARCH_INPUT_KIND_FILE && !stat(in->path, &st)) {
		out->mtime = ims_timestamp(&st.st_mtim);
		out->ctime = ims_timestamp(&st.st_ctim);
		out->has_ctime = true;
	}
	int rc = name_picture(out, in, name, err);
	if (!rc)
		rc = ims_row_refuse_deleted(s, out->names[0], err);
	if (!rc)
		rc = ims_identity_decide(s, IDENTITY_ADD, &out->identity, err);
	if (!rc)
		rc = ims_regions_kept(s, &regions, err);
	request.recipe = &out->identity.model.recipe;
	request.regions_of = regions ? &out->identity.model : NULL;
	request.by = s;
	if (!rc) {
		rc = ims_prepare(&request, in, &out->picture, &input, err);
		if (rc && in->kind == IMGSEARCH_INPUT_KIND_FILE)
			ims_error_prefix(err, "%s", in->path);
	}
	if (!rc)
		rc = ims_job_check(j, err);
	ims_feature_tell_profiles(j, out->picture.bad_profile, out->names ? out->names[0] : NULL);
	if (!rc && out->picture.decoded)
		rc = run_network(out, s, input, j, err);
	ims_free(input);
	return rc;
}

/* Whether the network's last load did not fail: it is not tried again for each picture. */
static bool may_load(imgsearch *second)
{
	identity id;
	imgsearch_error why = { 0 };
	int rc = ims_identity_decide(second, IDENTITY_ADD, &id, NULL);
	if (!rc)
		ims_handle_network_why_not(second, &id.model, &why);
	ims_identity_free(&id);
	return !rc && !why.code;
}

void ims_edit_picture_second(edit *e, imgsearch *s, const imgsearch_input *in, const job *j)
{
	imgsearch *second;
	job quiet = *j;
	quiet.call.log = NULL; /* e has told what there is to tell of the picture */
	if (!e->rows || ims_second_get(s, &second, NULL) || !second || !may_load(second))
		return;
	e->second = ims_zalloc(1, sizeof *e->second);
	if (!e->second)
		return;
	if (ims_edit_picture(e->second, second, in, e->names[0], NULL, NULL, &quiet, NULL)
		|| !ims_hash_equal(&e->second->picture.hash, &e->picture.hash)) {
		ims_edit_free(e->second);
		ims_free(e->second);
		e->second = NULL;
	}
}

int ims_edit_store_file(edit *e, const void *data, size_t size, imgsearch_error *err)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	e->mtime = e->ctime = ims_timestamp(&now);
	e->has_ctime = true;
	ims_buf_put(&e->file, data, size);
	return e->file.failed ? ims_nomem(err) : 0;
}

/*
 * Within a transaction: whether the model of the index is still the one that made the vector.
 * *first: it is to be stored. The edit stays as it is, since the transaction may be rolled back.
 */
static int same_model(const edit *e, imgsearch *s, bool *same, bool *first, imgsearch_error *err)
{
	model_identity stored;
	char why[200];
	int rc = ims_identity_stored(s, false, &stored, err);
	*same = rc == IMGSEARCH_ENOTFOUND
		? e->identity.first
		: !rc && ims_model_same(&stored, &e->identity.model, why, sizeof why);
	*first = rc && e->identity.first; /* another edit may have added the first picture */
	ims_model_identity_free(&stored);
	return rc == IMGSEARCH_ENOTFOUND ? 0 : rc;
}

static int write_file(const edit *e, imgsearch *s, int64_t id, imgsearch_error *err)
{
	int64_t holder = 0;
	int rc = ims_store_file_find(s->store, &e->picture.hash, &holder, err);
	return rc || holder == id ? rc
							  : ims_store_file_put(s->store, id, e->file.data, e->file.len, err);
}

/* Within a transaction: whether that is the second model of the index. */
static int is_second(imgsearch *s, const model_identity *m, bool *is, imgsearch_error *err)
{
	model_identity stored = { 0 };
	char why[200];
	int rc = ims_store_has_second(s->store, is, err);
	if (rc || !*is)
		return rc;
	rc = ims_identity_stored(s, true, &stored, err);
	*is = !rc && ims_model_same(&stored, m, why, sizeof why);
	ims_model_identity_free(&stored);
	return rc;
}

/* The vector of the second model, of a picture that was written. */
static int write_second(const edit *second, imgsearch *s, const store_record *written,
	imgsearch_error *err)
{
	bool is = false;
	store_record r = {
		.way = STORE_TOUCH,
		.row = { .id = written->row.id, .path = written->row.path },
		.vector = second->rows,
		.dim = second->dim,
		.next = true,
	};
	ims_row_add_regions(&r, &second->picture);
	int rc = written->row.state == IMGSEARCH_STATE_INDEXED
		? is_second(s, &second->identity.model, &is, err)
		: 0;
	return rc || !is ? rc : ims_store_write(s->store, &r, 1, err);
}

static int write_picture(const edit *e, imgsearch *s, bool *again, imgsearch_error *err)
{
	store_record r = ims_row_record(&e->picture, e->rows, e->identity.model.dim);
	identity id = e->identity;
	bool same;
	int rc = same_model(e, s, &same, &id.first, err);
	*again = !rc && !same;
	if (rc || *again)
		return rc;
	rc = ims_identity_store(s, &id, err);
	r.refuses_deleted = true;
	r.row.id = e->ids[0];
	r.row.path = e->names[0];
	r.row.mtime = e->mtime;
	r.row.ctime = e->ctime;
	r.row.has_ctime = e->has_ctime;
	if (!rc)
		rc = ims_store_write(s->store, &r, 1, err);
	*again = !rc && r.outcome == STORE_UNPREPARED;
	if (!rc && !*again && e->second)
		rc = write_second(e->second, s, &r, err);
	return rc || *again || !e->file.len ? rc : write_file(e, s, r.row.id, err);
}

/* --------------------------------------------------------------------------------- vectors ---- */

static int check_rows(const float *rows, size_t n, size_t dim, imgsearch_error *err)
{
	for (size_t i = 0; i < n * dim; i++)
		if (!isfinite(rows[i]))
			return ims_fail(err, IMGSEARCH_EINVAL, "row %zu has a value that is not finite",
				i / dim);
	return 0;
}

static int check_ids(const int64_t *ids, size_t n, imgsearch_error *err)
{
	int64_t *sorted = ims_alloc(n, sizeof *sorted);
	if (!sorted)
		return ims_nomem(err);
	if (n)
		memcpy(sorted, ids, n * sizeof *sorted);
	qsort(sorted, n, sizeof *sorted, ims_id_compare);
	int rc = 0;
	if (n && sorted[0] < 0)
		rc = ims_fail(err, IMGSEARCH_EINVAL, "ids: %lld is negative", (long long)sorted[0]);
	for (size_t i = 1; !rc && i < n; i++)
		if (sorted[i] == sorted[i - 1])
			rc = ims_fail(err, IMGSEARCH_EINVAL, "ids: %lld comes twice", (long long)sorted[i]);
	ims_free(sorted);
	return rc;
}

static int check_names(const char *const *names, size_t n, imgsearch_error *err)
{
	size_t named = 0;
	int rc = 0;
	const char **sorted = ims_alloc(n, sizeof *sorted);
	if (!sorted)
		return ims_nomem(err);
	for (size_t i = 0; !rc && i < n; i++) {
		if (names[i] && !*names[i])
			rc = ims_fail(err, IMGSEARCH_EINVAL, "names: name %zu is empty", i);
		if (names[i])
			sorted[named++] = names[i];
	}
	qsort(sorted, named, sizeof *sorted, ims_text_compare);
	for (size_t i = 1; !rc && i < named; i++)
		if (!strcmp(sorted[i], sorted[i - 1]))
			rc = ims_fail(err, IMGSEARCH_EINVAL, "names: %s comes twice", sorted[i]);
	ims_free(sorted);
	return rc;
}

static int copy_names(edit *out, const char *const *names, size_t n, imgsearch_error *err)
{
	out->names = ims_zalloc(n, sizeof *out->names);
	for (size_t i = 0; out->names && i < n; i++)
		if (names[i] && !(out->names[i] = ims_strdup(names[i])))
			return ims_nomem(err);
	return out->names ? 0 : ims_nomem(err);
}

int ims_edit_vectors(edit *out, imgsearch *s, const float *rows, size_t n, size_t dim,
	const int64_t *ids, const char *const *names, imgsearch_error *err)
{
	*out = (edit){ .kind = EDIT_VECTORS, .n = n, .dim = (uint32_t)dim };
	int rc = check_rows(rows, n, dim, err);
	if (!rc)
		rc = ims_view_check_rows(s, rows, n, (uint32_t)dim, err);
	if (!rc && ids)
		rc = check_ids(ids, n, err);
	if (!rc && names)
		rc = check_names(names, n, err);
	if (rc)
		return rc;
	out->rows = ims_alloc_aligned(n, dim * sizeof *rows);
	if (ids)
		out->ids = ims_alloc(n, sizeof *ids);
	if (!out->rows || (ids && !out->ids))
		return ims_nomem(err);
	if (n)
		memcpy(out->rows, rows, n * dim * sizeof *rows);
	if (n && ids)
		memcpy(out->ids, ids, n * sizeof *ids);
	return names ? copy_names(out, names, n, err) : 0;
}

/* A vector with a name has a row of its own. */
static int write_named(const edit *e, size_t from, size_t to, imgsearch *s, imgsearch_error *err)
{
	store_record *r = ims_zalloc(to - from, sizeof *r);
	if (!r)
		return ims_nomem(err);
	for (size_t i = from; i < to; i++)
		r[i - from] = (store_record){
			.way = STORE_PUT,
			.row = {
				.id = e->ids[i],
				.has_id = true,
				.path = e->names[i],
				.state = IMGSEARCH_STATE_INDEXED,
			},
			.vector = e->rows + i * e->dim,
			.dim = e->dim,
		};
	int rc = ims_store_write(s->store, r, to - from, err);
	ims_free(r);
	return rc;
}

static bool is_named(const edit *e, size_t i)
{
	return e->names && e->names[i];
}

/* As many vectors without names as are written between two looks at the job. */
static size_t at_once(const edit *e)
{
	enum { BYTES = 8 << 20, MOST = 2048 };
	size_t n = BYTES / (sizeof *e->rows * (e->dim ? e->dim : 1));
	return n < LOOK ? LOOK : n > MOST ? MOST : n;
}

/* Runs of vectors with names, and of those without, are written at once. */
static int write_vectors(const edit *e, imgsearch *s, const job *j, imgsearch_error *err)
{
	int rc = ims_view_settle_dim(s, e->dim, err);
	for (size_t i = 0, to; !rc && i < e->n; i = to) {
		size_t most = is_named(e, i) ? LOOK : at_once(e);
		for (to = i; to < e->n && to - i < most && is_named(e, to) == is_named(e, i); to++)
			;
		rc = ims_job_check(j, err);
		if (rc)
			break;
		rc = is_named(e, i) ? write_named(e, i, to, s, err)
							: ims_store_vectors_put(s->store, e->ids + i, e->rows + i * e->dim,
								to - i, e->dim, err);
	}
	return rc;
}

/* ---------------------------------------------------------------------------------- remove ---- */

int ims_edit_remove(edit *out, const int64_t *ids, size_t n, imgsearch_error *err)
{
	*out = (edit){ .kind = EDIT_REMOVE, .n = n, .ids = ims_alloc(n, sizeof *ids) };
	if (!out->ids)
		return ims_nomem(err);
	if (n)
		memcpy(out->ids, ids, n * sizeof *ids);
	out->n = ims_ids_sort(out->ids, n);
	return 0;
}

static int write_removal(const edit *e, imgsearch *s, const job *j, imgsearch_error *err)
{
	int rc = 0;
	for (size_t i = 0; !rc && i < e->n; i += LOOK) {
		rc = ims_job_check(j, err);
		if (!rc)
			rc = ims_store_remove(s->store, e->ids + i, e->n - i < LOOK ? e->n - i : LOOK, err);
	}
	return rc;
}

int ims_edit_write(edit *e, imgsearch *s, const job *j, bool *again, imgsearch_error *err)
{
	*again = false;
	switch (e->kind) {
	case EDIT_PICTURE:
		return write_picture(e, s, again, err);
	case EDIT_VECTORS:
		return write_vectors(e, s, j, err);
	case EDIT_REMOVE:
		return write_removal(e, s, j, err);
	}
	return 0;
}
