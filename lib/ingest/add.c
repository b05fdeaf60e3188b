/* Makes edits, and stages or writes them. */
#include "ingest/add.h"

#include "ingest/row.h"
#include "ingest/transaction.h"
#include "store/store.h"

/* Stages an edit, or writes it at once; it is consumed. */
static int apply(imgsearch *s, imgsearch_transaction *t, edit *e, int64_t *ids, job *j,
	imgsearch_error *err)
{
	bool again;
	return t ? ims_transaction_stage(t, e, ids, err)
			 : ims_transaction_write_one(s, e, ids, j, &again, err);
}

/* Whether the index has these bytes; an edit_has_content. */
static bool has_content(void *user, const hash256 *hash)
{
	imgsearch *s = user;
	int64_t twin;
	return s && !ims_row_twin(s, hash, &twin, NULL) && twin;
}

/* The edit of a picture, with the bytes that are to be stored. */
static int make_edit(edit *e, imgsearch *s, const imgsearch_input *in,
	const imgsearch_index_add_options *o, edit_has_content *has_content, void *user, job *j,
	imgsearch_error *err)
{
	int rc = ims_edit_picture(e, s, in, o->name, has_content, user, j, err);
	if (!rc)
		ims_edit_picture_second(e, s, in, j);
	return rc || !o->store_bytes ? rc : ims_edit_store_file(e, in->data, in->size, err);
}

/*
 * Embeds and writes; again where the index changed in between. The second time the picture is
 * decoded whatever the index has, so that it needs no twin.
 */
static int add_alone(imgsearch *s, const imgsearch_input *in, const imgsearch_index_add_options *o,
	job *j, int64_t *id, imgsearch_error *err)
{
	enum { TRIES = 5 };
	edit e;
	bool again = true;
	int rc = 0;
	for (int i = 0; !rc && again && i < TRIES; i++) {
		rc = make_edit(&e, s, in, o, has_content, i ? NULL : s, j, err);
		if (!rc)
			rc = ims_transaction_write_one(s, &e, id, j, &again, err);
		ims_edit_free(&e);
	}
	return rc || !again ? rc
						: ims_fail(err, IMGSEARCH_EBUSY, "%s: its model changes again and again",
							ims_store_name(s->store));
}

static int add_staged(imgsearch *s, const imgsearch_input *in, const imgsearch_index_add_options *o,
	job *j, int64_t *id, imgsearch_error *err)
{
	edit e;
	imgsearch_transaction *t = o->transaction;
	int rc = make_edit(&e, s, in, o, ims_numbering_has_content, ims_transaction_numbering(t), j,
		err);
	if (rc) {
		ims_edit_free(&e);
		return rc;
	}
	return ims_transaction_stage(t, &e, id, err);
}

static int add_vector(imgsearch *s, const imgsearch_input *in, const imgsearch_index_add_options *o,
	job *j, int64_t *id, imgsearch_error *err)
{
	edit e;
	const char *name = o->name;
	int rc = ims_row_refuse_deleted(s, name, err);
	if (rc)
		return rc;
	bool unnamed = !name && !o->has_id;
	rc = ims_edit_vectors(&e, s, in->data, 1, in->size, o->has_id ? &o->id : NULL,
		name || unnamed ? &name : NULL, err);
	if (rc) {
		ims_edit_free(&e);
		return rc;
	}
	e.is_unnamed = unnamed;
	return apply(s, o->transaction, &e, id, j, err);
}

int ims_add(imgsearch *s, const imgsearch_input *in, const imgsearch_index_add_options *o, job *j,
	int64_t *id, imgsearch_error *err)
{
	int rc = o->transaction ? ims_transaction_check(o->transaction, s, err) : 0;
	if (rc)
		return rc;
	if (in->kind == IMGSEARCH_INPUT_KIND_VECTOR)
		return add_vector(s, in, o, j, id, err);
	return o->transaction ? add_staged(s, in, o, j, id, err) : add_alone(s, in, o, j, id, err);
}

/* Names are looked up one by one only in an index that has items which were deleted on purpose. */
static int refuse_deleted_names(imgsearch *s, const char *const *names, size_t n,
	imgsearch_error *err)
{
	bool any;
	int rc = ims_row_any_deleted(s, &any, err);
	for (size_t i = 0; !rc && any && i < n; i++)
		rc = ims_row_refuse_deleted(s, names[i], err);
	return rc;
}

int ims_add_vectors(imgsearch *s, const float *rows, size_t n, size_t dim,
	const imgsearch_vectors_add_options *o, job *j, int64_t *ids, imgsearch_error *err)
{
	edit e;
	int rc = o->transaction ? ims_transaction_check(o->transaction, s, err) : 0;
	if (!rc && o->names)
		rc = refuse_deleted_names(s, o->names, n, err);
	if (rc)
		return rc;
	rc = ims_edit_vectors(&e, s, rows, n, dim, o->ids, o->names, err);
	if (rc) {
		ims_edit_free(&e);
		return rc;
	}
	return apply(s, o->transaction, &e, ids, j, err);
}

int ims_remove(imgsearch *s, const int64_t *ids, size_t n, const imgsearch_index_remove_options *o,
	job *j, imgsearch_error *err)
{
	edit e;
	int rc = o->transaction ? ims_transaction_check(o->transaction, s, err) : 0;
	if (rc)
		return rc;
	rc = ims_edit_remove(&e, ids, n, err);
	if (rc) {
		ims_edit_free(&e);
		return rc;
	}
	return apply(s, o->transaction, &e, NULL, j, err);
}
