/* Stages edits, and writes one or many. */
#include "ingest/transaction.h"

#include "handle/view.h"
#include "store/store.h"

#include <string.h>

struct imgsearch_transaction {
	imgsearch *s;              /* whose writer lock it holds; NULL: it is closed */
	uint64_t bytes, max_bytes; /* of the edits; and what they may take */
	uint32_t dim;              /* of the vectors; 0: no edit has one */
	numbering numbering;
	edit *edit;
	size_t n, cap;
	bool is_committed;
};

/* Gives the writer lock back. */
static void close_transaction(imgsearch_transaction *t)
{
	if (!t->s)
		return;
	ims_handle_transaction_clear(t->s);
	ims_handle_write_end(t->s);
	t->s = NULL;
}

static void free_edits(imgsearch_transaction *t)
{
	for (size_t i = 0; i < t->n; i++)
		ims_edit_free(&t->edit[i]);
	ims_free(t->edit);
	ims_numbering_free(&t->numbering);
	t->edit = NULL;
	t->n = 0;
}

/* The handle closes. */
static void detach(void *transaction)
{
	imgsearch_transaction *t = transaction;
	close_transaction(t);
	free_edits(t);
}

int ims_transaction_begin(imgsearch *s, uint64_t max_bytes, imgsearch_transaction **out,
	imgsearch_error *err)
{
	imgsearch_transaction *t = ims_zalloc(1, sizeof *t);
	*out = NULL;
	if (!t)
		return ims_nomem(err);
	t->max_bytes = max_bytes;
	int rc = ims_handle_write_begin(s, NULL, err);
	if (!rc) {
		t->s = s;
		rc = ims_numbering_init(&t->numbering, s, err);
	}
	if (rc) {
		ims_transaction_free(t);
		return rc;
	}
	ims_handle_transaction_set(s, t, detach);
	*out = t;
	return 0;
}

void ims_transaction_free(imgsearch_transaction *t)
{
	if (!t)
		return;
	close_transaction(t);
	free_edits(t);
	ims_free(t);
}

int ims_transaction_check(const imgsearch_transaction *t, const imgsearch *s, imgsearch_error *err)
{
	if (t->s && t->s == s)
		return 0;
	return ims_fail(err, IMGSEARCH_EINVAL, "transaction: it %s",
		t->s                  ? "belongs to another handle"
			: t->is_committed ? "is committed already"
							  : "ended when its handle was closed");
}

imgsearch *ims_transaction_handle(const imgsearch_transaction *t)
{
	return t->s;
}

numbering *ims_transaction_numbering(imgsearch_transaction *t)
{
	return &t->numbering;
}

static void copy_ids(const edit *e, int64_t *ids)
{
	if (ids && e->n)
		memcpy(ids, e->ids, e->n * sizeof *ids);
}

/* The dimension of the vectors that an edit brings; 0: none. */
static uint32_t edit_dim(const edit *e)
{
	return e->kind == EDIT_PICTURE        ? e->identity.model.dim
		: e->kind == EDIT_VECTORS && e->n ? e->dim
										  : 0;
}

static int check_dim(const imgsearch_transaction *t, uint32_t dim, imgsearch_error *err)
{
	if (dim && t->dim && dim != t->dim)
		return ims_fail(err, IMGSEARCH_EINVAL,
			"vectors of %u values; those of the transaction have %u", dim, t->dim);
	return dim ? ims_view_check_dim(t->s, dim, err) : 0;
}

int ims_transaction_stage(imgsearch_transaction *t, edit *e, int64_t *ids, imgsearch_error *err)
{
	uint64_t size = ims_edit_size(e);
	uint32_t dim = edit_dim(e);
	int rc = check_dim(t, dim, err);
	if (!rc && size > t->max_bytes - t->bytes)
		rc = ims_fail(err, IMGSEARCH_ELIMIT,
			"transaction: it holds %llu of %llu bytes, and this edit needs %llu more",
			(unsigned long long)t->bytes, (unsigned long long)t->max_bytes,
			(unsigned long long)size);
	edit *grown = rc ? NULL : ims_grow(t->edit, t->n, &t->cap, sizeof *grown);
	if (!rc && !grown)
		rc = ims_nomem(err);
	if (!rc) {
		t->edit = grown;
		rc = ims_numbering_apply(&t->numbering, e, err);
	}
	if (rc) {
		ims_edit_free(e);
		return rc;
	}
	copy_ids(e, ids);
	t->edit[t->n++] = *e;
	t->bytes += size;
	t->dim = dim ? dim : t->dim;
	*e = (edit){ 0 };
	return 0;
}

/* Numbers an edit that is written at once. */
static int number(numbering *n, imgsearch *s, edit *e, imgsearch_error *err)
{
	int rc = ims_numbering_init(n, s, err);
	return rc ? rc : ims_numbering_apply(n, e, err);
}

/*
 * Writes n edits in one transaction of the store. fresh: numbers the only one, which has no ids
 * yet; NULL: they are numbered. *again: nothing was written.
 */
static int write_edits(imgsearch *s, edit *e, size_t n, numbering *fresh, job *j, bool *again,
	imgsearch_error *err)
{
	bool removed = false;
	int rc = ims_store_tx_begin(s->store, err);
	*again = false;
	if (rc)
		return rc;
	if (fresh)
		rc = number(fresh, s, e, err);
	for (size_t i = 0; !rc && !*again && i < n; i++) {
		removed |= e[i].kind == EDIT_REMOVE;
		rc = i % 256 ? 0 : ims_job_check(j, err);
		if (!rc)
			rc = ims_edit_write(&e[i], s, j, again, err);
	}
	if (!rc && *again) {
		ims_store_tx_rollback(s->store);
		return 0;
	}
	rc = ims_handle_tx_end(s, rc, err);
	if (!rc && removed)
		ims_store_compact(s->store, NULL); /* what it misses, the next one does */
	return rc;
}

int ims_transaction_commit(imgsearch_transaction *t, job *j, imgsearch_error *err)
{
	bool again;
	int rc = write_edits(t->s, t->edit, t->n, NULL, j, &again, err);
	if (!rc && again)
		rc = ims_fail(err, IMGSEARCH_EDB, "%s: the index changed under the transaction",
			ims_store_name(t->s->store));
	if (!rc) {
		close_transaction(t);
		t->is_committed = true;
	}
	return rc;
}

int ims_transaction_write_one(imgsearch *s, edit *e, int64_t *ids, job *j, bool *again,
	imgsearch_error *err)
{
	numbering n = { 0 };
	*again = false;
	int rc = ims_handle_write_begin(s, j, err);
	bool writing = !rc;
	if (!rc)
		rc = write_edits(s, e, 1, &n, j, again, err);
	if (!rc && !*again)
		copy_ids(e, ids);
	if (writing)
		ims_handle_write_end(s);
	ims_numbering_free(&n);
	if (rc || !*again)
		ims_edit_free(e);
	return rc;
}
