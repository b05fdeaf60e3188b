#include "image/png_chunks.h"

#include "image/tiff_tags.h"

#include <string.h>

#include <zlib.h>

enum {
	SIGNATURE = 8,
	OVERHEAD = 12,      /* of a chunk: length, type, checksum */
	MAX_TEXT = 1 << 20, /* bytes of an inflated text */
	MAX_ICC = 16 << 20, /* of an inflated profile */
	MAX_KEYWORD = 79,
};

typedef struct chunk {
	const uint8_t *type, *data;
	size_t size;
} chunk;

/* The chunk at *pos, which moves behind it; false: there is no whole one. */
static bool next_chunk(const uint8_t *data, size_t size, size_t *pos, chunk *out)
{
	if (size < *pos || size - *pos < OVERHEAD)
		return false;
	*out = (chunk){ data + *pos + 4, data + *pos + 8, ims_big_endian(data + *pos) };
	if (out->size > size - *pos - OVERHEAD)
		return false;
	*pos += out->size + OVERHEAD;
	return true;
}

static bool is(const chunk *c, const char *type)
{
	return memcmp(c->type, type, 4) == 0;
}

/* Appends at most `most` bytes of a zlib stream to out; false: it is damaged or longer. */
static bool inflate_into(buf *out, const uint8_t *data, size_t size, size_t most)
{
	uint8_t block[1 << 14];
	z_stream z = { .next_in = (Bytef *)(uintptr_t)data, .avail_in = (uInt)size };
	if (inflateInit(&z) != Z_OK)
		return false;
	int rc = Z_OK;
	while (rc == Z_OK && out->len <= most && !out->failed) {
		z.next_out = block;
		z.avail_out = sizeof block;
		rc = inflate(&z, Z_NO_FLUSH);
		ims_buf_put(out, block, sizeof block - z.avail_out);
	}
	inflateEnd(&z);
	return rc == Z_STREAM_END && out->len <= most && !out->failed;
}

/* ----------------------------------------------------------------------------------- texts ---- */

/* Where the text of a chunk tEXt, zTXt or iTXt begins, behind its keyword; NULL: it is damaged. */
static const uint8_t *find_text(const chunk *c, bool *deflated)
{
	const uint8_t *end = c->data + c->size, *at = memchr(c->data, 0, c->size);
	*deflated = is(c, "zTXt");
	if (!at || ++at - c->data > MAX_KEYWORD + 1)
		return NULL;
	if (*deflated)
		return at < end ? at + 1 : NULL;
	if (is(c, "tEXt"))
		return at;
	if (end - at < 2) /* iTXt: flag, method, language, translated keyword */
		return NULL;
	*deflated = *at == 1;
	at += 2;
	for (int i = 0; i < 2; i++) {
		at = memchr(at, 0, (size_t)(end - at));
		if (!at)
			return NULL;
		at++;
	}
	return at;
}

/*
 * ImageMagick's "Raw profile": a line with the type, one with the number of bytes, lines of hex
 * digits. Decoded in place.
 */
static void decode_raw_profile(buf *text)
{
	const uint8_t *in = text->data, *end = in + text->len;
	uint8_t *out = text->data;
	size_t n = 0;
	while (in < end && (*in == '\n' || *in == '\r'))
		in++;
	for (int line = 0; line < 2; line++) {
		in = in < end ? memchr(in, '\n', (size_t)(end - in)) : NULL;
		if (!in) {
			text->len = 0;
			return;
		}
		in++;
	}
	for (int high = -1; in < end; in++) {
		int digit = ims_hex_digit((char)*in);
		if (digit < 0)
			continue;
		if (high < 0) {
			high = digit;
			continue;
		}
		out[n++] = (uint8_t)(high << 4 | digit);
		high = -1;
	}
	text->len = n;
}

/* Reads a text whose keyword says Exif or XMP. Others are not inflated, nor is a second one. */
static void take_text(png_facts *f, const chunk *c)
{
	bool deflated;
	const uint8_t *text = find_text(c, &deflated);
	const char *keyword = (const char *)c->data;
	if (!text)
		return;
	bool raw = strncmp(keyword, "Raw profile type ", 17) == 0;
	bool exif = raw && (strcmp(keyword + 17, "exif") == 0 || strcmp(keyword + 17, "APP1") == 0);
	bool xmp = raw ? strcmp(keyword + 17, "xmp") == 0 : strcmp(keyword, "XML:com.adobe.xmp") == 0;
	bool iptc = raw && (!strcmp(keyword + 17, "iptc") || !strcmp(keyword + 17, "8bim"));
	buf *kept = exif ? &f->exif : xmp ? &f->xmp : &f->iptc;
	bool *seen = exif ? &f->has_exif : xmp ? &f->has_xmp : &f->has_iptc;
	if ((!exif && !xmp && !iptc) || *seen)
		return;
	*seen = true;
	size_t size = (size_t)(c->data + c->size - text);
	bool good = true;
	if (deflated)
		good = inflate_into(kept, text, size, MAX_TEXT);
	else if (size <= MAX_TEXT)
		ims_buf_put(kept, text, size);
	f->nomem |= kept->failed;
	if (!good)
		kept->len = 0;
	if (raw)
		decode_raw_profile(kept);
}

