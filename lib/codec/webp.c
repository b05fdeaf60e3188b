/*
 * WebP by libwebp, which is loaded when a file of the kind is first met. The container is read
 * here: the size of the canvas, ICCP, EXIF and XMP, and the first frame of an animation, which is
 * laid on a transparent canvas. libwebp gets the bitstream of one picture.
 *
 * Transparency shows as in PNG. Where rows are cut off the picture is damaged; with `partial` its
 * upper rows are kept.
 *
 * Sources: RFC 9649 (WebP). Only functions of libwebp are used, none of its structs.
 */
#include "base/library.h"
#include "codec/codec.h"
#include "codec/finish.h"
#include "image/metadata.h"

#include <string.h>

IMS_LIBRARY_NOTE("libwebp.so.7", "WebP pictures");

typedef struct libwebp {
	int (*get_info)(const uint8_t *data, size_t size, int *width, int *height);
	uint8_t *(
		*decode_rgba_into)(const uint8_t *data, size_t size, uint8_t *to, size_t room, int stride);
	void *(*new_rgb)(int mode, uint8_t *to, size_t room, int stride);
	int (*update)(void *decoder, const uint8_t *data, size_t size);
	uint8_t *(*get_rgb)(const void *decoder, int *last_y, int *width, int *height, int *stride);
	void (*delete)(void *decoder);
} libwebp;

static libwebp lib;
static bool loaded;

static void load_once(void)
{
	static const char *const files[] = { "libwebp.so.7", NULL };
	const library_function functions[] = {
		{ "WebPGetInfo", (void **)&lib.get_info },
		{ "WebPDecodeRGBAInto", (void **)&lib.decode_rgba_into },
		{ "WebPINewRGB", (void **)&lib.new_rgb },
		{ "WebPIUpdate", (void **)&lib.update },
		{ "WebPIDecGetRGB", (void **)&lib.get_rgb },
		{ "WebPIDelete", (void **)&lib.delete },
	};
	loaded = ims_library_load(files, functions, sizeof functions / sizeof functions[0]);
}

static unsigned load(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, load_once);
	return loaded ? 0 : 1;
}

/* ------------------------------------------------------------------------------- container ---- */

enum { HAS_ANIMATION = 0x02, MODE_RGBA = 1, DONE = 0, SUSPENDED = 5 /* more bytes are wanted */ };

/* A chunk of the container; size is what the file has of it. */
typedef struct chunk {
	const uint8_t *name, *data;
	size_t size;
	bool cut;
} chunk;

/* What is decoded: the bitstream of one picture, and where it lies on the canvas. */
typedef struct webp {
	uint32_t width, height; /* of the canvas */
	uint32_t x, y, frame_width, frame_height;
	const uint8_t *stream; /* the chunk VP8 or VP8L, or ALPH and then VP8; or the whole file */
	size_t stream_size;
	bool alpha, animated; /* alpha: of the stream */
	metadata meta;
	colour_space colours;
} webp;

static int damaged(imgsearch_error *err, const char *why)
{
	return ims_fail(err, IMGSEARCH_EFORMAT, "the WebP is damaged: %s", why);
}

static uint32_t number(const uint8_t *at, unsigned n)
{
	uint32_t value = 0;
	for (unsigned i = 0; i < n; i++)
		value |= (uint32_t)at[i] << 8 * i;
	return value;
}

static bool next_chunk(chunk *c, const uint8_t **at, size_t *left)
{
	if (*left < 8)
		return false;
	size_t size = number(*at + 4, 4), padded = size + size % 2;
	c->name = *at;
	c->data = *at + 8;
	c->cut = size > *left - 8;
	c->size = c->cut ? *left - 8 : size;
	size_t step = padded > *left - 8 ? *left : padded + 8;
	*at += step;
	*left -= step;
	return true;
}

static bool is(const chunk *c, const char *name)
{
	return memcmp(c->name, name, 4) == 0;
}

/* The chunks of one picture, at `at`: from ALPH, VP8 or VP8L on. */
static void find_stream(webp *w, const uint8_t *at, size_t left)
{
	chunk c;
	for (const uint8_t *start = at; next_chunk(&c, &at, &left); start = at)
		if (is(&c, "ALPH") || is(&c, "VP8 ") || is(&c, "VP8L")) {
			w->stream = start;
			w->stream_size = (size_t)(c.data + c.size - start);
			if (is(&c, "ALPH")) /* the colours follow */
				w->stream_size = (size_t)(at - start) + left;
			return;
		}
}

