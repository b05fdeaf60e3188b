/*
 * Paths as text: joining two, and testing whether one lies below another. The file system is not
 * asked, but by ims_path_resolve: ".", ".." and links are ordinary names here, so callers pass
 * resolved paths.
 */
#ifndef IMS_BASE_PATH_H
#define IMS_BASE_PATH_H

#include <stdbool.h>
#include <stddef.h>

/*
 * root/path with one slash between them. Where root is NULL or "" it is path alone, where path is
 * "" it is root alone. The caller frees it by ims_free; NULL when memory is short.
 */
char *ims_path_join(const char *root, const char *path);

/*
 * The absolute path, with links resolved in the folders above it as far as they exist; the last
 * part stays as it is. The caller frees it by ims_free; NULL when memory is short.
 */
char *ims_path_resolve(const char *path);

/* Whether a part of path is "..", or "." where here is set. */
bool ims_path_has_dots(const char *path, bool here);

/* The last part of path, behind its last slash; borrowed from path. */
const char *ims_path_name(const char *path);

/* The length of path without the ending of its name: that of "dir/pets" for "dir/pets.pth". */
size_t ims_path_stem(const char *path);

/*
 * The rest of path below folder, borrowed from path: "" where both are the same, NULL where path
 * lies elsewhere. Slashes at the end of folder do not count. Everything absolute lies below "/" and
 * "".
 */
const char *ims_path_below(const char *path, const char *folder);

#endif
