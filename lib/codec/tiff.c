/*
 * TIFF by libtiff: the first page, as RGB of 8 bits. CMYK with a profile is read as it is, so that
 * the profile counts; libtiff makes RGB of everything else that it knows. Floats are not read. Only
 * functions are used, and no setting of the whole process: what is wrong is told to the handler of
 * one file.
 *
 * Sources: TIFF 6.0; Adobe Photoshop TIFF technical notes.
 */
#include "base/library.h"
#include "codec/codec.h"
#include "codec/finish.h"

#include <stdio.h>
#include <string.h>

IMS_LIBRARY_NOTE("libtiff.so.6", "TIFF pictures");

typedef struct tiff tiff_file;
typedef struct tiff_options tiff_options;
typedef int (
	*tiff_handler)(tiff_file *t, void *user, const char *module, const char *format, va_list list);

static struct {
	tiff_options *(*options_new)(void);
	void (*options_free)(tiff_options *o);
	void (*set_most)(tiff_options *o, intptr_t bytes);
	void (*on_error)(tiff_options *o, tiff_handler handler, void *user);
	void (*on_warning)(tiff_options *o, tiff_handler handler, void *user);
	tiff_file *(*open)(const char *name, const char *mode, void *user,
		intptr_t (*read)(void *, void *, intptr_t), intptr_t (*write)(void *, void *, intptr_t),
		uint64_t (*seek)(void *, uint64_t, int), int (*close)(void *), uint64_t (*size)(void *),
		int (*map)(void *, void **, uint64_t *), void (*unmap)(void *, void *, uint64_t),
		tiff_options *o);
	void (*close)(tiff_file *t);
	int (*get)(tiff_file *t, uint32_t tag, ...);
	int (*get_default)(tiff_file *t, uint32_t tag, ...);
	int (*has_codec)(uint16_t compression);
	int (*is_tiled)(tiff_file *t);
	int (*rgba_ok)(tiff_file *t, char message[1024]);
	int (*read_rgba)(tiff_file *t, uint32_t width, uint32_t height, uint32_t *to, int orientation,
		int stop);
	intptr_t (*scanline_size)(tiff_file *t);
	int (*read_scanline)(tiff_file *t, void *to, uint32_t row, uint16_t sample);
	bool loaded;
} lib;

static void load_once(void)
{
	static const char *const files[] = { "libtiff.so.6", NULL };
	const library_function functions[] = {
		{ "TIFFOpenOptionsAlloc", (void **)&lib.options_new },
		{ "TIFFOpenOptionsFree", (void **)&lib.options_free },
		{ "TIFFOpenOptionsSetMaxSingleMemAlloc", (void **)&lib.set_most },
		{ "TIFFOpenOptionsSetErrorHandlerExtR", (void **)&lib.on_error },
		{ "TIFFOpenOptionsSetWarningHandlerExtR", (void **)&lib.on_warning },
		{ "TIFFClientOpenExt", (void **)&lib.open },
		{ "TIFFClose", (void **)&lib.close },
		{ "TIFFGetField", (void **)&lib.get },
		{ "TIFFGetFieldDefaulted", (void **)&lib.get_default },
		{ "TIFFIsCODECConfigured", (void **)&lib.has_codec },
		{ "TIFFIsTiled", (void **)&lib.is_tiled },
		{ "TIFFRGBAImageOK", (void **)&lib.rgba_ok },
		{ "TIFFReadRGBAImageOriented", (void **)&lib.read_rgba },
		{ "TIFFScanlineSize", (void **)&lib.scanline_size },
		{ "TIFFReadScanline", (void **)&lib.read_scanline },
	};
	lib.loaded = ims_library_load(files, functions, sizeof functions / sizeof functions[0]);
}

static unsigned load(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, load_once);
	return lib.loaded ? 0 : 1;
}

/* ---------------------------------------------------------------------------------- memory ---- */

/* The bytes of a file, and what libtiff says of it. */
typedef struct source {
	const uint8_t *data;
	uint64_t size, at;
	char problem[300]; /* the last one: libtiff also says here what it goes on after */
} source;

