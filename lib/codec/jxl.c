/*
 * JPEG XL by libjxl: the first frame, upright as its codestream says (Exif has no part in that).
 * libjxl converts to sRGB what it can; of the rest, and of PQ and HLG, it says the colours.
 *
 * Functions are used, and structs whose layout was compared in the headers of the versions listed.
 * No thread runner is given, so libjxl works in the thread that calls it.
 *
 * Source: ISO/IEC 18181-1 and -2.
 */
#include "base/library.h"
#include "codec/codec.h"
#include "codec/finish.h"

#include <string.h>

IMS_LIBRARY_NOTE("libjxl.so.0.11\",\"libjxl.so.0.7", "JPEG XL pictures");

/* ----------------------------------------------------------------------------- the library ---- */

typedef struct jxl_decoder jxl_decoder;

/* JxlBasicInfo. */
typedef struct jxl_info {
	int container;
	uint32_t width, height, bits, exponent_bits;
	float intensity, min_nits;
	int relative;
	float linear_below;
	int original_profile, preview, animation, orientation;
	uint32_t colour_channels, extra_channels, alpha_bits, alpha_exponent_bits;
	int premultiplied;
	uint32_t preview_size[2], ticks[2], loops;
	int timecodes;
	uint32_t intrinsic_size[2];
	uint8_t padding[100];
} jxl_info;

/* JxlColorEncoding. */
typedef struct jxl_colours {
	int space, white_point;
	double white[2];
	int primaries;
	double red[2], green[2], blue[2];
	int transfer;
	double gamma;
	int intent;
} jxl_colours;

/* JxlPixelFormat. */
typedef struct jxl_format {
	uint32_t channels;
	int type, order;
	size_t align;
} jxl_format;

/* Values of enums of libjxl. */
enum {
	SUCCESS = 0,
	NEED_BUFFER = 5, /* of the pixels */
	BASIC_INFO = 0x40,
	COLOURS = 0x100,
	FULL_IMAGE = 0x1000,
	BOX = 0x4000,
	TARGET_DATA = 1,
	SPACE_RGB = 0,
	SPACE_GREY = 1,
	D65 = 1,
	PRIMARIES_SRGB = 1,
	TRANSFER_CODE_UNKNOWN = 2,
	TRANSFER_CODE_SRGB = 13,
	TRANSFER_CODE_PQ = 16,
	TRANSFER_CODE_DCI = 17,
	TRANSFER_CODE_HLG = 18,
	TRANSFER_CODE_GAMMA = 65535,
	TYPE_U8 = 2,
	TYPE_U16 = 3,
};

static struct {
	uint32_t (*version)(void);
	jxl_decoder *(*new)(const void *memory);
	void (*free)(jxl_decoder *d);
	int (*subscribe)(jxl_decoder *d, int events);
	int (*set_input)(jxl_decoder *d, const uint8_t *data, size_t size);
	void (*close_input)(jxl_decoder *d);
	int (*process)(jxl_decoder *d);
	int (*info)(const jxl_decoder *d, jxl_info *out);
	void *colours, *profile_size, *profile; /* their types depend on the version */
	int (*prefer)(jxl_decoder *d, const jxl_colours *c);
	int (*buffer_size)(const jxl_decoder *d, const jxl_format *f, size_t *size);
	int (*set_buffer)(jxl_decoder *d, const jxl_format *f, void *to, size_t size);
	int (*decompress_boxes)(jxl_decoder *d, int yes);
	int (*box_type)(jxl_decoder *d, char type[4], int decompressed);
	int (*set_box_buffer)(jxl_decoder *d, uint8_t *to, size_t size);
	size_t (*release_box_buffer)(jxl_decoder *d);
	bool loaded;
} lib;

