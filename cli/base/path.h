/* Paths of files. */
#ifndef IMGSEARCH_CLI_PATH_H
#define IMGSEARCH_CLI_PATH_H

#include "imgsearch.h"

#include <stdbool.h>

/* FOLDER/FILE; malloc'd, NULL: out of memory. */
char *path_join(const char *folder, const char *file);

/*
 * A folder of that name for what can be made again, in the XDG cache folder, whose parents are
 * made; malloc'd. NULL: no home is known, or out of memory.
 */
char *path_in_cache(const char *name);

/* The same of what must be kept, in the XDG state folder, whose parents are made. */
char *path_in_state(const char *name);

/* Absolute and without symbolic links, as far as the path exists; malloc'd, NULL: out of memory. */
char *path_absolute(const char *path);

/* The same, but for the last part, which stays: a link is the path of the link. */
char *path_named(const char *path);

/*
 * The path with each part spelt as its folder spells it (NFC, NFD), where it has one; malloc'd,
 * NULL: out of memory.
 */
char *path_respelt(const char *path);

/* NAME:, or NAME:/PATH: of a folder that an index knows by a name. */
bool path_is_named(const char *path);

/*
 * The paths that a path may have in an index, absolute ones and one below a folder with a name,
 * NULL behind them: where it is a link, that of the link; without links; and for each link on the
 * way, with the links behind that folder, as pictures that a root reaches through it are known.
 * text_list_free; NULL: out of memory.
 */
char **path_ways(const char *path, size_t *n);

/*
 * The id of the item of a path. A link that the index has is an item of its own; any other one is
 * what it leads to. Otherwise it is the item of that name, which has no file. As
 * imgsearch_item_find.
 */
int path_find_item(imgsearch *s, const char *path, int64_t *id, imgsearch_error *err);

/* Whether a part of the path is "..". */
bool path_has_up(const char *path);

/* Whether path is folder or lies below it; of n folders: one of them. */
bool path_is_below(const char *path, const char *folder);
bool path_is_below_any(const char *path, char *const *folders, size_t n);

#endif
