/*
 * The plan of an index run: which folders and files it walks, and under which roots. A folder below
 * a root belongs to that root. Any other folder becomes a new root. Roots and single files that lie
 * in a root become a part of it, with their ids, vectors and patterns. A root stays a root of its
 * own where the walk around it would leave out its name, where patterns say what it takes in, and
 * while it is absent or empty. A single file with such a name stays single, too. No path is walked
 * twice, however often it was named. A path that leads out of a root through a link that is
 * followed there is a part of that root.
 */
#ifndef IMS_INGEST_PLAN_H
#define IMS_INGEST_PLAN_H

#include "handle/handle.h"
#include "store/store.h"

/* A root of the store, or a part of one. */
typedef struct index_start {
	int64_t root;    /* 0: one file, by its absolute path */
	char *root_path; /* "" for root 0 */
	char *prefix;    /* below the root, "" for all; root 0: the file */
	bool file;
	bool stored; /* a file whose bytes the index stores; the prefix is its name */
} index_start;

typedef struct index_plan {
	index_start *start;
	size_t n;
	store_roots roots; /* with their lists as they are stored now */
	imgsearch *s;      /* set by the caller, as the next ones */
	bool follow_links;
	imgsearch_error *err;
} index_plan;

/*
 * Within a transaction: makes the plan. paths: n folders and files; n 0: all roots of the index.
 * ims_plan_free is needed also on error. ENOTFOUND: a path does not exist, or the index has no
 * root. EIO, EDB, ENOMEM.
 */
int ims_plan_make(index_plan *p, const char *const *paths, size_t n);
void ims_plan_free(index_plan *p);

/*
 * Adds the pictures whose bytes the index stores. A plan of all roots has them. EDB, EIO, ENOMEM.
 */
int ims_plan_add_stored(index_plan *p);

#endif
