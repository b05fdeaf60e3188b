/*
 * HEIC and AVIF by libheif: the primary image, as its boxes say it is shown (irot, imir, clap, all
 * by libheif; Exif has no part in that), from grids too. Of the colours the ICC profile counts,
 * else the code points (nclx) of the file, else those of its bitstream. Gain maps are left aside:
 * what is shown is the base picture.
 *
 * libheif from 1.16 on has its decoders in plugins, which Debian 13 packs alone; they are loaded
 * with it. Only functions are used, and two structs that libheif promises to keep: heif_error, and
 * the first fields of heif_color_profile_nclx.
 *
 * Sources: ISO/IEC 23008-12 (HEIF), 23000-22 (MIAF); AV1 Image File Format.
 */
#include "base/library.h"
#include "codec/codec.h"
#include "codec/finish.h"
#include "codec/heif_samples.h"
#include "codec/heif_size.h"

#include <string.h>

IMS_LIBRARY_NOTE("libheif.so.1", "HEIC and AVIF pictures");

/* ---------------------------------------------------------------------------- the library ---- */

typedef struct heif_error {
	int code, subcode;
	const char *message;
} heif_error;

typedef struct heif_nclx {
	uint8_t version;
	int primaries, transfer, matrix;
	uint8_t full_range;
} heif_nclx;

typedef struct heif_context heif_context;
typedef struct heif_handle heif_handle;
typedef struct heif_image heif_image;
typedef uint32_t heif_item;

/* Values of enums of heif.h. */
enum {
	HEVC = 1,
	AV1 = 4, /* compressions */
	RGB = 1, /* a colour space */
	INTERLEAVED_RGB = 10,
	INTERLEAVED_RGBA = 11,
	INTERLEAVED_RRGGBB_LE = 14,
	INTERLEAVED_RRGGBBAA_LE = 15, /* chromas */
	CHANNEL_INTERLEAVED = 10,
	PROFILE_PROF = 0x70726F66, /* 'prof', 'rICC': kinds of profiles */
	PROFILE_RICC = 0x72494343,
	ERROR_UNSUPPORTED_TYPE = 3, /* errors */
	ERROR_UNSUPPORTED_FEATURE = 4,
	ERROR_MEMORY = 6,
	SUB_SECURITY_LIMIT = 1000,
};

static struct {
	heif_error (*init)(void *parameters);
	int (*have_decoder)(int compression);
	heif_context *(*context_new)(void);
	void (*context_free)(heif_context *c);
	heif_error (*read)(heif_context *c, const void *data, size_t size, const void *options);
	void (*set_threads)(heif_context *c, int most);
	void (*set_most)(heif_context *c, int side);
	heif_error (*primary)(heif_context *c, heif_handle **out);
	void (*handle_free)(const heif_handle *h);
	int (*width)(const heif_handle *h);
	int (*height)(const heif_handle *h);
	int (*has_alpha)(const heif_handle *h);
	int (*is_premultiplied)(const heif_handle *h);
	int (*bits)(const heif_handle *h);
	int (*profile_kind)(const heif_handle *h);
	size_t (*profile_size)(const heif_handle *h);
	heif_error (*profile)(const heif_handle *h, void *out);
	heif_error (*nclx)(const heif_handle *h, heif_nclx **out);
	heif_error (*image_nclx)(const heif_image *im, heif_nclx **out);
	void (*nclx_free)(heif_nclx *n);
	int (*list_blocks)(const heif_handle *h, const char *type, heif_item *ids, int n);
	const char *(*block_type)(const heif_handle *h, heif_item id);
	const char *(*block_content)(const heif_handle *h, heif_item id);
	size_t (*block_size)(const heif_handle *h, heif_item id);
	heif_error (*block)(const heif_handle *h, heif_item id, void *out);
	heif_error (*decode)(const heif_handle *h, heif_image **out, int space, int chroma,
		const void *options);
	const uint8_t *(*plane)(const heif_image *im, int channel, int *stride);
	int (*image_width)(const heif_image *im, int channel);
	int (*image_height)(const heif_image *im, int channel);
	int (*image_bits)(const heif_image *im, int channel);
	void (*image_free)(const heif_image *im);
	bool loaded;
} lib;

