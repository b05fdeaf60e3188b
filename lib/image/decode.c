/*
 * From bytes to an upright picture: recognise, read the header, check the limits, choose the scale, decode, turn, cut.
 * The formats' own knowledge is in their files; they are listed in `decoders`.
 */
#include "image/format.h"

#include <string.h>

enum { DEFAULT_MAX_PIXELS = 200 * 1000 * 1000 };

static const decoder *const decoders[] = { &ims_image_jpeg, &ims_image_png };

int ims_image_new(image *out, uint32_t width, uint32_t height, imgsearch_error *err)
{
	*out = (image){ ims_alloc((size_t)width * height, 3), width, height };
	return out->pixels ? 0 : ims_nomem(err);
}

void ims_image_free(image *im)
{
	if (!im)
		return;
	ims_free(im->pixels);
	*im = (image){ 0 };
}

int ims_image_check_size(uint64_t width, uint64_t height, uint64_t max_pixels, imgsearch_error *err)
{
	uint64_t max = max_pixels ? max_pixels : DEFAULT_MAX_PIXELS;
	if (height && width > max / height)
		return ims_fail(err, IMGSEARCH_ELIMIT, "%llu x %llu pixels are more than the limit of %.6g megapixels", (unsigned long long)width,
			(unsigned long long)height, (double)max / 1e6);
	return 0;
}

static int find_decoder(const decoder **out, const void *data, size_t size, imgsearch_error *err)
{
	image_format format = ims_image_sniff(data, size);
	for (size_t i = 0; i < sizeof(decoders) / sizeof(decoders[0]); i++)
		if (decoders[i]->format == format) {
			*out = decoders[i];
			return 0;
		}
	if (format == IMAGE_EMPTY)
		return ims_fail(err, IMGSEARCH_EFORMAT, "the file is empty");
	if (format == IMAGE_UNKNOWN)
		return ims_fail(err, IMGSEARCH_EUNSUPPORTED, "not a picture of a known format");
	return ims_fail(err, IMGSEARCH_EUNSUPPORTED, "%s files are not supported", ims_image_format_name(format));
}

/* The head as stored: not yet upright. */
static int stored_head(const decoder **d, image_head *out, const void *data, size_t size, const image_limits *limits, imgsearch_error *err)
{
	*out = (image_head){ .orientation = 1 };
	int rc = find_decoder(d, data, size, err);
	if (!rc)
		rc = (*d)->head(out, data, size, limits ? limits->max_pixels : 0, err);
	out->format = ims_image_sniff(data, size);
	return rc;
}

static image_head upright(image_head h)
{
	if (h.orientation >= 5) {
		uint32_t width = h.width;
		h.width = h.height;
		h.height = width;
	}
	return h;
}

int ims_image_head(image_head *out, const void *data, size_t size, const image_limits *limits, imgsearch_error *err)
{
	const decoder *d;
	int rc = stored_head(&d, out, data, size, limits, err);
	*out = upright(*out);
	return rc;
}

/* Source of upright pixel (x, y): swap x and y, then count from the far side. */
typedef struct turning {
	bool swap, flip_x, flip_y;
} turning;

static const turning turnings[9] = {
	[2] = { false, true, false }, [3] = { false, true, true }, [4] = { false, false, true }, [5] = { true, false, false },
	[6] = { true, false, true },  [7] = { true, true, true },  [8] = { true, true, false },
};

static void turn_tile(image *out, const image *in, turning t, uint32_t x0, uint32_t y0, uint32_t x1, uint32_t y1)
{
	for (uint32_t y = y0; y < y1; y++)
		for (uint32_t x = x0; x < x1; x++) {
			size_t sx = t.swap ? y : x, sy = t.swap ? x : y;
			sx = t.flip_x ? in->width - 1 - sx : sx;
			sy = t.flip_y ? in->height - 1 - sy : sy;
			memcpy(out->pixels + ((size_t)y * out->width + x) * 3, in->pixels + (sy * in->width + sx) * 3, 3);
		}
}

