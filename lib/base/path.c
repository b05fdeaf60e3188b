/* Paths as text. */
#include "base/path.h"

#include "base/alloc.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

char *ims_path_join(const char *root, const char *path)
{
	if (!root || !*root)
		return ims_strdup(path);
	const char *slash = *path && root[strlen(root) - 1] != '/' ? "/" : "";
	return ims_format("%s%s%s", root, slash, path);
}

/* The length of the folder that a path of n bytes lies in, without slashes at its end but "/". */
static size_t folder_length(const char *path, size_t n)
{
	while (n && path[n - 1] != '/')
		n--;
	while (n > 1 && path[n - 1] == '/')
		n--;
	return n;
}

char *ims_path_resolve(const char *path)
{
	char real[PATH_MAX], *folder = ims_strdup(path), *out = NULL;
	size_t n = folder ? strlen(folder) : 0;
	bool found = false;
	while (n && !found) {
		n = folder_length(folder, n);
		folder[n] = 0;
		found = realpath(n ? folder : ".", real);
		if (n == 1 && folder[0] == '/')
			break;
	}
	const char *rest = path + n + strspn(path + n, "/");
	if (folder)
		out = found ? ims_path_join(real, rest) : ims_strdup(path);
	ims_free(folder);
	return out;
}

bool ims_path_has_dots(const char *path, bool here)
{
	for (size_t n; *path; path += n + strspn(path + n, "/")) {
		n = strcspn(path, "/");
		if ((n == 2 && path[0] == '.' && path[1] == '.') || (n == 1 && *path == '.' && here))
			return true;
	}
	return false;
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
