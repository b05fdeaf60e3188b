/* A header of 64 bytes (a name, the key), then rows of f32 in the byte order of the machine. */
#include "train/feature_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEADER = 64 };

static int read_all(int fd, void *data, size_t n)
{
	for (char *p = data; n;) {
		ssize_t w = read(fd, p, n);
		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return -1;
		p += w, n -= (size_t)w;
	}
	return 0;
}

int ims_feature_file_open(feature_file *f, char *path, const hash256 *key, size_t dim,
	imgsearch_error *err)
{
	uint8_t want[HEADER] = "imgsearch teach 2", have[HEADER];
	struct stat st;
	memcpy(want + 32, key->byte, 32);
	*f = (feature_file){ .fd = -1, .dim = dim, .path = path };
	if (!f->path)
		return ims_nomem(err);
	f->fd = open(f->path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (f->fd < 0 || fstat(f->fd, &st))
		return ims_fail_errno(err, IMGSEARCH_EIO, "%s", f->path);
	size_t row = dim * sizeof(float);
	if (st.st_size >= HEADER && !read_all(f->fd, have, HEADER) && !memcmp(have, want, HEADER))
		f->rows = ((size_t)st.st_size - HEADER) / row;
	else if (ftruncate(f->fd, 0) || lseek(f->fd, 0, SEEK_SET) || ims_write_all(f->fd, want, HEADER))
		return ims_fail_errno(err, IMGSEARCH_EIO, "%s", f->path);
	if (lseek(f->fd, (off_t)(HEADER + f->rows * row), SEEK_SET) < 0)
		return ims_fail_errno(err, IMGSEARCH_EIO, "%s", f->path);
	return 0;
}

void ims_feature_file_close(feature_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	ims_free(f->path);
}

int ims_feature_file_append(feature_file *f, const float *rows, size_t n, imgsearch_error *err)
{
	if (ims_write_all(f->fd, rows, n * f->dim * sizeof *rows))
		return ims_fail_errno(err, IMGSEARCH_EIO, "%s", f->path);
	f->rows += n;
	return 0;
}

int ims_feature_file_read(feature_file *f, float *out, size_t n, imgsearch_error *err)
{
	if (lseek(f->fd, HEADER, SEEK_SET) < 0 || read_all(f->fd, out, n * f->dim * sizeof *out))
		return ims_fail_errno(err, IMGSEARCH_EIO, "%s", f->path);
	return 0;
}
