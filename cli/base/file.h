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
 * Writes a file whole or not at all: the bytes go to a file beside it, which is then renamed. mode
 * is that of a new file, before the umask. Returns 0 or an errno. Threads may write the same path
 * at once; one of them is the last.
 */
int file_replace(const char *path, const void *data, size_t size, mode_t mode);

/* The same with mode 0666, and a message. False: said why. */
bool file_write(const char *path, const void *data, size_t size);

/* False, said why, for a picture of the index: such a file is never written over. */
bool file_may_write(imgsearch *s, const char *path);

#endif
