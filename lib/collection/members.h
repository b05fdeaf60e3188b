/* The members of a collection that near-duplicates are looked for among. */
#ifndef IMS_COLLECTION_MEMBERS_H
#define IMS_COLLECTION_MEMBERS_H

#include "analysis/signature.h"
#include "handle/view.h"

/* A picture of the index, or a vector without a picture (state and hash 0). */
typedef struct member {
	int64_t id; /* first, for ims_id_compare */
	hash256 hash;
	uint32_t state, width, height;
	bool has_signature;
	char *path;        /* absolute; NULL: it has no file */
	signature *pixels; /* where has_signature */
} member;

typedef struct members {
	member *item; /* by id */
	size_t n, cap;
	uint64_t unread; /* pictures whose files are away or changed */
} members;

/*
 * Indexed pictures, their duplicates, and vectors without a picture; with `under`, only pictures
 * below that folder.
 *
 * With `signatures` every indexed picture gets one where its file can be had. It is read from the
 * index where the bytes are still those that it was made of. Else the file is decoded, on all
 * threads, and its signature is stored in the index where nobody else is writing: a reader may call
 * this. Reports stage "read". On error *out is empty. ENOMEM, EDB, ECANCELED.
 */
int ims_members_read(imgsearch *s, const char *under, bool signatures, job *job, members *out,
	imgsearch_error *err);
void ims_members_free(members *m);

/* NULL: there is none of this id. */
member *ims_members_find(const members *m, int64_t id);

#endif
