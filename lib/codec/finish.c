#include "codec/finish.h"

#include "image/alpha.h"

#include <string.h>

static bool is_wide(pixel_layout l)
{
	return l == PIXELS_RGB16 || l == PIXELS_RGBA16;
}

static bool has_alpha(pixel_layout l)
{
	return l == PIXELS_RGBA8 || l == PIXELS_RGBA16;
}

static unsigned divided(unsigned v, unsigned alpha, unsigned most)
{
	unsigned d = alpha ? (unsigned)(((uint64_t)v * most + alpha / 2) / alpha) : 0;
	return d < most ? d : most;
}

static void unmultiply(void *row, pixel_layout l, size_t n)
{
	uint8_t *narrow = row;
	uint16_t *wide = row;
	for (size_t i = 0; i < n; i++)
		for (int k = 0; k < 3; k++)
			if (l == PIXELS_RGBA16)
				wide[i * 4 + k] = (uint16_t)divided(wide[i * 4 + k], wide[i * 4 + 3], 65535);
			else
				narrow[i * 4 + k] = (uint8_t)divided(narrow[i * 4 + k], narrow[i * 4 + 3], 255);
}

static void to_8_bits(uint8_t *to, const uint16_t *from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] = (uint8_t)((from[i] * 255u + 32895) >> 16);
}

/* Inks without a profile, or without what reads it. */
static void from_cmyk(uint8_t *to, const uint8_t *from, size_t n)
{
	for (size_t i = 0; i < n; i++, from += 4)
		for (int k = 0; k < 3; k++)
			*to++ = (uint8_t)((from[k] * from[3] + 127) / 255);
}

static void drop_alpha(uint8_t *rgb, const uint8_t *rgba, size_t n)
{
	for (size_t i = 0; i < n; i++)
		memcpy(rgb + i * 3, rgba + i * 4, 3);
}

/* A row to RGB or RGBA of 8 bits. `scratch` has room for one of its own. */
static void finish_row(uint8_t *to, const codec_rows *r, const void *row, void *scratch,
	const colour_transform *t)
{
	size_t samples = (size_t)r->width * (has_alpha(r->layout) ? 4 : 3);
	size_t bytes = samples * (is_wide(r->layout) ? 2 : 1);
	if (r->premultiplied && has_alpha(r->layout)) {
		memcpy(scratch, row, bytes);
		unmultiply(scratch, r->layout, r->width);
		row = scratch;
	}
	if (t)
		ims_colour_apply(t, row, to, r->width);
	else if (r->layout == PIXELS_CMYK8)
		from_cmyk(to, row, r->width);
	else if (is_wide(r->layout))
		to_8_bits(to, row, samples);
	else
		memcpy(to, row, samples);
}

int ims_codec_finish(image *out, const codec_rows *rows, colour_cache *cache, imgsearch_error *err)
{
	bool alpha = has_alpha(rows->layout);
	size_t line = (size_t)rows->width * (alpha ? 4 : 3);
	uint8_t *rgba = alpha ? ims_alloc(rows->height, line) : NULL;
	void *scratch = ims_alloc(rows->width, 8);
	int rc = ims_image_new(out, rows->width, rows->height, err);
	if (!rc && (!scratch || (alpha && !rgba)))
		rc = ims_nomem(err);
	const colour_transform *t = ims_colour_acquire(cache, rows->colours, rows->layout, rows->grey);
	out->unconverted = rows->colours->kind && !t;
	uint8_t *to = alpha ? rgba : out->pixels;
	for (uint32_t y = 0; !rc && y < rows->height; y++)
		finish_row(to + y * line, rows, (const uint8_t *)rows->data + y * rows->stride, scratch, t);
	ims_colour_release(t);
	if (!rc && alpha)
		(rows->opaque ? drop_alpha : ims_alpha_flatten)(out->pixels, rgba,
			(size_t)rows->width * rows->height);
	ims_free(scratch);
	ims_free(rgba);
	if (rc)
		ims_image_free(out);
	return rc;
}
