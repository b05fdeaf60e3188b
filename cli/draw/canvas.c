/* Drawing for maps and contact sheets. */
#include "cli/draw/canvas.h"

#include "cli/base/file.h"
#include "cli/base/message.h"
#include "cli/draw/font.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool canvas_new(canvas *c, int width, int height, color background)
{
	*c = (canvas){ malloc((size_t)width * (size_t)height * 3), width, height };
	if (!c->rgb)
		return cli_nomem(), false;
	canvas_rect(c, 0, 0, width, height, background);
	return true;
}

void canvas_free(canvas *c)
{
	free(c->rgb);
	c->rgb = NULL;
}

static int min_int(int a, int b)
{
	return a < b ? a : b;
}

static int max_int(int a, int b)
{
	return a > b ? a : b;
}

void canvas_rect(canvas *c, int x, int y, int width, int height, color fill)
{
	for (int row = max_int(y, 0); row < min_int(y + height, c->height); row++)
		for (int column = max_int(x, 0); column < min_int(x + width, c->width); column++)
			memcpy(c->rgb + 3 * ((size_t)row * (size_t)c->width + (size_t)column), &fill, 3);
}

static void blend(canvas *c, int x, int y, color ink, float opacity)
{
	uint8_t *p = c->rgb + 3 * ((size_t)y * (size_t)c->width + (size_t)x);
	p[0] = (uint8_t)((float)p[0] + ((float)ink.r - (float)p[0]) * opacity + 0.5f);
	p[1] = (uint8_t)((float)p[1] + ((float)ink.g - (float)p[1]) * opacity + 0.5f);
	p[2] = (uint8_t)((float)p[2] + ((float)ink.b - (float)p[2]) * opacity + 0.5f);
}

void canvas_disc(canvas *c, float x, float y, float radius, color fill, float opacity)
{
	int reach = (int)ceilf(radius) + 1;
	for (int row = max_int((int)y - reach, 0); row <= min_int((int)y + reach, c->height - 1); row++)
		for (int column = max_int((int)x - reach, 0);
			 column <= min_int((int)x + reach, c->width - 1); column++) {
			float inside = radius + 0.5f - hypotf((float)column + 0.5f - x, (float)row + 0.5f - y);
			if (inside > 0)
				blend(c, column, row, fill, opacity * fminf(inside, 1));
		}
}

void canvas_picture(canvas *c, const imgsearch_image *p, int x, int y, int width, int height,
	bool cover)
{
	float across = (float)width / (float)p->width, down = (float)height / (float)p->height;
	float scale = cover ? fmaxf(across, down) : fminf(fminf(across, down), 1);
	int w = min_int((int)((float)p->width * scale + 0.5f), width),
		h = min_int((int)((float)p->height * scale + 0.5f), height);
	float left = ((float)p->width - (float)w / scale) / 2,
		  top = ((float)p->height - (float)h / scale) / 2;
	x += (width - w) / 2;
	y += (height - h) / 2;
	for (int row = max_int(0, -y); row < h && y + row < c->height; row++)
		for (int column = max_int(0, -x); column < w && x + column < c->width; column++) {
			int u = min_int(max_int((int)(left + ((float)column + 0.5f) / scale), 0),
				(int)p->width - 1);
			int v = min_int(max_int((int)(top + ((float)row + 0.5f) / scale), 0),
				(int)p->height - 1);
			memcpy(c->rgb + 3 * ((size_t)(y + row) * (size_t)c->width + (size_t)(x + column)),
				p->rgb + 3 * ((size_t)v * p->width + (size_t)u), 3);
		}
}

/* ------------------------------------------------------------------------------------ text ---- */

/* The next character: ASCII, or 0 for anything else, a whole UTF-8 sequence at once. */
static unsigned char next_char(const char **text)
{
	unsigned char first = (unsigned char)*(*text)++;
	if (first < 0x80)
		return first >= ' ' && first < 0x7f ? first : 0;
	while (((unsigned char)**text & 0xc0) == 0x80)
		++*text;
	return 0;
}

static size_t count_chars(const char *text)
{
	size_t n = 0;
	for (; *text; n++)
		next_char(&text);
	return n;
}

static void draw_char(canvas *c, int x, int y, int scale, color ink, unsigned char character)
{
	static const uint8_t box[5] = { 0x7f, 0x41, 0x41, 0x41, 0x7f };
	const uint8_t *glyph = character ? font_glyph[character - ' '] : box;
	for (int column = 0; column < 5; column++)
		for (int row = 0; row < 8; row++)
			if (glyph[column] >> row & 1)
				canvas_rect(c, x + column * scale, y + row * scale, scale, scale, ink);
}

void canvas_text(canvas *c, int x, int y, int scale, color ink, const char *text)
{
	for (; *text; x += 6 * scale)
		draw_char(c, x, y, scale, ink, next_char(&text));
}

void canvas_text_fit(canvas *c, int x, int y, int width, int scale, color ink, const char *text)
{
	size_t n = count_chars(text), room = (size_t)max_int(width / (6 * scale), 4);
	if (n <= room) {
		canvas_text(c, x, y, scale, ink, text);
		return;
	}
	size_t head = (room - 2) / 2, tail = room - 2 - head;
	for (size_t i = 0; *text; i++) {
		unsigned char character = next_char(&text);
		if (i >= head && i + tail < n) {
			if (i < head + 2)
				character = '.';
			else
				continue;
		}
		draw_char(c, x, y, scale, ink, character);
		x += 6 * scale;
	}
}

bool canvas_save(const canvas *c, const char *path, const imgsearch_call *call)
{
	imgsearch_image p = { c->rgb, (uint32_t)c->width, (uint32_t)c->height };
	imgsearch_error err;
	imgsearch_bytes *bytes;
	if (imgsearch_image_encode(&p, file_kind_of(path) == FILE_JPEG ? 90 : 0, call, &bytes, &err))
		return cli_error(&err), false;
	bool ok = file_write(path, bytes->items, bytes->count);
	imgsearch_bytes_free(bytes);
	return ok;
}

/* --------------------------------------------------------------------------------- colours ---- */

/* Hues by the golden angle, in three rings of lightness. */
color canvas_palette(size_t i)
{
	static const float light[] = { 0.56f, 0.42f, 0.70f };
	float hue = fmodf((float)i * 0.6180340f + 0.58f, 1) * 6, l = light[i / 12 % 3],
		  chroma = (1 - fabsf(2 * l - 1)) * 0.62f;
	float x = chroma * (1 - fabsf(fmodf(hue, 2) - 1)), m = l - chroma / 2;
	const float ring[6][3] = {
		{ chroma, x, 0 },
		{ x, chroma, 0 },
		{ 0, chroma, x },
		{ 0, x, chroma },
		{ x, 0, chroma },
		{ chroma, 0, x },
	};
	const float *rgb = ring[(int)hue % 6];
	return (color){
		(uint8_t)((rgb[0] + m) * 255),
		(uint8_t)((rgb[1] + m) * 255),
		(uint8_t)((rgb[2] + m) * 255),
	};
}
