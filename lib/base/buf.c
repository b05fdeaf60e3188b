/* Growing bytes, and reading bytes from strangers. Everything kept is little-endian. */
#include "base/base.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void ims_buf_free(buf *b)
{
	if (!b->fixed)
		ims_free(b->data);
	*b = (buf){ 0 };
}

void *ims_buf_grow(buf *b, size_t n)
{
	if (b->failed || n > SIZE_MAX - b->len || (b->fixed && n > b->cap - b->len)) {
		b->failed = true;
		return NULL;
	}
	if (!b->fixed && (b->len + n > b->cap || !b->data)) {
		size_t cap = b->len + n > b->cap * 2 ? b->len + n : b->cap * 2;
		uint8_t *data = ims_realloc(b->data, cap, 1);
		if (!data) {
			b->failed = true;
			return NULL;
		}
		b->data = data;
		b->cap = cap;
	}
	void *at = b->data + b->len;
	b->len += n;
	return at;
}

void ims_buf_put(buf *b, const void *data, size_t n)
{
	void *at = ims_buf_grow(b, n);
	if (at && n)
		memcpy(at, data, n);
}

void ims_buf_text(buf *b, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	char *at = n < 0 ? NULL : ims_buf_grow(b, (size_t)n + 1);
	if (!at)
		return;
	va_start(args, format);
	vsnprintf(at, (size_t)n + 1, format, args);
	va_end(args);
	b->len--; /* the text stays terminated, the terminator is not part of it */
}

void ims_buf_u8(buf *b, uint8_t v)
{
	ims_buf_put(b, &v, 1);
}

void ims_buf_u32(buf *b, uint32_t v)
{
	uint8_t bytes[4] = { (uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24) };
	ims_buf_put(b, bytes, 4);
}

void ims_buf_u64(buf *b, uint64_t v)
{
	ims_buf_u32(b, (uint32_t)v);
	ims_buf_u32(b, (uint32_t)(v >> 32));
}

void ims_buf_f32(buf *b, float v)
{
	uint32_t bits;
	memcpy(&bits, &v, 4);
	ims_buf_u32(b, bits);
}

const void *ims_read_bytes(reader *r, size_t n)
{
	if (r->failed || n > r->len - r->pos) {
		r->failed = true;
		return NULL;
	}
	const void *at = r->data + r->pos;
	r->pos += n;
	return at;
}

uint8_t ims_read_u8(reader *r)
{
	const uint8_t *p = ims_read_bytes(r, 1);
	return p ? *p : 0;
}

uint32_t ims_read_u32(reader *r)
{
	const uint8_t *p = ims_read_bytes(r, 4);
	return p ? (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24 : 0;
}

uint64_t ims_read_u64(reader *r)
{
	uint64_t low = ims_read_u32(r);
	return low | (uint64_t)ims_read_u32(r) << 32;
}

float ims_read_f32(reader *r)
{
	uint32_t bits = ims_read_u32(r);
	float v;
	memcpy(&v, &bits, 4);
	return v;
}

int ims_read_fd(buf *out, int fd, const char *path, uint64_t max_bytes, imgsearch_error *err)
{
	struct stat st;
	if (fstat(fd, &st))
		return ims_fail_errno(err, IMGSEARCH_EIO, "%s", path);
	if (!S_ISREG(st.st_mode))
		return ims_fail(err, IMGSEARCH_EUNSUPPORTED, "%s: %s", path, S_ISDIR(st.st_mode) ? "a folder, not a file" : "not a regular file");
	if ((uint64_t)st.st_size > max_bytes)
		return ims_fail(err, IMGSEARCH_ELIMIT, "%s: larger than %llu bytes", path, (unsigned long long)max_bytes);
	/* one byte more than its size, so that the end is seen without growing */
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
			return ims_fail(err, IMGSEARCH_ELIMIT, "%s: larger than %llu bytes", path, (unsigned long long)max_bytes);
	}
}

int ims_read_file(buf *out, const char *path, uint64_t max_bytes, imgsearch_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return ims_fail_errno(err, errno == ENOENT ? IMGSEARCH_ENOTFOUND : IMGSEARCH_EIO, "%s", path);
	int rc = ims_read_fd(out, fd, path, max_bytes, err);
	close(fd);
	return rc;
}
