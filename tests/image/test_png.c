/*
 * PNG: every colour type, depth, interlacing and transparency against a formula; what is not PNG's
 * pixels is not read.
 */
#include "image/common.h"

#include <math.h>

static double opaque(double value, double alpha)
{
	return value * alpha + 255 * (1 - alpha);
}

/* What pixel (x, y) must look like, by the definition. */
static void expected(double rgb[3], const png_kind *k, uint32_t x, uint32_t y)
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
	for (unsigned c = 0; c < 3; c++)
		rgb[c] = opaque(rgb[c], alpha);
}

static void check_kind(const png_kind *k)
{
	imgsearch_error err = { 0 };
	image im;
	image_head head;
	buf file = make_png(k);
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
			expected(rgb, k, x, y);
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

static void every_kind_becomes_rgb_over_white(void **state)
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

static void profiles_and_texts_are_skipped_unread(void **state)
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
		cmocka_unit_test(every_kind_becomes_rgb_over_white),
		cmocka_unit_test(exif_turns_wherever_it_stands),
		cmocka_unit_test(profiles_and_texts_are_skipped_unread),
		cmocka_unit_test(what_is_written_is_read_back),
		cmocka_unit_test(apples_variant_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