static intptr_t source_read(void *user, void *to, intptr_t n)
{
	source *s = user;
	uint64_t left = s->at < s->size ? s->size - s->at : 0,
			 now = (uint64_t)n < left ? (uint64_t)n : left;
	if (n <= 0)
		return 0;
	memcpy(to, s->data + s->at, (size_t)now);
	s->at += now;
	return (intptr_t)now;
}

static intptr_t source_write(void *user, void *from, intptr_t n)
{
	(void)user;
	(void)from;
	(void)n;
	return -1;
}

static uint64_t source_seek(void *user, uint64_t to, int whence)
{
	source *s = user;
	s->at = to + (whence == SEEK_CUR ? s->at : whence == SEEK_END ? s->size : 0);
	return s->at;
}

static int source_close(void *user)
{
	(void)user;
	return 0;
}

static uint64_t source_size(void *user)
{
	return ((source *)user)->size;
}

static int source_map(void *user, void **to, uint64_t *size)
{
	source *s = user;
	*to = (void *)(uintptr_t)s->data;
	*size = s->size;
	return 1;
}

static void source_unmap(void *user, void *at, uint64_t size)
{
	(void)user;
	(void)at;
	(void)size;
}

static int take_error(tiff_file *t, void *user, const char *module, const char *format,
	va_list list)
{
	source *s = user;
	(void)t;
	(void)module;
	vsnprintf(s->problem, sizeof s->problem, format, list);
	return 1;
}

static int pass_over(tiff_file *t, void *user, const char *module, const char *format, va_list list)
{
	(void)t;
	(void)user;
	(void)module;
	(void)format;
	(void)list;
	return 1;
}

/* ------------------------------------------------------------------------------------ head ---- */

enum {
	TAG_WIDTH = 256,
	TAG_HEIGHT = 257,
	TAG_BITS = 258,
	TAG_COMPRESSION = 259,
	TAG_PHOTOMETRIC = 262,
	TAG_ORIENTATION = 274,
	TAG_SAMPLES = 277,
	TAG_PLANAR = 284,
	TAG_EXTRA = 338,
	TAG_SAMPLE_FORMAT = 339,
	TAG_PROFILE = 34675,
	MIN_IS_WHITE = 0,
	MIN_IS_BLACK = 1,
	SEPARATED = 5,
	CONTIGUOUS = 1,
	FLOATS = 3,
	ASSOCIATED = 1,
	UNASSOCIATED = 2,
};

typedef struct tiff_page {
	source source;
	tiff_file *file;
	uint32_t width, height;
	uint16_t bits, samples, photometric, orientation;
	bool alpha, straight_alpha, plain_cmyk;
	colour_space colours;
} tiff_page;

/* What libtiff says when it has no way from the samples to RGB begins so. */
static bool is_unknown_kind(const tiff_page *p)
{
	static const char sorry[] = "Sorry, can not handle";
	return !strncmp(p->source.problem, sorry, sizeof sorry - 1);
}

static int damaged(const tiff_page *p, imgsearch_error *err)
{
	if (is_unknown_kind(p))
		return ims_fail(err, IMGSEARCH_EUNSUPPORTED,
			"such a TIFF is not read: %u samples of %u bits a pixel", p->samples, p->bits);
	return ims_fail(err, IMGSEARCH_EFORMAT, "the TIFF is damaged: %s",
		*p->source.problem ? p->source.problem : "libtiff does not read it");
}

static uint16_t field(const tiff_page *p, uint32_t tag)
{
	uint16_t value = 0;
	return lib.get_default(p->file, tag, &value) ? value : 0;
}

static int open_file(tiff_page *p, const void *data, size_t size, imgsearch_error *err)
{
	enum { MOST_AT_ONCE = 1 << 30 };
	*p = (tiff_page){ .source = { .data = data, .size = size }, .orientation = 1 };
	tiff_options *o = lib.options_new();
	if (!o)
		return ims_nomem(err);
	lib.set_most(o, MOST_AT_ONCE);
	lib.on_error(o, take_error, &p->source);
	lib.on_warning(o, pass_over, NULL);
	p->file = lib.open("picture", "r", &p->source, source_read, source_write, source_seek,
		source_close, source_size, source_map, source_unmap, o);
	lib.options_free(o);
	return p->file ? 0 : damaged(p, err);
}

