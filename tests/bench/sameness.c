/*
 * usage: sameness DIR FAMILIES < PHOTOGRAPHS
 *
 * Makes a folder of pictures of which it is known which are the same: families of four, three of a
 * photograph (its path is a line of the input) and what is made of it, then one of a drawn page and
 * pages of its layout. Prints a line for each: kind, first picture of the family, picture made of
 * it; see tests/bench/sameness.py.
 */
#include "image/image.h"
#include "pages.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct maker {
	const char *dir;
	int family;
	uint64_t random;
	char first[64]; /* the name of the family's first picture */
} maker;

static void fail(const char *what, const char *name)
{
	fprintf(stderr, "sameness: %s: %s\n", what, name);
	exit(1);
}

static void path_of(const maker *m, char path[400], const char *name)
{
	snprintf(path, 400, "%s/%s", m->dir, name);
}

static void write_file(const maker *m, const char *name, const void *data, size_t size)
{
	char path[400];
	path_of(m, path, name);
	FILE *f = fopen(path, "wb");
	if (!f || fwrite(data, 1, size, f) != size || fclose(f))
		fail("cannot write", path);
}

static void report(const maker *m, const char *kind, const char *name)
{
	printf("%s\t%s\t%s\n", kind, m->first, name);
}

/* quality 0: PNG */
static void save(const maker *m, const char *kind, const char *name, const image *im, int quality)
{
	buf bytes = { 0 };
	int rc = quality ? ims_image_encode_jpeg(&bytes, im, quality, NULL)
					 : ims_image_encode_png(&bytes, im, NULL);
	if (rc)
		fail("cannot encode", name);
	write_file(m, name, bytes.data, bytes.len);
	ims_buf_free(&bytes);
	if (kind)
		report(m, kind, name);
}

static void name_of(const maker *m, char name[64], const char *kind, const char *ending)
{
	snprintf(name, 64, "%04d-%.40s.%.8s", m->family, kind, ending);
	for (char *c = name; *c; c++)
		*c = *c == ' ' ? '-' : *c;
}

static double roll(maker *m, double low, double high)
{
	return low + (high - low) * ims_random_unit(&m->random);
}

static image copy_of(const image *im)
{
	image out = *im;
	size_t size = (size_t)im->width * im->height * 3;
	out.pixels = ims_alloc(size, 1);
	if (!out.pixels)
		fail("memory", "");
	memcpy(out.pixels, im->pixels, size);
	return out;
}

static void crop(image *im, double x, double y, double width, double height)
{
	const int32_t part[4] = { (int32_t)(x * im->width), (int32_t)(y * im->height),
		(int32_t)(width * im->width), (int32_t)(height * im->height) };
	if (ims_image_crop(im, part, NULL))
		fail("cannot crop", "");
}

static void resize(image *im, double factor)
{
	image out;
	uint32_t width = (uint32_t)(im->width * factor + 0.5),
			 height = (uint32_t)(im->height * factor + 0.5);
	if (ims_image_resize(&out, im, width ? width : 1, height ? height : 1, true, NULL, NULL))
		fail("cannot resize", "");
	ims_image_free(im);
	*im = out;
}

/* A quarter turn, or the mirror image. */
static void turn(image *im, bool mirror)
{
	image out = copy_of(im);
	if (!mirror)
		out.width = im->height, out.height = im->width;
	for (uint32_t y = 0; y < out.height; y++)
		for (uint32_t x = 0; x < out.width; x++)
			memcpy(out.pixels + 3 * ((size_t)y * out.width + x),
				im->pixels
					+ 3
						* (mirror ? (size_t)y * im->width + im->width - 1 - x
								  : (size_t)x * im->width + im->width - 1 - y),
				3);
	ims_image_free(im);
	*im = out;
}

static uint8_t to_byte(double v)
{
	return (uint8_t)fmax(0, fmin(v + 0.5, 255));
}

static double luma_of(const uint8_t *rgb)
{
	return 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2];
}

/* Luminance stays; (Cb, Cr) are turned by an angle, scaled, and moved by `add` along it. */
static void recolour(uint8_t *rgb, double angle, double scale, double add)
{
	double y = luma_of(rgb), cb = scale * (rgb[2] - y) * 0.564, cr = scale * (rgb[0] - y) * 0.713;
	double b = cb * cos(angle) - cr * sin(angle) + add * cos(angle),
		   r = cb * sin(angle) + cr * cos(angle) + add * sin(angle);
	rgb[0] = to_byte(y + 1.402 * r);
	rgb[1] = to_byte(y - 0.344 * b - 0.714 * r);
	rgb[2] = to_byte(y + 1.772 * b);
}

static void recolour_all(image *im, double angle, double scale, double add)
{
	for (size_t i = 0; i < (size_t)im->width * im->height; i++)
		recolour(im->pixels + 3 * i, angle, scale, add);
}

static void add_noise(maker *m, image *im, double strength)
{
	for (size_t i = 0; i < 3 * (size_t)im->width * im->height; i++)
		im->pixels[i] = to_byte(im->pixels[i] + roll(m, -strength, strength));
}

