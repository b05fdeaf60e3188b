/*
 * A file of rows of features, appended as they are computed. A run that was stopped continues after
 * the last whole row. A file with another key is emptied, since its rows can be computed again. One
 * thread at a time.
 */
#ifndef IMS_TRAIN_FEATURE_FILE_H
#define IMS_TRAIN_FEATURE_FILE_H

#include "base/base.h"

typedef struct feature_file {
	int fd;
	size_t dim;         /* of a row */
	size_t rows;        /* that it has */
	char *path;
} feature_file;

/*
 * Opens or creates the file and becomes the owner of path (NULL: ENOMEM). ims_feature_file_close is
 * needed also on failure. EIO, ENOMEM.
 */
int ims_feature_file_open(feature_file *f, char *path, const hash256 *key, size_t dim,
	imgsearch_error *err);
void ims_feature_file_close(feature_file *f);

/* Appends n rows (n, dim). EIO. */
int ims_feature_file_append(feature_file *f, const float *rows, size_t n, imgsearch_error *err);

/* Reads the first n rows into out (n, dim). EIO. */
int ims_feature_file_read(feature_file *f, float *out, size_t n, imgsearch_error *err);

#endif
