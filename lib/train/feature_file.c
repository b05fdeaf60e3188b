/*
 * A header of 64 bytes (a name, the key), then for each row its id and its values in f32, in the
 * byte order of the machine.
 */
#include "train/feature_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEADER = 64 };

static int read_at(int fd, void *data, size_t n, size_t at)
{
	for (char *p = data; n;) {
		ssize_t w = pread(fd, p, n, (off_t)at);
		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return -1;
		p += w, n -= (size_t)w, at += (size_t)w;
	}
	return 0;
}

static size_t record_size(const feature_file *f)
{
	return sizeof(feature_id) + f->dim * sizeof(float);
}

static int compare(const void *a, const void *b)
{
	const feature_id *x = &((const feature_place *)a)->id, *y = &((const feature_place *)b)->id;
	if (x->picture != y->picture)
		return x->picture < y->picture ? -1 : 1;
	return x->view < y->view ? -1 : x->view > y->view;
}

void ims_feature_file_sort(feature_file *f)
{
	if (f->rows)
		qsort(f->place, f->rows, sizeof *f->place, compare);
	f->sorted = f->rows;
}

static int add_place(feature_file *f, feature_id id, imgsearch_error *err)
{
	feature_place *grown = ims_grow(f->place, f->rows, &f->cap, sizeof *grown);
	if (!grown)
		return ims_nomem(err);
	f->place = grown;
	f->place[f->rows] = (feature_place){ id, f->rows };
	f->rows++;
	return 0;
}

static int read_places(feature_file *f, size_t rows, imgsearch_error *err)
{
	feature_id id;
	int rc = 0;
	for (size_t i = 0; !rc && i < rows; i++)
		rc = read_at(f->fd, &id, sizeof id, HEADER + i * record_size(f))
			? ims_fail_errno(err, IMGSEARCH_EIO, "%s", f->path)
			: add_place(f, id, err);
	ims_feature_file_sort(f);
	return rc;
}

int ims_feature_file_open(feature_file *f, char *path, const hash256 *key, size_t dim,
	imgsearch_error *err)
{
	uint8_t want[HEADER] = "imgsearch teach 3", have[HEADER];
	struct stat st;
	memcpy(want + 32, key->byte, 32);
	*f = (feature_file){ .fd = -1, .dim = dim, .path = path };
	if (!f->path)
		return ims_nomem(err);
	f->fd = open(f->path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (f->fd < 0 || fstat(f->fd, &st))
		return ims_fail_errno(err, IMGSEARCH_EIO, "%s", f->path);
	if (flock(f->fd, LOCK_EX | LOCK_NB))
		return ims_fail(err, IMGSEARCH_EBUSY, "%s: another run is writing it", f->path);
	size_t rows = 0;
	if (st.st_size >= HEADER && !read_at(f->fd, have, HEADER, 0) && !memcmp(have, want, HEADER))
		rows = ((size_t)st.st_size - HEADER) / record_size(f);
	else if (ftruncate(f->fd, 0) || ims_write_all(f->fd, want, HEADER))
		return ims_fail_errno(err, IMGSEARCH_EIO, "%s", f->path);
	if (lseek(f->fd, (off_t)(HEADER + rows * record_size(f)), SEEK_SET) < 0)
		return ims_fail_errno(err, IMGSEARCH_EIO, "%s", f->path);
	return read_places(f, rows, err);
}

void ims_feature_file_close(feature_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	ims_free(f->place);
	ims_free(f->path);
}

int ims_feature_file_append(feature_file *f, const feature_id *id, const float *rows, size_t n,
	imgsearch_error *err)
{
	buf b = { 0 };
	for (size_t i = 0; i < n; i++) {
		ims_buf_put(&b, &id[i], sizeof id[i]);
		ims_buf_put(&b, rows + i * f->dim, f->dim * sizeof *rows);
	}
	int rc = b.failed                         ? ims_nomem(err)
		: ims_write_all(f->fd, b.data, b.len) ? ims_fail_errno(err, IMGSEARCH_EIO, "%s", f->path)
											  : 0;
	ims_buf_free(&b);
	for (size_t i = 0; !rc && i < n; i++)
		rc = add_place(f, id[i], err);
	return rc;
}

size_t ims_feature_file_find(const feature_file *f, feature_id id)
{
	feature_place want = { .id = id };
	const feature_place *p = f->sorted ? bsearch(&want, f->place, f->sorted, sizeof want, compare)
									   : NULL;
	return p ? p->row : SIZE_MAX;
}

int ims_feature_file_read(const feature_file *f, size_t row, float *out, imgsearch_error *err)
{
	if (read_at(f->fd, out, f->dim * sizeof *out,
			HEADER + row * record_size(f) + sizeof(feature_id)))
		return ims_fail_errno(err, IMGSEARCH_EIO, "%s", f->path);
	return 0;
}
