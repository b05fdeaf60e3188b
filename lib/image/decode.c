/*
 * From bytes to an upright picture: recognise the format, read the header, check the limits, choose
 * the scale, decode, crop, rotate.
 */
#include "image/codecs.h"

#include <string.h>

enum { DEFAULT_MAX_PIXELS = IMGSEARCH_MAX_MEGAPIXELS_DEFAULT * 1000 * 1000, MAX_SIDE = 1000000 };

static const decoder *const decoders[] = { &ims_image_jpeg, &ims_image_png, &ims_image_bmp,
	&ims_image_gif, &ims_image_raw };

int ims_image_new(image *out, uint32_t width, uint32_t height, imgsearch_error *err)
{
	*out = (image){
		.pixels = ims_alloc((size_t)width * height, 3),
		.width = width,
		.height = height,
	};
	return out->pixels ? 0 : ims_nomem(err);
}

void ims_image_free(image *im)
{
	if (!im)
		return;
	ims_image_unreserve(im);
	ims_free(im->pixels);
	*im = (image){ 0 };
}

void ims_image_unreserve(image *im)
{
	if (im->budget)
		ims_budget_release(im->budget, im->reserved);
	im->budget = NULL;
}

uint32_t ims_image_pixels(const image *im)
{
	bool absent = im->unconverted && !ims_colour_available();
	return IMAGE_DECODING | (absent ? IMAGE_UNCONVERTED : 0) | (im->partial ? IMAGE_PARTIAL : 0);
}

bool ims_image_has_bad_profile(const image *im)
{
	return im->unconverted && !(ims_image_pixels(im) & IMAGE_UNCONVERTED);
}

bool ims_image_is_stale(const image_head *head, uint32_t pixels)
{
	const uint32_t since_1 = IMAGE_HAS_COLOURS | IMAGE_HAS_ALPHA | IMAGE_HAS_OTHER_ORIENTATION;
	if ((pixels & IMAGE_DECODING_MASK) == 0)
		return head->traits & since_1;
	return pixels & IMAGE_UNCONVERTED && head->traits & IMAGE_HAS_COLOURS && ims_colour_available();
}

static unsigned long long megabytes(uint64_t bytes)
{
	return bytes / 1000000 + (bytes % 1000000 > 0);
}

/* Reserves memory for the file, the pixels, a second copy if they are turned, and the decoder. */
static int reserve(image *out, const image_head *stored, size_t size, unsigned shrink, budget *b,
	imgsearch_error *err)
{
	uint64_t pixels = 3 * ((uint64_t)stored->width / shrink + 1) * (stored->height / shrink + 1);
	uint64_t need = size + stored->memory + pixels * (stored->orientation == 1 ? 1 : 2);
	if (b && !ims_budget_reserve(b, need))
		return ims_fail(err, IMGSEARCH_ELIMIT,
			"decoding it takes %llu MB of memory, and the limit is %llu MB", megabytes(need),
			megabytes(b->limit));
	out->budget = b;
	out->reserved = need;
	return 0;
}

int ims_image_check_size(uint64_t width, uint64_t height, uint64_t max_pixels, imgsearch_error *err)
{
	uint64_t max = max_pixels ? max_pixels : DEFAULT_MAX_PIXELS;
	if (height && width > max / height)
		return ims_fail(err, IMGSEARCH_ELIMIT,
			"%llu x %llu pixels are more than the limit of %.6g megapixels",
			(unsigned long long)width, (unsigned long long)height, (double)max / 1e6);
	if (width > MAX_SIDE || height > MAX_SIDE) /* decoders hold some rows besides the picture */
		return ims_fail(err, IMGSEARCH_ELIMIT, "%llu x %llu pixels: no side may have more than %d",
			(unsigned long long)width, (unsigned long long)height, MAX_SIDE);
	return 0;
}

bool ims_image_needs_codec(image_format f, const image_limits *limits)
{
	return limits && limits->codecs && limits->codecs->knows(limits->codecs, f);
}

static int check_asked(image_format f, const image_limits *limits, imgsearch_error *err)
{
	uint32_t bit = f == IMAGE_TIFF ? IMAGE_ALSO_TIFF : f == IMAGE_VIDEO ? IMAGE_ALSO_VIDEO : 0;
	if (!bit || limits->also & bit)
		return 0;
	return ims_fail(err, IMGSEARCH_EUNSUPPORTED,
		"%s files are read only where asked for: formats %s", ims_image_format_name(f),
		f == IMAGE_TIFF ? "+tiff" : "+video");
}

int ims_image_check_codec(image_format f, const image_limits *limits, imgsearch_error *err)
{
	if (!ims_image_needs_codec(f, limits))
		return 0;
	int rc = check_asked(f, limits, err);
	return rc ? rc : limits->codecs->check(limits->codecs, f, err);
}

int ims_image_blocks(image_blocks *out, const void *data, size_t size, const image_limits *limits,
	imgsearch_error *err)
{
	image_format format = ims_image_sniff(data, size);
	*out = (image_blocks){ 0 };
	if (!ims_image_needs_codec(format, limits))
		return 0;
	return limits->codecs->blocks(limits->codecs, format, out, data, size, err);
}

