/*
 * BMP: the headers of Windows (BITMAPCOREHEADER to BITMAPV5HEADER) and of OS/2, 1 to 32 bits, RLE4
 * and RLE8, channels by masks. A row of the file that lies below comes first, so most files are
 * stored upside down: orientation 4.
 *
 * Pixels that RLE leaves out have the first colour; indices past the palette are black. Alpha
 * counts where a mask names it, unless it is 0 everywhere. An embedded profile is converted;
 * calibrated colours by numbers, which writers fill with anything, are not.
 *
 * Sources: Microsoft, [MS-WMF] 2.2.2 and "Bitmap Header Types"; IBM, OS/2 2.0 Presentation Manager.
 */
#include "image/alpha.h"
#include "image/decoder.h"

#include <string.h>

enum { FILE_HEADER = 14, CORE_HEADER = 12, MASKS_AT = 40, OS2_HEADER = 64, MAX_HEADER = 124 };
enum { RGB = 0, RLE8 = 1, RLE4 = 2, BITFIELDS = 3, JPEG = 4, PNG = 5, ALPHA_BITFIELDS = 6 };
enum { PROFILE_EMBEDDED = 0x4D424544 };

/* A channel of 16 or 32 bits: the sample of v is value[(v & mask) >> shift]. */
typedef struct channel {
	uint32_t mask;
	unsigned shift;
	uint8_t value[256];
} channel;

typedef struct bmp {
	const uint8_t *data;
	size_t size;
	uint8_t header[MAX_HEADER]; /* what the file has of it, then zeros */
	uint32_t header_size;
	uint32_t width, height, bits, compression;
	bool top_down, alpha;
	channel channels[4]; /* red, green, blue, alpha */
	uint8_t palette[256][3];
	size_t pixels; /* where they begin */
	colour_space colours;
} bmp;

/* The little-endian number of n bytes. */
static uint32_t number(const uint8_t *at, unsigned n)
{
	uint32_t value = 0;
	for (unsigned i = 0; i < n; i++)
		value |= (uint32_t)at[i] << 8 * i;
	return value;
}

static int damaged(imgsearch_error *err, const char *why)
{
	return ims_fail(err, IMGSEARCH_EFORMAT, "the BMP is damaged: %s", why);
}

/* Reads the sizes; *height is negative where the first row comes first. */
static void read_sizes(bmp *b, int64_t *width, int64_t *height)
{
	const uint8_t *h = b->header;
	bool core = b->header_size == CORE_HEADER;
	*width = core ? (int32_t)number(h + 4, 2) : (int32_t)number(h + 4, 4);
	*height = core ? (int32_t)number(h + 6, 2) : (int32_t)number(h + 8, 4);
	b->bits = number(h + (core ? 10 : 14), 2);
	b->compression = core ? RGB : number(h + 16, 4);
	b->top_down = *height < 0;
}

static bool has_masks(const bmp *b)
{
	return b->compression == BITFIELDS || b->compression == ALPHA_BITFIELDS;
}

static int check_compression(const bmp *b, imgsearch_error *err)
{
	unsigned bits = b->bits;
	bool os2 = b->header_size == OS2_HEADER && b->compression > RLE4;
	if (!os2 && (b->compression == JPEG || b->compression == PNG))
		return ims_fail(err, IMGSEARCH_EUNSUPPORTED, "a BMP that holds a %s is not supported",
			b->compression == JPEG ? "JPEG" : "PNG");
	if (os2 || b->compression > ALPHA_BITFIELDS)
		return ims_fail(err, IMGSEARCH_EUNSUPPORTED, "BMP with compression %u is not supported",
			(unsigned)b->compression);
	bool plain = bits == 1 || bits == 2 || bits == 4 || bits == 8 || bits == 16 || bits == 24
		|| bits == 32;
	if (b->compression == RGB        ? plain
			: b->compression == RLE8 ? bits == 8
			: b->compression == RLE4 ? bits == 4
									 : bits == 16 || bits == 32)
		return 0;
	return ims_fail(err, IMGSEARCH_EFORMAT, "the BMP is damaged: %u bits a pixel", bits);
}

/* 1 to 8 bits become 0..255; of more the upper eight count. No mask: always 0, alpha 255. */
static bool set_channel(channel *c, uint32_t mask, uint8_t without)
{
	memset(c, 0, sizeof *c);
	c->value[0] = without;
	if (!mask)
		return true;
	unsigned low = (unsigned)__builtin_ctz(mask), n = (unsigned)__builtin_popcount(mask);
	uint32_t ones = mask >> low;
	if (ones & (ones + 1)) /* not one run of bits */
		return false;
	unsigned kept = n < 8 ? n : 8, max = (1u << kept) - 1;
	c->mask = mask;
	c->shift = low + n - kept;
	for (unsigned i = 0; i <= max; i++)
		c->value[i] = (uint8_t)((i * 255 + max / 2) / max);
	return true;
}

