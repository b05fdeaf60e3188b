/*
 * What is switched on in folders of roots, and remembered for them: symbolic links are followed,
 * formats are read that are off by default.
 */
#ifndef IMS_INGEST_SWITCHES_H
#define IMS_INGEST_SWITCHES_H

#include "ingest/plan.h"

/*
 * Within a transaction: turns switches on for the starts of the plan, or off for those that are
 * such a folder or lie in one of the run. EINVAL: one is to be off in a part of such a folder.
 */
int ims_switches_store(index_plan *p, const imgsearch_index_update_options *options,
	imgsearch_error *err);

/*
 * Whether a list covers a path: what lies in a folder of it or was named by itself; for links,
 * itself where it is one.
 */
bool ims_folders_cover(const text_list *l, const char *path);

/* The formats that are read at a path of a root: IMAGE_ALSO_... */
uint32_t ims_switches_formats(const store_lists *of, const char *path);

#endif
