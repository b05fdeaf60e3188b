/*
 * Colours: what is sRGB costs nothing, other profiles and gammas are converted where Little CMS is
 * there, and broken ones leave the pixels as they are. tests/image/colours.py compares with Pillow.
 */
#include "image/colour.h"
#include "image/common.h"

#include <math.h>
#include <zlib.h>

static void put32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (24 - 8 * i));
}

static void put_fixed(uint8_t *p, double v)
{
	put32(p, (uint32_t)(int32_t)lround(v * 65536));
}

typedef struct curve {
	int samples; /* 0: parametric, as sRGB writes it */
	double gamma;
} curve;

static double srgb_curve(double x)
{
	return x <= 0.04045 ? x / 12.92 : pow((x + 0.055) / 1.055, 2.4);
}

static size_t put_curve(uint8_t *p, curve c)
{
	static const double srgb[] = { 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045 };
	memcpy(p, c.samples ? "curv\0\0\0\0" : "para\0\0\0\0", 8);
	if (!c.samples) {
		put32(p + 8, c.gamma > 0 ? 0 : 3u << 16);
		for (int i = 0; i < 5; i++)
			put_fixed(p + 12 + 4 * i, c.gamma > 0 ? c.gamma : srgb[i]);
		return 32;
	}
	put32(p + 8, (uint32_t)c.samples);
	for (int i = 0; i < c.samples; i++) {
		double x = (double)i / (c.samples - 1);
		long v = lround(65535 * (c.gamma > 0 ? pow(x, c.gamma) : srgb_curve(x)));
		p[12 + 2 * i] = (uint8_t)(v >> 8);
		p[13 + 2 * i] = (uint8_t)v;
	}
	return 12 + 2 * (size_t)c.samples;
}

static const double srgb_colorants[3][3] = {
	{ 0.43607, 0.22249, 0.01392 },
	{ 0.38515, 0.71687, 0.09708 },
	{ 0.14307, 0.06061, 0.7141 },
};

/* A matrix profile; red: which colorant is called red, so that others swap the channels. */
static buf make_profile(int red, curve c)
{
	static const char *const names[] = { "rXYZ", "gXYZ", "bXYZ", "rTRC", "gTRC", "bTRC", "wtpt" };
	enum { TAGS = 7 };
	buf out = { 0 };
	uint8_t *p = ims_buf_grow(&out, 20000);
	size_t at = 132 + TAGS * 12, end = 0;
	memset(p, 0, 20000);
	put32(p + 8, 0x04200000);
	memcpy(p + 12, "mntrRGB XYZ ", 12);
	memcpy(p + 36, "acsp", 4);
	put_fixed(p + 68, 0.9642);
	put_fixed(p + 72, 1);
	put_fixed(p + 76, 0.8249);
	put32(p + 128, TAGS);
	for (int i = 0; i < TAGS; i++) {
		uint8_t *tag = p + 132 + 12 * i;
		memcpy(tag, names[i], 4);
		put32(tag + 4, (uint32_t)at);
		if (i >= 3 && i < 6) {
			size_t n = put_curve(p + at, c);
			put32(tag + 8, (uint32_t)n);
			end = at + n;
			at += i == 5 ? (n + 3) & ~(size_t)3 : 0; /* three tags share a curve */
			continue;
		}
		memcpy(p + at, "XYZ \0\0\0\0", 8);
		for (int k = 0; k < 3; k++)
			put_fixed(p + at + 8 + 4 * k,
				i == 6 ? (const double[]){ 0.9642, 1, 0.8249 }[k]
					   : srgb_colorants[(i + red) % 3][k]);
		put32(tag + 8, 20);
		end = at += 20;
	}
	out.len = end;
	put32(p, (uint32_t)end);
	return out;
}

static void srgb_has_many_spellings(void **state)
{
	(void)state;
	static const struct {
		int red;
		curve c;
		bool srgb;
	} profiles[] = {
		{ 0, { 0, 0 }, true },
		{ 0, { 1024, 0 }, true },
		{ 0, { 4096, 0 }, true },
		{ 1, { 0, 0 }, false },
		{ 2, { 1024, 0 }, false },
		{ 0, { 1024, 2.2 }, false },
		{ 0, { 0, 2.2 }, false },
		{ 0, { 0, 1.8 }, false },
		{ 0, { 0, 1 }, false },
	};
	for (size_t i = 0; i < sizeof profiles / sizeof *profiles; i++) {
		buf icc = make_profile(profiles[i].red, profiles[i].c);
		assert_int_equal(ims_icc_is_srgb(icc.data, icc.len), profiles[i].srgb);
		for (size_t n = 0; n < icc.len; n += 1 + n / 8) /* a cut one is not, and is not read on */
			assert_false(ims_icc_is_srgb(icc.data, n) && n < 300);
		ims_buf_free(&icc);
	}
}

