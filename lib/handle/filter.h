/* The ids that a filter of the public interface allows. */
#ifndef IMS_HANDLE_FILTER_H
#define IMS_HANDLE_FILTER_H

#include "handle/handle.h"

/* Folders that a filter is widened to, owned; zeroed before ims_filter_widen. */
typedef struct filter_folders {
	char **item;
	size_t n, cap;
} filter_folders;

/*
 * Adds to the folders of a filter what else they may mean: a relative one, the beginning of names,
 * also the folder of that path from the current folder; one with letters that can be spelt in NFC
 * and NFD, the spellings that paths of the index begin with. EDB, EIO, ENOMEM.
 */
int ims_filter_widen(imgsearch *s, imgsearch_filter *filter, filter_folders *owned,
	imgsearch_error *err);
void ims_filter_folders_free(filter_folders *f);

/* Warns that nothing of the index lies below the folders. */
void ims_filter_tell_empty(const imgsearch_filter *filter, job *j);

/*
 * The ids that the folders, the ids and the condition of a filter allow, ascending and each once.
 * The filter is a complete copy and has at least one of the three. *ids is never NULL on success;
 * the caller frees it by ims_free. Folders with nothing below are a warning in the log of j (may
 * be NULL). EINVAL: a column that no picture has; EDB, EIO, ENOMEM.
 */
int ims_filter_ids(imgsearch *s, const imgsearch_filter *filter, job *j, int64_t **ids, size_t *n,
	imgsearch_error *err);

/* The ids as above, of a filter that need not be widened: it is, in a copy. */
int ims_filter_allowed(imgsearch *s, const imgsearch_filter *filter, job *j, int64_t **ids,
	size_t *n, imgsearch_error *err);

#endif