/* The first frame; later ones are not looked at. */
static int read_frame(webp *w, const chunk *c, imgsearch_error *err)
{
	enum { FRAME_HEADER = 16 };
	if (w->stream)
		return 0;
	if (c->size < FRAME_HEADER)
		return damaged(err, "it is cut off");
	w->x = number(c->data, 3) * 2;
	w->y = number(c->data + 3, 3) * 2;
	w->frame_width = number(c->data + 6, 3) + 1;
	w->frame_height = number(c->data + 9, 3) + 1;
	find_stream(w, c->data + FRAME_HEADER, c->size - FRAME_HEADER);
	return w->stream ? 0 : damaged(err, "its first frame has no picture");
}

static int read_chunk(webp *w, const chunk *c, const uint8_t *start, size_t left,
	imgsearch_error *err)
{
	if (is(c, "ICCP") && !c->cut && !w->colours.kind)
		return ims_colour_set_profile(&w->colours, c->data, c->size) ? 0 : ims_nomem(err);
	if (is(c, "EXIF") && !c->cut) {
		ims_metadata_exif(&w->meta, c->data, c->size);
	} else if (is(c, "XMP ") && !c->cut && !w->meta.xmp) {
		w->meta.xmp = c->data;
		w->meta.xmp_size = c->size;
	} else if (is(c, "ANMF") && w->animated) {
		return read_frame(w, c, err);
	} else if (!w->animated && !w->stream && (is(c, "ALPH") || is(c, "VP8 ") || is(c, "VP8L"))) {
		find_stream(w, start, left);
	}
	return 0;
}

/* VP8X and what follows it. */
static int read_extended(webp *w, const uint8_t *data, size_t size, imgsearch_error *err)
{
	const uint8_t *at = data + 12, *start = at;
	size_t left = size - 12, before = left;
	chunk c;
	if (!next_chunk(&c, &at, &left) || c.size < 10)
		return damaged(err, "it is cut off");
	w->animated = c.data[0] & HAS_ANIMATION;
	w->width = w->frame_width = number(c.data + 4, 3) + 1;
	w->height = w->frame_height = number(c.data + 7, 3) + 1;
	int rc = 0;
	for (start = at, before = left; !rc && next_chunk(&c, &at, &left); start = at, before = left)
		rc = read_chunk(w, &c, start, before, err);
	if (!rc && !w->stream)
		rc = damaged(err, "it has no picture");
	return rc;
}

/* What the flags of the container announce is often wrong; this is what libwebp's tools go by. */
static bool stream_has_alpha(const webp *w)
{
	if (memcmp(w->stream, "ALPH", 4) == 0)
		return true;
	return memcmp(w->stream, "VP8L", 4) == 0 && w->stream_size > 12 && w->stream[12] >> 4 & 1;
}

static int read_simple(webp *w, const uint8_t *data, size_t size, imgsearch_error *err)
{
	int width, height;
	if (!lib.get_info(data, size, &width, &height) || width <= 0 || height <= 0)
		return damaged(err, "its header cannot be read");
	w->width = w->frame_width = (uint32_t)width;
	w->height = w->frame_height = (uint32_t)height;
	w->stream = data + 12;
	w->stream_size = size - 12;
	return 0;
}

/* The sizes are checked before the rest. */
static int open_webp(webp *w, const void *data, size_t size, uint64_t max_pixels,
	imgsearch_error *err)
{
	const uint8_t *bytes = data;
	*w = (webp){ 0 };
	if (size < 20)
		return damaged(err, "it is cut off");
	int rc = memcmp(bytes + 12, "VP8X", 4) ? read_simple(w, data, size, err)
										   : read_extended(w, data, size, err);
	int too_big = w->width ? ims_image_check_size(w->width, w->height, max_pixels, err) : 0;
	if (rc || too_big)
		return too_big ? too_big : rc;
	int width, height;
	if (!lib.get_info(w->stream, w->stream_size, &width, &height))
		return damaged(err, "the header of its picture cannot be read");
	if ((uint32_t)width != w->frame_width || (uint32_t)height != w->frame_height
		|| w->frame_width > w->width || w->x > w->width - w->frame_width
		|| w->frame_height > w->height || w->y > w->height - w->frame_height)
		return damaged(err, "its picture has another size than its canvas");
	w->alpha = stream_has_alpha(w);
	return 0;
}