/* A PNG of one colour with chunks before its pixels. */
static buf make_file(const uint8_t rgb[3], const char *type, const void *data, size_t n)
{
	buf out = { 0 };
	image im = { .pixels = ims_alloc(64, 3), .width = 8, .height = 8 };
	buf plain = { 0 };
	for (int i = 0; i < 64; i++)
		memcpy(im.pixels + 3 * i, rgb, 3);
	assert_int_equal(ims_image_encode_png(&plain, &im, NULL, NULL), 0);
	ims_buf_put(&out, plain.data, 33);
	put_chunk(&out, type, data, n);
	ims_buf_put(&out, plain.data + 33, plain.len - 33);
	ims_image_free(&im);
	ims_buf_free(&plain);
	return out;
}

static buf make_icc_file(const uint8_t rgb[3], const buf *icc)
{
	uint8_t chunk[20000] = "a name\0";
	uLongf n = sizeof chunk - 8;
	assert_int_equal(compress(chunk + 8, &n, icc->data, icc->len), Z_OK);
	return make_file(rgb, "iCCP", chunk, n + 8);
}

static void expect_pixel(const buf *file, colour_cache *cache, const int rgb[3], bool unconverted)
{
	image im;
	image_head head;
	const image_limits limits = { .colours = cache };
	assert_int_equal(ims_image_decode(&im, &head, file->data, file->len, &limits, NULL, NULL), 0);
	for (int c = 0; c < 3; c++)
		if (abs(im.pixels[c] - rgb[c]) > 1)
			fail_msg("channel %d is %d, not %d", c, im.pixels[c], rgb[c]);
	assert_int_equal(im.unconverted, unconverted);
	assert_int_equal(ims_image_has_bad_profile(&im), unconverted && ims_colour_available());
	ims_image_free(&im);
}

static void profiles_are_converted(void **state)
{
	static const uint8_t rgb[3] = { 200, 100, 50 };
	const int swapped[3] = { 50, 200, 100 };
	colour_cache *cache = ims_colour_cache_new();
	buf icc = make_profile(1, (curve){ 0, 0 });
	buf file = make_icc_file(rgb, &icc);
	(void)state;
	if (!ims_colour_available())
		skip();
	for (int i = 0; i < 3; i++)
		expect_pixel(&file, i ? cache : NULL, swapped, false);
	ims_buf_free(&file);
	ims_buf_free(&icc);
	ims_colour_cache_free(cache);
}

static void broken_profiles_leave_the_pixels(void **state)
{
	static const uint8_t rgb[3] = { 200, 100, 50 };
	const int same[3] = { 200, 100, 50 };
	(void)state;
	for (int i = 0; i < 4; i++) {
		buf icc = make_profile(1, (curve){ 0, 0 });
		if (i == 0)
			icc.len = 100;
		if (i == 1)
			memset(icc.data, 0, icc.len);
		if (i == 2)
			memcpy(icc.data + 16, "CMYK", 4);
		if (i == 3)
			memset(icc.data + 132, 0xFF, 84);
		buf file = make_icc_file(rgb, &icc);
		expect_pixel(&file, NULL, same, true);
		ims_buf_free(&file);
		ims_buf_free(&icc);
	}
}

/* A profile whose bytes are not all there. */
static void incomplete_profiles_leave_the_pixels(void **state)
{
	static const uint8_t rgb[3] = { 200, 100, 50 };
	static const uint8_t first_of_two[] = "ICC_PROFILE\0\1\2rest";
	const int same[3] = { 200, 100, 50 };
	(void)state;
	buf png = make_file(rgb, "iCCP", "a name\0\0no stream", 17);
	expect_pixel(&png, NULL, same, true);
	image im = { .pixels = ims_alloc(64, 3), .width = 8, .height = 8 };
	buf plain = { 0 }, jpeg = { 0 };
	for (int i = 0; i < 64; i++)
		memcpy(im.pixels + 3 * i, rgb, 3);
	assert_int_equal(ims_image_encode_jpeg(&plain, &im, 100, NULL, NULL), 0);
	for (int part = 0; part < 2; part++) { /* no segment; one of two */
		const uint8_t head[4] = { 0xFF, 0xE2, 0, 2 + sizeof first_of_two - 1 };
		jpeg.len = 0;
		ims_buf_put(&jpeg, plain.data, 2);
		ims_buf_put(&jpeg, head, part ? 4 : 0);
		ims_buf_put(&jpeg, first_of_two, part ? sizeof first_of_two - 1 : 0);
		ims_buf_put(&jpeg, plain.data + 2, plain.len - 2);
		expect_pixel(&jpeg, NULL, same, part);
	}
	ims_image_free(&im);
	ims_buf_free(&plain);
	ims_buf_free(&jpeg);
	ims_buf_free(&png);
}