static int read_masks(bmp *b, imgsearch_error *err)
{
	static const uint32_t bits_16[4] = { 0x7C00, 0x3E0, 0x1F },
						  bits_32[4] = { 0xFF0000, 0xFF00, 0xFF };
	uint32_t masks[4] = { 0 };
	memcpy(masks, b->bits == 16 ? bits_16 : bits_32, sizeof masks);
	if (has_masks(b)) {
		bool four = b->compression == ALPHA_BITFIELDS || b->header_size >= MASKS_AT + 16;
		size_t at = FILE_HEADER + MASKS_AT;
		if (b->size < at + (four ? 16 : 12))
			return damaged(err, "it is cut off");
		for (size_t i = 0; i < 4; i++)
			masks[i] = i < 3 || four ? number(b->data + at + i * 4, 4) : 0;
		if (!(masks[0] | masks[1] | masks[2]))
			return damaged(err, "it has no colours");
	}
	b->alpha = masks[3];
	for (size_t i = 0; i < 4; i++)
		if (!set_channel(&b->channels[i], masks[i], i == 3 ? 255 : 0))
			return damaged(err, "the bits of a colour do not lie together");
	return 0;
}

/* The palette has as many colours as there is room for, up to the pixels. */
static void read_palette(bmp *b, size_t at, size_t pixels)
{
	size_t entry = b->header_size == CORE_HEADER ? 3 : 4;
	size_t n = b->header_size == CORE_HEADER ? 0 : number(b->header + 32, 4);
	size_t all = b->bits <= 8 ? (size_t)1 << b->bits : 0;
	size_t end = pixels > at && pixels < b->size ? pixels : b->size;
	if (!n || n > all)
		n = all;
	if (n > (end > at ? end - at : 0) / entry)
		n = (end > at ? end - at : 0) / entry;
	for (size_t i = 0; i < n; i++)
		for (size_t c = 0; c < 3; c++)
			b->palette[i][c] = b->data[at + i * entry + 2 - c];
	b->pixels = pixels >= at ? pixels : at + n * entry;
}

static bool read_colours(bmp *b)
{
	const uint8_t *h = b->header;
	if (b->header_size < MAX_HEADER || number(h + 56, 4) != PROFILE_EMBEDDED)
		return true;
	uint64_t at = FILE_HEADER + (uint64_t)number(h + 112, 4), n = number(h + 116, 4);
	return at + n > b->size || ims_colour_set_profile(&b->colours, b->data + at, n);
}

/* Everything before the pixels. On ELIMIT and EFORMAT the sizes are set if they were there. */
static int open_bmp(bmp *b, const void *data, size_t size, uint64_t max_pixels,
	imgsearch_error *err)
{
	*b = (bmp){ .data = data, .size = size };
	if (size < FILE_HEADER + CORE_HEADER)
		return damaged(err, "it is cut off");
	b->header_size = number(b->data + FILE_HEADER, 4);
	if (b->header_size != CORE_HEADER && (b->header_size < 16 || b->header_size > MAX_HEADER))
		return damaged(err, "its header is of no known kind");
	size_t there = size - FILE_HEADER;
	memcpy(b->header, b->data + FILE_HEADER, there < b->header_size ? there : b->header_size);
	int64_t width, height;
	read_sizes(b, &width, &height);
	if (width <= 0 || !height)
		return damaged(err, "its size is 0");
	int rc = ims_image_check_size((uint64_t)width, (uint64_t)(height < 0 ? -height : height),
		max_pixels, err);
	b->width = (uint32_t)width;
	b->height = (uint32_t)(height < 0 ? -height : height);
	if (!rc && there < b->header_size)
		rc = damaged(err, "it is cut off");
	if (!rc)
		rc = check_compression(b, err);
	if (!rc)
		rc = read_masks(b, err);
	if (rc)
		return rc;
	size_t masks = !has_masks(b) || b->header_size >= MASKS_AT + 12 ? 0
		: b->compression == BITFIELDS                               ? 12
																	: 16;
	read_palette(b, FILE_HEADER + b->header_size + masks, number(b->data + 10, 4));
	return read_colours(b) ? 0 : ims_nomem(err);
}

