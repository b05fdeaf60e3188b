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

/* Resolves the folder of a path whose last part does not exist. */
static char *resolve_folder(char *path)
{
	char *slash = strrchr(path, '/'), *result = NULL;
	if (slash)
		*slash = 0;
	char *folder = realpath(!slash ? "." : slash == path ? "/" : path, NULL);
	if (folder)
		result = path_join(strcmp(folder, "/") ? folder : "", slash ? slash + 1 : path);
	else if (slash)
		*slash = '/';
	free(folder);
	return result;
}

char *path_absolute(const char *path)
{
	char *real = realpath(path, NULL);
	if (real)
		return real;
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

bool path_is_below(const char *path, const char *folder)
{
	size_t length = strlen(folder);
	while (length && folder[length - 1] == '/')
		length--;
	return !strncmp(path, folder, length) && (path[length] == '/' || !path[length]);
}
