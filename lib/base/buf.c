/* Growing bytes. */
#include "base/buf.h"

#include "base/alloc.h"
#include "base/c_locale.h"

#include <stdarg.h>
#include <string.h>

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
	int n = ims_vprint(NULL, 0, format, args);
	va_end(args);
	char *at = n < 0 ? NULL : ims_buf_grow(b, (size_t)n + 1);
	if (!at)
		return;
	va_start(args, format);
	ims_vprint(at, (size_t)n + 1, format, args);
	va_end(args);
	b->len--; /* without the terminator, which stays in memory */
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
