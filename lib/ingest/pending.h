/*
 * Pictures that are prepared and not yet written. They wait here, in the order of the walk, for
 * their vectors; then all are written in one transaction, so that no network runs inside of one.
 * The twin check sees them: the same bytes met again while the first picture waits cost no second
 * run of the network.
 */
#ifndef IMS_INGEST_PENDING_H
#define IMS_INGEST_PENDING_H

#include "ingest/row.h"

enum { PENDING_MOST = 1024 };

typedef struct pending_row {
	int64_t id, root; /* id 0: a new path */
	char *path;       /* owned; relative to the root */
	timestamp mtime;
	uint64_t size;  /* as the walk saw it */
	uint32_t state; /* IMGSEARCH_INDEXED: `picture` is written; else why it is not */
	char *reason;   /* owned, or NULL */
	prepared picture;
	bool vector_only; /* the row stays as it is, only its vector is new */
	bool needs_vector;
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

/* Appends a row, whose strings it takes over; there must be room. Returns its number. */
size_t ims_pending_add(pending_list *p, const pending_row *row);

/* Whether a picture with these bytes waits to be indexed. */
bool ims_pending_has_hash(const pending_list *p, const hash256 *hash);
/* Whether the row of this picture is to be written with other bytes. */
bool ims_pending_replaces(const pending_list *p, int64_t id, const hash256 *hash);

#endif