/* Tile by tile, so that reading down a column stays in the cache. */
static int turn_upright(image *im, uint32_t orientation, imgsearch_error *err)
{
	enum { TILE = 32 };
	turning t = turnings[orientation];
	image out;
	if (orientation == 1)
		return 0;
	int rc = ims_image_new(&out, t.swap ? im->height : im->width, t.swap ? im->width : im->height, err);
	if (rc)
		return rc;
	for (uint32_t y = 0; y < out.height; y += TILE)
		for (uint32_t x = 0; x < out.width; x += TILE)
			turn_tile(&out, im, t, x, y, x + TILE < out.width ? x + TILE : out.width, y + TILE < out.height ? y + TILE : out.height);
	ims_image_free(im);
	*im = out;
	return 0;
}

static int check_crop(const int32_t crop[4], uint32_t width, uint32_t height, imgsearch_error *err)
{
	if (crop[0] >= 0 && crop[1] >= 0 && crop[2] > 0 && crop[3] > 0 && (int64_t)crop[0] + crop[2] <= width && (int64_t)crop[1] + crop[3] <= height)
		return 0;
	return ims_fail(err, IMGSEARCH_EINVAL, "crop %d,%d,%d,%d does not lie in a picture of %u x %u", (int)crop[0], (int)crop[1], (int)crop[2],
		(int)crop[3], (unsigned)width, (unsigned)height);
}

int ims_image_crop(image *im, const int32_t crop[4], imgsearch_error *err)
{
	int rc = check_crop(crop, im->width, im->height, err);
	if (rc)
		return rc;
	uint32_t width = (uint32_t)crop[2], height = (uint32_t)crop[3];
	for (uint32_t y = 0; y < height; y++)
		memmove(im->pixels + (size_t)y * width * 3, im->pixels + (((size_t)crop[1] + y) * im->width + (size_t)crop[0]) * 3, (size_t)width * 3);
	im->width = width;
	im->height = height;
	return 0;
}

/* The largest of 8, 4, 2, 1 that leaves enough of what is wanted. */
static unsigned choose_shrink(uint32_t width, uint32_t height, const image_limits *limits)
{
	uint32_t side = width < height ? width : height;
	unsigned shrink = 8;
	if (!limits || limits->full_decode || !limits->at_least)
		return 1;
	while (shrink > 1 && side / shrink < limits->at_least)
		shrink /= 2;
	return shrink;
}

/* One direction of a crop in full-size pixels, in a picture that came `to` pixels long instead of `from`. */
static void scale_crop(int32_t *start, int32_t *length, uint32_t from, uint32_t to)
{
	double scale = (double)to / from;
	int32_t a = (int32_t)(*start * scale + 0.5), b = (int32_t)(((double)*start + *length) * scale + 0.5);
	if (a >= (int32_t)to)
		a = (int32_t)to - 1;
	*start = a;
	*length = b > a ? b - a : 1;
}

int ims_image_decode(image *out, image_head *head, const void *data, size_t size, const image_limits *limits, const int32_t crop[4],
	imgsearch_error *err)
{
	const decoder *d;
	image_head stored, full;
	*out = (image){ 0 };
	int rc = stored_head(&d, &stored, data, size, limits, err);
	full = upright(stored);
	if (head)
		*head = full;
	if (!rc && crop)
		rc = check_crop(crop, full.width, full.height, err);
	if (rc)
		return rc;
	unsigned shrink = crop ? choose_shrink((uint32_t)crop[2], (uint32_t)crop[3], limits) : choose_shrink(full.width, full.height, limits);
	rc = d->decode(out, &stored, data, size, shrink, err);
	if (!rc)
		rc = turn_upright(out, stored.orientation, err);
	if (!rc && crop) {
		int32_t cut[4] = { crop[0], crop[1], crop[2], crop[3] };
		scale_crop(&cut[0], &cut[2], full.width, out->width);
		scale_crop(&cut[1], &cut[3], full.height, out->height);
		rc = ims_image_crop(out, cut, err);
	}
	if (rc)
		ims_image_free(out);
	return rc;
}
