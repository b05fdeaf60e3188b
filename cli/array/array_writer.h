/*
 * Writes an array file in blocks of rows: open, add..., close. The number of rows goes into the
 * header at the end. Until then an older file stays (file_part).
 */
#ifndef IMGSEARCH_CLI_ARRAY_WRITER_H
#define IMGSEARCH_CLI_ARRAY_WRITER_H

#include "cli/array/array.h"
#include "cli/base/file.h"

#include <stdio.h>

typedef struct array_writer {
	FILE *file; /* NULL: not open */
	file_part out;
	array_type type;
	size_t n, dim, ndim;
	array_layout layout; /* by the name of the file; rows are f32 but in .npy */
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
