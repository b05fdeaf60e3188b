/*
 * usage: draw DIR [N] Draws pictures of eight visibly different kinds, N (default 8) of each, into
 * DIR/KIND-NN.jpg (every fourth a PNG), so that the demo and tests have something to look at on a
 * machine without any.
 *
 * A picture is a canvas of floats, painted with a few brushes (sky, disc, triangle, bar, grain) by
 * one function a kind, which takes its colours, places and counts from a random number generator
 * seeded by kind and number.
 */
#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <jpeglib.h>
#include <png.h>

enum { SIDE_MAX = 480 };

typedef struct colour {
	double r, g, b;
} colour;

typedef struct canvas {
	int width, height;
	uint64_t random;
	colour at[SIDE_MAX * SIDE_MAX];
} canvas;

static double roll(canvas *c, double low, double high)
{
	c->random += 0x9e3779b97f4a7c15u;
	uint64_t z = c->random;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return low + (high - low) * (double)((z ^ z >> 31) >> 11) * 0x1p-53;
}

static colour vary(canvas *c, double r, double g, double b)
{
	double light = roll(c, -0.08, 0.08);
	return (colour){ r + light + roll(c, -0.06, 0.06), g + light + roll(c, -0.06, 0.06),
		b + light + roll(c, -0.06, 0.06) };
}

static colour mix(colour a, colour b, double t)
{
	t = t < 0 ? 0 : t > 1 ? 1 : t;
	return (colour){ a.r + t * (b.r - a.r), a.g + t * (b.g - a.g), a.b + t * (b.b - a.b) };
}

/* --------------------------------------------------------------------------------- brushes ---- */

/* Places are shares of width and height, sizes shares of the height. */
static void dab(canvas *c, int x, int y, colour with, double cover)
{
	if (x >= 0 && y >= 0 && x < c->width && y < c->height)
		c->at[y * c->width + x] = mix(c->at[y * c->width + x], with, cover);
}

static void sky(canvas *c, double from, double to, colour top, colour bottom)
{
	int y0 = (int)(from * c->height), y1 = (int)(to * c->height);
	for (int y = y0; y < y1; y++)
		for (int x = 0; x < c->width; x++)
			dab(c, x, y, mix(top, bottom, (double)(y - y0) / (y1 - y0)), 1);
}

static void oval(canvas *c, double cx, double cy, double rx, double ry, double turn, colour with)
{
	double h = c->height, px = cx * c->width, py = cy * h, reach = (rx > ry ? rx : ry) * h + 1;
	for (int y = (int)(py - reach); y <= (int)(py + reach); y++)
		for (int x = (int)(px - reach); x <= (int)(px + reach); x++) {
			double dx = x - px, dy = y - py;
			double u = (dx * cos(turn) + dy * sin(turn)) / (rx * h),
				   v = (dy * cos(turn) - dx * sin(turn)) / (ry * h);
			dab(c, x, y, with, (1 - sqrt(u * u + v * v)) * (rx < ry ? rx : ry) * h);
		}
}

static void disc(canvas *c, double cx, double cy, double r, colour with)
{
	oval(c, cx, cy, r, r, 0, with);
}

/* An upright triangle on a base. */
static void peak(canvas *c, double cx, double top, double base, double half, colour left,
	colour right)
{
	for (int y = (int)(top * c->height); y < (int)(base * c->height); y++) {
		double wide = half * c->height * (y - top * c->height) / ((base - top) * c->height),
			   px = cx * c->width;
		for (int x = (int)(px - wide); x <= (int)(px + wide); x++)
			dab(c, x, y, x < px ? left : right, 1);
	}
}

static void bar(canvas *c, double x0, double y0, double x1, double y1, colour with)
{
	for (int y = (int)(y0 * c->height); y < (int)(y1 * c->height); y++)
		for (int x = (int)(x0 * c->width); x < (int)(x1 * c->width); x++)
			dab(c, x, y, with, 1);
}

static void grain(canvas *c, double strength)
{
	for (int i = 0; i < c->width * c->height; i++) {
		double d = roll(c, -strength, strength);
		c->at[i] = (colour){ c->at[i].r + d, c->at[i].g + d, c->at[i].b + d };
	}
}

/* ----------------------------------------------------------------------------------- kinds ---- */

static void sunset(canvas *c)
{
	double horizon = roll(c, 0.6, 0.75), x = roll(c, 0.2, 0.8);
	sky(c, 0, horizon, vary(c, 0.35, 0.15, 0.4), vary(c, 1, 0.6, 0.25));
	disc(c, x, horizon - roll(c, 0, 0.15), roll(c, 0.09, 0.14), vary(c, 1, 0.85, 0.5));
	sky(c, horizon, 1, vary(c, 0.6, 0.3, 0.3), vary(c, 0.12, 0.08, 0.2));
	for (int i = 0; i < 25; i++)
		oval(c, x + roll(c, -0.12, 0.12), roll(c, horizon + 0.02, 1), roll(c, 0.03, 0.1), 0.005, 0,
			vary(c, 1, 0.75, 0.45));
}