static bool is_grey(const tiff_page *p)
{
	return p->photometric == MIN_IS_BLACK || p->photometric == MIN_IS_WHITE;
}

/* Whether the rows are CMYK as it is shown, with a profile that says how. */
static bool is_plain_cmyk(const tiff_page *p)
{
	return p->photometric == SEPARATED && p->samples == 4 && p->bits == 8 && p->colours.kind
		&& field(p, TAG_PLANAR) == CONTIGUOUS && !lib.is_tiled(p->file);
}

/* Whether libtiff makes RGB of it. */
static int check_kind(const tiff_page *p, imgsearch_error *err)
{
	char why[1024] = "";
	if (field(p, TAG_SAMPLE_FORMAT) == FLOATS)
		return ims_fail(err, IMGSEARCH_EUNSUPPORTED, "a TIFF of floats is not read");
	if (!lib.has_codec(field(p, TAG_COMPRESSION)))
		return ims_fail(err, IMGSEARCH_EUNSUPPORTED, "this libtiff lacks compression %u",
			field(p, TAG_COMPRESSION));
	if (!p->plain_cmyk && !lib.rgba_ok(p->file, why))
		return ims_fail(err, IMGSEARCH_EUNSUPPORTED, "such a TIFF is not read: %.300s", why);
	return 0;
}

static void close_tiff(tiff_page *p)
{
	if (p->file)
		lib.close(p->file);
	ims_colour_clear(&p->colours);
}

/* Closed by close_tiff, also on failure. The page is read where it lies: it must not move. */
static int open_tiff(tiff_page *p, const void *data, size_t size, uint64_t max_pixels,
	imgsearch_error *err)
{
	int rc = open_file(p, data, size, err);
	if (rc)
		return rc;
	uint16_t n = 0, *extra = NULL;
	uint32_t profile_size = 0;
	const void *profile = NULL;
	lib.get(p->file, TAG_WIDTH, &p->width);
	lib.get(p->file, TAG_HEIGHT, &p->height);
	if (!p->width || !p->height)
		return damaged(p, err);
	rc = ims_image_check_size(p->width, p->height, max_pixels, err);
	if (rc)
		return rc;
	uint16_t orientation = field(p, TAG_ORIENTATION);
	p->orientation = orientation >= 1 && orientation <= 8 ? orientation : 1;
	p->bits = field(p, TAG_BITS);
	p->samples = field(p, TAG_SAMPLES);
	p->photometric = field(p, TAG_PHOTOMETRIC);
	if (lib.get_default(p->file, TAG_EXTRA, &n, &extra) && n && extra)
		p->alpha = extra[0] == ASSOCIATED || extra[0] == UNASSOCIATED;
	/* libtiff multiplies colours by such an alpha, but not grey. */
	p->straight_alpha = p->alpha && extra[0] == UNASSOCIATED && is_grey(p);
	if (lib.get(p->file, TAG_PROFILE, &profile_size, &profile) && profile
		&& !ims_colour_set_profile(&p->colours, profile, profile_size))
		return ims_nomem(err);
	p->plain_cmyk = is_plain_cmyk(p);
	return check_kind(p, err);
}

static int head(image_head *out, const void *data, size_t size, uint64_t max_pixels,
	imgsearch_error *err)
{
	tiff_page p;
	int rc = open_tiff(&p, data, size, max_pixels, err);
	uint64_t pixels = (uint64_t)p.width * p.height;
	out->width = p.width;
	out->height = p.height;
	out->orientation = p.orientation;
	out->traits = (p.alpha ? IMAGE_HAS_ALPHA : 0) | (p.colours.kind ? IMAGE_HAS_COLOURS : 0);
	/* RGBA; a strip or a tile, which may be all of it, as stored and unpacked; the end. */
	out->memory = pixels * (4 + CODEC_FINISH_MEMORY) + pixels * 2 * p.samples * ((p.bits + 7u) / 8);
	close_tiff(&p);
	return rc;
}

