/* Whole files, read and written. */
#include "base/file.h"

#include "base/alloc.h"
#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static int too_large(const char *path, uint64_t max_bytes, imgsearch_error *err)
{
	return ims_fail(err, IMGSEARCH_ELIMIT, "%s: larger than %llu bytes", path,
		(unsigned long long)max_bytes);
}

int ims_read_fd(buf *out, int fd, const char *path, uint64_t max_bytes, imgsearch_error *err)
{
	struct stat st;
	if (fstat(fd, &st))
		return ims_fail_errno(err, IMGSEARCH_EIO, "%s", path);
	if (!S_ISREG(st.st_mode))
		return ims_fail(err, IMGSEARCH_EUNSUPPORTED, "%s: %s", path,
			S_ISDIR(st.st_mode) ? "a folder, not a file" : "not a regular file");
	if ((uint64_t)st.st_size > max_bytes)
		return too_large(path, max_bytes, err);
	/* One byte more than its size, so that the end is seen without growing. */
	size_t start = out->len, expected = start + (size_t)st.st_size + 1;
	for (;;) {
		size_t want = expected > out->len ? expected - out->len : 65536;
		size_t before = out->len;
		uint8_t *at = ims_buf_grow(out, want);
		if (!at)
			return ims_nomem(err);
		ssize_t got = read(fd, at, want);
		out->len = before + (got > 0 ? (size_t)got : 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return ims_fail_errno(err, IMGSEARCH_EIO, "%s", path);
		if (got == 0)
			return 0;
		if (out->len - start > max_bytes)
			return too_large(path, max_bytes, err);
	}
}

int ims_read_file(buf *out, const char *path, uint64_t max_bytes, imgsearch_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return ims_fail_errno(err, errno == ENOENT ? IMGSEARCH_ENOTFOUND : IMGSEARCH_EIO, "%s",
			path);
	int rc = ims_read_fd(out, fd, path, max_bytes, err);
	close(fd);
	return rc;
}

int ims_write_all(int fd, const void *data, size_t n)
{
	for (const char *at = data; n;) {
		ssize_t written = write(fd, at, n);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -1;
		at += written;
		n -= (size_t)written;
	}
	return 0;
}

/* A new file with the pieces, on disk. It is removed where that fails. EIO. */
static int write_pieces(const char *path, const file_piece *piece, size_t n, imgsearch_error *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666), rc = 0;
	if (fd < 0)
		return ims_fail_errno(err, IMGSEARCH_EIO, "%s", path);
	for (size_t i = 0; !rc && i < n; i++)
		if (ims_write_all(fd, piece[i].data, piece[i].size))
			rc = ims_fail_errno(err, IMGSEARCH_EIO, "%s", path);
	if (!rc && fsync(fd))
		rc = ims_fail_errno(err, IMGSEARCH_EIO, "%s", path);
	if (close(fd) && !rc)
		rc = ims_fail_errno(err, IMGSEARCH_EIO, "%s", path);
	if (rc)
		unlink(path);
	return rc;
}

int ims_replace_file(const char *path, const file_piece *piece, size_t n, imgsearch_error *err)
{
	char *part = ims_format("%s.part", path);
	if (!part)
		return ims_nomem(err);
	int rc = write_pieces(part, piece, n, err);
	if (!rc && rename(part, path)) {
		rc = ims_fail_errno(err, IMGSEARCH_EIO, "%s", path);
		unlink(part);
	}
	ims_free(part);
	return rc;
}