static int head(image_head *out, const void *data, size_t size, uint64_t max_pixels,
	imgsearch_error *err)
{
	bmp b;
	int rc = open_bmp(&b, data, size, max_pixels, err);
	out->width = b.width;
	out->height = b.height;
	out->orientation = b.top_down ? 1 : 4;
	out->traits = (b.alpha ? IMAGE_HAS_ALPHA : 0) | (b.colours.kind ? IMAGE_HAS_COLOURS : 0);
	ims_colour_clear(&b.colours);
	return rc;
}

/* ----------------------------------------------------------------------------------- rows ---- */

/* How a picture is made; sums are of its transparency. */
typedef struct painter {
	const bmp *b;
	const colour_transform *transform; /* NULL: colours stay as they are */
	uint8_t *rgba;                     /* a row; NULL: the picture is opaque */
	uint8_t background;
	bool opaque; /* alpha is taken for 255 */
	alpha_sums sums;
} painter;

static void unpack_indices(const bmp *b, uint8_t *rgb, const uint8_t *from)
{
	unsigned bits = b->bits, mask = (1u << bits) - 1;
	for (uint32_t x = 0; x < b->width; x++, rgb += 3) {
		size_t bit = (size_t)x * bits;
		memcpy(rgb, b->palette[from[bit / 8] >> (8 - bits - bit % 8) & mask], 3);
	}
}

static void unpack_bgr(const bmp *b, uint8_t *rgb, const uint8_t *from)
{
	for (uint32_t x = 0; x < b->width; x++, rgb += 3, from += 3) {
		rgb[0] = from[2];
		rgb[1] = from[1];
		rgb[2] = from[0];
	}
}

static void unpack_channels(const bmp *b, uint8_t *to, const uint8_t *from, unsigned n)
{
	unsigned bytes = b->bits / 8;
	for (uint32_t x = 0; x < b->width; x++, to += n, from += bytes) {
		uint32_t v = number(from, bytes);
		for (unsigned c = 0; c < n; c++)
			to[c] = b->channels[c].value[(v & b->channels[c].mask) >> b->channels[c].shift];
	}
}

static void paint_row(painter *p, uint8_t *rgb, const uint8_t *from)
{
	const bmp *b = p->b;
	uint8_t *to = p->rgba ? p->rgba : rgb;
	if (b->bits <= 8)
		unpack_indices(b, rgb, from);
	else if (b->bits == 24)
		unpack_bgr(b, rgb, from);
	else
		unpack_channels(b, to, from, p->rgba ? 4 : 3);
	for (size_t x = 0; p->opaque && x < b->width; x++)
		to[x * 4 + 3] = 255;
	if (p->transform)
		ims_colour_apply(p->transform, to, to, b->width);
	if (p->rgba)
		ims_alpha_over(rgb, p->rgba, b->width, p->background, &p->sums);
}

static size_t row_stride(const bmp *b)
{
	return ((size_t)b->width * b->bits + 31) / 32 * 4;
}

/* The rows whose pixels the file has; the last one may lack its padding. */
static uint32_t rows_there(const bmp *b)
{
	size_t row = ((size_t)b->width * b->bits + 7) / 8;
	size_t there = b->size > b->pixels ? b->size - b->pixels : 0;
	size_t n = there < row ? 0 : (there - row) / row_stride(b) + 1;
	return n < b->height ? (uint32_t)n : b->height;
}

static void paint_rows(painter *p, image *im)
{
	const uint8_t *from = p->b->data + p->b->pixels;
	for (size_t y = 0; y < im->height; y++)
		paint_row(p, im->pixels + y * im->width * 3, from + y * row_stride(p->b));
}

/* ------------------------------------------------------------------------------------ RLE ---- */

typedef struct rle {
	const bmp *b;
	image *im;
	const uint8_t *at, *end;
	size_t x, y;
} rle;

/* n pixels; RLE4 has two indices a byte. step 0: all have the indices of the first byte. */
static void put_pixels(rle *r, const uint8_t *from, size_t n, size_t step)
{
	bool four = r->b->compression == RLE4;
	for (size_t i = 0; i < n && r->x < r->im->width && r->y < r->im->height; i++, r->x++) {
		unsigned v = from[(four ? i / 2 : i) * step];
		unsigned index = !four ? v : i % 2 ? v & 15 : v >> 4;
		memcpy(r->im->pixels + (r->y * r->im->width + r->x) * 3, r->b->palette[index], 3);
	}
}