void ims_image_blocks_free(image_blocks *b)
{
	ims_buf_free(&b->exif);
	ims_buf_free(&b->xmp);
}

/* What decodes a file: a decoder of this room, or (NULL) the codecs of the limits. */
typedef struct source {
	const decoder *own;
	image_codecs *codecs;
} source;

static int find_source(source *out, image_format format, const image_limits *limits,
	imgsearch_error *err)
{
	for (size_t i = 0; i < sizeof decoders / sizeof decoders[0]; i++)
		if (decoders[i]->format == format) {
			*out = (source){ .own = decoders[i] };
			return 0;
		}
	if (ims_image_needs_codec(format, limits)) {
		*out = (source){ .codecs = limits->codecs };
		return check_asked(format, limits, err);
	}
	if (format == IMAGE_EMPTY)
		return ims_fail(err, IMGSEARCH_EFORMAT, "the file is empty");
	if (format == IMAGE_UNKNOWN)
		return ims_fail(err, IMGSEARCH_EUNSUPPORTED, "not a picture of a known format");
	return ims_fail(err, IMGSEARCH_EUNSUPPORTED, "%s files are not supported",
		ims_image_format_name(format));
}

/* The header in stored coordinates, and what decodes the file. */
static int stored_head(source *d, image_head *out, const void *data, size_t size,
	const image_limits *limits, imgsearch_error *err)
{
	image_format format = ims_image_sniff(data, size);
	uint64_t max_pixels = limits ? limits->max_pixels : 0;
	*out = (image_head){ .orientation = 1 };
	int rc = find_source(d, format, limits, err);
	if (!rc && d->own)
		rc = d->own->head(out, data, size, max_pixels, err);
	else if (!rc)
		rc = d->codecs->head(d->codecs, format, out, data, size, max_pixels, err);
	out->format = format;
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

int ims_image_head(image_head *out, const void *data, size_t size, const image_limits *limits,
	imgsearch_error *err)
{
	source d = { 0 };
	int rc = stored_head(&d, out, data, size, limits, err);
	*out = upright(*out);
	return rc;
}

/* The stored pixel of upright (x, y): swap x and y, then count from the far side. */
typedef struct orientation {
	bool swap, flip_x, flip_y;
} orientation;

static const orientation orientations[9] = {
	[2] = { false, true, false },
	[3] = { false, true, true },
	[4] = { false, false, true },
	[5] = { true, false, false },
	[6] = { true, false, true },
	[7] = { true, true, true },
	[8] = { true, true, false },
};

static void orient_tile(image *out, const image *in, orientation t, uint32_t x0, uint32_t y0,
	uint32_t x1, uint32_t y1)
{
	for (uint32_t y = y0; y < y1; y++)
		for (uint32_t x = x0; x < x1; x++) {
			size_t sx = t.swap ? y : x, sy = t.swap ? x : y;
			sx = t.flip_x ? in->width - 1 - sx : sx;
			sy = t.flip_y ? in->height - 1 - sy : sy;
			memcpy(out->pixels + ((size_t)y * out->width + x) * 3,
				in->pixels + (sy * in->width + sx) * 3, 3);
		}
}

static void orient_box(float to[4], const float from[4], orientation t, float width, float height)
{
	float x0 = t.flip_x ? width - from[2] : from[0], x1 = t.flip_x ? width - from[0] : from[2];
	float y0 = t.flip_y ? height - from[3] : from[1], y1 = t.flip_y ? height - from[1] : from[3];
	to[0] = t.swap ? y0 : x0;
	to[1] = t.swap ? x0 : y0;
	to[2] = t.swap ? y1 : x1;
	to[3] = t.swap ? x1 : y1;
}

/* Works in tiles, so that the columns it reads stay in the cache. */
static int orient_upright(image *im, orientation t, imgsearch_error *err)
{
	enum { TILE = 32 };
	image out;
	if (!t.swap && !t.flip_x && !t.flip_y)
		return 0;
	int rc = ims_image_new(&out, t.swap ? im->height : im->width, t.swap ? im->width : im->height,
		err);
	if (rc)
		return rc;
	for (uint32_t y = 0; y < out.height; y += TILE)
		for (uint32_t x = 0; x < out.width; x += TILE)
			orient_tile(&out, im, t, x, y, x + TILE < out.width ? x + TILE : out.width,
				y + TILE < out.height ? y + TILE : out.height);
	if (im->box[2] > 0)
		orient_box(out.box, im->box, t, (float)im->width, (float)im->height);
	ims_free(im->pixels);
	im->pixels = out.pixels;
	im->width = out.width;
	im->height = out.height;
	memcpy(im->box, out.box, sizeof im->box);
	return 0;
}

static int check_crop(const int32_t crop[4], uint32_t width, uint32_t height, imgsearch_error *err)
{
	if (crop[0] >= 0 && crop[1] >= 0 && crop[2] > 0 && crop[3] > 0
		&& (int64_t)crop[0] + crop[2] <= width && (int64_t)crop[1] + crop[3] <= height)
		return 0;
	return ims_fail(err, IMGSEARCH_EINVAL, "crop %d,%d,%d,%d does not lie in a picture of %u x %u",
		(int)crop[0], (int)crop[1], (int)crop[2], (int)crop[3], (unsigned)width, (unsigned)height);
}

int ims_image_crop(image *im, const int32_t crop[4], imgsearch_error *err)
{
	int rc = check_crop(crop, im->width, im->height, err);
	if (rc)
		return rc;
	uint32_t width = (uint32_t)crop[2], height = (uint32_t)crop[3];
	for (uint32_t y = 0; y < height; y++)
		memmove(im->pixels + (size_t)y * width * 3,
			im->pixels + (((size_t)crop[1] + y) * im->width + (size_t)crop[0]) * 3,
			(size_t)width * 3);
	im->width = width;
	im->height = height;
	memset(im->box, 0, sizeof im->box);
	return 0;
}

/*
 * The largest of 8, 4, 2, 1 that leaves a part of width x height 1.25 times as large as its resized
 * form. With less, the antialiased resize would blur less than it does from the full picture.
 */
static unsigned choose_shrink(int32_t width, int32_t height, const image_limits *limits)
{
	uint64_t side = (uint64_t)(width < height ? width : height);
	unsigned shrink = 8;
	if (!limits || limits->full_decode || !limits->at_least)
		return 1;
	while (shrink > 1 && side * 4 < (uint64_t)limits->at_least * 5 * shrink)
		shrink /= 2;
	return shrink;
}

/*
 * Crops im, decoded at 1/shrink, to the pixels that the part x, y, width, height of the full
 * picture touches, and sets the box of the part in them.
 */
static int cut_part(image *im, const int32_t part[4], int32_t shrink, imgsearch_error *err)
{
	int32_t x0 = part[0] / shrink, y0 = part[1] / shrink;
	int32_t x1 = (part[0] + part[2] + shrink - 1) / shrink,
			y1 = (part[1] + part[3] + shrink - 1) / shrink;
	const int32_t cut[4] = { x0, y0, x1 - x0, y1 - y0 };
	float scale = 1.0f / (float)shrink;
	int rc = ims_image_crop(im, cut, err);
	if (shrink > 1) {
		im->box[0] = (float)(part[0] - x0 * shrink) * scale;
		im->box[1] = (float)(part[1] - y0 * shrink) * scale;
		im->box[2] = (float)(part[0] + part[2] - x0 * shrink) * scale;
		im->box[3] = (float)(part[1] + part[3] - y0 * shrink) * scale;
	}
	return rc;
}

/* Cuts the rows that are missing off a part of a picture. */
static int available_part(int32_t part[4], const image *im, int32_t shrink, imgsearch_error *err)
{
	int64_t rows = (int64_t)im->height * shrink - part[1];
	if (rows <= 0)
		return ims_fail(err, IMGSEARCH_EFORMAT, "this part of the picture is lost");
	if (rows < part[3])
		part[3] = (int32_t)rows;
	return 0;
}

/* The part x, y, width, height of the upright picture in stored coordinates. */
static void stored_part(int32_t out[4], const int32_t part[4], orientation t, int32_t width,
	int32_t height)
{
	for (int i = 0; i < 4; i++)
		out[i] = part[t.swap ? i ^ 1 : i];
	if (t.flip_x)
		out[0] = width - out[0] - out[2];
	if (t.flip_y)
		out[1] = height - out[1] - out[3];
}

int ims_image_decode(image *out, image_head *head, const void *data, size_t size,
	const image_limits *limits, const int32_t crop[4], imgsearch_error *err)
{
	source d = { 0 };
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
	orientation t = orientations[stored.orientation];
	const int32_t all[4] = { 0, 0, (int32_t)full.width, (int32_t)full.height };
	int32_t part[4];
	stored_part(part, crop ? crop : all, t, (int32_t)stored.width, (int32_t)stored.height);
	decode_request request = {
		.shrink = d.own && d.own->scales ? choose_shrink(part[2], part[3], limits) : 1,
		.partial = limits && limits->partial,
		.colours = limits ? limits->colours : NULL,
	};
	image reserved = { 0 };
	rc = reserve(&reserved, &stored, size, request.shrink, limits ? limits->budget : NULL, err);
	if (!rc && d.own)
		rc = d.own->decode(out, &stored, data, size, &request, err);
	else if (!rc)
		rc = d.codecs->decode(d.codecs, out, &stored, data, size, &request, err);
	out->budget = reserved.budget;
	out->reserved = reserved.reserved;
	if (!rc && out->partial)
		rc = available_part(part, out, (int32_t)request.shrink, err);
	if (!rc)
		rc = cut_part(out, part, (int32_t)request.shrink, err);
	if (!rc)
		rc = orient_upright(out, t, err);
	if (rc)
		ims_image_free(out);
	return rc;
}