static void mountains(canvas *c)
{
	sky(c, 0, 1, vary(c, 0.4, 0.65, 0.95), vary(c, 0.85, 0.92, 1));
	for (int i = 0; i < 5; i++) {
		double x = roll(c, 0, 1), top = roll(c, 0.15, 0.45), half = roll(c, 0.35, 0.6);
		peak(c, x, top, 0.85, half, vary(c, 0.35, 0.38, 0.45), vary(c, 0.5, 0.52, 0.58));
		peak(c, x, top, top + 0.14, half * 0.14 / (0.85 - top), vary(c, 0.92, 0.94, 1),
			vary(c, 0.97, 0.97, 1));
	}
	sky(c, 0.8, 1, vary(c, 0.35, 0.5, 0.25), vary(c, 0.25, 0.4, 0.15));
}

static void forest(canvas *c)
{
	sky(c, 0, 1, vary(c, 0.7, 0.85, 0.9), vary(c, 0.3, 0.45, 0.25));
	for (int i = 0; i < 40; i++) {
		double base = 0.45 + 0.55 * i / 39, size = 0.15 + 0.25 * i / 39, x = roll(c, -0.05, 1.05);
		colour dark = vary(c, 0.08, 0.28, 0.14), light = vary(c, 0.16, 0.4, 0.2);
		bar(c, x - 0.008, base - 0.03, x + 0.008, base + 0.03, vary(c, 0.3, 0.2, 0.12));
		for (int k = 0; k < 3; k++)
			peak(c, x, base - size * (1 - 0.22 * k), base - size * (0.5 - 0.25 * k),
				size * (0.22 + 0.07 * k), light, dark);
	}
}

static void flower(canvas *c)
{
	double x = roll(c, 0.4, 0.6), y = roll(c, 0.4, 0.55), start = roll(c, 0, 3);
	int petals = (int)roll(c, 6, 14);
	colour petal = roll(c, 0, 1) < 0.5 ? vary(c, 0.95, 0.35, 0.55) : vary(c, 0.95, 0.9, 0.3);
	sky(c, 0, 1, vary(c, 0.35, 0.6, 0.3), vary(c, 0.2, 0.4, 0.15));
	grain(c, 0.05);
	oval(c, x, y + 0.35, 0.015, 0.35, 0, vary(c, 0.15, 0.45, 0.12));
	for (int i = 0; i < petals; i++) {
		double a = start + 2 * 3.14159265 * i / petals;
		oval(c, x + 0.17 * cos(a) * c->height / c->width, y + 0.17 * sin(a), 0.15, 0.06, a,
			mix(petal, vary(c, 1, 1, 1), i % 2 * 0.15));
	}
	disc(c, x, y, 0.075, vary(c, 0.6, 0.35, 0.1));
}

static void night(canvas *c)
{
	double x = roll(c, 0.15, 0.85), y = roll(c, 0.15, 0.4), r = roll(c, 0.07, 0.11);
	sky(c, 0, 1, vary(c, 0.02, 0.02, 0.08), vary(c, 0.08, 0.1, 0.25));
	for (int i = 0; i < 150; i++)
		disc(c, roll(c, 0, 1), roll(c, 0, 0.95), roll(c, 0.002, 0.006), vary(c, 0.9, 0.9, 0.95));
	disc(c, x, y, r, vary(c, 0.95, 0.93, 0.8));
	disc(c, x + roll(c, 0.02, 0.05), y - 0.02, r * 0.9, (colour){ 0.03, 0.03, 0.1 });
	for (int i = 0; i < 12; i++)
		peak(c, roll(c, 0, 1), roll(c, 0.7, 0.85), 1, roll(c, 0.2, 0.4),
			(colour){ 0.01, 0.01, 0.02 }, (colour){ 0.015, 0.015, 0.03 });
}

static void city(canvas *c)
{
	sky(c, 0, 1, vary(c, 0.6, 0.7, 0.8), vary(c, 0.85, 0.85, 0.85));
	for (int i = 0; i < 14; i++) {
		double x = roll(c, -0.05, 0.95), wide = roll(c, 0.08, 0.16), top = roll(c, 0.15, 0.6);
		bar(c, x, top, x + wide, 1, vary(c, 0.4, 0.4, 0.43));
		colour pane = roll(c, 0, 1) < 0.5 ? vary(c, 0.9, 0.85, 0.55) : vary(c, 0.6, 0.75, 0.85);
		for (double wy = top + 0.03; wy < 0.95; wy += 0.06)
			for (double wx = x + 0.012; wx + 0.015 < x + wide; wx += 0.028)
				bar(c, wx, wy, wx + 0.015, wy + 0.03, pane);
	}
	bar(c, 0, 0.93, 1, 1, vary(c, 0.25, 0.25, 0.26));
}

