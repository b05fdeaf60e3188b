/* The table of the codecs, and how they decode in this process. */
#include "codec/codec.h"

#include <stdio.h>
#include <string.h>

static const codec *const codecs[] = { &ims_codec_webp, &ims_codec_heic, &ims_codec_avif,
	&ims_codec_jxl, &ims_codec_tiff, &ims_codec_video };

const codec *ims_codec_find(image_format f)
{
	for (size_t i = 0; i < sizeof codecs / sizeof codecs[0]; i++)
		if (codecs[i]->decoder.format == f)
			return codecs[i];
	return NULL;
}

/* Whether os-release says that this is Debian 12; whether that it is Debian or made of it. */
static void read_release(bool *is_12, bool *has_apt)
{
	char line[256];
	bool debian = false, twelve = false;
	FILE *f = fopen("/etc/os-release", "re");
	*has_apt = false;
	while (f && fgets(line, sizeof line, f)) {
		line[strcspn(line, "\n")] = 0;
		bool id = !strcmp(line, "ID=debian") || !strcmp(line, "ID=\"debian\"");
		debian = debian || id;
		twelve = twelve || !strcmp(line, "VERSION_ID=\"12\"") || !strcmp(line, "VERSION_ID=12");
		if (id || (!strncmp(line, "ID_LIKE=", 8) && strstr(line, "debian")))
			*has_apt = true;
	}
	if (f)
		fclose(f);
	*is_12 = debian && twelve;
}

int ims_codec_missing(const codec *c, unsigned missing, imgsearch_error *err)
{
	bool is_12, has_apt;
	const codec_need *need = &c->needs[missing - 1];
	read_release(&is_12, &has_apt);
	return ims_fail(err, IMGSEARCH_EUNSUPPORTED, "%s files need %s, which is missing (%s %s)",
		ims_image_format_name(c->decoder.format), need->name, has_apt ? "apt install" : "Debian:",
		is_12 && need->package_12 ? need->package_12 : need->package);
}

void ims_codec_blocks(const codec *c, image_blocks *out, const void *data, size_t size)
{
	if (c->blocks)
		c->blocks(out, data, size);
	if (out->exif.failed || out->exif.len > IMAGE_MAX_BLOCK)
		ims_buf_free(&out->exif);
	if (out->xmp.failed || out->xmp.len > IMAGE_MAX_BLOCK)
		ims_buf_free(&out->xmp);
}

static bool knows(const image_codecs *self, image_format f)
{
	(void)self;
	return ims_codec_find(f);
}

static int check(image_codecs *self, image_format f, imgsearch_error *err)
{
	const codec *c = ims_codec_find(f);
	unsigned missing = c->load();
	(void)self;
	return missing ? ims_codec_missing(c, missing, err) : 0;
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

static int blocks(image_codecs *self, image_format f, image_blocks *out, const void *data,
	size_t size, imgsearch_error *err)
{
	int rc = check(self, f, err);
	if (!rc)
		ims_codec_blocks(ims_codec_find(f), out, data, size);
	return rc;
}

image_codecs *ims_codec_local(void)
{
	static image_codecs local = { knows, check, head, decode, blocks };
	return &local;
}
