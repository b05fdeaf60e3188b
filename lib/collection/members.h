/* The pictures of an index among which near-duplicates are searched. */
#ifndef IMS_COLLECTION_MEMBERS_H
#define IMS_COLLECTION_MEMBERS_H

#include "analysis/signature.h"
#include "handle/offline.h"
#include "handle/view.h"

/* What the index knows of a path's file, and what has been seen since. */
typedef struct file_stamp {
	uint64_t size;
	timestamp mtime, ctime;
	size_t root;              /* length of its root's path, which its path begins with; 0: none */
	bool has_ctime;           /* ctime is known */
	bool looked_at, is_stale; /* is_stale: set with looked_at, by ims_file_paths_drop_stale */
} file_stamp;

/*
 * A file of the index, by its picture or, where a filter allows that alone, by another name; or a
 * vector without a picture (state and hash 0).
 */
typedef struct member {
	int64_t id; /* first, for ims_id_compare */
	hash256 hash;
	uint32_t state, width, height;
	/*
	 * it has the vector of an item, its own or that of the indexed picture with its bytes: the only
	 * member that has
	 */
	bool has_vector;
	int64_t vector;
	int64_t same_as, file; /* of its row: the indexed picture, and the one whose file it is */
	size_t order;          /* its place in order of path */
	bool has_signature, has_detail;
	bool looked_at, is_drawing, is_grey; /* the others: set with looked_at */
	char *path;                          /* absolute; NULL: it has no file */
	file_stamp stamp;
	signature *coarse;    /* of its signature; owned; set with has_signature */
	full_signature *full; /* owned; NULL: not loaded */
} member;

/* Another name of the file of a member. */
typedef struct member_name {
	int64_t of, id; /* `of` first, for ims_id_compare: the member */
	char *path;     /* absolute */
	file_stamp stamp;
} member_name;

typedef struct members {
	member *item; /* by id */
	size_t n, cap;
	member_name *name; /* by member */
	size_t n_names;
	member **stand_in; /* by vector: those that have the vector of a picture that is no member */
	size_t n_stand_ins;
	offline_folders offline;
	uint64_t unread; /* pictures whose files are missing or changed */
} members;

/*
 * Reads indexed pictures, their duplicates, the names of both, and vectors without a picture; with
 * a filter only those that it allows; its function is not called.
 *
 * With `signatures` every member with a vector gets a signature if its file can be read. It comes
 * from the index if the bytes have not changed. Otherwise the file is decoded, on all threads, and
 * the signature is stored unless another writer has the lock. An index of an older version has
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
 * Sets is_drawing and is_grey, false without detail. The full signature of a drawing stays loaded;
 * that of another picture is freed if this call loaded it, so that little memory is used.
 */
int ims_members_look(imgsearch *s, member *m, imgsearch_error *err);

/* The member that has the vector of this item, borrowed; NULL: there is none. */
member *ims_members_find(const members *m, int64_t vector);

/* The names of a member: the first of *n, borrowed. */
member_name *ims_members_names(const members *m, int64_t id, size_t *n);

#endif
