/* Drawing for maps and contact sheets. */
#include "cli/draw/canvas.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

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

static int least(int a, int b)
{
	return a < b ? a : b;
}

static int most(int a, int b)
{
	return a > b ? a : b;
}

void canvas_rect(canvas *c, int x, int y, int width, int height, color fill)
{
	for (int row = most(y, 0); row < least(y + height, c->height); row++)
		for (int column = most(x, 0); column < least(x + width, c->width); column++)
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
	for (int row = most((int)y - reach, 0); row <= least((int)y + reach, c->height - 1); row++)
		for (int column = most((int)x - reach, 0); column <= least((int)x + reach, c->width - 1); column++) {
			float inside = radius + 0.5f - hypotf((float)column + 0.5f - x, (float)row + 0.5f - y);
			if (inside > 0)
				blend(c, column, row, fill, opacity * fminf(inside, 1));
		}
}

void canvas_picture(canvas *c, const imgsearch_picture *p, int x, int y, int width, int height, bool cover)
{
	float across = (float)width / (float)p->width, down = (float)height / (float)p->height;
	float scale = cover ? fmaxf(across, down) : fminf(fminf(across, down), 1);
	int w = least((int)((float)p->width * scale + 0.5f), width), h = least((int)((float)p->height * scale + 0.5f), height);
	float left = ((float)p->width - (float)w / scale) / 2, top = ((float)p->height - (float)h / scale) / 2;
	x += (width - w) / 2;
	y += (height - h) / 2;
	for (int row = most(0, -y); row < h && y + row < c->height; row++)
		for (int column = most(0, -x); column < w && x + column < c->width; column++) {
			int u = least(most((int)(left + ((float)column + 0.5f) / scale), 0), (int)p->width - 1);
			int v = least(most((int)(top + ((float)row + 0.5f) / scale), 0), (int)p->height - 1);
			memcpy(c->rgb + 3 * ((size_t)(y + row) * (size_t)c->width + (size_t)(x + column)),
				p->rgb + 3 * ((size_t)v * p->width + (size_t)u), 3);
		}
}

/* --------------------------------------------------------------------------------------------------- text ---- */

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

int canvas_text_width(const char *text, int scale)
{
	return (int)count_chars(text) * 6 * scale;
}

static void draw_char(canvas *c, int x, int y, int scale, color ink, unsigned char character)
{
	static const uint8_t box[5] = { 0x7f, 0x41, 0x41, 0x41, 0x7f };
	const uint8_t *glyph = character ? canvas_font[character - ' '] : box;
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
	size_t n = count_chars(text), room = (size_t)most(width / (6 * scale), 4);
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

/* -------------------------------------------------------------------------------------------------- files ---- */

file_kind file_kind_of(const char *path)
{
	static const struct { const char *end; file_kind kind; } kinds[] = {
		{ ".png", FILE_PNG }, { ".jpg", FILE_JPEG }, { ".jpeg", FILE_JPEG }, { ".html", FILE_HTML }, { ".htm", FILE_HTML }
	};
	const char *dot = strrchr(path, '.');
	for (size_t i = 0; dot && i < sizeof kinds / sizeof *kinds; i++)
		if (!strcasecmp(dot, kinds[i].end))
			return kinds[i].kind;
	return FILE_OTHER;
}

bool file_spare(imgsearch *s, const char *path)
{
	int64_t id;
	imgsearch_item *item = NULL;
	char *full = access(path, F_OK) ? NULL : path_absolute(path);
	bool known = full && !imgsearch_find(s, full, &id, NULL) && !imgsearch_item_get(s, id, &item, NULL);
	bool picture = known && (item->state == IMGSEARCH_INDEXED || item->state == IMGSEARCH_DUPLICATE);
	if (picture)
		cli_fail("%s: a picture of the index; it is not written over", path);
	imgsearch_item_free(item);
	free(full);
	return !picture;
}

bool file_replace(const char *path, const void *data, size_t size)
{
	char part[4200];
	if (snprintf(part, sizeof part, "%s.part", path) >= (int)sizeof part)
		return cli_fail("%s: the path is too long", path), false;
	FILE *f = fopen(part, "we");
	bool ok = f && fwrite(data, 1, size, f) == size;
	if (f && fclose(f))
		ok = false;
	if (ok && !rename(part, path))
		return true;
	cli_fail("%s: cannot be written: %s", path, strerror(errno));
	if (f)
		unlink(part);
	return false;
}

bool canvas_save(const canvas *c, const char *path)
{
	imgsearch_picture p = { c->rgb, (uint32_t)c->width, (uint32_t)c->height };
	imgsearch_error err;
	void *bytes;
	size_t size;
	if (imgsearch_picture_encode(&p, file_kind_of(path) == FILE_JPEG ? 90 : 0, &bytes, &size, &err))
		return cli_error(&err), false;
	bool ok = file_replace(path, bytes, size);
	imgsearch_bytes_free(bytes);
	return ok;
}

/* ------------------------------------------------------------------------------------------------- colours ---- */

/* Hues by the golden angle, in three rings of lightness. */
color canvas_palette(size_t i)
{
	static const float light[] = { 0.56f, 0.42f, 0.70f };
	float hue = fmodf((float)i * 0.6180340f + 0.58f, 1) * 6, l = light[i / 12 % 3], chroma = (1 - fabsf(2 * l - 1)) * 0.62f;
	float x = chroma * (1 - fabsf(fmodf(hue, 2) - 1)), m = l - chroma / 2;
	const float ring[6][3] = { { chroma, x, 0 }, { x, chroma, 0 }, { 0, chroma, x }, { 0, x, chroma }, { x, 0, chroma }, { chroma, 0, x } };
	const float *rgb = ring[(int)hue % 6];
	return (color){ (uint8_t)((rgb[0] + m) * 255), (uint8_t)((rgb[1] + m) * 255), (uint8_t)((rgb[2] + m) * 255) };
}
