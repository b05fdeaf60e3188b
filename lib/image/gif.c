/*
 * GIF: the first frame, composed on a transparent canvas. This reader is smaller than the code that
 * would guard a library. The background colour is not used, as in browsers. A canvas of size 0 is
 * that of the frame.
 *
 * Source: CompuServe, Graphics Interchange Format, version 89a.
 */
#include "image/alpha.h"
#include "image/decoder.h"

#include <string.h>

enum { MAX_CODES = 4096, MAX_BITS = 12 };

typedef struct gif {
	reader r; /* at the pixels */
	uint32_t width, height;
	uint32_t x, y, frame_width, frame_height;
	bool interlaced;
	int transparent; /* index; -1: none */
	uint8_t palette[256][3];
} gif;

static int damaged(imgsearch_error *err, const char *why)
{
	return ims_fail(err, IMGSEARCH_EFORMAT, "the GIF is damaged: %s", why);
}

static uint32_t read_u16(reader *r)
{
	uint32_t low = ims_read_u8(r);
	return low | (uint32_t)ims_read_u8(r) << 8;
}

/* The palette that these flags announce. */
static bool read_palette(gif *g, uint8_t flags)
{
	size_t n = (size_t)2 << (flags & 7);
	if (!(flags & 0x80))
		return false;
	const uint8_t *colours = ims_read_bytes(&g->r, n * 3);
	memset(g->palette, 0, sizeof g->palette);
	if (colours)
		memcpy(g->palette, colours, n * 3);
	return true;
}

static void skip_blocks(reader *r)
{
	for (size_t n = ims_read_u8(r); n && !r->failed; n = ims_read_u8(r))
		ims_read_bytes(r, n);
}

static void read_extension(gif *g)
{
	enum { GRAPHIC_CONTROL = 0xF9 };
	uint8_t label = ims_read_u8(&g->r);
	reader r = g->r;
	skip_blocks(&g->r);
	if (label == GRAPHIC_CONTROL && ims_read_u8(&r) >= 4) {
		uint8_t flags = ims_read_u8(&r);
		read_u16(&r); /* the delay */
		uint8_t index = ims_read_u8(&r);
		g->transparent = flags & 1 ? index : -1;
	}
}

static int read_frame(gif *g, bool has_palette, uint64_t max_pixels, imgsearch_error *err)
{
	g->x = read_u16(&g->r);
	g->y = read_u16(&g->r);
	g->frame_width = read_u16(&g->r);
	g->frame_height = read_u16(&g->r);
	uint8_t flags = ims_read_u8(&g->r);
	g->interlaced = flags & 0x40;
	has_palette |= read_palette(g, flags);
	if (g->r.failed)
		return damaged(err, "it is cut off");
	if (!g->frame_width || !g->frame_height)
		return damaged(err, "its picture is empty");
	if (!has_palette)
		return damaged(err, "it has no colours");
	int rc = ims_image_check_size(g->frame_width, g->frame_height, max_pixels, err);
	if (!g->width || !g->height) {
		g->width = g->x + g->frame_width;
		g->height = g->y + g->frame_height;
	}
	return rc ? rc : ims_image_check_size(g->width, g->height, max_pixels, err);
}

/* Everything before the pixels of the first frame. */
static int open_gif(gif *g, const void *data, size_t size, uint64_t max_pixels,
	imgsearch_error *err)
{
	enum { EXTENSION = 0x21, FRAME = 0x2C };
	*g = (gif){ .r = { .data = data, .len = size, .pos = 6 }, .transparent = -1 };
	if (size < 13)
		return damaged(err, "it is cut off");
	g->width = read_u16(&g->r);
	g->height = read_u16(&g->r);
	uint8_t flags = ims_read_u8(&g->r);
	ims_read_bytes(&g->r, 2); /* background and shape of the pixels */
	int rc = ims_image_check_size(g->width, g->height, max_pixels, err);
	bool has_palette = read_palette(g, flags);
	while (!rc && !g->r.failed) {
		uint8_t what = ims_read_u8(&g->r);
		if (what == FRAME)
			return read_frame(g, has_palette, max_pixels, err);
		if (what == EXTENSION)
			read_extension(g);
		else if (what) /* some writers leave zeros */
			return damaged(err, "it has no picture");
	}
	return rc ? rc : damaged(err, "it is cut off");
}

static bool covers_canvas(const gif *g)
{
	return !g->x && !g->y && g->frame_width >= g->width && g->frame_height >= g->height;
}

static int head(image_head *out, const void *data, size_t size, uint64_t max_pixels,
	imgsearch_error *err)
{
	gif g;
	int rc = open_gif(&g, data, size, max_pixels, err);
	out->width = g.width;
	out->height = g.height;
	out->traits = !rc && (g.transparent >= 0 || !covers_canvas(&g)) ? IMAGE_HAS_ALPHA : 0;
	out->memory = (uint64_t)g.width * g.height * 4;
	return rc;
}

/* ------------------------------------------------------------------------------------ LZW ---- */

/* Codes of a growing number of bits, out of blocks of bytes. */
typedef struct codes {
	reader *r;
	size_t left; /* of a block */
	uint32_t bits, n_bits;
} codes;

