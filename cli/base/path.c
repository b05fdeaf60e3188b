/* Paths of files. */
#include "cli/base/path.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *path_join(const char *folder, const char *file)
{
	size_t size = strlen(folder) + strlen(file) + 2;
	char *path = malloc(size);
	if (path)
		snprintf(path, size, "%s/%s", folder, file);
	return path;
}

/*
 * Resolves the folder of a path, and leaves its last part; where that folder does not exist, the
 * folders that do. NULL: out of memory, or there is no current folder.
 */
static char *resolve_folder(const char *path)
{
	char *folders = strdup(path), *folder = NULL, *result = NULL;
	size_t n = strlen(path);
	while (folders && !folder) {
		while (n && folders[n - 1] != '/')
			n--;
		size_t end = n;
		while (end > 1 && folders[end - 1] == '/')
			end--;
		folders[end] = 0;
		folder = realpath(n ? folders : ".", NULL);
		if (!n)
			break;
		if (!folder)
			n = end;
	}
	while (path[n] == '.' && path[n + 1] == '/')
		n += 2;
	if (folder)
		result = path_join(strcmp(folder, "/") ? folder : "", path + n);
	free(folders);
	free(folder);
	return result;
}

char *path_named(const char *path)
{
	char *copy = strdup(path);
	if (!copy)
		return NULL;
	for (size_t n = strlen(copy); n > 1 && copy[n - 1] == '/'; n--)
		copy[n - 1] = 0;
	char *resolved = resolve_folder(copy);
	if (!resolved)
		return copy;
	free(copy);
	return resolved;
}

char *path_absolute(const char *path)
{
	char *real = realpath(path, NULL);
	return real ? real : path_named(path);
}

int path_find_item(imgsearch *s, const char *path, int64_t *id, imgsearch_error *err)
{
	char *(*const ways[])(const char *) = { path_named, path_absolute };
	int rc = IMGSEARCH_ENOTFOUND;
	for (int i = 0; rc == IMGSEARCH_ENOTFOUND && i < 2; i++) {
		char *full = ways[i](path);
		if (full)
			rc = imgsearch_item_find(s, full, id, err);
		else
			*err = (imgsearch_error){ .code = rc = IMGSEARCH_ENOMEM, .message = "out of memory" };
		free(full);
	}
	return rc;
}

bool path_is_below(const char *path, const char *folder)
{
	size_t length = strlen(folder);
	while (length && folder[length - 1] == '/')
		length--;
	return !strncmp(path, folder, length) && (path[length] == '/' || !path[length]);
}