static void brighten(image *im, double factor)
{
	for (size_t i = 0; i < 3 * (size_t)im->width * im->height; i++)
		im->pixels[i] = to_byte(im->pixels[i] * factor);
}

/* An ellipse; size and place as shares of the sides. */
typedef struct oval {
	double x, y, size;
} oval;

static bool is_inside(const oval *o, const image *im, uint32_t x, uint32_t y)
{
	return hypot((x + 0.5) / im->width - o->x, (y + 0.5) / im->height - o->y) < o->size / 2;
}

static oval some_oval(maker *m, double low, double high)
{
	double size = roll(m, low, high);
	return (oval){ roll(m, size / 2, 1 - size / 2), roll(m, size / 2, 1 - size / 2), size };
}

static void recolour_part(maker *m, image *im)
{
	oval o = some_oval(m, 0.12, 0.4);
	double angle = roll(m, 0, 6.28);
	for (uint32_t y = 0; y < im->height; y++)
		for (uint32_t x = 0; x < im->width; x++)
			if (is_inside(&o, im, x, y))
				recolour(im->pixels + 3 * ((size_t)y * im->width + x), angle, 0.3, 60);
}

/* Copies a part of the picture to another place, where it is seen. */
static void move_object(maker *m, image *im)
{
	image from = copy_of(im);
	for (int tries = 0; tries < 100; tries++) {
		oval o = some_oval(m, 0.08, 0.2), source = some_oval(m, o.size, o.size);
		int dx = (int)((source.x - o.x) * im->width), dy = (int)((source.y - o.y) * im->height);
		double off = 0, n = 0;
		memcpy(im->pixels, from.pixels, 3 * (size_t)im->width * im->height);
		for (uint32_t y = 0; y < im->height; y++)
			for (uint32_t x = 0; x < im->width; x++) {
				int u = (int)x + dx, v = (int)y + dy;
				if (!is_inside(&o, im, x, y) || u < 0 || v < 0 || u >= (int)im->width
					|| v >= (int)im->height)
					continue;
				uint8_t *to = im->pixels + 3 * ((size_t)y * im->width + x);
				const uint8_t *at = from.pixels + 3 * ((size_t)v * im->width + (size_t)u);
				off += fabs(luma_of(to) - luma_of(at)), n++;
				memcpy(to, at, 3);
			}
		if (off > 25 * n)
			break;
	}
	ims_image_free(&from);
}

static void write_text(image *im, double x, double y, double size, const char *text,
	uint32_t colour, double cover)
{
	image ink = copy_of(im);
	page p = { (int)im->width, (int)im->height, ink.pixels };
	page_text(&p, (int)(x * p.width), (int)(y * p.height), (int)(size * p.height), text, colour);
	for (size_t i = 0; i < 3 * (size_t)im->width * im->height; i++)
		im->pixels[i] = to_byte(im->pixels[i] + cover * (ink.pixels[i] - im->pixels[i]));
	ims_image_free(&ink);
}

/* ------------------------------------------------------------------------- of a photograph ---- */

/* A photograph without colour is the grey copy of what a change of colours makes of it. */
static bool is_grey(const image *im)
{
	double sum = 0;
	size_t n = (size_t)im->width * im->height;
	for (size_t i = 0; i < n; i++)
		sum += abs(im->pixels[3 * i] - im->pixels[3 * i + 2]);
	return sum < 6 * (double)n;
}

static void same_bytes(maker *m, const char *kind)
{
	char name[64], from[400], to[400];
	buf bytes = { 0 };
	name_of(m, name, kind, "jpg");
	path_of(m, from, m->first);
	path_of(m, to, name);
	if (!strcmp(kind, "link") ? link(from, to) : ims_read_file(&bytes, from, 1 << 30, NULL))
		fail("cannot copy", from);
	if (strcmp(kind, "link"))
		write_file(m, name, bytes.data, bytes.len);
	ims_buf_free(&bytes);
	report(m, kind, name);
}

