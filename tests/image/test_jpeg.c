/*
 * JPEG: every kind that libjpeg writes, the eight orientations, scaling, cropping, other formats by
 * name.
 */
#include "image/common.h"

static const jpeg_kind kinds[] = {
	{ .name = "4:4:4" },
	{ .name = "4:2:0", .h = 2, .v = 2 },
	{ .name = "4:2:2", .h = 2 },
	{ .name = "4:4:0", .v = 2 },
	{ .name = "4:1:1", .h = 4 },
	{ .name = "grey", .stored = JCS_GRAYSCALE },
	{ .name = "RGB", .stored = JCS_RGB },
	{ .name = "CMYK", .stored = JCS_CMYK },
	{ .name = "YCCK", .stored = JCS_YCCK, .h = 2, .v = 2 },
	{ .name = "progressive", .h = 2, .v = 2, .progressive = 1 },
	{ .name = "progressive grey", .stored = JCS_GRAYSCALE, .progressive = 1 },
	{ .name = "progressive CMYK", .stored = JCS_CMYK, .progressive = 1 },
	{ .name = "restarts", .restart = 3 },
	{ .name = "progressive restarts", .h = 2, .progressive = 1, .restart = 2 },
#ifdef C_ARITH_CODING_SUPPORTED
	{ .name = "arithmetic", .arithmetic = 1 },
	{ .name = "progressive arithmetic", .arithmetic = 1, .progressive = 1, .h = 2, .v = 2 },
#endif
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

/* Mean absolute difference; grey pictures hold the green of theirs. */
static double difference(const image *a, const image *b, bool grey)
{
	double sum = 0;
	size_t n = (size_t)a->width * a->height * 3;
	assert_int_equal(a->width, b->width);
	assert_int_equal(a->height, b->height);
	for (size_t i = 0; i < n; i++)
		sum += abs(a->pixels[i] - b->pixels[grey ? i / 3 * 3 + 1 : i]);
	return sum / (double)n;
}

static void every_kind_is_read(void **state)
{
	(void)state;
	for (size_t k = 0; k < KINDS; k++)
		for (uint32_t width = 1; width <= 129; width += 64) {
			imgsearch_error err = { 0 };
			image im = smooth_image(width, 75), back;
			image_head head;
			buf file = make_jpeg(&im, &kinds[k]);
			if (ims_image_decode(&back, &head, file.data, file.len, NULL, NULL, &err))
				fail_msg("%s: %s", kinds[k].name, err.message);
			double d = difference(&back, &im, kinds[k].stored == JCS_GRAYSCALE);
			if (!(d < 1.5))
				fail_msg("%s: off by %g", kinds[k].name, d);
			assert_int_equal(head.format, IMAGE_JPEG);
			assert_int_equal(head.width, width);
			assert_int_equal(head.orientation, 1);
			ims_image_free(&im);
			ims_image_free(&back);
			ims_buf_free(&file);
		}
}

/* CIPA DC-008: which stored corner (and then which side) upright pixel (x, y) comes from. */
static void stored_position(uint32_t orientation, uint32_t w, uint32_t h, uint32_t x, uint32_t y,
	uint32_t *sx, uint32_t *sy)
{
	switch (orientation) {
	case 1:
		*sx = x, *sy = y;
		break;
	case 2:
		*sx = w - 1 - x, *sy = y;
		break;
	case 3:
		*sx = w - 1 - x, *sy = h - 1 - y;
		break;
	case 4:
		*sx = x, *sy = h - 1 - y;
		break;
	case 5:
		*sx = y, *sy = x;
		break;
	case 6:
		*sx = y, *sy = h - 1 - x;
		break;
	case 7:
		*sx = w - 1 - y, *sy = h - 1 - x;
		break;
	default:
		*sx = w - 1 - y, *sy = x;
		break;
	}
}

static void eight_orientations_come_upright(void **state)
{
	(void)state;
	image im = smooth_image(70, 41), plain;
	jpeg_kind k = { .name = "4:4:4" };
	buf file = make_jpeg(&im, &k);
	assert_int_equal(ims_image_decode(&plain, NULL, file.data, file.len, NULL, NULL, NULL), 0);
	ims_buf_free(&file);
	for (k.orientation = 1; k.orientation <= 8; k.orientation++)
		for (k.motorola = 0; k.motorola < 2; k.motorola++) {
			image turned;
			image_head head;
			file = make_jpeg(&im, &k);
			assert_int_equal(ims_image_decode(&turned, &head, file.data, file.len, NULL, NULL,
								 NULL),
				0);
			assert_int_equal(head.orientation, k.orientation);
			assert_int_equal(head.width, k.orientation >= 5 ? 41 : 70);
			assert_int_equal(turned.width, head.width);
			assert_int_equal(turned.height, head.height);
			for (uint32_t y = 0; y < turned.height; y++)
				for (uint32_t x = 0; x < turned.width; x++) {
					uint32_t sx, sy;
					stored_position(k.orientation, 70, 41, x, y, &sx, &sy);
					assert_memory_equal(turned.pixels + (y * turned.width + x) * 3,
						plain.pixels + (sy * 70 + sx) * 3, 3);
				}
			ims_image_free(&turned);
			ims_buf_free(&file);
		}
	ims_image_free(&im);
	ims_image_free(&plain);
}

static void scaling_leaves_what_is_asked_for(void **state)
{
	(void)state;
	static const struct {
		uint32_t at_least, full, width;
	} cases[] = {
		{ 0, 0, 400 },
		{ 300, 0, 400 },
		{ 121, 0, 400 },
		{ 120, 0, 200 },
		{ 61, 0, 200 },
		{ 60, 0, 100 },
		{ 30, 0, 50 },
		{ 1, 0, 50 },
		{ 1, 1, 400 },
	};
	image im = smooth_image(400, 300), small;
	for (int progressive = 0; progressive < 2; progressive++) {
		jpeg_kind k = { .h = 2, .v = 2, .progressive = progressive, .orientation = 6 };
		buf file = make_jpeg(&im, &k);
		for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
			image_limits limits = { .at_least = cases[i].at_least, .full_decode = cases[i].full };
			image_head head;
			assert_int_equal(ims_image_decode(&small, &head, file.data, file.len, &limits, NULL,
								 NULL),
				0);
			assert_int_equal(head.width, 300);
			assert_int_equal(head.height, 400);
			assert_int_equal(small.height, cases[i].width);
			ims_image_free(&small);
		}
		ims_buf_free(&file);
	}
	ims_image_free(&im);
}

