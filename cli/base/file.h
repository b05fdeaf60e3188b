/* Files that the command writes. */
#ifndef IMGSEARCH_CLI_FILE_H
#define IMGSEARCH_CLI_FILE_H

#include "imgsearch.h"

#include <stdbool.h>
#include <stddef.h>
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
 * Whether path may be written. False, with a message, for a picture of the index, which is never
 * overwritten.
 */
bool file_may_write(imgsearch *s, const char *path);

#endif
