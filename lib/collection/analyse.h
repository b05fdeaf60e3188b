/* What groups.c and map.c share: pictures with their signatures, rows in memory, and every row's nearest others. */
#ifndef IMS_COLLECTION_ANALYSE_H
#define IMS_COLLECTION_ANALYSE_H

#include "analysis/components.h"
#include "analysis/grid.h"
#include "analysis/plane.h"
#include "analysis/signature.h"
#include "analysis/tsne.h"
#include "handle/handle.h"

/* (n, dim) rows in memory, borrowed; the row number is the id. */
typedef struct memory_rows {
	row_source source;
	const float *rows;
} memory_rows;

void ims_memory_rows(memory_rows *m, const float *rows, size_t n, uint32_t dim, imgsearch_metric metric);

/* The rank-th nearest (from 0) of row number `row`. Non-zero stops and is returned. */
typedef int join_each(void *user, size_t row, size_t rank, neighbor found);

typedef struct self_join {
	search_index *index;
	size_t k;
	float max_distance;
	join_each *each;
	void *user;
	size_t done, total; /* rows, for progress */
} self_join;

/* The k nearest of each of n rows, itself (by ids) left out, nearest first, none farther than max_distance. */
int ims_self_join(self_join *j, const float *rows, const int64_t *ids, size_t n, uint32_t dim, job *job, imgsearch_error *err);

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
