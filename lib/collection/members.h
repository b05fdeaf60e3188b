#ifndef IMS_COLLECTION_MEMBERS_H
#define IMS_COLLECTION_MEMBERS_H

#include "analysis/signature.h"
#include "handle/view.h"

/* A picture of the index, or a bare vector (state and hash 0). */
typedef struct member {
	int64_t id;
	hash256 hash;
	uint32_t state, width, height;
	bool has_signature;
	char *path;         /* absolute; NULL: it has no file */
	signature *pixels;  /* where has_signature */
} member;

typedef struct members {
	member *item;       /* by id */
	size_t n, cap;
	uint64_t unread;    /* pictures whose files are away or changed */
} members;

/* Indexed pictures, their duplicates and bare vectors, with signatures; those that are missing are made and kept. */
int ims_members_read(imgsearch *s, const char *under, bool signatures, members *out, job *job, imgsearch_error *err);
void ims_members_free(members *m);
member *ims_members_find(const members *m, int64_t id);

#endif
