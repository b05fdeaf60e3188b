/*
 * What is switched on in folders of roots, and remembered for them: symbolic links are followed,
 * formats are read that are off by default.
 */
#ifndef IMS_INGEST_SWITCHES_H
#define IMS_INGEST_SWITCHES_H

#include "ingest/plan.h"

/*
 * Paths below a root, of folders and of files that were named by themselves: a switch is on for all
 * that lies in one of them.
 */
typedef struct folder_list {
	char **path; /* owned; "": all of the root */
	size_t n;
} folder_list;

/* The switches of a root; of root 0: of single files, by their absolute paths. */
typedef struct run_switches {
	folder_list follow, tiff, video;
} run_switches;

/*
 * Within a transaction: turns switches on for the starts of the plan, or off for those that are
 * such a folder or lie in one of the run. EINVAL: one is to be off in a part of such a folder.
 */
int ims_switches_store(const index_plan *p, const imgsearch_index_update_options *options,
	imgsearch_error *err);

/* EDB, EIO, ENOMEM. ims_switches_free is needed also on failure. */
int ims_switches_read(imgsearch *s, int64_t root, run_switches *out, imgsearch_error *err);
void ims_switches_free(run_switches *w);

/* Whether a list covers a path: for links, those below it, and itself where it is one. */
bool ims_folders_cover(const folder_list *l, const char *path);

/* The formats that are read at a path: IMAGE_ALSO_... */
uint32_t ims_switches_formats(const run_switches *w, const char *path);

#endif