/* One command. False: the end of the picture, or (with *cut) of the bytes. */
static bool run_command(rle *r, bool *cut)
{
	size_t left = (size_t)(r->end - r->at);
	*cut = left < 2;
	if (*cut)
		return false;
	size_t n = r->at[0], what = r->at[1];
	r->at += 2;
	left -= 2;
	if (n) {
		put_pixels(r, r->at - 1, n, 0);
	} else if (what == 0) {
		r->x = 0;
		r->y++;
	} else if (what == 1) {
		return false;
	} else if (what == 2) {
		if ((*cut = left < 2))
			return false;
		r->x += r->at[0];
		r->y += r->at[1];
		r->at += 2;
	} else {
		size_t bytes = r->b->compression == RLE4 ? (what + 1) / 2 : what;
		if ((*cut = left < bytes))
			return false;
		put_pixels(r, r->at, what, 1);
		bytes += bytes % 2;
		r->at += left < bytes ? left : bytes;
	}
	return r->y < r->im->height;
}

/* *rows: those that are there. Whole: the end is marked, or the last pixel was there. */
static bool read_rle(const bmp *b, image *im, uint32_t *rows)
{
	size_t start = b->pixels < b->size ? b->pixels : b->size, all = (size_t)im->width * im->height;
	rle r = { .b = b, .im = im, .at = b->data + start, .end = b->data + b->size };
	bool cut = false;
	for (size_t i = 0; i < all; i++)
		memcpy(im->pixels + i * 3, b->palette[0], 3);
	while (run_command(&r, &cut)) {}
	size_t there = r.y + (r.x ? 1 : 0);
	bool whole = !cut || (r.y + 1 == im->height && r.x >= im->width);
	*rows = whole || there > im->height ? im->height : (uint32_t)there;
	return whole;
}

static void convert_rows(const painter *p, image *im)
{
	for (size_t y = 0; p->transform && y < im->height; y++) {
		uint8_t *row = im->pixels + y * im->width * 3;
		ims_colour_apply(p->transform, row, row, im->width);
	}
}

/* --------------------------------------------------------------------------------- reading ---- */

/* The picture with the rows that are there, of which *rows receives the number. */
static int paint(painter *p, image *im, uint32_t *rows, imgsearch_error *err)
{
	const bmp *b = p->b;
	bool packed = b->compression == RLE8 || b->compression == RLE4;
	*rows = packed ? b->height : rows_there(b);
	if (!*rows)
		return damaged(err, "it is cut off");
	int rc = ims_image_new(im, b->width, *rows, err);
	if (!rc && packed) {
		im->partial = !read_rle(b, im, rows);
		im->height = *rows;
		convert_rows(p, im);
	} else if (!rc) {
		im->partial = *rows < b->height;
		paint_rows(p, im);
	}
	return rc;
}

/*
 * Paints over white, a light drawing over black. A picture that is transparent everywhere counts as
 * opaque.
 */
static int paint_over(painter *p, image *im, uint32_t *rows, imgsearch_error *err)
{
	int rc = paint(p, im, rows, err);
	bool light = ims_alpha_is_light_drawing(&p->sums);
	p->opaque = p->rgba && !p->sums.drawn;
	if (rc || !(light || p->opaque))
		return rc;
	ims_image_free(im);
	p->background = 0;
	return paint(p, im, rows, err);
}

static int read_picture(const bmp *b, image *out, const decode_request *request,
	imgsearch_error *err)
{
	uint32_t rows;
	painter p = { .b = b, .background = 255 };
	if (b->alpha && !(p.rgba = ims_alloc(b->width, 4)))
		return ims_nomem(err);
	p.transform = ims_colour_acquire(request->colours, &b->colours,
		b->alpha ? PIXELS_RGBA8 : PIXELS_RGB8, false);
	int rc = paint_over(&p, out, &rows, err);
	out->unconverted = b->colours.kind && !p.transform;
	if (!rc && out->partial && (!request->partial || !rows))
		rc = damaged(err, "it is cut off");
	ims_colour_release(p.transform);
	ims_free(p.rgba);
	if (rc)
		ims_image_free(out);
	return rc;
}

static int decode(image *out, const image_head *stored, const void *data, size_t size,
	const decode_request *request, imgsearch_error *err)
{
	bmp b;
	int rc = open_bmp(&b, data, size, UINT64_MAX, err);
	if (!rc && (b.width != stored->width || b.height != stored->height))
		rc = damaged(err, "it changed while it was read");
	if (!rc)
		rc = read_picture(&b, out, request, err);
	ims_colour_clear(&b.colours);
	return rc;
}

const decoder ims_image_bmp = { IMAGE_BMP, false, head, decode };
