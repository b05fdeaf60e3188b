/*
 * Writes the row of a prepared picture. Of several files with the same bytes one is indexed and has
 * the vector; the others are its duplicates.
 */
#ifndef IMS_INGEST_ROW_H
#define IMS_INGEST_ROW_H

#include "ingest/prepare.h"

/* The reason of a row whose vector is not finite. */
extern const char ims_row_not_finite[];

typedef enum row_outcome {
	ROW_INDEXED,    /* the row has its own vector */
	ROW_UNCHANGED,  /* the row had these bytes; it keeps its vector, unless there is a new one */
	ROW_DUPLICATE,  /* another picture has these bytes */
	ROW_MOVED,      /* the picture with these bytes was moved to this path */
	ROW_REFUSED,    /* the vector is not finite: the row is damaged */
	ROW_UNPREPARED, /* no row has these bytes now, and they were not decoded: nothing was written */
} row_outcome;

typedef struct row_writer {
	imgsearch *s;
	uint32_t dim;
	bool next; /* vectors belong to a re-index */
	/*
	 * Whether the file of the indexed picture `twin` is missing, so this file is its new place;
	 * NULL: never.
	 */
	int (*moved)(void *user, int64_t twin, bool *moved, imgsearch_error *err);
	void *user;
} row_writer;

/*
 * Within a transaction: writes the row (root, path and mtime are set; id 0: a new one), the
 * signature and the vector (dim values; NULL: not needed, the index has the bytes). row->id
 * receives the id. EDB, EIO, ENOMEM, ELIMIT.
 */
int ims_row_put(const row_writer *w, store_picture *row, const prepared *p, const float *vector,
	row_outcome *outcome, imgsearch_error *err);

/*
 * Finds the indexed picture with these bytes. *id is 0 if there is none or the hash is zero. EDB,
 * EIO, ENOMEM.
 */
int ims_row_twin(imgsearch *s, const hash256 *hash, int64_t *id, imgsearch_error *err);

#endif