static void load_once(void)
{
	static const char *const files[] = { "libjxl.so.0.11", "libjxl.so.0.7", NULL };
	const library_function functions[] = {
		{ "JxlDecoderVersion", (void **)&lib.version },
		{ "JxlDecoderCreate", (void **)&lib.new },
		{ "JxlDecoderDestroy", (void **)&lib.free },
		{ "JxlDecoderSubscribeEvents", (void **)&lib.subscribe },
		{ "JxlDecoderSetInput", (void **)&lib.set_input },
		{ "JxlDecoderCloseInput", (void **)&lib.close_input },
		{ "JxlDecoderProcessInput", (void **)&lib.process },
		{ "JxlDecoderGetBasicInfo", (void **)&lib.info },
		{ "JxlDecoderGetColorAsEncodedProfile", &lib.colours },
		{ "JxlDecoderGetICCProfileSize", &lib.profile_size },
		{ "JxlDecoderGetColorAsICCProfile", &lib.profile },
		{ "JxlDecoderSetPreferredColorProfile", (void **)&lib.prefer },
		{ "JxlDecoderImageOutBufferSize", (void **)&lib.buffer_size },
		{ "JxlDecoderSetImageOutBuffer", (void **)&lib.set_buffer },
		{ "JxlDecoderSetDecompressBoxes", (void **)&lib.decompress_boxes },
		{ "JxlDecoderGetBoxType", (void **)&lib.box_type },
		{ "JxlDecoderSetBoxBuffer", (void **)&lib.set_box_buffer },
		{ "JxlDecoderReleaseBoxBuffer", (void **)&lib.release_box_buffer },
	};
	lib.loaded = ims_library_load(files, functions, sizeof functions / sizeof functions[0]);
}

static unsigned load(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, load_once);
	return lib.loaded ? 0 : 1;
}

/* Version 0.9 took an argument out of these three. */
static bool is_old(void)
{
	return lib.version() < 9000;
}

static bool encoded_colours(const jxl_decoder *d, jxl_colours *out)
{
	int (*old)(const jxl_decoder *, const jxl_format *, int, jxl_colours *);
	int (*now)(const jxl_decoder *, int, jxl_colours *);
	memcpy(&old, &lib.colours, sizeof old);
	memcpy(&now, &lib.colours, sizeof now);
	return (is_old() ? old(d, NULL, TARGET_DATA, out) : now(d, TARGET_DATA, out)) == SUCCESS;
}

static bool profile_size(const jxl_decoder *d, size_t *out)
{
	int (*old)(const jxl_decoder *, const jxl_format *, int, size_t *);
	int (*now)(const jxl_decoder *, int, size_t *);
	memcpy(&old, &lib.profile_size, sizeof old);
	memcpy(&now, &lib.profile_size, sizeof now);
	return (is_old() ? old(d, NULL, TARGET_DATA, out) : now(d, TARGET_DATA, out)) == SUCCESS;
}

static bool profile(const jxl_decoder *d, uint8_t *to, size_t size)
{
	int (*old)(const jxl_decoder *, const jxl_format *, int, uint8_t *, size_t);
	int (*now)(const jxl_decoder *, int, uint8_t *, size_t);
	memcpy(&old, &lib.profile, sizeof old);
	memcpy(&now, &lib.profile, sizeof now);
	return (is_old() ? old(d, NULL, TARGET_DATA, to, size) : now(d, TARGET_DATA, to, size))
		== SUCCESS;
}

/* ------------------------------------------------------------------------------------ head ---- */

typedef struct jxl {
	jxl_decoder *decoder;
	jxl_info info;
	colour_space colours;
} jxl;

static int damaged(imgsearch_error *err, const char *why)
{
	return ims_fail(err, IMGSEARCH_EFORMAT, "the JPEG XL is damaged: %s", why);
}

static bool is_wide(const jxl *j)
{
	bool hdr = j->colours.transfer == TRANSFER_PQ || j->colours.transfer == TRANSFER_HLG;
	return j->info.bits > 8 || hdr;
}

/* Of pictures that libjxl can convert; of others it stays what it is. PQ and HLG are mapped here.
 */
static void prefer_srgb(const jxl *j)
{
	jxl_colours c = { 0 };
	if (encoded_colours(j->decoder, &c)
		&& (c.transfer == TRANSFER_CODE_PQ || c.transfer == TRANSFER_CODE_HLG))
		return;
	const jxl_colours srgb = {
		.space = j->info.colour_channels == 1 ? SPACE_GREY : SPACE_RGB,
		.white_point = D65,
		.primaries = PRIMARIES_SRGB,
		.transfer = TRANSFER_CODE_SRGB,
	};
	lib.prefer(j->decoder, &srgb);
}

