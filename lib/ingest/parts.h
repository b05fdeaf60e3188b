/*
 * Parts of a root: folders of it that may be absent or empty for a while, as a root may, without a
 * loss (handle/offline.h). A folder that was a root is one (rules.h), and a mount point from which
 * files came in.
 */
#ifndef IMS_INGEST_PARTS_H
#define IMS_INGEST_PARTS_H

#include "files/walk.h"
#include "handle/handle.h"

/* The mount points that a walk met. */
typedef struct part_list {
	char **path; /* owned; below the root */
	size_t n, cap;
} part_list;

/* Notes the mount point that an entry lies in. ENOMEM. */
int ims_parts_meet(part_list *l, const walk_entry *e);
void ims_parts_free(part_list *l);

/* Remembers those met with the root, in a transaction. EDB, EIO, ENOMEM. */
int ims_parts_store(imgsearch *s, int64_t root, const part_list *l, imgsearch_error *err);

#endif
