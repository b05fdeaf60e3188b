/* Loads pixels from files, memory and stored pictures. */
#include "handle/picture.h"

#include "base/path.h"
#include "handle/input.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* -------------------------------------------------------------------------- an item's file ---- */

/* Whether links are followed where the picture lies. */
static bool follows(imgsearch *s, const store_picture *p)
{
	store_roots roots = { 0 };
	bool found = ims_store_roots_get(s->store, &roots, NULL) == 0;
	const text_list *list = found && !p->root ? &roots.single.of[STORE_FOLLOW] : NULL;
	for (size_t i = 0; found && p->root && i < roots.n; i++)
		if (roots.id[i] == p->root)
			list = &roots.lists[i].of[STORE_FOLLOW];
	found = false;
	for (size_t i = 0; list && !found && i < list->n; i++)
		found = !*list->item[i] || ims_path_below(p->path, list->item[i]);
	ims_store_roots_free(&roots);
	return found;
}

/* Whether `real` is `name` in what the folder is when its links are resolved. */
static bool lies_in(const char *real, const char *folder, const char *name)
{
	char resolved[PATH_MAX];
	if (!realpath(folder, resolved))
		return false;
	size_t n = strlen(resolved);
	n -= resolved[n - 1] == '/';
	return !strncmp(real, resolved, n) && real[n] == '/' && !strcmp(real + n + 1, name);
}

/*
 * Whether an open file is reached through a symbolic link that the index does not follow: one that
 * appeared since it was read. Links above a root are its owner's affair; of a picture without a
 * root, all but the last part are. The kernel says where the file really is.
 */
static bool leads_astray(imgsearch *s, const store_picture *p, const char *path, int fd)
{
	char entry[40], real[PATH_MAX], folder[PATH_MAX];
	struct stat st;
	snprintf(entry, sizeof entry, "/proc/self/fd/%d", fd);
	ssize_t n = readlink(entry, real, sizeof real - 1);
	if (n <= 0 || fstat(fd, &st) || !st.st_nlink)
		return false;
	real[n] = 0;
	if (!strcmp(real, path))
		return false;
	const char *last = strrchr(path, '/');
	snprintf(folder, sizeof folder, "%.*s/", (int)(last - path), path);
	if (p->root ? lies_in(real, p->root_path, p->path) : lies_in(real, folder, last + 1))
		return false;
	return !follows(s, p);
}

static int read_own_file(imgsearch *s, const store_picture *p, const char *path, buf *out,
	imgsearch_error *err)
{
	if (*path != '/')
		return ims_fail(err, IMGSEARCH_ENOTFOUND, "picture %lld (%s) has no file", (long long)p->id,
			path);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return ims_fail_errno(err, errno == ENOENT ? IMGSEARCH_ENOTFOUND : IMGSEARCH_EIO, "%s",
			path);
	int rc = leads_astray(s, p, path, fd)
		? ims_fail(err, IMGSEARCH_ENOTFOUND, "%s: a symbolic link leads elsewhere now", path)
		: ims_read_fd(out, fd, path, IMS_IMAGE_MAX_FILE, err);
	close(fd);
	return rc;
}

int ims_picture_bytes(imgsearch *s, int64_t id, buf *out, char **path, imgsearch_error *err)
{
	store_picture p;
	imgsearch_error why = { 0 }, stored_why = { 0 };
	int rc = ims_store_picture_get(s->store, id, &p, err);
	*path = rc ? NULL : ims_path_join(p.root ? p.root_path : NULL, p.path);
	if (!rc && !*path)
		rc = ims_nomem(err);
	int read = rc ? rc : read_own_file(s, &p, *path, out, &why);
	ims_store_picture_clear(&p);
	if (rc || !read)
		return rc;
	out->len = 0;
	int stored = ims_store_file_get(s->store, id, out, &stored_why);
	if (stored && err)
		*err = stored == IMGSEARCH_ENOTFOUND ? why : stored_why;
	return stored == IMGSEARCH_ENOTFOUND ? read : stored;
}

