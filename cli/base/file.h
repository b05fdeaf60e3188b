/* Files that the command writes. */
#ifndef IMGSEARCH_CLI_FILE_H
#define IMGSEARCH_CLI_FILE_H

#include "imgsearch.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

/* The kind of a file to be written, by the end of its name; case does not matter. */
typedef enum file_kind { FILE_OTHER, FILE_PNG, FILE_JPEG, FILE_HTML } file_kind;
file_kind file_kind_of(const char *path);

/*
 * Writes a whole file: the bytes go to a file beside it, which is then renamed. mode is that of a
 * new file, before the umask. Returns 0 or an errno; then the old file stays. Threads may write one
 * path at once; the last one wins.
 */
int file_replace(const char *path, const void *data, size_t size, mode_t mode);

/* The same with mode 0666. False: failed, with a message. */
bool file_write(const char *path, const void *data, size_t size);

/*
 * The name of a file beside path, with random digits, to be renamed to path when it is complete.
 * Returns 0 or an errno.
 */
enum { FILE_NAME_SIZE = 4200 };
int file_part_name(char part[FILE_NAME_SIZE], const char *path);

/*
 * A file that is written in pieces: they go to a file beside the target, links followed, which is
 * renamed when it is complete; until then an older file stays. A device is written directly.
 */
typedef struct file_part {
	FILE *file;       /* NULL: not open */
	const char *path; /* the caller's */
	char *target;     /* owned: path without links; NULL: a device */
	char part[FILE_NAME_SIZE];
} file_part;
bool file_part_open(file_part *f, const char *path); /* false: failed, with a message */
/*
 * Ends the file; keep false drops what was written. Returns whether the file is complete. False
 * with keep: failed, with a message, unless it was not open.
 */
bool file_part_close(file_part *f, bool keep);

/* Whether path is one of n files that the command reads, by any of its names; with a message. */
bool file_is_input(const char *path, const char *const *input, size_t n);

/*
 * Whether path may be written. False, with a message, for "-", and for an index or another database
 * and a picture of the index s (NULL: none), which are never overwritten.
 */
bool file_may_write(imgsearch *s, const char *path);

#endif