static bool read_profile(jxl *j)
{
	enum { MAX_PROFILE = 16 << 20 };
	size_t size = 0;
	if (!profile_size(j->decoder, &size) || !size || size > MAX_PROFILE)
		return true;
	uint8_t *icc = ims_alloc(size, 1);
	bool fine = icc
		&& (!profile(j->decoder, icc, size) || ims_colour_set_profile(&j->colours, icc, size));
	ims_free(icc);
	return fine;
}

/* What the pixels will be in. False: no memory. */
static bool read_colours(jxl *j)
{
	jxl_colours c = { 0 };
	prefer_srgb(j);
	if (!encoded_colours(j->decoder, &c) || c.transfer == TRANSFER_CODE_UNKNOWN)
		return read_profile(j);
	bool grey = c.space == SPACE_GREY;
	const double srgb[8] = { 0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06 };
	const double xy[8] = { c.white[0], c.white[1], c.red[0], c.red[1], c.green[0], c.green[1],
		c.blue[0], c.blue[1] };
	if (c.transfer == TRANSFER_CODE_GAMMA || c.transfer == TRANSFER_CODE_DCI)
		ims_colour_set_gamma(&j->colours, c.transfer == TRANSFER_CODE_DCI ? 1 / 2.6 : c.gamma,
			grey ? NULL : xy);
	else
		ims_colour_set_transfer(&j->colours, grey ? srgb : xy, (unsigned)c.transfer);
	return true;
}

static void close_jxl(jxl *j)
{
	if (j->decoder)
		lib.free(j->decoder);
	ims_colour_clear(&j->colours);
}

/* Up to the colours. Closed by close_jxl, also on failure. */
static int open_jxl(jxl *j, const void *data, size_t size, uint64_t max_pixels,
	imgsearch_error *err)
{
	*j = (jxl){ .decoder = lib.new(NULL) };
	if (!j->decoder)
		return ims_nomem(err);
	if (lib.subscribe(j->decoder, BASIC_INFO | COLOURS | FULL_IMAGE)
		|| lib.set_input(j->decoder, data, size))
		return damaged(err, "libjxl refuses it");
	lib.close_input(j->decoder);
	if (lib.process(j->decoder) != BASIC_INFO || lib.info(j->decoder, &j->info))
		return damaged(err, "its header cannot be read");
	int rc = ims_image_check_size(j->info.width, j->info.height, max_pixels, err);
	if (rc)
		return rc;
	if (lib.process(j->decoder) != COLOURS)
		return damaged(err, "its colours cannot be read");
	return read_colours(j) ? 0 : ims_nomem(err);
}

static int head(image_head *out, const void *data, size_t size, uint64_t max_pixels,
	imgsearch_error *err)
{
	jxl j;
	int rc = open_jxl(&j, data, size, max_pixels, err);
	out->width = j.info.width;
	out->height = j.info.height;
	out->orientation = 1;
	out->traits = (j.info.alpha_bits ? IMAGE_HAS_ALPHA : 0)
		| (j.colours.kind ? IMAGE_HAS_COLOURS : 0);
	/* libjxl holds all samples as floats, and some of them twice; then the buffer, and the end. */
	uint64_t samples = 3 + (uint64_t)j.info.extra_channels;
	out->memory = (uint64_t)out->width * out->height * (samples * 12 + 8 + CODEC_FINISH_MEMORY);
	close_jxl(&j);
	return rc;
}

/* ---------------------------------------------------------------------------------- pixels ---- */

static int decode_pixels(jxl *j, const jxl_format *format, void *to, size_t size,
	imgsearch_error *err)
{
	size_t need = 0;
	if (lib.process(j->decoder) != NEED_BUFFER)
		return damaged(err, "it is cut off");
	if (lib.buffer_size(j->decoder, format, &need) || need > size
		|| lib.set_buffer(j->decoder, format, to, size))
		return damaged(err, "its pixels have another size than it says");
	return lib.process(j->decoder) == FULL_IMAGE ? 0 : damaged(err, "its pixels cannot be decoded");
}