/* A profile of three colours is not for grey samples; the numbers of gAMA are. */
static void grey_takes_no_profile_of_colours(void **state)
{
	(void)state;
	colour_space profile = { 0 }, gamma = { 0 };
	buf icc = make_profile(0, (curve){ 0, 1 });
	if (!ims_colour_available())
		skip();
	assert_true(ims_colour_set_profile(&profile, icc.data, icc.len));
	ims_colour_set_gamma(&gamma, 1, NULL);
	for (int grey = 0; grey < 2; grey++) {
		const colour_transform *t = ims_colour_acquire(NULL, &profile, PIXELS_RGB8, grey);
		assert_int_equal(t != NULL, !grey);
		ims_colour_release(t);
		t = ims_colour_acquire(NULL, &gamma, PIXELS_RGB8, grey);
		assert_non_null(t);
		ims_colour_release(t);
	}
	ims_colour_clear(&profile);
	ims_colour_clear(&gamma);
	ims_buf_free(&icc);
}

static void gammas_are_converted(void **state)
{
	static const uint8_t rgb[3] = { 128, 64, 255 };
	uint8_t gamma[4];
	(void)state;
	if (!ims_colour_available())
		skip();
	for (int i = 0; i < 4; i++) {
		const double exponent = (const double[]){ 1, 1.8, 2.2, 0 }[i];
		int want[3];
		for (int c = 0; c < 3; c++) {
			double linear = pow(rgb[c] / 255.0, exponent);
			double v = linear <= 0.0031308 ? linear * 12.92 : 1.055 * pow(linear, 1 / 2.4) - 0.055;
			want[c] = i < 2 ? (int)lround(v * 255) : rgb[c];
		}
		put32(gamma, exponent > 0 ? (uint32_t)lround(100000 / exponent) : 0);
		buf file = make_file(rgb, "gAMA", gamma, 4);
		expect_pixel(&file, NULL, want, false);
		ims_buf_free(&file);
	}
}

/* Eight transforms are kept; more of them, on several threads, are made and freed. */
static void the_cache_is_bounded(void **state)
{
	(void)state;
	colour_cache *cache = ims_colour_cache_new();
	const colour_transform *held[20];
	if (!ims_colour_available())
		skip();
	for (int i = 0; i < 20; i++) {
		colour_space c = { 0 };
		ims_colour_set_gamma(&c, 0.2 + 0.01 * i, NULL);
		held[i] = ims_colour_acquire(cache, &c, PIXELS_RGB8, false);
		assert_non_null(held[i]);
		const colour_transform *again = ims_colour_acquire(cache, &c, PIXELS_RGB8, false);
		assert_ptr_equal(again, held[i]);
		ims_colour_release(again);
		ims_colour_clear(&c);
	}
	ims_colour_cache_free(cache);
	for (int i = 0; i < 20; i++) {
		uint8_t to[3], from[3] = { 10, 200, 90 };
		ims_colour_apply(held[i], from, to, 1);
		ims_colour_release(held[i]);
	}
}

/* ---------------------------------------------------------------------------- transparency ---- */

typedef enum shape { RING, STAR, FULL, MARGIN, NOTHING } shape;

static bool is_drawn(shape s, int x, int y)
{
	int dx = x - 32, dy = y - 32, r = dx * dx + dy * dy;
	switch (s) {
	case RING:
		return r > 300 && r < 700;
	case STAR:
		return abs(dx) + abs(dy) < 20 || (abs(dx) < 3 && abs(dy) < 30);
	case FULL:
		return true;
	case MARGIN:
		return x > 0 && y > 0 && x < 63 && y < 64;
	default:
		return false;
	}
}

static void draw(image *im, shape s, uint8_t light)
{
	buf file = { 0 };
	png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
	png_infop info = png_create_info_struct(png);
	png_set_write_fn(png, &file, png_to_buf, png_no_flush);
	png_set_IHDR(png, info, 64, 64, 8, PNG_COLOR_TYPE_GRAY_ALPHA, 0, 0, 0);
	png_write_info(png, info);
	for (int y = 0; y < 64; y++) {
		uint8_t row[128];
		for (int x = 0; x < 64; x++) {
			row[2 * x] = is_drawn(s, x, y) ? light : 0;
			row[2 * x + 1] = is_drawn(s, x, y) ? 255 : 0;
		}
		png_write_row(png, row);
	}
	png_write_end(png, info);
	png_destroy_write_struct(&png, &info);
	assert_int_equal(ims_image_decode(im, NULL, file.data, file.len, NULL, NULL, NULL), 0);
	ims_buf_free(&file);
}

