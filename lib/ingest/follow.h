/*
 * Where runs follow symbolic links: folders of roots, which the index remembers, and links that
 * were named by themselves.
 */
#ifndef IMS_INGEST_FOLLOW_H
#define IMS_INGEST_FOLLOW_H

#include "ingest/plan.h"

/* Paths below a root: what lies below one of them is reached through links, too. */
typedef struct follow_list {
	char **path; /* owned; "": all of the root */
	size_t n;
} follow_list;

/*
 * Within a transaction: remembers the starts of the plan as such folders, or forgets those that are
 * one or lie in one of the run. EINVAL: links are to be followed no more in a part of such a
 * folder.
 */
int ims_follow_store(const index_plan *p, const imgsearch_index_update_options *options,
	imgsearch_error *err);

/* Those of a root; root 0: of single files, by their absolute paths. EDB, EIO, ENOMEM. */
int ims_follow_read(imgsearch *s, int64_t root, follow_list *out, imgsearch_error *err);
void ims_follow_free(follow_list *l);

/* Whether links below a path, and the path itself where it is one, are followed. */
bool ims_follow_covers(const follow_list *l, const char *path);

#endif