static void a_crop_is_cut_from_the_upright_picture(void **state)
{
	(void)state;
	image im = smooth_image(400, 300), whole, part;
	jpeg_kind k = { .orientation = 8 };
	buf file = make_jpeg(&im, &k);
	int32_t crop[4] = { 40, 60, 200, 120 };
	assert_int_equal(ims_image_decode(&whole, NULL, file.data, file.len, NULL, NULL, NULL), 0);
	assert_int_equal(ims_image_decode(&part, NULL, file.data, file.len, NULL, crop, NULL), 0);
	assert_int_equal(ims_image_crop(&whole, crop, NULL), 0);
	assert_int_equal(part.width, 200);
	assert_int_equal(part.height, 120);
	assert_memory_equal(part.pixels, whole.pixels, 200 * 120 * 3);
	ims_image_free(&part);
	image_limits limits = { .at_least = 40 }; /* of the crop, not of the whole */
	assert_int_equal(ims_image_decode(&part, NULL, file.data, file.len, &limits, crop, NULL), 0);
	assert_int_equal(part.width, 100);
	assert_int_equal(part.height, 60);
	ims_image_free(&part);
	static const int32_t bad[][4] = {
		{ -1, 0, 5, 5 },
		{ 0, 0, 0, 5 },
		{ 0, 0, 301, 5 },
		{ 290, 0, 11, 5 },
		{ 0, 399, 1, 2 },
		{ 2147483647, 0, 2147483647, 1 },
	};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_int_equal(ims_image_decode(&part, NULL, file.data, file.len, NULL, bad[i], NULL),
			IMGSEARCH_EINVAL);
		assert_null(part.pixels);
	}
	ims_image_free(&im);
	ims_image_free(&whole);
	ims_buf_free(&file);
}

