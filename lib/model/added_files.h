/* Folders of files that belong together: made, copied into, synced, deleted. For added.c. */
#ifndef IMS_MODEL_ADDED_FILES_H
#define IMS_MODEL_ADDED_FILES_H

#include "base/base.h"

/*
 * Opens imgsearch/models of the data folder, made where it is missing, and locks it until the
 * descriptor is closed. EBUSY, EIO; ENOTFOUND: no home folder is known.
 */
int ims_models_lock(int *fd, imgsearch_error *err);

#define ADDED_RECORD "added.json" /* what was added, in the folder of a model */

/* The path of imgsearch/models/ + before + name + after; ims_free. ENOTFOUND, ENOMEM. */
int ims_models_path(char **out, const char *before, const char *name, const char *after,
	imgsearch_error *err);

/* An empty new folder; one that a killed program left is emptied. EIO. */
int ims_folder_make(const char *path, imgsearch_error *err);

/* Deletes a folder and the files in it. EIO; one that is absent is none. */
int ims_folder_delete(const char *path, imgsearch_error *err);

/*
 * The names of what is in a folder, or of its files alone, sorted, without hidden ones;
 * ims_texts_free. EIO, ENOMEM.
 */
int ims_folder_names(text_list *out, const char *path, imgsearch_error *err);
int ims_folder_files(text_list *out, const char *path, imgsearch_error *err);

/* A copy, or a hard link where that works, on disk. ENOTFOUND, EIO. */
int ims_file_place(const char *from, const char *to, bool link, imgsearch_error *err);

/* Makes what a folder lists outlast a loss of power. EIO. */
int ims_folder_sync(const char *path, imgsearch_error *err);

#endif