/* The short side to decode for a longer side of max_side; 0: full size. */
static uint32_t short_side(const void *data, size_t size, const image_limits *limits,
	uint32_t max_side)
{
	image_head head;
	if (!max_side || ims_image_head(&head, data, size, limits, NULL) || !head.width || !head.height)
		return 0;
	uint64_t small = head.width < head.height ? head.width : head.height,
			 large = head.width + head.height - small;
	return (uint32_t)((max_side * small + large - 1) / large);
}

static int decode(imgsearch *s, job *j, const imgsearch_input *in, const void *data, size_t size,
	uint32_t max_side, image *out, imgsearch_error *err)
{
	bool item = in->kind == IMGSEARCH_INPUT_KIND_ITEM;
	image_limits limits = item ? ims_handle_item_limits(s) : ims_handle_limits(s, NULL);
	if (in->kind != IMGSEARCH_INPUT_KIND_PIXELS && !ims_input_is_crop(in))
		limits.at_least = short_side(data, size, &limits, max_side);
	int rc = ims_handle_decoder_acquire(s, j, err);
	if (rc)
		return rc;
	rc = ims_input_decode(in, data, size, &limits, out, NULL, err);
	ims_handle_decoder_release(s);
	return rc;
}

static int from_file(imgsearch *s, job *j, const imgsearch_input *in, uint32_t max_side, image *out,
	imgsearch_error *err)
{
	buf bytes = { 0 };
	char *stored = NULL;
	bool item = in->kind == IMGSEARCH_INPUT_KIND_ITEM;
	int rc = item ? ims_picture_bytes(s, in->id, &bytes, &stored, err)
				  : ims_read_file(&bytes, in->path, IMS_IMAGE_MAX_FILE, err);
	if (!rc) {
		rc = decode(s, j, in, bytes.data, bytes.len, max_side, out, err);
		if (rc)
			ims_error_prefix(err, "%s", item ? stored : in->path);
	}
	ims_buf_free(&bytes);
	ims_free(stored);
	return rc;
}

/* Scales im down in place. */
static int shrink(image *im, uint32_t max_side, imgsearch_error *err)
{
	uint32_t large = im->width > im->height ? im->width : im->height;
	if (!max_side || large <= max_side)
		return 0;
	image small;
	uint32_t width = (uint32_t)(((uint64_t)im->width * max_side + large / 2) / large);
	uint32_t height = (uint32_t)(((uint64_t)im->height * max_side + large / 2) / large);
	int rc = ims_image_resize(&small, im, width ? width : 1, height ? height : 1, false, NULL, err);
	if (rc)
		return rc;
	ims_image_free(im);
	*im = small;
	return 0;
}

int ims_picture_load(imgsearch *s, job *j, const imgsearch_input *in, uint32_t max_side, image *out,
	imgsearch_error *err)
{
	imgsearch_error local;
	err = err ? err : &local;
	*out = (image){ 0 };
	int rc = ims_job_check(j, err);
	if (rc)
		return rc;
	if (in->kind == IMGSEARCH_INPUT_KIND_PIXELS
		|| (in->kind == IMGSEARCH_INPUT_KIND_BYTES && in->data))
		rc = decode(s, j, in, in->data, in->size, max_side, out, err);
	else if (in->kind == IMGSEARCH_INPUT_KIND_ITEM
		|| (in->kind == IMGSEARCH_INPUT_KIND_FILE && in->path))
		rc = from_file(s, j, in, max_side, out, err);
	else
		rc = ims_fail(err, IMGSEARCH_EINVAL, "this input has no pixels to show");
	if (!rc)
		rc = ims_job_check(j, err);
	if (!rc)
		rc = shrink(out, max_side, err);
	ims_image_unreserve(out);
	if (rc) {
		ims_image_free(out);
		*out = (image){ 0 };
	}
	return rc;
}
