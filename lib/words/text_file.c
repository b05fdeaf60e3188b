#include "words/text_file.h"

#include "base/error.h"
#include "base/file.h"

#include <zlib.h>

enum { FILE_MOST = 128 << 20 };

static bool is_gzip(const buf *b)
{
	return b->len > 2 && b->data[0] == 0x1f && b->data[1] == 0x8b;
}

static int inflate_all(buf *b, const char *path, imgsearch_error *err)
{
	enum { GZIP = 15 + 16 };
	uint8_t block[1 << 14];
	buf out = { 0 };
	z_stream z = { .next_in = b->data, .avail_in = (uInt)b->len };
	int state = inflateInit2(&z, GZIP);
	if (state != Z_OK)
		return ims_nomem(err);
	while (state == Z_OK && out.len <= FILE_MOST && !out.failed) {
		z.next_out = block;
		z.avail_out = sizeof block;
		state = inflate(&z, Z_NO_FLUSH);
		ims_buf_put(&out, block, sizeof block - z.avail_out);
	}
	inflateEnd(&z);
	ims_buf_free(b);
	*b = out;
	if (out.failed)
		return ims_nomem(err);
	return state == Z_STREAM_END
		? 0
		: ims_fail(err, IMGSEARCH_EFORMAT, "%s: the gzip data are damaged or cut off", path);
}

int ims_text_file_read(buf *out, const char *path, imgsearch_error *err)
{
	int rc = ims_read_file(out, path, FILE_MOST, err);
	if (!rc && is_gzip(out))
		rc = inflate_all(out, path, err);
	ims_buf_u8(out, 0);
	out->len--;
	return !rc && out->failed ? ims_nomem(err) : rc;
}
