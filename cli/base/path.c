/* Paths of files. */
#include "cli/base/path.h"

#include "cli/base/list.h"

#include <glib.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

char *path_join(const char *folder, const char *file)
{
	size_t size = strlen(folder) + strlen(file) + 2;
	char *path = malloc(size);
	if (path)
		snprintf(path, size, "%s/%s", folder, file);
	return path;
}

/* The entry of a folder that is spelt as `name` in NFC, or NULL; malloc'd. */
static char *find_spelling(const char *folder, const char *name)
{
	char *wanted = g_utf8_normalize(name, -1, G_NORMALIZE_NFC), *found = NULL;
	GDir *dir = wanted ? g_dir_open(*folder ? folder : ".", 0, NULL) : NULL;
	for (const char *there; dir && !found && (there = g_dir_read_name(dir));) {
		char *entry = g_utf8_normalize(there, -1, G_NORMALIZE_NFC);
		if (entry && !strcmp(entry, wanted))
			found = strdup(there);
		g_free(entry);
	}
	if (dir)
		g_dir_close(dir);
	g_free(wanted);
	return found;
}

/* Spells the last part of the path, which is behind `before`, as its folder does. */
static void respell_last(GString *path, size_t before)
{
	struct stat st;
	if (path->len == before || !lstat(path->str, &st))
		return;
	char *name = strdup(path->str + before);
	g_string_truncate(path, before);
	char *entry = name ? find_spelling(path->str, name) : NULL;
	g_string_append(path, entry ? entry : name ? name : "");
	free(entry);
	free(name);
}

char *path_respelt(const char *path)
{
	GString *out = g_string_new(NULL);
	for (size_t n; *path; path += n + (path[n] == '/')) {
		size_t before = out->len;
		n = strcspn(path, "/");
		g_string_append_len(out, path, (gssize)n);
		respell_last(out, before);
		if (path[n])
			g_string_append_c(out, '/');
	}
	char *respelt = strdup(out->str);
	g_string_free(out, TRUE);
	return respelt;
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

/* mkdir -p; path is changed for a moment. */
static void make_folders(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		mkdir(path, 0700);
		*slash = '/';
	}
	mkdir(path, 0700);
}

/* NAME in the folder imgsearch of an XDG folder: that of the variable, else HOME/usual. */
static char *path_in_xdg(const char *variable, const char *usual, const char *name)
{
	char path[PATH_MAX];
	const char *folder = getenv(variable), *home = getenv("HOME");
	int n = 0;
	if (folder && *folder == '/')
		n = snprintf(path, sizeof path, "%s/imgsearch", folder);
	else if (home && *home)
		n = snprintf(path, sizeof path, "%s/%s/imgsearch", home, usual);
	if (n <= 0 || n >= (int)sizeof path)
		return NULL;
	make_folders(path);
	return path_join(path, name);
}

char *path_in_cache(const char *name)
{
	return path_in_xdg("XDG_CACHE_HOME", ".cache", name);
}

char *path_in_state(const char *name)
{
	return path_in_xdg("XDG_STATE_HOME", ".local/state", name);
}

char *path_absolute(const char *path)
{
	char *real = realpath(path, NULL);
	return real ? real : path_named(path);
}

/* Becomes the owner of the path, which is freed where it is there already. False: no memory. */
static bool add_way(char ***ways, size_t *n, char *path)
{
	for (size_t i = 0; path && i < *n; i++)
		if (!strcmp((*ways)[i], path)) {
			free(path);
			return true;
		}
	char **grown = path ? realloc(*ways, (*n + 2) * sizeof *grown) : NULL;
	if (!grown) {
		free(path);
		return false;
	}
	*ways = grown;
	grown[(*n)++] = path;
	grown[*n] = NULL;
	return true;
}

/* Whether a part of the path is so many dots alone. */
static bool has_part(const char *path, size_t dots)
{
	for (const char *part = path; *part; part += strspn(part, "/")) {
		size_t length = strcspn(part, "/");
		if (length == dots && strspn(part, ".") == dots)
			return true;
		part += length;
	}
	return false;
}

bool path_has_up(const char *path)
{
	return has_part(path, 2);
}

static bool has_dots(const char *path)
{
	return has_part(path, 1) || has_part(path, 2);
}

/* Whether the last part is "." or "..", which no path of an index ends in. */
static bool ends_in_dots(const char *path)
{
	size_t end = strlen(path);
	while (end && path[end - 1] == '/')
		end--;
	size_t start = end;
	while (start && path[start - 1] != '/')
		start--;
	return has_dots(path + start);
}

/* The path whose first `length` bytes alone are resolved; NULL: no such folder, or no memory. */
static char *resolve_first(const char *path, size_t length)
{
	char *first = length ? strndup(path, length) : strdup("."), *result = NULL;
	char *folder = first ? realpath(first, NULL) : NULL;
	const char *rest = path + length + strspn(path + length, "/");
	if (folder)
		result = path_join(strcmp(folder, "/") ? folder : "", rest);
	for (size_t n = result ? strlen(result) : 0; n > 1 && result[n - 1] == '/'; n--)
		result[n - 1] = 0;
	free(folder);
	free(first);
	return result;
}

bool path_is_named(const char *path)
{
	const char *colon = strchr(path, ':');
	return colon && colon > path && (!colon[1] || colon[1] == '/')
		&& (size_t)(colon - path) < strcspn(path, "/");
}

char **path_ways(const char *path, size_t *n)
{
	char **ways = NULL;
	*n = 0;
	bool ok = (!path_is_named(path) || add_way(&ways, n, strdup(path)))
		&& (ends_in_dots(path) || add_way(&ways, n, path_named(path)))
		&& add_way(&ways, n, path_absolute(path));
	for (size_t at = strlen(path); ok && at-- > 0;) {
		if (at && path[at] != '/')
			continue;
		if (has_dots(path + at))
			break;
		char *way = resolve_first(path, at || *path != '/' ? at : 1);
		ok = !way || add_way(&ways, n, way);
	}
	if (ok)
		return ways;
	text_list_free(ways, *n);
	return NULL;
}

int path_find_item(imgsearch *s, const char *path, int64_t *id, imgsearch_error *err)
{
	size_t n;
	char **ways = path_ways(path, &n);
	int rc = IMGSEARCH_ENOTFOUND;
	if (!ways)
		*err = (imgsearch_error){ .code = rc = IMGSEARCH_ENOMEM, .message = "out of memory" };
	for (size_t i = 0; rc == IMGSEARCH_ENOTFOUND && i < n; i++)
		rc = imgsearch_item_find(s, ways[i], id, err);
	if (rc == IMGSEARCH_ENOTFOUND && !imgsearch_item_find(s, path, id, NULL))
		rc = 0; /* by its name: it has no file */
	text_list_free(ways, n);
	return rc;
}

bool path_is_below(const char *path, const char *folder)
{
	size_t length = strlen(folder);
	while (length && folder[length - 1] == '/')
		length--;
	return !strncmp(path, folder, length) && (path[length] == '/' || !path[length]);
}

bool path_is_below_any(const char *path, char *const *folders, size_t n)
{
	bool below = false;
	for (size_t i = 0; !below && i < n; i++)
		below = path_is_below(path, folders[i]);
	return below;
}
