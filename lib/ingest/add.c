/* Adds single pictures, through prepare.h and row.h, and the caller's own vectors. */
#include "ingest/add.h"

#include "handle/items.h"
#include "handle/model_choice.h"
#include "handle/view.h"
#include "ingest/row.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ----------------------------------------------------------------------------- one picture ---- */

/* A picture that is being added, and the model that made its vector. */
typedef struct addition {
	imgsearch *s;
	const imgsearch_input *in;
	identity identity;
	prepared picture;
	float *input, *vector; /* owned; vector NULL: the index has the bytes */
	bool twin_removed;     /* the row with these bytes was removed meanwhile */
} addition;

static bool has_content(void *user, const hash256 *hash)
{
	const addition *a = user;
	int64_t twin;
	return !a->twin_removed && !ims_row_twin(a->s, hash, &twin, NULL) && twin;
}

/* Decides the identity, then prepares and embeds the picture. Needs no writer lock. */
static int embed(addition *a, imgsearch_error *err)
{
	model *network = NULL;
	ims_identity_free(&a->identity);
	ims_free(a->vector);
	a->vector = NULL;
	int rc = ims_identity_decide(a->s, IDENTITY_ADD, &a->identity, err);
	const model_identity *m = &a->identity.model;
	prepare_request request = {
		.s = a->s,
		.recipe = &m->recipe,
		.single = true,
		.has_content = has_content,
		.user = a,
	};
	if (!rc) { /* the size of the network's input may differ from the last attempt's */
		ims_free(a->input);
		a->input = NULL;
		rc = ims_prepare(&request, a->in, &a->picture, &a->input, err);
		if (rc && a->in->kind == IMGSEARCH_KIND_FILE)
			ims_error_prefix(err, "%s", a->in->path);
	}
	if (rc || !a->picture.decoded)
		return rc;
	a->vector = ims_alloc_aligned(m->dim, sizeof *a->vector);
	rc = a->vector ? ims_handle_network(a->s, m, &network, err) : ims_nomem(err);
	if (!rc)
		rc = ims_model_run(network, a->input, 1, a->vector, err);
	if (!rc && !ims_all_finite(a->vector, m->dim))
		rc = ims_fail(err, IMGSEARCH_EMODEL,
			"the network gives no finite feature for this picture");
	ims_model_free(network);
	return rc;
}

/* Within a transaction: whether the model of the index is still the one that made the vector. */
static int same_model(addition *a, bool *same, imgsearch_error *err)
{
	model_identity stored;
	char why[200];
	int rc = ims_identity_stored(a->s, false, &stored, err);
	*same = rc == IMGSEARCH_ENOTFOUND
		? a->identity.first
		: !rc && ims_model_same(&stored, &a->identity.model, why, sizeof why);
	if (!rc)
		a->identity.first = false; /* another writer may have added the first picture */
	ims_model_identity_free(&stored);
	return rc == IMGSEARCH_ENOTFOUND ? 0 : rc;
}

/*
 * Within a transaction. *again: the index changed meanwhile, so the picture must be embedded again.
 */
static int put_picture(addition *a, store_picture *row, bool *again, imgsearch_error *err)
{
	row_writer w = { .s = a->s, .dim = a->identity.model.dim, .refuses_deleted = true };
	row_outcome outcome = ROW_INDEXED;
	bool same;
	*again = false;
	int rc = same_model(a, &same, err);
	if (!rc && !same) {
		*again = true;
		return 0;
	}
	if (!rc)
		rc = ims_identity_store(a->s, &a->identity, err);
	if (!rc)
		rc = ims_row_put(&w, row, &a->picture, a->vector, &outcome, err);
	*again = !rc && outcome == ROW_UNPREPARED;
	a->twin_removed |= *again;
	return rc;
}

/* A picture without a name of its own is called "id:N" by its id. */
static int name_row(imgsearch *s, store_picture *row, char *unnamed, size_t size,
	imgsearch_error *err)
{
	int64_t next;
	if (row->path)
		return 0;
	int rc = ims_store_next_ids(s->store, 1, &next, err);
	snprintf(unnamed, size, "id:%lld", (long long)(next ? next : 1)); /* a picture has no id 0 */
	row->path = unnamed;
	return rc;
}

static int write_picture(addition *a, store_picture *row, bool *again, imgsearch_error *err)
{
	char unnamed[40];
	store_picture named = *row;
	int rc = ims_handle_write_begin(a->s, err);
	if (rc)
		return rc;
	rc = ims_store_tx_begin(a->s->store, err);
	if (!rc) {
		rc = name_row(a->s, &named, unnamed, sizeof unnamed, err);
		if (!rc)
			rc = put_picture(a, &named, again, err);
		rc = ims_handle_tx_end(a->s, rc, err);
	}
	ims_handle_write_end(a->s);
	row->id = named.id;
	return rc;
}

static int add_picture(imgsearch *s, const imgsearch_input *in, store_picture *row,
	imgsearch_error *err)
{
	enum { TRIES = 5 };
	addition a = { .s = s, .in = in };
	struct stat st;
	bool again = true;
	int rc = 0;
	if (in->kind == IMGSEARCH_KIND_FILE && !stat(in->path, &st))
		row->mtime = ims_timestamp(&st.st_mtim);
	for (int i = 0; !rc && again && i < TRIES; i++) {
		rc = embed(&a, err);
		if (!rc)
			rc = write_picture(&a, row, &again, err);
	}
	if (!rc && again)
		rc = ims_fail(err, IMGSEARCH_EBUSY, "%s: other writers keep changing its model",
			ims_store_path(s->store));
	ims_identity_free(&a.identity);
	ims_free(a.input);
	ims_free(a.vector);
	return rc;
}

