/* The edits are drawn pixel by pixel or by the resize; each is bounded by the size of its input. */
#include "image/alter.h"

#include <math.h>
#include <string.h>

typedef int make_copy(image *out, const image *in, uint64_t *random, imgsearch_error *err);

static const uint8_t *pixel(const image *im, int64_t x, int64_t y)
{
	x = x < 0 ? 0 : x >= im->width ? im->width - 1 : x;
	y = y < 0 ? 0 : y >= im->height ? im->height - 1 : y;
	return im->pixels + ((size_t)y * im->width + (size_t)x) * 3;
}

/* A part of the picture, of that share of its sides, at a random place. */
static int cut(image *out, const image *in, double share, uint64_t *random, imgsearch_error *err)
{
	double w = in->width * share, h = in->height * share;
	double x = ims_random_unit(random) * (in->width - w),
		   y = ims_random_unit(random) * (in->height - h);
	return ims_image_resize(out, in, (uint32_t)w + 1, (uint32_t)h + 1, false,
		(const double[4]){ x, y, x + w, y + h }, err);
}

/* Two thirds of the area. */
static int crop(image *out, const image *in, uint64_t *random, imgsearch_error *err)
{
	return cut(out, in, 0.82, random, err);
}

static int quarter(image *out, const image *in, uint64_t *random, imgsearch_error *err)
{
	return cut(out, in, 1 / 2.0, random, err);
}

static int ninth(image *out, const image *in, uint64_t *random, imgsearch_error *err)
{
	return cut(out, in, 1 / 3.0, random, err);
}

static int scale(image *out, const image *in, uint64_t *random, imgsearch_error *err)
{
	(void)random;
	return ims_image_resize(out, in, in->width * 2 / 5 + 1, in->height * 2 / 5 + 1, false, NULL,
		err);
}

static int recompress(image *out, const image *in, uint64_t *random, imgsearch_error *err)
{
	buf jpeg = { 0 };
	int rc = ims_image_encode_jpeg(&jpeg, in, 25, NULL, err);
	(void)random;
	if (!rc)
		rc = ims_image_decode(out, NULL, jpeg.data, jpeg.len, &(image_limits){ .full_decode = 1 },
			NULL, err);
	ims_buf_free(&jpeg);
	return rc;
}

/* Scales down and up again. */
static int blur(image *out, const image *in, uint64_t *random, imgsearch_error *err)
{
	image small = { 0 };
	int rc = ims_image_resize(&small, in, in->width / 4 + 1, in->height / 4 + 1, false, NULL, err);
	(void)random;
	if (!rc)
		rc = ims_image_resize(out, &small, in->width, in->height, false, NULL, err);
	ims_image_free(&small);
	return rc;
}

/* Rotates by up to 7 degrees. Pixels from outside repeat the edge. */
static int rotate(image *out, const image *in, uint64_t *random, imgsearch_error *err)
{
	double angle = (ims_random_unit(random) - 0.5) * 14 * 3.14159265358979 / 180, c = cos(angle),
		   s = sin(angle);
	double mx = in->width / 2.0, my = in->height / 2.0;
	int rc = ims_image_new(out, in->width, in->height, err);
	for (uint32_t y = 0; !rc && y < in->height; y++)
		for (uint32_t x = 0; x < in->width; x++) {
			double u = mx + c * (x - mx) + s * (y - my), v = my - s * (x - mx) + c * (y - my),
				   fu = u - floor(u), fv = v - floor(v);
			int64_t iu = (int64_t)floor(u), iv = (int64_t)floor(v);
			const uint8_t *p[4] = {
				pixel(in, iu, iv),
				pixel(in, iu + 1, iv),
				pixel(in, iu, iv + 1),
				pixel(in, iu + 1, iv + 1),
			};
			for (int ch = 0; ch < 3; ch++)
				out->pixels[((size_t)y * in->width + x) * 3 + ch] =
					(uint8_t)((p[0][ch] * (1 - fu) + p[1][ch] * fu) * (1 - fv)
						+ (p[2][ch] * (1 - fu) + p[3][ch] * fu) * fv + 0.5);
		}
	return rc;
}

static int mirror(image *out, const image *in, uint64_t *random, imgsearch_error *err)
{
	int rc = ims_image_new(out, in->width, in->height, err);
	(void)random;
	for (uint32_t y = 0; !rc && y < in->height; y++)
		for (uint32_t x = 0; x < in->width; x++)
			memcpy(out->pixels + ((size_t)y * in->width + x) * 3, pixel(in, in->width - 1 - x, y),
				3);
	return rc;
}

/* Adds a white bar below, with marks like text. */
static int caption(image *out, const image *in, uint64_t *random, imgsearch_error *err)
{
	uint32_t bar = in->height / 6 + 1, stroke = bar / 12 + 1;
	int rc = ims_image_new(out, in->width, in->height + bar, err);
	if (rc)
		return rc;
	memcpy(out->pixels, in->pixels, (size_t)in->width * in->height * 3);
	memset(out->pixels + (size_t)in->width * in->height * 3, 255, (size_t)in->width * bar * 3);
	for (uint32_t x = stroke * 2; x + stroke * 2 < in->width; x += stroke * 2)
		for (uint32_t y = bar / 3; y < bar * 2 / 3; y += stroke)
			for (uint32_t i = 0; i < stroke && ims_random(random) % 3; i++)
				memset(out->pixels + ((size_t)(in->height + y) * in->width + x + i) * 3, 20, 3);
	return 0;
}

static const struct {
	const char *name;
	make_copy *make;
} edit[IMS_ALTERATIONS_ALL] = {
	{ "crop", crop },
	{ "scale", scale },
	{ "recompress", recompress },
	{ "blur", blur },
	{ "rotate", rotate },
	{ "mirror", mirror },
	{ "caption", caption },
	{ "small crop 1/4", quarter },
	{ "small crop 1/9", ninth },
};

const char *ims_image_alteration(unsigned kind)
{
	return edit[kind].name;
}

int ims_image_alter(image *out, const image *in, unsigned kind, uint64_t *random,
	imgsearch_error *err)
{
	return edit[kind].make(out, in, random, err);
}
