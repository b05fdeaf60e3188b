/*
 * The ids of edits that are not written yet. A name that the index has, or that a staged edit
 * gives, keeps its id. Other edits get the next ids, in the order in which the store would give
 * them. The caller holds the writer lock, so that nobody else gives ids meanwhile.
 */
#ifndef IMS_INGEST_NUMBERING_H
#define IMS_INGEST_NUMBERING_H

#include "ingest/edit.h"
#include "ingest/path_table.h"

typedef struct numbering {
	imgsearch *s;
	int64_t last;       /* the largest id given so far; -1: none */
	bool any_deleted;   /* the index has items that were deleted on purpose */
	path_table names;   /* of staged edits: name -> id; `seen`: removed again */
	path_table ids;     /* of staged edits: id; `seen`: removed */
	path_table content; /* of staged pictures: hash -> id */
} numbering;

/* Reads the largest id. ims_numbering_free frees it. EDB, EIO, ENOMEM. */
int ims_numbering_init(numbering *n, imgsearch *s, imgsearch_error *err);
void ims_numbering_free(numbering *n);

/*
 * Gives an edit its ids and, where it has none, the name of a picture, and remembers what it
 * changes. All or nothing. EINVAL: an id and a name that belong to different items, or an item, or
 * bytes, that were deleted on purpose; ENOTFOUND: a removed id does not exist; ELIMIT: no ids are
 * left; EDB, EIO, ENOMEM.
 */
int ims_numbering_apply(numbering *n, edit *e, imgsearch_error *err);

/* Whether these bytes are indexed, with the staged edits counted in; an edit_has_content. */
bool ims_numbering_has_content(void *numbering, const hash256 *hash);

#endif
