/*
 * A file of rows of features, appended as they are computed. A row belongs to a view of a picture,
 * so runs on other pictures share the file. A row that a kill cut off is dropped. A file with
 * another key is emptied, since its rows can be computed again. One thread at a time.
 */
#ifndef IMS_TRAIN_FEATURE_FILE_H
#define IMS_TRAIN_FEATURE_FILE_H

#include "base/base.h"

/* What a row is of. */
typedef struct feature_id {
	uint64_t picture, view;
} feature_id;

typedef struct feature_place {
	feature_id id;
	size_t row;
} feature_place;

typedef struct feature_file {
	int fd;
	size_t dim;  /* of a row */
	size_t rows; /* that it has */
	size_t cap, sorted;
	feature_place *place; /* rows; the first `sorted` are in order of id */
	char *path;
} feature_file;

/*
 * Opens or creates the file and becomes the owner of path (NULL: ENOMEM). ims_feature_file_close is
 * needed also on failure. EBUSY: another run has it open. EIO, ENOMEM.
 */
int ims_feature_file_open(feature_file *f, char *path, const hash256 *key, size_t dim,
	imgsearch_error *err);
void ims_feature_file_close(feature_file *f);

/* Appends n rows (n, dim) of these ids. EIO, ENOMEM. */
int ims_feature_file_append(feature_file *f, const feature_id *id, const float *rows, size_t n,
	imgsearch_error *err);

/* Sorts what was appended, so that it is found. */
void ims_feature_file_sort(feature_file *f);

/* The row of an id; SIZE_MAX: none that is sorted. */
size_t ims_feature_file_find(const feature_file *f, feature_id id);

/* Reads a row into out (dim). EIO. */
int ims_feature_file_read(const feature_file *f, size_t row, float *out, imgsearch_error *err);

#endif