/* The blocks that texts hold count after the chunk eXIf. A text "APP1" may hold XMP as well. */
static void use_texts(png_facts *f)
{
	tiff_tags t;
	if (ims_tiff_open(&t, f->exif.data, f->exif.len))
		ims_metadata_exif(&f->meta, f->exif.data, f->exif.len);
	else if (f->exif.len)
		ims_metadata_app1(&f->meta, f->exif.data, f->exif.len);
	if (f->xmp.len && !f->meta.xmp) {
		f->meta.xmp = f->xmp.data;
		f->meta.xmp_size = f->xmp.len;
	}
	if (f->iptc.len)
		ims_metadata_resources(&f->meta, f->iptc.data, f->iptc.len);
}

/* --------------------------------------------------------------------------------- colours ---- */

typedef struct colour_chunks {
	chunk cicp, iccp, srgb, gama, chrm;
} colour_chunks;

static void take_colour(colour_chunks *k, const chunk *c)
{
	static const char types[][5] = { "cICP", "iCCP", "sRGB", "gAMA", "cHRM" };
	chunk *const at[] = { &k->cicp, &k->iccp, &k->srgb, &k->gama, &k->chrm };
	for (int i = 0; i < 5; i++)
		if (is(c, types[i]) && !at[i]->type)
			*at[i] = *c;
}

/* A chunk iCCP: a name, a method, a zlib stream. False: it does not inflate. */
static bool read_profile(png_facts *f, const chunk *c)
{
	buf icc = { 0 };
	const uint8_t *name_end = memchr(c->data, 0, c->size);
	size_t skip = name_end ? (size_t)(name_end - c->data) + 2 : c->size;
	bool good = skip < c->size && inflate_into(&icc, c->data + skip, c->size - skip, MAX_ICC);
	f->nomem |= icc.failed;
	if (good)
		f->nomem |= !ims_colour_set_profile(&f->colours, icc.data, icc.len);
	ims_buf_free(&icc);
	return good;
}

static void use_gamma(png_facts *f, const colour_chunks *k)
{
	double xy[8];
	if (k->gama.size != 4 || !ims_big_endian(k->gama.data))
		return;
	bool has_xy = k->chrm.size == 32;
	for (int i = 0; has_xy && i < 8; i++)
		xy[i] = ims_big_endian(k->chrm.data + 4 * i) / 100000.0;
	ims_colour_set_gamma(&f->colours, ims_big_endian(k->gama.data) / 100000.0, has_xy ? xy : NULL);
}

static void use_colours(png_facts *f, const colour_chunks *k)
{
	if (k->cicp.size == 4
		&& ims_colour_set_cicp(&f->colours, k->cicp.data[0], k->cicp.data[1], k->cicp.data[2],
			k->cicp.data[3]))
		return;
	if (k->iccp.type && read_profile(f, &k->iccp))
		return;
	if (!k->srgb.type)
		use_gamma(f, k);
	if (k->iccp.type && !k->srgb.type && !f->colours.kind)
		f->nomem |= !ims_colour_set_profile(&f->colours, NULL, 0);
}

void ims_png_facts_read(png_facts *out, const void *data, size_t size)
{
	size_t pos = SIGNATURE;
	colour_chunks colours = { 0 };
	bool pixels = false;
	chunk c;
	*out = (png_facts){ 0 };
	while (next_chunk(data, size, &pos, &c)) {
		pixels |= is(&c, "IDAT");
		if (is(&c, "eXIf")) {
			ims_metadata_exif(&out->meta, c.data, c.size);
			out->has_exif_chunk |= out->meta.exif == c.data;
		} else if (is(&c, "tEXt") || is(&c, "zTXt") || is(&c, "iTXt")) {
			take_text(out, &c);
		} else if (!pixels) {
			take_colour(&colours, &c);
		}
	}
	use_texts(out);
	use_colours(out, &colours);
}

void ims_png_facts_free(png_facts *f)
{
	ims_buf_free(&f->exif);
	ims_buf_free(&f->xmp);
	ims_buf_free(&f->iptc);
	ims_colour_clear(&f->colours);
}
