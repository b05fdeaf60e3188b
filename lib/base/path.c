/* Paths as text. */
#include "base/path.h"

#include "base/alloc.h"

#include <string.h>

char *ims_path_join(const char *root, const char *path)
{
	if (!root || !*root)
		return ims_strdup(path);
	const char *slash = *path && root[strlen(root) - 1] != '/' ? "/" : "";
	return ims_format("%s%s%s", root, slash, path);
}

const char *ims_path_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

size_t ims_path_stem(const char *path)
{
	const char *dot = strrchr(ims_path_name(path), '.');
	return dot ? (size_t)(dot - path) : strlen(path);
}

const char *ims_path_below(const char *path, const char *folder)
{
	size_t n = strlen(folder);
	while (n && folder[n - 1] == '/')
		n--;
	if (strncmp(path, folder, n))
		return NULL;
	return !path[n] ? path + n : path[n] == '/' ? path + n + 1 : NULL;
}