/* -1: the end. */
static int next_code(codes *c, unsigned width)
{
	while (c->n_bits < width) {
		if (!c->left && !(c->left = ims_read_u8(c->r)))
			return -1;
		c->left--;
		c->bits |= (uint32_t)ims_read_u8(c->r) << c->n_bits;
		c->n_bits += 8;
		if (c->r->failed)
			return -1;
	}
	int code = (int)(c->bits & ((1u << width) - 1));
	c->bits >>= width;
	c->n_bits -= width;
	return code;
}

/* Where the pixels go. */
typedef struct canvas {
	const gif *g;
	uint8_t *rgba;
	uint32_t x, row; /* of the next pixel; rows as they are stored */
} canvas;

/* The row of the frame that is stored as number `row`. */
static uint32_t row_of(const gif *g, uint32_t row)
{
	static const uint32_t first[] = { 0, 4, 2, 1 }, step[] = { 8, 8, 4, 2 };
	for (int pass = 0; g->interlaced && pass < 4; pass++) {
		uint32_t n = g->frame_height > first[pass]
			? (g->frame_height - first[pass] + step[pass] - 1) / step[pass]
			: 0;
		if (row < n)
			return first[pass] + row * step[pass];
		row -= n;
	}
	return row;
}

static bool is_full(const canvas *c)
{
	return c->row == c->g->frame_height;
}

static void put(canvas *c, uint8_t index)
{
	const gif *g = c->g;
	uint32_t x = g->x + c->x, y = g->y + row_of(g, c->row);
	if (index != g->transparent && x < g->width && y < g->height) {
		uint8_t *to = c->rgba + ((size_t)y * g->width + x) * 4;
		memcpy(to, g->palette[index], 3);
		to[3] = 255;
	}
	if (++c->x == g->frame_width) {
		c->x = 0;
		c->row++;
	}
}

/* The strings that codes stand for: each is another one and a byte. */
typedef struct table {
	uint16_t prefix[MAX_CODES];
	uint8_t suffix[MAX_CODES], string[MAX_CODES + 1];
	int clear, next, last; /* last: the code before; -1: none */
	uint8_t first;         /* the first byte of its string */
	unsigned width, min;
} table;

static void clear_table(table *t)
{
	t->next = t->clear + 2;
	t->last = -1;
	t->width = t->min + 1;
}

/* Puts the string of a code, and adds a string to the table. False: there is no such code. */
static bool put_string(table *t, canvas *c, int code)
{
	size_t n = 0;
	int at = code;
	if (code > t->next || (code == t->next && t->last < 0) || (t->last < 0 && code >= t->clear))
		return false;
	if (code == t->next) {
		t->string[n++] = t->first;
		at = t->last;
	}
	for (; at >= t->clear; at = t->prefix[at])
		t->string[n++] = t->suffix[at];
	t->string[n++] = t->first = (uint8_t)at;
	if (t->last >= 0 && t->next < MAX_CODES) {
		t->prefix[t->next] = (uint16_t)t->last;
		t->suffix[t->next++] = t->first;
		if (t->next == 1 << t->width && t->width < MAX_BITS)
			t->width++;
	}
	t->last = code;
	while (n && !is_full(c))
		put(c, t->string[--n]);
	return true;
}

/* Reads pixels until the frame is full, or no more can be read. */
static void read_pixels(gif *g, canvas *c)
{
	table t = { .min = ims_read_u8(&g->r) };
	codes from = { .r = &g->r };
	if (t.min < 1 || t.min > 8)
		return;
	t.clear = 1 << t.min;
	clear_table(&t);
	while (!is_full(c)) {
		int code = next_code(&from, t.width);
		if (code < 0 || code == t.clear + 1)
			return;
		if (code == t.clear)
			clear_table(&t);
		else if (!put_string(&t, c, code))
			return;
	}
}

/* ---------------------------------------------------------------------------------- pixels ---- */

/* The rows of the canvas that are kept of a frame that was cut off. */
static uint32_t rows_there(const canvas *c)
{
	const gif *g = c->g;
	uint32_t rows = g->y + c->row + (c->x ? 1 : 0);
	return is_full(c) || g->interlaced || rows > g->height ? g->height : rows;
}

static int decode(image *out, const image_head *stored, const void *data, size_t size,
	const decode_request *request, imgsearch_error *err)
{
	gif g;
	int rc = open_gif(&g, data, size, UINT64_MAX, err);
	if (!rc && (g.width != stored->width || g.height != stored->height))
		rc = damaged(err, "it changed while it was read");
	if (rc)
		return rc;
	canvas c = { .g = &g, .rgba = ims_zalloc((size_t)g.width * g.height, 4) };
	if (!c.rgba)
		return ims_nomem(err);
	read_pixels(&g, &c);
	bool cut = !is_full(&c), any = c.x || c.row;
	if (cut && !(request->partial && any))
		rc = damaged(err, "pixels are missing");
	if (!rc)
		rc = ims_image_new(out, g.width, rows_there(&c), err);
	if (!rc) {
		out->partial = cut;
		ims_alpha_flatten(out->pixels, c.rgba, (size_t)out->width * out->height);
	}
	ims_free(c.rgba);
	return rc;
}

const decoder ims_image_gif = { IMAGE_GIF, false, head, decode };
