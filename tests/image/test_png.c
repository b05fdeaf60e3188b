/*
 * PNG: every colour type, depth, interlacing and transparency against a formula; what is not PNG's
 * pixels is not read.
 */
#include "image/common.h"

#include <math.h>
#include <zlib.h>

/* The colour of pixel (x, y) by the definition; returns its alpha, 0..1. */
static double colour_of(double rgb[3], const png_kind *k, uint32_t x, uint32_t y)
{
	double max = (1 << k->depth) - 1, alpha = 1;
	unsigned samples = png_samples(k->type), v[4] = { 0 }, first[4] = { 0 };
	for (unsigned s = 0; s < samples; s++) {
		v[s] = png_sample(x, y, s, k->depth);
		first[s] = png_sample(0, 0, s, k->depth);
	}
	if (k->type == PNG_COLOR_TYPE_PALETTE) {
		png_color c = palette_color(v[0]);
		rgb[0] = c.red, rgb[1] = c.green, rgb[2] = c.blue;
		alpha = k->transparent ? palette_alpha(v[0]) / 255.0 : 1;
	} else {
		for (unsigned c = 0; c < 3; c++)
			rgb[c] = v[samples < 3 ? 0 : c] * 255 / max;
		if (k->type & PNG_COLOR_MASK_ALPHA)
			alpha = v[samples - 1] / max;
		else if (k->transparent)
			alpha = memcmp(v, first, sizeof v) != 0;
	}
	return alpha;
}

/* White; black where nearly all that is drawn is light, and a part of the picture is clear. */
static double background_of(const png_kind *k)
{
	double drawn = 0, dark = 0, clear = 0, rgb[3];
	for (uint32_t y = 0; y < k->height; y++)
		for (uint32_t x = 0; x < k->width; x++) {
			double alpha = colour_of(rgb, k, x, y);
			double luma = 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2];
			drawn += alpha;
			clear += 1 - alpha;
			dark += luma < 208 ? alpha : 0;
		}
	return drawn && dark < drawn / 20 && clear > (clear + drawn) / 20 ? 0 : 255;
}

/* What pixel (x, y) must look like. */
static void expected(double out[3], const png_kind *k, double background, uint32_t x, uint32_t y)
{
	double rgb[3], alpha = colour_of(rgb, k, x, y);
	for (unsigned c = 0; c < 3; c++)
		out[c] = rgb[c] * alpha + background * (1 - alpha);
}

static void check_kind(const png_kind *k)
{
	imgsearch_error err = { 0 };
	image im;
	image_head head;
	buf file = make_png(k);
	double background = background_of(k);
	/* 16 bits with alpha are rounded to 8 before they are laid over white: three roundings */
	double tolerance = k->depth == 16 && k->type & PNG_COLOR_MASK_ALPHA ? 1.501 : 0.501;
	if (ims_image_decode(&im, &head, file.data, file.len, NULL, NULL, &err))
		fail_msg("type %d depth %d interlaced %d: %s", k->type, k->depth, k->interlaced,
			err.message);
	assert_int_equal(head.format, IMAGE_PNG);
	assert_int_equal(im.width, k->width);
	assert_int_equal(im.height, k->height);
	for (uint32_t y = 0; y < k->height; y++)
		for (uint32_t x = 0; x < k->width; x++) {
			double rgb[3];
			expected(rgb, k, background, x, y);
			for (int c = 0; c < 3; c++)
				if (fabs(im.pixels[((size_t)y * im.width + x) * 3 + c] - rgb[c]) > tolerance)
					fail_msg("type %d depth %d interlaced %d transparent %d: (%u, %u)[%d] is %d, "
							 "not %g",
						k->type, k->depth, k->interlaced, k->transparent, (unsigned)x, (unsigned)y,
						c, im.pixels[((size_t)y * im.width + x) * 3 + c], rgb[c]);
		}
	ims_image_free(&im);
	ims_buf_free(&file);
}

static void every_kind_becomes_rgb(void **state)
{
	(void)state;
	static const struct {
		int type, depths[5];
	} kinds[] = {
		{ PNG_COLOR_TYPE_GRAY, { 1, 2, 4, 8, 16 } },
		{ PNG_COLOR_TYPE_RGB, { 8, 16 } },
		{ PNG_COLOR_TYPE_PALETTE, { 1, 2, 4, 8 } },
		{ PNG_COLOR_TYPE_GRAY_ALPHA, { 8, 16 } },
		{ PNG_COLOR_TYPE_RGB_ALPHA, { 8, 16 } },
	};
	for (size_t t = 0; t < sizeof kinds / sizeof kinds[0]; t++)
		for (int d = 0; d < 5 && kinds[t].depths[d]; d++)
			for (int bits = 0; bits < 4; bits++)
				for (uint32_t width = 1; width <= 33; width += 16) {
					png_kind k = {
						kinds[t].type,
						kinds[t].depths[d],
						bits & 1,
						bits >> 1,
						width,
						13,
					};
					if (!(k.transparent && k.type & PNG_COLOR_MASK_ALPHA))
						check_kind(&k);
				}
}

