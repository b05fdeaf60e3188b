/*
 * Pictures that are prepared and not yet written, in the order of the walk. When all have their
 * vectors, one transaction writes them, so no network runs inside a transaction. The search for
 * duplicates includes pending rows: the bytes of a pending picture need no second run of the
 * network. One thread at a time.
 */
#ifndef IMS_INGEST_PENDING_H
#define IMS_INGEST_PENDING_H

#include "ingest/content_table.h"
#include "ingest/row.h"

enum { PENDING_MOST = 1024 };

typedef struct pending_row {
	int64_t id, root; /* id 0: a new path */
	char *path;       /* owned; relative to the root */
	timestamp mtime, ctime;
	uint64_t size;      /* as the walk saw it */
	uint32_t state;     /* IMGSEARCH_STATE_INDEXED: `picture` is written; else why it is not */
	uint32_t row_state; /* the state of the row where the file has its size and time; else 0 */
	uint32_t tried;     /* that state, where the file was read again nevertheless; else 0 */
	char *reason;       /* owned, or NULL */
	prepared picture;
	bool vector_only; /* only the vector of the row is replaced */
	bool ctime_only;  /* the file is as it was, but for its change time; state is that of the row */
	bool pixels_only; /* the same, and only picture.pixels of the row is replaced */
	bool facts_only;  /* only its facts are replaced */
	content_key row_content; /* the bytes of the row before; zero: not known */
	bool needs_vector;
	bool removes;  /* the picture of the row goes */
	float *vector; /* owned; NULL: not there yet, or not needed */
} pending_row;

typedef struct pending_list {
	pending_row *row; /* (PENDING_MOST) */
	size_t n;
	uint64_t *hash_key; /* first bytes of the hash of a picture to be indexed; else 0 */
} pending_list;

int ims_pending_init(pending_list *p); /* 0 or ENOMEM */
void ims_pending_free(pending_list *p);
void ims_pending_clear(pending_list *p);

/*
 * Appends a row and becomes the owner of its strings and picture. The list must have fewer than
 * PENDING_MOST rows. Returns the index of the row.
 */
size_t ims_pending_add(pending_list *p, const pending_row *row);

/* Whether a pending picture that will be indexed has these bytes. */
bool ims_pending_has_hash(const pending_list *p, const hash256 *hash);
/* Whether a pending row gives this picture other bytes. */
bool ims_pending_replaces(const pending_list *p, int64_t id, const hash256 *hash);

#endif
