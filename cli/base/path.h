/* Paths of files. */
#ifndef IMGSEARCH_CLI_PATH_H
#define IMGSEARCH_CLI_PATH_H

#include <stdbool.h>

/* FOLDER/FILE; malloc'd, NULL: out of memory. */
char *path_join(const char *folder, const char *file);

/* Absolute and without symbolic links, as far as the path exists; malloc'd, NULL: out of memory. */
char *path_absolute(const char *path);

/* Whether path is folder or lies below it. */
bool path_is_below(const char *path, const char *folder);

#endif