static void load_once(void)
{
	static const char *const files[] = { "libheif.so.1", NULL };
	const library_function functions[] = {
		{ "heif_init", (void **)&lib.init },
		{ "heif_have_decoder_for_format", (void **)&lib.have_decoder },
		{ "heif_context_alloc", (void **)&lib.context_new },
		{ "heif_context_free", (void **)&lib.context_free },
		{ "heif_context_read_from_memory_without_copy", (void **)&lib.read },
		{ "heif_context_set_max_decoding_threads", (void **)&lib.set_threads },
		{ "heif_context_set_maximum_image_size_limit", (void **)&lib.set_most },
		{ "heif_context_get_primary_image_handle", (void **)&lib.primary },
		{ "heif_image_handle_release", (void **)&lib.handle_free },
		{ "heif_image_handle_get_width", (void **)&lib.width },
		{ "heif_image_handle_get_height", (void **)&lib.height },
		{ "heif_image_handle_has_alpha_channel", (void **)&lib.has_alpha },
		{ "heif_image_handle_is_premultiplied_alpha", (void **)&lib.is_premultiplied },
		{ "heif_image_handle_get_luma_bits_per_pixel", (void **)&lib.bits },
		{ "heif_image_handle_get_color_profile_type", (void **)&lib.profile_kind },
		{ "heif_image_handle_get_raw_color_profile_size", (void **)&lib.profile_size },
		{ "heif_image_handle_get_raw_color_profile", (void **)&lib.profile },
		{ "heif_image_handle_get_nclx_color_profile", (void **)&lib.nclx },
		{ "heif_image_get_nclx_color_profile", (void **)&lib.image_nclx },
		{ "heif_nclx_color_profile_free", (void **)&lib.nclx_free },
		{ "heif_image_handle_get_list_of_metadata_block_IDs", (void **)&lib.list_blocks },
		{ "heif_image_handle_get_metadata_type", (void **)&lib.block_type },
		{ "heif_image_handle_get_metadata_content_type", (void **)&lib.block_content },
		{ "heif_image_handle_get_metadata_size", (void **)&lib.block_size },
		{ "heif_image_handle_get_metadata", (void **)&lib.block },
		{ "heif_decode_image", (void **)&lib.decode },
		{ "heif_image_get_plane_readonly", (void **)&lib.plane },
		{ "heif_image_get_width", (void **)&lib.image_width },
		{ "heif_image_get_height", (void **)&lib.image_height },
		{ "heif_image_get_bits_per_pixel_range", (void **)&lib.image_bits },
		{ "heif_image_release", (void **)&lib.image_free },
	};
	lib.loaded = ims_library_load(files, functions, sizeof functions / sizeof functions[0])
		&& !lib.init(NULL).code;
}

static unsigned load(int compression)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, load_once);
	return !lib.loaded ? 1 : lib.have_decoder(compression) ? 0 : 2;
}

static unsigned load_heic(void)
{
	return load(HEVC);
}

static unsigned load_avif(void)
{
	return load(AV1);
}

/* ------------------------------------------------------------------------------------ head ---- */

typedef struct heif {
	heif_context *context;
	heif_handle *handle; /* of the primary image */
	uint32_t width, height;
	unsigned bits;
	bool alpha;
	colour_space colours;
} heif;

static int fail(heif_error e, imgsearch_error *err)
{
	const char *said = e.message ? e.message : "", *lead = "it is damaged";
	int rc = IMGSEARCH_EFORMAT, n = (int)strnlen(said, 300);
	while (n && (unsigned char)said[n - 1] <= ' ')
		n--;
	if (e.code == ERROR_MEMORY && e.subcode == SUB_SECURITY_LIMIT) {
		rc = IMGSEARCH_ELIMIT;
		lead = "it is above a limit of libheif";
	} else if (e.code == ERROR_UNSUPPORTED_TYPE || e.code == ERROR_UNSUPPORTED_FEATURE) {
		rc = IMGSEARCH_EUNSUPPORTED;
		lead = "this libheif does not read it";
	}
	return ims_fail(err, rc, "%s: %.*s", lead, n, said);
}

static void set_nclx(heif *h, heif_error e, heif_nclx *n)
{
	if (!e.code && n)
		ims_colour_set_nclx(&h->colours, (unsigned)n->primaries, (unsigned)n->transfer);
	if (n)
		lib.nclx_free(n);
}

/* The profile of the file, or its code points. False: no memory. */
static bool read_colours(heif *h)
{
	enum { MAX_PROFILE = 16 << 20 };
	int kind = lib.profile_kind(h->handle);
	size_t size = lib.profile_size(h->handle);
	heif_nclx *n = NULL;
	if ((kind != PROFILE_PROF && kind != PROFILE_RICC) || !size || size > MAX_PROFILE) {
		heif_error e = lib.nclx(h->handle, &n);
		set_nclx(h, e, n);
		return true;
	}
	void *profile = ims_alloc(size, 1);
	bool fine = profile
		&& (lib.profile(h->handle, profile).code
			|| ims_colour_set_profile(&h->colours, profile, size));
	ims_free(profile);
	return fine;
}

