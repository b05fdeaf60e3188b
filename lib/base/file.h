/* Whole files, read and written. Any thread. */
#ifndef IMS_BASE_FILE_H
#define IMS_BASE_FILE_H

#include "base/buf.h"
#include "imgsearch.h"

/*
 * Appends the whole file to out. EUNSUPPORTED: not a regular file (a FIFO does not block); ELIMIT:
 * more than max_bytes; ENOTFOUND, EIO, ENOMEM.
 */
int ims_read_file(buf *out, const char *path, uint64_t max_bytes, imgsearch_error *err);

/* The same from an open descriptor; name is for the message. */
int ims_read_fd(buf *out, int fd, const char *name, uint64_t max_bytes, imgsearch_error *err);

/* Writes all n bytes, also where a signal interrupts. 0, or -1 with errno set. */
int ims_write_all(int fd, const void *data, size_t n);

typedef struct file_piece {
	const void *data; /* borrowed */
	size_t size;
} file_piece;

/*
 * Creates a file, or replaces it, with n pieces one after the other. They are written to PATH.part,
 * synced and renamed, so that a kill leaves the old file or the new one. One writer of a path at a
 * time. On failure the old file stays and PATH.part is removed. EIO, ENOMEM.
 */
int ims_replace_file(const char *path, const file_piece *piece, size_t n, imgsearch_error *err);

#endif
