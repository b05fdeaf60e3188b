/* Whole files into memory. Any thread. */
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

#endif