static void bricks(canvas *c)
{
	int rows = (int)roll(c, 8, 15);
	colour base = vary(c, 0.62, 0.28, 0.2);
	sky(c, 0, 1, vary(c, 0.75, 0.72, 0.68), vary(c, 0.7, 0.68, 0.64));
	for (int row = 0; row < rows; row++)
		for (int i = -1; i < rows / 2 + 1; i++) {
			double y = (double)row / rows, x = (i + 0.5 * (row % 2)) * 2 / rows;
			bar(c, x + 0.006, y + 0.008, x + 2.0 / rows - 0.006, y + 1.0 / rows - 0.004,
				mix(base, vary(c, 0.5, 0.25, 0.2), roll(c, 0, 1)));
		}
	grain(c, 0.07);
}

static void balloons(canvas *c)
{
	sky(c, 0, 1, vary(c, 0.3, 0.6, 0.95), vary(c, 0.75, 0.88, 1));
	for (int i = 0; i < 6; i++) {
		double x = roll(c, 0, 1), y = roll(c, 0.1, 0.3), r = roll(c, 0.05, 0.1);
		for (int k = 0; k < 5; k++)
			oval(c, x + (k - 2) * 0.05, y + roll(c, -0.02, 0.02), r, r * 0.5, 0,
				vary(c, 0.97, 0.97, 0.98));
	}
	for (int i = (int)roll(c, 3, 6); i > 0; i--) {
		double x = roll(c, 0.12, 0.88), y = roll(c, 0.2, 0.7), r = roll(c, 0.09, 0.16);
		colour with = vary(c, roll(c, 0.1, 0.95), roll(c, 0.1, 0.5), roll(c, 0.1, 0.9));
		peak(c, x, y + r * 1.7, y + r * 1.75, 0.02, with, with);
		oval(c, x, y + r * 2, 0.003, r, 0, (colour){ 0.2, 0.2, 0.2 });
		oval(c, x, y, r, r * 1.2, 0, with);
		oval(c, x - r * 0.3, y - r * 0.4, r * 0.2, r * 0.3, 0.5,
			mix(with, (colour){ 1, 1, 1 }, 0.7));
	}
}

/* --------------------------------------------------------------------------------- writing ---- */

static void to_bytes(const canvas *c, uint8_t *out)
{
	for (int i = 0; i < c->width * c->height; i++) {
		const double v[3] = { c->at[i].r, c->at[i].g, c->at[i].b };
		for (int k = 0; k < 3; k++)
			out[3 * i + k] = (uint8_t)(v[k] < 0 ? 0 : v[k] > 1 ? 255 : v[k] * 255 + 0.5);
	}
}

static void write_jpeg(FILE *f, const canvas *c, uint8_t *rgb)
{
	struct jpeg_compress_struct j;
	struct jpeg_error_mgr errors;
	j.err = jpeg_std_error(&errors);
	jpeg_create_compress(&j);
	jpeg_stdio_dest(&j, f);
	j.image_width = (JDIMENSION)c->width;
	j.image_height = (JDIMENSION)c->height;
	j.input_components = 3;
	j.in_color_space = JCS_RGB;
	jpeg_set_defaults(&j);
	jpeg_set_quality(&j, 88, TRUE);
	jpeg_start_compress(&j, TRUE);
	while (j.next_scanline < j.image_height) {
		JSAMPROW row = rgb + (size_t)j.next_scanline * (size_t)c->width * 3;
		jpeg_write_scanlines(&j, &row, 1);
	}
	jpeg_finish_compress(&j);
	jpeg_destroy_compress(&j);
}

static int write_picture(const canvas *c, const char *path, int png)
{
	static uint8_t rgb[SIDE_MAX * SIDE_MAX * 3];
	FILE *f = fopen(path, "wb");
	if (!f)
		return -1;
	to_bytes(c, rgb);
	if (png) {
		png_image p = { .version = PNG_IMAGE_VERSION,
			.width = (png_uint_32)c->width,
			.height = (png_uint_32)c->height,
			.format = PNG_FORMAT_RGB };
		png_image_write_to_stdio(&p, f, 0, rgb, 0, NULL);
	} else {
		write_jpeg(f, c, rgb);
	}
	return fclose(f);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*paint)(canvas *c);
	} kind[] = {
		{ "sunset", sunset },
		{ "mountains", mountains },
		{ "forest", forest },
		{ "flower", flower },
		{ "night", night },
		{ "city", city },
		{ "bricks", bricks },
		{ "balloons", balloons },
	};
	static canvas c;
	char path[4096];
	int n = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 8;
	if (argc < 2 || n < 1 || n > 99) {
		fprintf(stderr, "usage: draw DIR [N]\n");
		return 2;
	}
	mkdir(argv[1], 0777);
	for (size_t k = 0; k < sizeof(kind) / sizeof(*kind); k++)
		for (int i = 1; i <= n; i++) {
			c.random = 1000 * k + (uint64_t)i;
			c.width = (int)roll(&c, 320, SIDE_MAX);
			c.height = (int)roll(&c, 280, 400);
			kind[k].paint(&c);
			grain(&c, 0.02);
			snprintf(path, sizeof(path), "%s/%s-%02d.%s", argv[1], kind[k].name, i,
				i % 4 ? "jpg" : "png");
			if (write_picture(&c, path, i % 4 == 0) != 0) {
				fprintf(stderr, "draw: %s: %s\n", path, strerror(errno));
				return 1;
			}
		}
	return 0;
}