static void close_heif(heif *h)
{
	if (h->handle)
		lib.handle_free(h->handle);
	if (h->context)
		lib.context_free(h->context);
	ims_colour_clear(&h->colours);
}

/* What libheif may decode at most, by what the boxes say: tiles may be larger than the picture. */
static int limit_size(const heif *h, const heif_size *s, uint64_t max_pixels, imgsearch_error *err)
{
	enum { SIDE = 1 << 14, TILE = 1 << 10 };
	uint32_t side = s->stored_width > s->stored_height ? s->stored_width : s->stored_height;
	int rc = ims_image_check_size(s->stored_width, s->stored_height, max_pixels, err);
	if (!rc)
		lib.set_most(h->context, side ? (int)(side + TILE) : SIDE);
	return rc;
}

/* Closed by close_heif, also on failure. */
static int open_heif(heif *h, const void *data, size_t size, uint64_t max_pixels,
	imgsearch_error *err)
{
	heif_size s = { 0 };
	*h = (heif){ .context = lib.context_new() };
	if (!h->context)
		return ims_nomem(err);
	bool said = ims_heif_size(&s, data, size);
	h->width = s.width;
	h->height = s.height;
	int rc = limit_size(h, &s, max_pixels, err);
	if (rc)
		return rc;
	lib.set_threads(h->context, 0);
	heif_error e = lib.read(h->context, data, size, NULL);
	if (!e.code)
		e = lib.primary(h->context, &h->handle);
	if (e.code)
		return fail(e, err);
	int width = lib.width(h->handle), height = lib.height(h->handle);
	if (width <= 0 || height <= 0)
		return ims_fail(err, IMGSEARCH_EFORMAT, "it is damaged: its picture has no size");
	if (!said) {
		h->width = (uint32_t)width;
		h->height = (uint32_t)height;
	}
	int bits = lib.bits(h->handle);
	h->bits = bits > 0 ? (unsigned)bits : 8;
	h->alpha = lib.has_alpha(h->handle);
	rc = ims_image_check_size(h->width, h->height, max_pixels, err);
	return rc ? rc : read_colours(h) ? 0 : ims_nomem(err);
}

static int head(image_head *out, const void *data, size_t size, uint64_t max_pixels,
	imgsearch_error *err)
{
	heif h;
	int rc = open_heif(&h, data, size, max_pixels, err);
	uint64_t sample = h.bits > 8 ? 2 : 1;
	out->width = h.width;
	out->height = h.height;
	out->orientation = 1;
	out->traits = (h.alpha ? IMAGE_HAS_ALPHA : 0) | (h.colours.kind ? IMAGE_HAS_COLOURS : 0);
	/* The planes, twice while they are turned or put together; interleaved ones; the end. */
	out->memory = (uint64_t)h.width * h.height * (12 * sample + CODEC_FINISH_MEMORY);
	close_heif(&h);
	return rc;
}

/* ---------------------------------------------------------------------------------- pixels ---- */

/* Samples of `bits` bits become those of 16, in rows without gaps, in place. */
static void widen(uint16_t *to, const uint8_t *from, size_t stride, size_t samples, uint32_t rows,
	unsigned bits)
{
	uint32_t most = (1u << bits) - 1;
	for (uint32_t y = 0; y < rows; y++) {
		const uint16_t *row = (const uint16_t *)(const void *)(from + y * stride);
		for (size_t i = 0; i < samples; i++) {
			uint32_t v = row[i] < most ? row[i] : most;
			*to++ = (uint16_t)((v * 65535u + most / 2) / most);
		}
	}
}

static int finish(image *out, heif *h, heif_image *im, const decode_request *request,
	imgsearch_error *err)
{
	int stride = 0, bits = lib.image_bits(im, CHANNEL_INTERLEAVED);
	const uint8_t *pixels = lib.plane(im, CHANNEL_INTERLEAVED, &stride);
	bool wide = h->bits > 8;
	size_t samples = (size_t)h->width * (h->alpha ? 4 : 3), line = samples * (wide ? 2 : 1);
	if (!pixels || stride < 0 || (size_t)stride < line || bits < 1 || bits > 16
		|| lib.image_width(im, CHANNEL_INTERLEAVED) != (int)h->width
		|| lib.image_height(im, CHANNEL_INTERLEAVED) != (int)h->height)
		return ims_fail(err, IMGSEARCH_EFORMAT,
			"it is damaged: its picture has another size than it says");
	codec_rows rows = {
		.layout = wide ? (h->alpha ? PIXELS_RGBA16 : PIXELS_RGB16)
					   : (h->alpha ? PIXELS_RGBA8 : PIXELS_RGB8),
		.data = pixels,
		.stride = (size_t)stride,
		.width = h->width,
		.height = h->height,
		.premultiplied = lib.is_premultiplied(h->handle),
		.colours = &h->colours,
	};
	uint16_t *widened = NULL;
	if (wide && !(widened = ims_alloc(h->height, line)))
		return ims_nomem(err);
	if (wide) {
		widen(widened, pixels, rows.stride, samples, h->height, (unsigned)bits);
		rows.data = widened;
		rows.stride = line;
	}
	int rc = ims_codec_finish(out, &rows, request->colours, err);
	ims_free(widened);
	return rc;
}