/* A picture of 20 x 10 with one more chunk, after IHDR (33 bytes) or before IEND (12 bytes). */
static buf with_chunk(const char *type, const void *data, size_t n, bool at_end)
{
	png_kind k = { PNG_COLOR_TYPE_RGB, 8, 0, 0, 20, 10 };
	buf plain = make_png(&k), out = { 0 };
	size_t at = at_end ? plain.len - 12 : 33;
	ims_buf_put(&out, plain.data, at);
	put_chunk(&out, type, data, n);
	ims_buf_put(&out, plain.data + at, plain.len - at);
	ims_buf_free(&plain);
	return out;
}

static void exif_turns_wherever_it_stands(void **state)
{
	(void)state;
	for (int at_end = 0; at_end < 2; at_end++) {
		image im;
		image_head head;
		buf file = with_chunk("eXIf",
			"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0", 26, at_end);
		assert_int_equal(ims_image_decode(&im, &head, file.data, file.len, NULL, NULL, NULL), 0);
		assert_int_equal(head.orientation, 6);
		assert_int_equal(im.width, 10);
		assert_int_equal(im.height, 20);
		assert_int_equal(im.pixels[9 * 3],
			pattern(0, 0, 0)); /* its first corner is the upper right one now */
		ims_image_free(&im);
		ims_buf_free(&file);
	}
}

static const char exif_hex[] = "45786966000049492a0008000000010012010300010000000600000000000000";

/* A text chunk with an orientation of 6; what: how it is written. */
static buf with_text(int what)
{
	static const char xmp[] = "<x:xmpmeta><rdf:Description tiff:Orientation=\"6\"/></x:xmpmeta>";
	static const char element[] = "<tiff:Orientation>6</tiff:Orientation>";
	char raw[400], chunk[1000];
	size_t n = 0;
	uLongf size;
	snprintf(raw, sizeof raw, "\nexif\n      32\n%.20s\n%s\n", exif_hex, exif_hex + 20);
	switch (what) {
	case 0: /* as ImageMagick writes it */
	case 1:
		n = (size_t)sprintf(chunk, "Raw profile type %s", what ? "APP1" : "exif") + 1;
		memcpy(chunk + n, raw, strlen(raw));
		return with_chunk("tEXt", chunk, n + strlen(raw), what == 1);
	case 2:
		n = (size_t)sprintf(chunk, "Raw profile type exif") + 2;
		chunk[n - 1] = 0;
		size = sizeof chunk - n;
		assert_int_equal(compress((Bytef *)chunk + n, &size, (Bytef *)raw, strlen(raw)), Z_OK);
		return with_chunk("zTXt", chunk, n + size, false);
	case 3:
	case 4:
		n = (size_t)sprintf(chunk, "XML:com.adobe.xmp") + 1;
		memset(chunk + n, 0, 4);
		strcpy(chunk + n + 4, what == 3 ? xmp : element);
		return with_chunk("iTXt", chunk, n + 4 + strlen(chunk + n + 4), false);
	default:
		n = (size_t)sprintf(chunk, "XML:com.adobe.xmp") + 1;
		memcpy(chunk + n, "\1\0\0", 4);
		size = sizeof chunk - n - 4;
		assert_int_equal(compress((Bytef *)chunk + n + 4, &size, (Bytef *)xmp, strlen(xmp)), Z_OK);
		return with_chunk("iTXt", chunk, n + 4 + size, true);
	}
}

/* Exif begins with its TIFF header or, by some writers, with its name: in the chunk, in texts. */
static void exif_with_and_without_its_name(void **state)
{
	(void)state;
	static const char chunk[] = "Exif\0\0MM\0*\0\0\0\x08\0\x01"
								"\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
	char text[2][200];
	image_head head;
	enum { KEY = 22, NAME = 6 };
	for (int i = 0; i < 2; i++) /* lines of other systems; no name */
		memcpy(text[i], "Raw profile type exif", KEY);
	snprintf(text[0] + KEY, 150, "\r\nexif\r\n      32\r\n%s\r\n", exif_hex);
	snprintf(text[1] + KEY, 150, "\nexif\n      26\n%s\n", exif_hex + 2 * NAME);
	for (int i = 0; i < 4; i++) {
		buf file = i < 2 ? with_chunk("eXIf", chunk + NAME * i, 32 - NAME * (size_t)i, false)
						 : with_chunk("tEXt", text[i - 2], KEY + strlen(text[i - 2] + KEY), false);
		assert_int_equal(ims_image_head(&head, file.data, file.len, NULL, NULL), 0);
		if (head.orientation != 6 || !(head.traits & IMAGE_HAS_OTHER_ORIENTATION) != (i == 1))
			fail_msg("block %d: orientation %u", i, (unsigned)head.orientation);
		ims_buf_free(&file);
	}
}

