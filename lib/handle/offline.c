/* Looks at the file system from the folder of a path up to its root. */
#include "handle/offline.h"

#include "base/path.h"
#include "files/walk.h"
#include "store/store.h"

#include <string.h>
#include <sys/stat.h>

int ims_offline_read(imgsearch *s, offline_folders *a, imgsearch_error *err)
{
	store_roots roots;
	int rc = ims_store_roots_get(s->store, &roots, err);
	for (size_t i = 0; !rc && i < roots.n; i++) {
		const text_list *parts = &roots.lists[i].of[STORE_PART];
		a->possible |= roots.lists[i].of[STORE_FOLLOW].n || parts->n
			|| !ims_folder_has_entries(roots.path[i]);
		for (size_t k = 0; !rc && k < parts->n; k++)
			if (ims_texts_add(&a->parts, ims_path_join(roots.path[i], parts->item[k])))
				rc = ims_nomem(err);
	}
	ims_store_roots_free(&roots);
	return rc;
}

void ims_offline_free(offline_folders *a)
{
	ims_texts_free(&a->parts);
	ims_free(a->folder);
	*a = (offline_folders){ 0 };
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
		bool special = is_root || link || ims_texts_have(&a->parts, folder, strlen(folder));
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
	if (*path != '/') /* of a root with a name that this machine does not have */
		return true;
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
