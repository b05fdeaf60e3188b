/*
 * The transaction of the public interface: edits wait in memory, and one transaction of the store
 * writes them at the commit. The writer lock is held in between, so ids that were given stay right.
 * One thread at a time.
 */
#ifndef IMS_INGEST_TRANSACTION_H
#define IMS_INGEST_TRANSACTION_H

#include "ingest/edit.h"
#include "ingest/numbering.h"

/* imgsearch_transaction_begin; max_bytes is not 0. ims_transaction_free frees *out. EBUSY, EIO. */
int ims_transaction_begin(imgsearch *s, uint64_t max_bytes, imgsearch_transaction **out,
	imgsearch_error *err);

/* imgsearch_transaction_commit. */
int ims_transaction_commit(imgsearch_transaction *t, job *j, imgsearch_error *err);

/* Rolls back unless it was committed. NULL is fine, and so is one whose handle was closed. */
void ims_transaction_free(imgsearch_transaction *t);

/* EINVAL unless t is open and belongs to s, which may be NULL. */
int ims_transaction_check(const imgsearch_transaction *t, const imgsearch *s, imgsearch_error *err);

/* The handle of a transaction that is open; otherwise NULL. */
imgsearch *ims_transaction_handle(const imgsearch_transaction *t);

/* Its numbering: what is staged so far. */
numbering *ims_transaction_numbering(imgsearch_transaction *t);

/*
 * Numbers an edit and stages it; the edit is consumed, also by an error. ids (n of the edit, or
 * NULL) receives its ids. ELIMIT: over max_bytes; else as ims_numbering_apply.
 */
int ims_transaction_stage(imgsearch_transaction *t, edit *e, int64_t *ids, imgsearch_error *err);

/*
 * Numbers an edit and commits it alone; the edit is consumed unless *again is set (edit.h), which
 * says that nothing was written. Acquires the writer lock.
 */
int ims_transaction_write_one(imgsearch *s, edit *e, int64_t *ids, job *j, bool *again,
	imgsearch_error *err);

#endif