static int head(image_head *out, const void *data, size_t size, uint64_t max_pixels,
	imgsearch_error *err)
{
	webp w;
	int rc = open_webp(&w, data, size, max_pixels, err);
	out->width = w.width;
	out->height = w.height;
	out->orientation = ims_image_orientation(&w.meta);
	bool clear = w.alpha || w.frame_width < w.width || w.frame_height < w.height;
	out->traits = (clear ? IMAGE_HAS_ALPHA : 0) | (w.colours.kind ? IMAGE_HAS_COLOURS : 0);
	out->memory = (uint64_t)w.width * w.height * (4 + CODEC_FINISH_MEMORY)
		+ (uint64_t)w.frame_width * w.frame_height * 4;
	ims_colour_clear(&w.colours);
	return rc;
}

/* ---------------------------------------------------------------------------------- pixels ---- */

/*
 * Decodes into RGBA with that stride; *rows: those that are there. Without `partial` all of them
 * must be: then bytes were cut off that no row needs.
 */
static int decode_rgba(const webp *w, uint8_t *to, size_t room, int stride, bool partial,
	uint32_t *rows, imgsearch_error *err)
{
	*rows = w->frame_height;
	if (lib.decode_rgba_into(w->stream, w->stream_size, to, room, stride))
		return 0;
	void *decoder = lib.new_rgb(MODE_RGBA, to, room, stride);
	if (!decoder)
		return ims_nomem(err);
	int last = 0;
	int status = lib.update(decoder, w->stream, w->stream_size);
	if (!lib.get_rgb(decoder, &last, NULL, NULL, NULL) || last < 0)
		last = 0;
	lib.delete(decoder);
	*rows = (uint32_t)last < w->frame_height ? (uint32_t)last : w->frame_height;
	bool whole = (status == DONE || status == SUSPENDED) && *rows == w->frame_height;
	return whole || (partial && *rows) ? 0 : damaged(err, "its pixels cannot be decoded");
}

/* Unused alpha of a lossless picture is anything. */
static void make_opaque(const webp *w, uint8_t *to, size_t stride, uint32_t rows)
{
	for (size_t y = 0; y < rows; y++)
		for (size_t x = 0; x < w->frame_width; x++)
			to[y * stride + x * 4 + 3] = 255;
}

static int decode(image *out, const image_head *stored, const void *data, size_t size,
	const decode_request *request, imgsearch_error *err)
{
	webp w;
	uint8_t *rgba = NULL;
	uint32_t rows = 0;
	int rc = open_webp(&w, data, size, UINT64_MAX, err);
	if (!rc && (w.width != stored->width || w.height != stored->height))
		rc = damaged(err, "it changed while it was read");
	size_t stride = (size_t)w.width * 4;
	if (!rc && !(rgba = ims_zalloc(w.height, stride)))
		rc = ims_nomem(err);
	size_t start = w.y * stride + (size_t)w.x * 4;
	if (!rc)
		rc = decode_rgba(&w, rgba + start, stride * w.height - start, (int)stride, request->partial,
			&rows, err);
	if (!rc && !w.alpha)
		make_opaque(&w, rgba + start, stride, rows);
	const codec_rows whole = {
		.layout = PIXELS_RGBA8,
		.data = rgba,
		.stride = stride,
		.width = w.width,
		.height = rows < w.frame_height ? w.y + rows : w.height,
		.opaque = !w.alpha && w.frame_width == w.width && w.frame_height == w.height,
		.colours = &w.colours,
	};
	if (!rc)
		rc = ims_codec_finish(out, &whole, request->colours, err);
	out->partial = !rc && whole.height < w.height;
	ims_free(rgba);
	ims_colour_clear(&w.colours);
	return rc;
}

static void blocks(image_blocks *out, const void *data, size_t size)
{
	webp w;
	open_webp(&w, data, size, UINT64_MAX, NULL);
	ims_buf_put(&out->exif, w.meta.exif, w.meta.exif_size);
	ims_buf_put(&out->xmp, w.meta.xmp, w.meta.xmp_size);
	ims_colour_clear(&w.colours);
}

static const uint8_t sample[] = {
	'R',
	'I',
	'F',
	'F',
	0x1a,
	0,
	0,
	0,
	'W',
	'E',
	'B',
	'P',
	'V',
	'P',
	'8',
	'L',
	0x0d,
	0,
	0,
	0,
	0x2f,
	0,
	0,
	0,
	0x10,
	0x07,
	0x10,
	0x11,
	0x11,
	0x88,
	0x88,
	0xfe,
	0x07,
	0,
};

const codec ims_codec_webp = {
	.decoder = { IMAGE_WEBP, false, head, decode },
	.needs = { { "libwebp", "libwebp7", NULL } },
	.load = load,
	.blocks = blocks,
	.sample = sample,
	.sample_size = sizeof sample,
};
