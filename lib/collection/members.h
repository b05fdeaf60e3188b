/* The members of a collection among which near-duplicates are searched. */
#ifndef IMS_COLLECTION_MEMBERS_H
#define IMS_COLLECTION_MEMBERS_H

#include "analysis/signature.h"
#include "handle/view.h"

/* A picture of the index, or a vector without a picture (state and hash 0). */
typedef struct member {
	int64_t id; /* first, for ims_id_compare */
	hash256 hash;
	uint32_t state, width, height;
	bool has_signature, has_detail;
	bool looked_at, is_drawing; /* is_drawing: set with looked_at */
	char *path;                 /* absolute; NULL: it has no file */
	signature *pixels;          /* owned; set with has_signature */
	full_signature *full;       /* owned; NULL: not loaded */
} member;

typedef struct members {
	member *item; /* by id */
	size_t n, cap;
	uint64_t unread; /* pictures whose files are missing or changed */
} members;

/*
 * Reads indexed pictures, their duplicates, and vectors without a picture; with a filter only
 * those that its folders and ids allow; its function is not called.
 *
 * With `signatures` every indexed picture gets a signature if its file can be read. It comes from
 * the index if the bytes have not changed. Otherwise the file is decoded, on all threads, and the
 * signature is stored unless another writer has the lock. An index of an older version has
 * signatures without detail, which are made anew likewise. They still count, without detail, where
 * the file cannot be read. Reports stage "read". ims_members_free frees *out; on error it is empty.
 * ENOMEM, EDB, ECANCELED.
 */
int ims_members_read(imgsearch *s, const imgsearch_filter *filter, bool signatures, job *job,
	members *out, imgsearch_error *err);
void ims_members_free(members *m);

/*
 * Loads the full signature of a member that has_detail. has_detail becomes false where another
 * writer has removed it. ENOMEM, EDB.
 */
int ims_members_load(imgsearch *s, member *m, imgsearch_error *err);

/*
 * Sets is_drawing, false without detail. The full signature of a drawing stays loaded; that of
 * another picture is let go if this call has loaded it, so the memory stays small.
 */
int ims_members_look(imgsearch *s, member *m, imgsearch_error *err);

/* The member with this id, borrowed; NULL: there is none. */
member *ims_members_find(const members *m, int64_t id);

#endif