static int decode(image *out, const image_head *stored, const void *data, size_t size,
	const decode_request *request, imgsearch_error *err)
{
	jxl j;
	void *pixels = NULL;
	int rc = open_jxl(&j, data, size, UINT64_MAX, err);
	if (!rc && (j.info.width != stored->width || j.info.height != stored->height))
		rc = damaged(err, "it changed while it was read");
	bool wide = is_wide(&j), alpha = j.info.alpha_bits;
	const jxl_format format = { alpha ? 4 : 3, wide ? TYPE_U16 : TYPE_U8, 0, 0 };
	size_t line = (size_t)j.info.width * format.channels * (wide ? 2 : 1);
	if (!rc && !(pixels = ims_alloc(j.info.height, line)))
		rc = ims_nomem(err);
	if (!rc)
		rc = decode_pixels(&j, &format, pixels, line * j.info.height, err);
	const codec_rows rows = {
		.layout = wide ? (alpha ? PIXELS_RGBA16 : PIXELS_RGB16)
					   : (alpha ? PIXELS_RGBA8 : PIXELS_RGB8),
		.data = pixels,
		.stride = line,
		.width = j.info.width,
		.height = j.info.height,
		.premultiplied = j.info.premultiplied,
		.grey = j.info.colour_channels == 1,
		.colours = &j.colours,
	};
	if (!rc)
		rc = ims_codec_finish(out, &rows, request->colours, err);
	ims_free(pixels);
	close_jxl(&j);
	return rc;
}

/* ---------------------------------------------------------------------------------- blocks ---- */

/* The content of a box, as far as it has room. A box of Exif begins with an offset, as in HEIF. */
static void put_box(image_blocks *out, const char type[4], const uint8_t *data, size_t size)
{
	size_t skip = size >= 4 ? 4 + (size_t)ims_big_endian(data) : size;
	if (!memcmp(type, "Exif", 4) && skip < size && !out->exif.len)
		ims_buf_put(&out->exif, data + skip, size - skip);
	if (!memcmp(type, "xml ", 4) && !out->xmp.len)
		ims_buf_put(&out->xmp, data, size);
}

static void blocks(image_blocks *out, const void *data, size_t size)
{
	jxl_decoder *d = lib.new(NULL);
	uint8_t *content = ims_alloc(IMAGE_MAX_BLOCK + 4, 1);
	bool fine = d && content && !lib.subscribe(d, BOX) && !lib.decompress_boxes(d, 1)
		&& !lib.set_input(d, data, size);
	char type[4] = { 0 };
	bool holds = false;
	if (fine)
		lib.close_input(d);
	while (fine) {
		int event = lib.process(d);
		if (holds && (event == BOX || event == SUCCESS))
			put_box(out, type, content, IMAGE_MAX_BLOCK + 4 - lib.release_box_buffer(d));
		holds = false;
		if (event != BOX || lib.box_type(d, type, 1))
			break;
		if (!memcmp(type, "Exif", 4) || !memcmp(type, "xml ", 4))
			holds = !lib.set_box_buffer(d, content, IMAGE_MAX_BLOCK + 4);
	}
	ims_free(content);
	if (d)
		lib.free(d);
}

/* By cjxl -q 50, of 16 x 16 pixels. */
/* clang-format off */
static const uint8_t sample[] = {
	255, 10, 67, 64, 66, 229, 222, 42, 130, 10, 1, 0, 0, 136, 0, 0, 56, 0, 88,
	0, 88, 74, 40, 49, 221, 92, 244, 116, 224, 217, 3, 141, 208, 8, 103, 36, 161, 220,
	96, 239, 100, 124, 124, 103, 39, 18, 0, 113, 9, 224, 195, 4, 162, 1, 0, 200, 0,
	73, 121, 10, 0, 128, 10, 149, 81, 198, 13, 94, 206, 245, 124, 249, 161, 195, 98, 218,
	198, 117, 134, 182, 218, 182, 176, 36, 17, 74, 33, 137, 131, 2, 100, 44, 42, 73, 36,
	65, 230, 173, 30, 0, 248, 121, 0, 6, 0, 21, 3,
};
/* clang-format on */

const codec ims_codec_jxl = {
	.decoder = { IMAGE_JXL, false, head, decode },
	.needs = { { "libjxl", "libjxl0.11", "libjxl0.7" } },
	.load = load,
	.blocks = blocks,
	.sample = sample,
	.sample_size = sizeof sample,
};
