/* Whole files into memory. */
#include "base/file.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
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