static void vary(maker *m, const char *kind, image *im)
{
	static const char *const date[] = { "14.03.2019", "02.11.2021", "27.06.2016" };
	if (!strcmp(kind, "half size"))
		resize(im, 0.5);
	else if (!strcmp(kind, "quarter turn"))
		turn(im, false);
	else if (!strcmp(kind, "mirrored"))
		turn(im, true);
	else if (!strcmp(kind, "grey"))
		recolour_all(im, 0, 0, 0);
	else if (!strcmp(kind, "40 % turned"))
		resize(im, 0.4), turn(im, false);
	else if (!strcmp(kind, "crop of 80 %"))
		crop(im, roll(m, 0, 0.2), roll(m, 0, 0.2), 0.8, 0.8);
	else if (!strcmp(kind, "other light"))
		brighten(im, roll(m, 0, 1) < 0.5 ? 0.75 : 1.25);
	else if (!strcmp(kind, "burst moved"))
		crop(im, roll(m, 0.012, 0.03), roll(m, 0, 0.03), 0.97, 0.97), add_noise(m, im, 4);
	else if (!strcmp(kind, "burst object"))
		move_object(m, im), add_noise(m, im, 4);
	else if (!strcmp(kind, "colour of a part"))
		recolour_part(m, im);
	else if (!strcmp(kind, "colour of all"))
		recolour_all(im, roll(m, 1, 5.2), 1, 25);
	else if (!strcmp(kind, "date stamp"))
		write_text(im, 0.55, 0.9, 0.06, date[m->family % 3], 0xff8c00, 1);
	else if (!strcmp(kind, "subtitle"))
		write_text(im, 0.12, 0.85, 0.07, "AND THEN HE LEFT.", PAGE_WHITE, 1);
	else if (!strcmp(kind, "watermark"))
		write_text(im, 0.1, 0.42, 0.13, "SAMPLE", PAGE_WHITE, 0.4);
}

static void photo_family(maker *m, const char *path)
{
	static const char *const kinds[] = { "bytes", "link", "half size", "quality 25", "quarter turn",
		"mirrored", "grey", "40 % turned", "crop of 80 %", "other light", "burst moved",
		"burst object", "colour of a part", "colour of all", "date stamp", "subtitle",
		"watermark" };
	enum { KINDS = sizeof kinds / sizeof *kinds, EACH = 3 };
	buf bytes = { 0 };
	image im = { 0 };
	if (ims_read_file(&bytes, path, 1 << 30, NULL)
		|| ims_image_decode(&im, NULL, bytes.data, bytes.len, &(image_limits){ 0 }, NULL, NULL))
		fail("no picture", path);
	name_of(m, m->first, "photo", "jpg");
	save(m, NULL, m->first, &im, 92);
	for (int i = 0; i < EACH; i++) {
		const char *kind = kinds[(m->family * EACH + i + m->family / KINDS) % KINDS];
		char name[64];
		if (!strcmp(kind, "bytes") || !strcmp(kind, "link")) {
			same_bytes(m, kind);
			continue;
		}
		if (!strncmp(kind, "colour", 6) && is_grey(&im))
			kind = strcmp(kind, "colour of all") ? "half size" : "quality 25";
		image made = copy_of(&im);
		vary(m, kind, &made);
		name_of(m, name, kind, "jpg");
		save(m, kind, name, &made, !strcmp(kind, "quality 25") ? 25 : 85);
		ims_image_free(&made);
	}
	ims_image_free(&im);
	ims_buf_free(&bytes);
}

/* -------------------------------------------------------------------------- of drawn pages ---- */

static void page_family(maker *m)
{
	static const struct {
		const char *kind;
		void (*draw)(page *p, uint64_t layout, uint64_t content);
	} pages[] = {
		{ "transfer", page_transfer },
		{ "receipt", page_receipt },
		{ "calculator", page_calculator },
		{ "form", page_form },
		{ "page of text", page_of_text },
	};
	static const uint32_t size[][2] = { { 1080, 2340 }, { 640, 480 }, { 750, 1334 }, { 1240, 1754 },
		{ 480, 640 } };
	int n = m->family / 4, which = n % 5, shape = n / 5 % 5;
	image im = { .width = size[shape][0], .height = size[shape][1] };
	uint64_t layout = ims_random(&m->random);
	char name[64];
	im.pixels = ims_alloc((size_t)im.width * im.height, 3);
	if (!im.pixels)
		fail("memory", "");
	page p = { (int)im.width, (int)im.height, im.pixels };
	pages[which].draw(&p, layout, ims_random(&m->random));
	name_of(m, m->first, pages[which].kind, "png");
	save(m, NULL, m->first, &im, 0);
	image made = copy_of(&im);
	if (n % 2)
		resize(&made, 0.5);
	name_of(m, name, "page copied", "jpg");
	save(m, "page copied", name, &made, 75);
	ims_image_free(&made);
	for (int i = 0; i < 2; i++) {
		char kind[64];
		pages[which].draw(&p, layout, ims_random(&m->random));
		snprintf(kind, sizeof kind, "%s %d", pages[which].kind, i);
		name_of(m, name, kind, i ? "jpg" : "png");
		save(m, pages[which].kind, name, &im, i ? 85 : 0);
	}
	ims_image_free(&im);
}

int main(int argc, char **argv)
{
	char path[4096];
	int families = argc == 3 ? (int)strtol(argv[2], NULL, 10) : 0;
	if (families < 1)
		fail("usage", "sameness DIR FAMILIES < PHOTOGRAPHS");
	for (int i = 0; i < families; i++) {
		maker m = { .dir = argv[1], .family = i, .random = (uint64_t)i + 1 };
		if (i % 4 == 3) {
			page_family(&m);
			continue;
		}
		if (!fgets(path, sizeof path, stdin))
			fail("too few photographs", "");
		path[strcspn(path, "\n")] = 0;
		photo_family(&m, path);
	}
	return 0;
}