static void texts_turn_as_exif_does(void **state)
{
	(void)state;
	for (int what = 0; what < 6; what++) {
		image im;
		image_head head;
		buf file = with_text(what);
		assert_int_equal(ims_image_decode(&im, &head, file.data, file.len, NULL, NULL, NULL), 0);
		if (head.orientation != 6 || im.width != 10 || !(head.traits & IMAGE_HAS_OTHER_ORIENTATION))
			fail_msg("text %d: orientation %u", what, (unsigned)head.orientation);
		ims_image_free(&im);
		ims_buf_free(&file);
	}
}

/* A text that inflates to much more than a block may have is not kept, however often it comes. */
static void a_text_is_no_bomb(void **state)
{
	static Bytef zeros[4 << 20];
	static uint8_t chunk[1 << 16] = "Raw profile type exif\0";
	(void)state;
	uLongf size = sizeof chunk - 23;
	image_head head;
	assert_int_equal(compress(chunk + 23, &size, zeros, sizeof zeros), Z_OK);
	buf file = with_chunk("zTXt", chunk, 23 + size, false);
	for (int i = 0; i < 200; i++)
		put_chunk(&file, "zTXt", chunk, 23 + size);
	double start = ims_now();
	assert_int_equal(ims_image_head(&head, file.data, file.len, NULL, NULL), 0);
	assert_int_equal(head.orientation, 1);
	assert_true(ims_now() - start < 10); /* inflating all of them would take longer */
	ims_buf_free(&file);
}

static void damaged_profiles_and_texts_do_no_harm(void **state)
{
	(void)state;
	static const char *const types[] = {
		"iCCP",
		"zTXt",
		"iTXt",
		"tEXt",
		"gAMA",
		"sBIT",
		"sPLT",
		"hIST",
		"prVt",
	};
	uint8_t junk[300];
	memset(junk, 0xA5, sizeof junk);
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		image im;
		buf file = with_chunk(types[i], junk, sizeof junk, false);
		assert_int_equal(ims_image_decode(&im, NULL, file.data, file.len, NULL, NULL, NULL), 0);
		assert_int_equal(im.pixels[0], pattern(0, 0, 0));
		ims_image_free(&im);
		ims_buf_free(&file);
	}
}

/* A clear colour that stands before the palette, against the rules: no pixel has it. */
static void a_clear_colour_may_stand_before_the_palette(void **state)
{
	static const uint8_t colour[] = { 0, 1, 0, 254, 0, 3 };
	(void)state;
	for (int interlaced = 0; interlaced < 2; interlaced++)
		for (int first = 0; first < 2; first++) {
			png_kind k = { PNG_COLOR_TYPE_RGB, 8, interlaced, 0, 20, 10 };
			buf plain = make_png(&k), file = { 0 };
			image im, whole;
			assert_int_equal(ims_image_decode(&whole, NULL, plain.data, plain.len, NULL, NULL,
								 NULL),
				0);
			ims_buf_put(&file, plain.data, 33);
			if (first)
				put_chunk(&file, "tRNS", colour, sizeof colour);
			put_chunk(&file, "PLTE", (const uint8_t *)"abcdef", 6);
			if (!first)
				put_chunk(&file, "tRNS", colour, sizeof colour);
			ims_buf_put(&file, plain.data + 33, plain.len - 33);
			assert_int_equal(ims_image_decode(&im, NULL, file.data, file.len, NULL, NULL, NULL), 0);
			assert_memory_equal(im.pixels, whole.pixels, 20 * 10 * 3);
			ims_image_free(&im);
			ims_image_free(&whole);
			ims_buf_free(&plain);
			ims_buf_free(&file);
		}
}

static void what_is_written_is_read_back(void **state)
{
	(void)state;
	image im = pattern_image(37, 23), back;
	buf file = { 0 };
	assert_int_equal(ims_image_encode_png(&file, &im, NULL, NULL), 0);
	assert_int_equal(ims_image_decode(&back, NULL, file.data, file.len, NULL, NULL, NULL), 0);
	assert_int_equal(back.width, 37);
	assert_int_equal(back.height, 23);
	assert_memory_equal(back.pixels, im.pixels, 37 * 23 * 3);
	ims_image_free(&im);
	ims_image_free(&back);
	ims_buf_free(&file);
}

static void apples_variant_is_named(void **state)
{
	(void)state;
	imgsearch_error err = { 0 };
	image_head head;
	uint8_t file[64] = "\x89PNG\r\n\x1a\n\0\0\0\x04"
					   "CgBI";
	assert_int_equal(ims_image_head(&head, file, sizeof file, NULL, &err), IMGSEARCH_EUNSUPPORTED);
	assert_non_null(strstr(err.message, "CgBI"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_becomes_rgb),
		cmocka_unit_test(exif_turns_wherever_it_stands),
		cmocka_unit_test(exif_with_and_without_its_name),
		cmocka_unit_test(texts_turn_as_exif_does),
		cmocka_unit_test(a_text_is_no_bomb),
		cmocka_unit_test(damaged_profiles_and_texts_do_no_harm),
		cmocka_unit_test(a_clear_colour_may_stand_before_the_palette),
		cmocka_unit_test(what_is_written_is_read_back),
		cmocka_unit_test(apples_variant_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