static void drawings_differ_from_what_is_behind_them(void **state)
{
	static const struct {
		shape s;
		uint8_t light, background;
	} cases[] = {
		{ RING, 255, 0 },
		{ STAR, 255, 0 },
		{ RING, 230, 0 },
		{ RING, 0, 255 },
		{ STAR, 0, 255 },
		{ RING, 150, 255 },
		{ FULL, 255, 255 },
		{ MARGIN, 255, 255 },
		{ NOTHING, 255, 255 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		image im;
		draw(&im, cases[i].s, cases[i].light);
		for (int y = 0; y < 64; y++)
			for (int x = 0; x < 64; x++) {
				int want = is_drawn(cases[i].s, x, y) ? cases[i].light : cases[i].background;
				if (im.pixels[3 * (64 * y + x)] != want)
					fail_msg("case %zu: (%d, %d) is %d, not %d", i, x, y,
						im.pixels[3 * (64 * y + x)], want);
			}
		ims_image_free(&im);
	}
}

/* One pixel of 16-bit samples of these code points. */
static void convert_nclx(uint8_t out[3], unsigned primaries, unsigned transfer, double r, double g,
	double b)
{
	const uint16_t in[3] = { (uint16_t)(r * 65535 + 0.5), (uint16_t)(g * 65535 + 0.5),
		(uint16_t)(b * 65535 + 0.5) };
	colour_space c = { 0 };
	ims_colour_set_nclx(&c, primaries, transfer);
	const colour_transform *t = ims_colour_acquire(NULL, &c, PIXELS_RGB16, false);
	assert_non_null(t);
	ims_colour_apply(t, in, out, 1);
	ims_colour_release(t);
	ims_colour_clear(&c);
}

/* Black is black, the peak is white, grey stays grey, more light is lighter; hues stay. */
static void high_dynamic_range_is_mapped(void **state)
{
	enum { PQ = 16, HLG = 18, BT709 = 1, BT2020 = 9 };
	const double pq_203 = 0.5807, pq_1000 = 0.7518, pq_20 = 0.3570;
	uint8_t p[3], last = 0;
	(void)state;
	for (unsigned transfer = PQ; transfer <= HLG; transfer += 2) {
		last = 0;
		for (int i = 0; i <= 100; i++) {
			convert_nclx(p, BT2020, transfer, i / 100.0, i / 100.0, i / 100.0);
			assert_true(abs(p[0] - p[1]) <= 1 && abs(p[1] - p[2]) <= 1 && p[1] >= last);
			last = p[1];
			assert_true(i || !p[1]);
		}
		assert_int_equal(last, 255);
	}
	convert_nclx(p, BT2020, PQ, pq_1000, pq_1000, pq_1000);
	assert_true(p[0] >= 254);
	convert_nclx(p, BT2020, PQ, pq_203, pq_203, pq_203); /* the white of graphics */
	assert_in_range(p[0], 215, 240);
	convert_nclx(p, BT709, PQ, pq_20, pq_20, pq_20); /* below the knee: 20 of 203 nits */
	assert_in_range(p[0], 88, 90);
	convert_nclx(p, BT709, PQ, pq_203, 0, 0);
	assert_true(p[0] > 200 && p[1] < 3 && p[2] < 3);
}

static void code_points_of_video_are_srgb(void **state)
{
	static const unsigned transfers[] = { 0, 1, 2, 6, 13, 14, 15, 255, 999 };
	colour_space c = { 0 };
	(void)state;
	for (size_t i = 0; i < sizeof transfers / sizeof *transfers; i++) {
		ims_colour_set_nclx(&c, 1, transfers[i]);
		assert_int_equal(c.kind, COLOUR_SRGB);
		ims_colour_set_nclx(&c, 12, transfers[i]); /* Display P3 */
		assert_int_equal(c.kind, COLOUR_CURVE);
		assert_int_equal(c.transfer, TRANSFER_SRGB);
	}
	ims_colour_set_nclx(&c, 1, 8);
	assert_true(c.kind == COLOUR_CURVE && c.gamma == 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(srgb_has_many_spellings),
		cmocka_unit_test(profiles_are_converted),
		cmocka_unit_test(broken_profiles_leave_the_pixels),
		cmocka_unit_test(incomplete_profiles_leave_the_pixels),
		cmocka_unit_test(grey_takes_no_profile_of_colours),
		cmocka_unit_test(gammas_are_converted),
		cmocka_unit_test(the_cache_is_bounded),
		cmocka_unit_test(high_dynamic_range_is_mapped),
		cmocka_unit_test(code_points_of_video_are_srgb),
		cmocka_unit_test(drawings_differ_from_what_is_behind_them),
	};
	return cmocka_run_group_tests_name("colour", tests, NULL, NULL);
}
