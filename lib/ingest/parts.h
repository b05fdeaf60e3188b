/*
 * Parts of a root: folders of it that may be absent or empty for a while, as a root may, without a
 * loss (handle/offline.h). A folder that was a root is one (rules.h), and a mount point from which
 * files came in.
 */
#ifndef IMS_INGEST_PARTS_H
#define IMS_INGEST_PARTS_H

#include "files/walk.h"
#include "handle/handle.h"

/* Notes the mount point, below its root, that an entry lies in. ENOMEM. */
int ims_parts_meet(text_list *mounts, const walk_entry *e);

/*
 * Remembers the mounts that were met with the root, in a transaction. known: its list, which is
 * brought up to date. EDB, EIO, ENOMEM.
 */
int ims_parts_store(imgsearch *s, int64_t root, text_list *known, const text_list *mounts,
	imgsearch_error *err);

#endif
