/*
 * The one way from a prepared picture to its row. Of files with the same bytes one is indexed and
 * has the vector; the others are its duplicates, and it is their twin. Where one was deleted on
 * purpose, the others are deleted copies of it.
 */
#ifndef IMS_INGEST_ROW_H
#define IMS_INGEST_ROW_H

#include "ingest/prepare.h"

/* The reason of a row whose vector is not finite. */
extern const char ims_row_reason_no_feature[];

typedef enum row_outcome {
	ROW_INDEXED,    /* the row has its own vector */
	ROW_UNCHANGED,  /* the row had these bytes; it keeps its vector, unless there is a new one */
	ROW_DUPLICATE,  /* another picture has these bytes */
	ROW_MOVED,      /* the picture with these bytes lies here now; it may be a deleted one */
	ROW_KEPT_OUT,   /* a picture with these bytes was deleted on purpose: so is this row */
	ROW_REFUSED,    /* the vector is not finite: the row is damaged */
	ROW_UNPREPARED, /* no row has these bytes now, and they were not decoded: nothing was written */
} row_outcome;

typedef struct row_writer {
	imgsearch *s;
	uint32_t dim;
	bool next;            /* vectors belong to a re-index */
	bool refuses_deleted; /* EINVAL instead of ROW_KEPT_OUT */
	/*
	 * Whether the file of the picture `twin` is gone, so that this one is it, moved; NULL:
	 * never.
	 */
	int (*moved)(void *user, int64_t twin, bool *moved, imgsearch_error *err);
	void *user;
} row_writer;

/*
 * Within a transaction: writes the row (its root, path, times; id 0: a new one), the signature and
 * the vector (dim; NULL: none is needed, since the bytes are known). row->id receives the id and
 * row->state the state. EDB, EIO, ENOMEM, ELIMIT, EINVAL (the path is that of a deleted picture).
 */
int ims_row_put(const row_writer *w, store_picture *row, const prepared *p, const float *vector,
	row_outcome *outcome, imgsearch_error *err);

/* Within a transaction: writes the facts that were read, if they were, to a picture. */
int ims_row_put_facts(imgsearch *s, int64_t id, const prepared *p, imgsearch_error *err);

/*
 * EINVAL: the path or name is that of an item that was deleted on purpose, below whichever root.
 * path may be NULL.
 */
int ims_row_refuse_deleted(imgsearch *s, const char *path, imgsearch_error *err);
/* By id; name is for the sentence. 0 where there is no such item. */
int ims_row_refuse_deleted_id(imgsearch *s, const char *name, int64_t id, imgsearch_error *err);

/* The indexed or deleted picture with these bytes: *id is 0 where there is none, or no hash. */
int ims_row_twin(imgsearch *s, const hash256 *hash, int64_t *id, imgsearch_error *err);

#endif