static int decode(image *out, const image_head *stored, const void *data, size_t size,
	const decode_request *request, imgsearch_error *err)
{
	heif h;
	heif_image *im = NULL;
	int rc = open_heif(&h, data, size, UINT64_MAX, err);
	if (!rc && (h.width != stored->width || h.height != stored->height))
		rc = ims_fail(err, IMGSEARCH_EFORMAT, "it changed while it was read");
	if (!rc) {
		int wide = h.bits > 8 ? INTERLEAVED_RRGGBB_LE - INTERLEAVED_RGB : 0;
		heif_error e = lib.decode(h.handle, &im, RGB, INTERLEAVED_RGB + h.alpha + wide, NULL);
		rc = e.code ? fail(e, err) : 0;
	}
	if (!rc && !h.colours.kind && !lib.profile_size(h.handle)) {
		heif_nclx *n = NULL;
		heif_error e = lib.image_nclx(im, &n);
		set_nclx(&h, e, n);
	}
	if (!rc)
		rc = finish(out, &h, im, request, err);
	if (im)
		lib.image_free(im);
	close_heif(&h);
	return rc;
}

/* ---------------------------------------------------------------------------------- blocks ---- */

static bool is_tiff(const uint8_t *data)
{
	return !memcmp(data, "II*", 4) || !memcmp(data, "MM\0*", 4);
}

/* A block of Exif begins with the offset of its TIFF header. Some writers leave that out. */
static void put_exif(buf *out, const uint8_t *data, size_t size)
{
	size_t skip = size < 4 ? size : is_tiff(data) ? 0 : 4 + (size_t)ims_big_endian(data);
	if (skip < size)
		ims_buf_put(out, data + skip, size - skip);
}

static void put_block(image_blocks *out, const heif *h, heif_item id)
{
	const char *type = lib.block_type(h->handle, id), *content = lib.block_content(h->handle, id);
	size_t size = lib.block_size(h->handle, id);
	bool exif = type && !strcmp(type, "Exif");
	bool xmp = type && content && !strcmp(type, "mime") && !strcmp(content, "application/rdf+xml");
	if ((!exif && !xmp) || !size || size > IMAGE_MAX_BLOCK || (exif ? out->exif : out->xmp).len)
		return;
	uint8_t *data = ims_alloc(size, 1);
	if (data && !lib.block(h->handle, id, data).code) {
		if (exif)
			put_exif(&out->exif, data, size);
		else
			ims_buf_put(&out->xmp, data, size);
	}
	ims_free(data);
}

static void blocks(image_blocks *out, const void *data, size_t size)
{
	enum { MOST = 32 };
	heif_item ids[MOST];
	heif h;
	int n = open_heif(&h, data, size, UINT64_MAX, NULL)
		? 0
		: lib.list_blocks(h.handle, NULL, ids, MOST);
	for (int i = 0; i < n && i < MOST; i++)
		put_block(out, &h, ids[i]);
	close_heif(&h);
}

const codec ims_codec_heic = {
	.decoder = { IMAGE_HEIC, false, head, decode },
	.needs = { { "libheif", "libheif1", NULL },
		{ "libheif's decoder of HEVC", "libheif-plugin-libde265", "libheif1" } },
	.load = load_heic,
	.blocks = blocks,
	.sample = ims_heic_sample,
	.sample_size = sizeof ims_heic_sample,
};

const codec ims_codec_avif = {
	.decoder = { IMAGE_AVIF, false, head, decode },
	.needs = { { "libheif", "libheif1", NULL },
		{ "libheif's decoder of AV1", "libheif-plugin-dav1d", "libheif1" } },
	.load = load_avif,
	.blocks = blocks,
	.sample = ims_avif_sample,
	.sample_size = sizeof ims_avif_sample,
};
