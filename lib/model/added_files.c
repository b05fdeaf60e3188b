/* Folders of the models that were added. */
#include "model/added_files.h"

#include "model/catalog.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* mkdir -p; path is changed for a moment. */
static int make_parents(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		int rc = mkdir(path, 0777);
		*slash = '/';
		if (rc && errno != EEXIST)
			return -1;
	}
	return mkdir(path, 0777) && errno != EEXIST ? -1 : 0;
}

int ims_models_lock(int *fd, imgsearch_error *err)
{
	char *path = NULL;
	*fd = -1;
	int rc = ims_model_data_path(&path, "", err);
	if (rc == IMGSEARCH_ENOTFOUND)
		return ims_fail(err, rc, "no folder for models: neither XDG_DATA_HOME nor HOME is set");
	if (!rc && (make_parents(path) || (*fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0))
		rc = ims_fail_errno(err, IMGSEARCH_EIO, "%s", path);
	if (!rc && flock(*fd, LOCK_EX | LOCK_NB))
		rc = errno == EWOULDBLOCK
			? ims_fail(err, IMGSEARCH_EBUSY, "%s: another program adds or removes a model", path)
			: ims_fail_errno(err, IMGSEARCH_EIO, "%s", path);
	if (rc && *fd >= 0) {
		close(*fd);
		*fd = -1;
	}
	ims_free(path);
	return rc;
}

int ims_models_path(char **out, const char *before, const char *name, const char *after,
	imgsearch_error *err)
{
	char *file = ims_format("%s%s%s", before, name, after);
	int rc = file ? ims_model_data_path(out, file, err) : ims_nomem(err);
	ims_free(file);
	return rc;
}

/* All names but "." and "..", or those that do not begin with a dot. */
static int list(text_list *out, const char *path, bool hidden, imgsearch_error *err)
{
	DIR *d = opendir(path);
	int rc = 0;
	if (!d)
		return ims_fail_errno(err, errno == ENOENT ? IMGSEARCH_ENOTFOUND : IMGSEARCH_EIO, "%s",
			path);
	for (struct dirent *e; !rc && (e = readdir(d));)
		if (e->d_name[0] != '.' || (hidden && strcmp(e->d_name, ".") && strcmp(e->d_name, "..")))
			rc = ims_texts_add(out, ims_strdup(e->d_name));
	closedir(d);
	return rc ? ims_nomem(err) : 0;
}

static bool is_folder(const char *path)
{
	struct stat st;
	return path && !stat(path, &st) && S_ISDIR(st.st_mode);
}

/* Removes the names of folders in `path` from a list of what is in it. */
static void drop_folders(text_list *names, const char *path)
{
	size_t kept = 0;
	for (size_t i = 0; i < names->n; i++) {
		char *file = ims_path_join(path, names->item[i]);
		if (is_folder(file))
			ims_free(names->item[i]);
		else
			names->item[kept++] = names->item[i];
		ims_free(file);
	}
	names->n = kept;
}

int ims_folder_names(text_list *out, const char *path, imgsearch_error *err)
{
	*out = (text_list){ 0 };
	int rc = list(out, path, false, err);
	if (!rc && out->n)
		qsort(out->item, out->n, sizeof *out->item, ims_text_compare);
	return rc;
}

int ims_folder_files(text_list *out, const char *path, imgsearch_error *err)
{
	int rc = ims_folder_names(out, path, err);
	if (!rc)
		drop_folders(out, path);
	return rc;
}

int ims_folder_delete(const char *path, imgsearch_error *err)
{
	text_list names = { 0 };
	if (access(path, F_OK))
		return 0;
	int rc = list(&names, path, true, err);
	for (size_t i = 0; !rc && i < names.n; i++) {
		char *file = ims_path_join(path, names.item[i]);
		if (!file)
			rc = ims_nomem(err);
		else if (unlink(file))
			rc = ims_fail_errno(err, IMGSEARCH_EIO, "%s", file);
		ims_free(file);
	}
	if (!rc && rmdir(path))
		rc = ims_fail_errno(err, IMGSEARCH_EIO, "%s", path);
	ims_texts_free(&names);
	return rc;
}

int ims_folder_make(const char *path, imgsearch_error *err)
{
	int rc = ims_folder_delete(path, err);
	if (!rc && mkdir(path, 0777))
		rc = ims_fail_errno(err, IMGSEARCH_EIO, "%s", path);
	return rc;
}

static int copy_bytes(int in, int out, const char *from, const char *to, imgsearch_error *err)
{
	enum { PIECE = 1 << 18 };
	uint8_t *piece = ims_alloc(PIECE, 1);
	int rc = piece ? 0 : ims_nomem(err);
	while (!rc) {
		ssize_t got = read(in, piece, PIECE);
		if (got == 0)
			break;
		if (got < 0 && errno != EINTR)
			rc = ims_fail_errno(err, IMGSEARCH_EIO, "%s", from);
		if (got > 0 && ims_write_all(out, piece, (size_t)got))
			rc = ims_fail_errno(err, IMGSEARCH_EIO, "%s", to);
	}
	ims_free(piece);
	return rc;
}

static int copy_file(const char *from, const char *to, imgsearch_error *err)
{
	struct stat st;
	int in = open(from, O_RDONLY | O_CLOEXEC | O_NONBLOCK), out = -1, rc = 0;
	if (in < 0 || fstat(in, &st))
		rc = ims_fail_errno(err, errno == ENOENT ? IMGSEARCH_ENOTFOUND : IMGSEARCH_EIO, "%s", from);
	else if (!S_ISREG(st.st_mode))
		rc = ims_fail(err, IMGSEARCH_EIO, "%s: not a regular file", from);
	else if ((out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666)) < 0)
		rc = ims_fail_errno(err, IMGSEARCH_EIO, "%s", to);
	if (!rc)
		rc = copy_bytes(in, out, from, to, err);
	if (in >= 0)
		close(in);
	if (out >= 0 && close(out) && !rc)
		rc = ims_fail_errno(err, IMGSEARCH_EIO, "%s", to);
	return rc;
}

static int sync_path(const char *path, int flags, imgsearch_error *err)
{
	int fd = open(path, flags | O_CLOEXEC);
	int rc = fd < 0 || fsync(fd) ? ims_fail_errno(err, IMGSEARCH_EIO, "%s", path) : 0;
	if (fd >= 0)
		close(fd);
	return rc;
}

int ims_folder_sync(const char *path, imgsearch_error *err)
{
	return sync_path(path, O_RDONLY | O_DIRECTORY, err);
}

int ims_file_place(const char *from, const char *to, bool hard, imgsearch_error *err)
{
	bool linked = hard && linkat(AT_FDCWD, from, AT_FDCWD, to, 0) == 0;
	int rc = linked ? 0 : copy_file(from, to, err);
	return rc ? rc : sync_path(to, O_RDONLY, err);
}