static void what_is_written_is_read_back(void **state)
{
	(void)state;
	image im = smooth_image(120, 90), back;
	buf fine = { 0 }, coarse = { 0 };
	assert_int_equal(ims_image_encode_jpeg(&fine, &im, 95, NULL, NULL), 0);
	assert_int_equal(ims_image_encode_jpeg(&coarse, &im, 30, NULL, NULL), 0);
	assert_true(coarse.len < fine.len);
	assert_int_equal(ims_image_decode(&back, NULL, fine.data, fine.len, NULL, NULL, NULL), 0);
	assert_true(difference(&back, &im, false) < 2);
	ims_image_free(&im);
	ims_image_free(&back);
	ims_buf_free(&fine);
	ims_buf_free(&coarse);
}

static void other_formats_are_named(void **state)
{
	(void)state;
	static const struct {
		const char *bytes;
		size_t size;
		image_format format;
		const char *name;
	} files[] = {
		{ "RIFF\0\0\0\0WEBPVP8 ", 16, IMAGE_WEBP, "WebP" },
		{ "BM and its cars, a letter", 24, IMAGE_UNKNOWN, "not a picture" },
		{ "II*\0\x08\0\0\0", 8, IMAGE_TIFF, "TIFF" },
		{ "MM\0*\0\0\0\x08", 8, IMAGE_TIFF, "TIFF" },
		{ "\0\0\0\x18"
		  "ftypheic",
			12, IMAGE_HEIC, "HEIC" },
		{ "\0\0\0\x18"
		  "ftypavif",
			12, IMAGE_AVIF, "AVIF" },
		{ "\0\0\0\x18"
		  "ftypXAVC\1\0\x1F\xFFXAVCiso2",
			24, IMAGE_VIDEO, "video" },
		{ "\0\0\0\x18"
		  "ftypM4A \0\0\0\0mp42isom",
			24, IMAGE_UNKNOWN, "not a picture" },
		{ "\0\0\0\x14"
		  "ftypOWN \0\0\0\0own mif1",
			24, IMAGE_UNKNOWN, "not a picture" }, /* the brands end before it */
		{ "\0\0\0\x1C"
		  "ftypOWN \0\0\0\0heixmif1avif",
			28, IMAGE_AVIF, "AVIF" },
		{ "\0\0\x10\0mdat....", 12, IMAGE_VIDEO, "video" },
		{ "%PDF-1.7", 8, IMAGE_PDF, "PDF" },
		{ "\0\0\0\x0CjP  \r\n\x87\n", 12, IMAGE_JPEG2000, "JPEG 2000" },
		{ "\xFF\x0A\0\0", 4, IMAGE_JXL, "JPEG XL" },
		{ "\0\0\1\0\1\0", 6, IMAGE_ICO, "ICO" },
		{ "<?xml version='1.0'?><svg>", 26, IMAGE_SVG, "SVG" },
		{ "a letter to a friend", 20, IMAGE_UNKNOWN, "not a picture" },
	};
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		imgsearch_error err = { 0 };
		image_head head;
		assert_int_equal(ims_image_sniff(files[i].bytes, files[i].size), files[i].format);
		assert_int_equal(ims_image_head(&head, files[i].bytes, files[i].size, NULL, &err),
			IMGSEARCH_EUNSUPPORTED);
		assert_non_null(strstr(err.message, files[i].name));
	}
	image_head head;
	assert_int_equal(ims_image_head(&head, "", 0, NULL, NULL), IMGSEARCH_EFORMAT);
	assert_int_equal(ims_image_sniff("", 0), IMAGE_EMPTY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_is_read),
		cmocka_unit_test(eight_orientations_come_upright),
		cmocka_unit_test(scaling_leaves_what_is_asked_for),
		cmocka_unit_test(a_crop_is_cut_from_the_upright_picture),
		cmocka_unit_test(what_is_written_is_read_back),
		cmocka_unit_test(other_formats_are_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