/* ---------------------------------------------------------------------------------- pixels ---- */

/* libtiff packs R in the lowest byte, whatever the order of the machine. */
static void unpack(uint32_t *raster, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t v = raster[i];
		const uint8_t rgba[4] = { (uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16),
			(uint8_t)(v >> 24) };
		memcpy(raster + i, rgba, 4);
	}
}

static void invert(uint8_t *row, size_t n)
{
	for (size_t i = 0; i < n; i++)
		row[i] = (uint8_t)~row[i];
}

/* Rows of CMYK, inverted: 255 is no ink. */
static int read_cmyk(tiff_page *p, uint8_t *to, imgsearch_error *err)
{
	size_t line = (size_t)p->width * 4;
	if (lib.scanline_size(p->file) != (intptr_t)line)
		return damaged(p, err);
	for (uint32_t y = 0; y < p->height; y++, to += line) {
		if (lib.read_scanline(p->file, to, y, 0) < 0)
			return damaged(p, err);
		invert(to, line);
	}
	return 0;
}

static int read_pixels(tiff_page *p, void *to, imgsearch_error *err)
{
	if (p->plain_cmyk)
		return read_cmyk(p, to, err);
	/* With the file's own orientation libtiff turns nothing. */
	if (!lib.read_rgba(p->file, p->width, p->height, to, p->orientation, 1))
		return damaged(p, err);
	unpack(to, (size_t)p->width * p->height);
	return 0;
}

static int decode(image *out, const image_head *stored, const void *data, size_t size,
	const decode_request *request, imgsearch_error *err)
{
	tiff_page p;
	void *pixels = NULL;
	int rc = open_tiff(&p, data, size, UINT64_MAX, err);
	if (!rc && (p.width != stored->width || p.height != stored->height))
		rc = ims_fail(err, IMGSEARCH_EFORMAT, "it changed while it was read");
	size_t line = (size_t)p.width * 4;
	if (!rc && !(pixels = ims_zalloc(p.height, line)))
		rc = ims_nomem(err);
	if (!rc)
		rc = read_pixels(&p, pixels, err);
	const codec_rows rows = {
		.layout = p.plain_cmyk ? PIXELS_CMYK8 : PIXELS_RGBA8,
		.data = pixels,
		.stride = line,
		.width = p.width,
		.height = p.height,
		.premultiplied = p.alpha && !p.straight_alpha,
		.opaque = !p.alpha,
		.grey = is_grey(&p),
		.colours = &p.colours,
	};
	if (!rc)
		rc = ims_codec_finish(out, &rows, request->colours, err);
	ims_free(pixels);
	close_tiff(&p);
	return rc;
}

/* Grey, 2 x 2 pixels. */
static const uint8_t sample[] = { 'I', 'I', 42, 0, 12, 0, 0, 0, 0, 85, 170, 255, /* the pixels */
	8, 0,                                                                        /* entries */
	0, 1, 3, 0, 1, 0, 0, 0, 2, 0, 0, 0, 1, 1, 3, 0, 1, 0, 0, 0, 2, 0, 0, 0,      /* size */
	2, 1, 3, 0, 1, 0, 0, 0, 8, 0, 0, 0, 3, 1, 3, 0, 1, 0, 0, 0, 1, 0, 0, 0,      /* bits, packing */
	6, 1, 3, 0, 1, 0, 0, 0, 1, 0, 0, 0, 17, 1, 4, 0, 1, 0, 0, 0, 8, 0, 0, 0,     /* grey, strip */
	22, 1, 3, 0, 1, 0, 0, 0, 2, 0, 0, 0, 23, 1, 4, 0, 1, 0, 0, 0, 4, 0, 0, 0,    /* its rows */
	0, 0, 0, 0 };

const codec ims_codec_tiff = {
	.decoder = { IMAGE_TIFF, false, head, decode },
	.needs = { { "libtiff", "libtiff6", NULL } },
	.load = load,
	.sample = sample,
	.sample_size = sizeof sample,
};