/* --------------------------------------------------------------------------------- vectors ---- */

static int check_rows(const float *rows, size_t n, size_t dim, imgsearch_error *err)
{
	if (!dim || dim > 65536)
		return ims_fail(err, IMGSEARCH_EINVAL, "dimension %zu is not within 1..65536", dim);
	for (size_t i = 0; i < n * dim; i++)
		if (!isfinite(rows[i]))
			return ims_fail(err, IMGSEARCH_EINVAL, "row %zu has a value that is not finite",
				i / dim);
	return 0;
}

/* A vector with a name: it has a row of its own. */
static int put_named(imgsearch *s, const imgsearch_input *in, store_picture *row,
	imgsearch_error *err)
{
	char unnamed[40];
	int rc = name_row(s, row, unnamed, sizeof unnamed, err);
	if (!rc)
		rc = ims_store_picture_put(s->store, row, err);
	row->path = NULL;
	return rc ? rc
			  : ims_store_vector_put(s->store, row->id, in->data, (uint32_t)in->size, false, err);
}

/* asked: the id of a vector without a row, or 0. */
static int add_vector(imgsearch *s, const imgsearch_input *in, store_picture *row, int64_t asked,
	imgsearch_error *err)
{
	int rc = check_rows(in->data, 1, in->size, err);
	if (!rc)
		rc = ims_handle_write_begin(s, err);
	if (rc)
		return rc;
	rc = ims_store_tx_begin(s->store, err);
	if (!rc) {
		rc = ims_view_settle_dim(s, (uint32_t)in->size, err);
		if (!rc && asked)
			rc = ims_store_vectors_put(s->store, &asked, in->data, 1, (uint32_t)in->size, err);
		else if (!rc)
			rc = put_named(s, in, row, err);
		rc = ims_handle_tx_end(s, rc, err);
	}
	if (asked)
		row->id = asked;
	ims_handle_write_end(s);
	return rc;
}

/* EINVAL: the path or name is that of an item that was deleted on purpose, below whichever root. */
static int refuse_deleted(imgsearch *s, const char *path, imgsearch_error *err)
{
	int64_t id;
	bool deleted = false;
	imgsearch_error why;
	int rc = path ? ims_items_find(s, path, &id, &why) : IMGSEARCH_ENOTFOUND;
	if (!rc)
		rc = ims_store_is_deleted(s->store, id, &deleted, &why);
	if (rc == IMGSEARCH_ENOTFOUND)
		return 0;
	if (rc && err)
		*err = why;
	return deleted ? ims_store_refuse_deleted(s->store, path, id, err) : rc;
}

int ims_add(imgsearch *s, const imgsearch_input *in, const char *name, int64_t *id,
	imgsearch_error *err)
{
	bool vector = in->kind == IMGSEARCH_KIND_VECTOR;
	int64_t asked = vector && !name && id && *id > 0 ? *id : 0;
	char *absolute = !name && in->path ? realpath(in->path, NULL) : NULL;
	store_picture row = {
		.path = name   ? name
			: absolute ? absolute
					   : in->path,
		.state = IMGSEARCH_INDEXED,
	};
	int rc = refuse_deleted(s, row.path, err);
	if (!rc)
		rc = vector ? add_vector(s, in, &row, asked, err) : add_picture(s, in, &row, err);
	free(absolute);
	if (!rc && id)
		*id = row.id;
	return rc;
}

/* Ids for n rows: they count on from the largest one ever given, from 0 in a new index. */
static int make_ids(imgsearch *s, size_t n, int64_t **ids, imgsearch_error *err)
{
	int64_t first;
	int rc = ims_store_next_ids(s->store, n, &first, err);
	if (rc)
		return rc;
	*ids = ims_alloc(n, sizeof **ids);
	if (!*ids)
		return ims_nomem(err);
	for (size_t i = 0; i < n; i++)
		(*ids)[i] = first + (int64_t)i;
	return 0;
}

static int check_ids(const int64_t *ids, size_t n, imgsearch_error *err)
{
	for (size_t i = 0; ids && i < n; i++)
		if (ids[i] < 0)
			return ims_fail(err, IMGSEARCH_EINVAL, "row %zu: id %lld is negative", i,
				(long long)ids[i]);
	return 0;
}

int ims_add_vectors(imgsearch *s, const float *rows, size_t n, size_t dim, const int64_t *ids,
	imgsearch_error *err)
{
	int64_t *made = NULL;
	int rc = check_rows(rows, n, dim, err);
	if (!rc)
		rc = check_ids(ids, n, err);
	if (!rc)
		rc = ims_handle_write_begin(s, err);
	if (rc)
		return rc;
	rc = ims_store_tx_begin(s->store, err);
	if (!rc) {
		rc = ims_view_settle_dim(s, (uint32_t)dim, err);
		if (!rc && !ids)
			rc = make_ids(s, n, &made, err);
		if (!rc)
			rc = ims_store_vectors_put(s->store, ids ? ids : made, rows, n, (uint32_t)dim, err);
		rc = ims_handle_tx_end(s, rc, err);
	}
	ims_handle_write_end(s);
	ims_free(made);
	return rc;
}
