/* Looks at the file system from the folder of a path up to its root. */
#include "handle/offline.h"

#include "base/path.h"
#include "files/walk.h"
#include "store/store.h"

#include <string.h>
#include <sys/stat.h>

typedef struct part_reader {
	imgsearch *s;
	offline_folders *a;
	imgsearch_error *err;
} part_reader;

static int add_parts(void *user, int64_t id, const char *path)
{
	part_reader *r = user;
	offline_folders *a = r->a;
	char **part;
	size_t n;
	int rc = ims_store_patterns_get(r->s->store, id, STORE_FOLLOW, &part, &n, r->err);
	a->possible |= n || !ims_folder_has_entries(path);
	ims_store_patterns_free(part, n);
	if (!rc)
		rc = ims_store_patterns_get(r->s->store, id, STORE_PART, &part, &n, r->err);
	a->possible |= n > 0;
	for (size_t i = 0; !rc && i < n; i++) {
		char **grown = ims_grow(a->part, a->n, &a->cap, sizeof *grown);
		a->part = grown ? grown : a->part;
		char *full = grown ? ims_path_join(path, part[i]) : NULL;
		if (full)
			a->part[a->n++] = full;
		else
			rc = ims_nomem(r->err);
	}
	ims_store_patterns_free(part, n);
	return rc;
}

int ims_offline_read(imgsearch *s, offline_folders *a, imgsearch_error *err)
{
	part_reader r = { s, a, err };
	return ims_store_each_root(s->store, add_parts, &r, err);
}

void ims_offline_free(offline_folders *a)
{
	for (size_t i = 0; i < a->n; i++)
		ims_free(a->part[i]);
	ims_free(a->part);
	ims_free(a->folder);
	*a = (offline_folders){ 0 };
}

static bool is_part(const offline_folders *a, const char *folder)
{
	for (size_t i = 0; i < a->n; i++)
		if (!strcmp(a->part[i], folder))
			return true;
	return false;
}

/* Cuts the last part off, but not the slash of "/". */
static void go_up(char *folder)
{
	char *slash = strrchr(folder, '/');
	slash[slash == folder] = 0;
}

/* Looks at `folder` and those around it, to the root, and cuts it off on the way. */
static bool look(const offline_folders *a, char *folder, size_t root)
{
	for (;; go_up(folder)) {
		struct stat st;
		bool is_root = strlen(folder) <= root;
		bool link = !lstat(folder, &st) && S_ISLNK(st.st_mode);
		bool special = is_root || link || is_part(a, folder);
		if (!stat(folder, &st))
			return special && S_ISDIR(st.st_mode) && !ims_folder_has_entries(folder);
		if (special)
			return true;
	}
}

bool ims_offline_has(offline_folders *a, const char *path, size_t root)
{
	const char *slash = strrchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) : 0;
	while (root > 1 && path[root - 1] == '/')
		root--;
	if (!root || !slash)
		return false;
	n += n < root; /* of "/" */
	if (a->folder && !strncmp(a->folder, path, n) && !a->folder[n])
		return a->is_offline;
	ims_free(a->folder);
	a->folder = ims_strndup(path, n);
	char *copy = ims_strndup(path, n);
	a->is_offline = copy && look(a, copy, root);
	ims_free(copy);
	return a->is_offline;
}
