/* The table of the codecs, and how they decode in this process. */
#include "codec/codec.h"

static const codec *const codecs[] = { &ims_codec_webp };

const codec *ims_codec_find(image_format f)
{
	for (size_t i = 0; i < sizeof codecs / sizeof codecs[0]; i++)
		if (codecs[i]->decoder.format == f)
			return codecs[i];
	return NULL;
}

int ims_codec_missing(const codec *c, imgsearch_error *err)
{
	return ims_fail(err, IMGSEARCH_EUNSUPPORTED, "%s files need %s, which is missing (Debian: %s)",
		ims_image_format_name(c->decoder.format), c->needs, c->package);
}

static bool knows(const image_codecs *self, image_format f)
{
	(void)self;
	return ims_codec_find(f);
}

static int check(image_codecs *self, image_format f, imgsearch_error *err)
{
	const codec *c = ims_codec_find(f);
	(void)self;
	return c->load() ? 0 : ims_codec_missing(c, err);
}

static int head(image_codecs *self, image_format f, image_head *out, const void *data, size_t size,
	uint64_t max_pixels, imgsearch_error *err)
{
	int rc = check(self, f, err);
	return rc ? rc : ims_codec_find(f)->decoder.head(out, data, size, max_pixels, err);
}

static int decode(image_codecs *self, image *out, const image_head *stored, const void *data,
	size_t size, const decode_request *request, imgsearch_error *err)
{
	(void)self;
	return ims_codec_find(stored->format)->decoder.decode(out, stored, data, size, request, err);
}

image_codecs *ims_codec_local(void)
{
	static image_codecs local = { knows, check, head, decode };
	return &local;
}
