/*
 * Paths as text: joining two, and testing whether one lies below another. The file system is not asked: ".", ".." and
 * links are ordinary names here, so callers pass resolved paths.
 */
#ifndef IMS_BASE_PATH_H
#define IMS_BASE_PATH_H

/*
 * root/path with one slash between them. Where root is NULL or "" it is path alone, where path is "" it is root alone.
 * The caller frees it by ims_free; NULL when memory is short.
 */
char *ims_path_join(const char *root, const char *path);

/*
 * The rest of path below folder, borrowed from path: "" where both are the same, NULL where path lies elsewhere.
 * Slashes at the end of folder do not count. Everything absolute lies below "/" and "".
 */
const char *ims_path_below(const char *path, const char *folder);

#endif
