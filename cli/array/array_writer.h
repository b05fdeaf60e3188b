/*
 * Writes an array file in blocks of rows: open, add..., close. The number of rows goes into the
 * header at the end. The rows go to a file beside the target, which is renamed when it is complete;
 * until then an older file stays. A device is written directly.
 */
#ifndef IMGSEARCH_CLI_ARRAY_WRITER_H
#define IMGSEARCH_CLI_ARRAY_WRITER_H

#include "cli/array/array.h"
#include "cli/base/file.h"

#include <stdio.h>

typedef struct array_writer {
	FILE *file;       /* NULL: not open */
	const char *path; /* the caller's */
	char *target;     /* owned: path without links; NULL: a device */
	char part[FILE_NAME_SIZE];
	array_type type;
	size_t n, dim, ndim;
	bool fvecs; /* by the name of the file; then rows are f32 */
} array_writer;

/* False: failed, with a message. */
bool array_writer_open(array_writer *w, const char *path, array_type type, size_t dim, size_t ndim);
/*
 * Appends rows: f32 for ARRAY_F32 and ARRAY_F16, int64 for ARRAY_I64. False: failed, with a
 * message.
 */
bool array_writer_add(array_writer *w, const void *rows, size_t n);
/*
 * Ends the file; keep false drops what was written. Returns whether the file is complete. False
 * with keep: failed, with a message, unless it was not open.
 */
bool array_writer_close(array_writer *w, bool keep);

#endif
