/*
 * Fit and resize: bit for bit what torchvision and Pillow make of the same pixels
 * (tests/golden/image.py); scaled pictures.
 */
#include "image/common.h"

#include <math.h>

static const struct {
	uint32_t width, height, resize, crop, bicubic;
} fits[] = {
	{ 61, 37, 24, 14, 0 },
	{ 37, 61, 24, 14, 1 },
	{ 9, 12, 20, 16, 0 },
	{ 9, 12, 20, 16, 1 },
	{ 90, 31, 8, 12, 0 },
	{ 33, 33, 13, 13, 1 },
	{ 50, 70, 19, 16, 0 },
	{ 70, 50, 19, 14, 0 },
	{ 200, 9, 8, 7, 1 },
	{ 3, 640, 4, 5, 0 },
	{ 16, 16, 16, 16, 0 },
	{ 61, 37, 0, 14, 0 },
	{ 37, 61, 0, 14, 1 },
	{ 9, 120, 0, 16, 1 },
};

static const struct {
	uint32_t width, height, to_width, to_height, bicubic;
	double box[4];
} boxes[] = {
	{ 61, 37, 20, 11, 0, { 3.25, 1.5, 50.75, 36.5 } },
	{ 61, 37, 20, 11, 1, { 3.25, 1.5, 50.75, 36.5 } },
	{ 13, 11, 30, 24, 1, { 0, 0, 13, 11 } },
};

/* resize 0: squashed */
static image_recipe recipe_of(uint32_t resize, uint32_t crop, uint32_t bicubic)
{
	return (image_recipe){
		resize ? resize : crop,
		crop,
		{ 0.485f, 0.456f, 0.406f },
		{ 0.229f, 0.224f, 0.225f },
		bicubic,
		!resize,
		0,
	};
}

static buf golden(const char *name)
{
	char path[64];
	buf file = { 0 };
	imgsearch_error err = { 0 };
	snprintf(path, sizeof path, "tests/golden/%s", name);
	if (ims_read_file(&file, path, 1 << 20, &err))
		fail_msg("%s (tests run from the project's root)", err.message);
	return file;
}

static void fit_is_torchvisions(void **state)
{
	(void)state;
	buf want = golden("image.f32");
	size_t at = 0;
	for (size_t i = 0; i < sizeof fits / sizeof fits[0]; i++) {
		image im = pattern_image(fits[i].width, fits[i].height);
		image_recipe r = recipe_of(fits[i].resize, fits[i].crop, fits[i].bicubic);
		size_t n = (size_t)r.crop * r.crop;
		float *planar = ims_alloc(n * 3, sizeof(float)), *mixed = ims_alloc(n * 3, sizeof(float)),
			  *expected = ims_alloc(n * 3, sizeof(float));
		assert_true(planar && mixed && expected && at + n * 12 <= want.len);
		memcpy(expected, want.data + at, n * 12);
		at += n * 12;
		assert_int_equal(ims_image_fit(&im, &r, true, planar, NULL), 0);
		assert_int_equal(ims_image_fit(&im, &r, false, mixed, NULL), 0);
		for (size_t k = 0; k < n * 3; k++) {
			if (!(fabsf(planar[k] - expected[k]) < 1e-6f))
				fail_msg("case %zu: value %zu is %g, not %g", i, k, planar[k], expected[k]);
			assert_true(mixed[k % n * 3 + k / n] == planar[k]);
		}
		ims_free(planar);
		ims_free(mixed);
		ims_free(expected);
		ims_image_free(&im);
	}
	assert_int_equal(at, want.len);
	ims_buf_free(&want);
}

static void resize_of_a_box_is_pillows(void **state)
{
	(void)state;
	buf want = golden("image.u8");
	size_t at = 0;
	for (size_t i = 0; i < sizeof boxes / sizeof boxes[0]; i++) {
		image im = pattern_image(boxes[i].width, boxes[i].height), out;
		size_t n = (size_t)boxes[i].to_width * boxes[i].to_height * 3;
		assert_int_equal(ims_image_resize(&out, &im, boxes[i].to_width, boxes[i].to_height,
							 boxes[i].bicubic, boxes[i].box, NULL),
			0);
		assert_true(at + n <= want.len);
		assert_memory_equal(out.pixels, want.data + at, n);
		at += n;
		ims_image_free(&im);
		ims_image_free(&out);
	}
	assert_int_equal(at, want.len);
	ims_buf_free(&want);
}

static void boxes_outside_are_refused(void **state)
{
	(void)state;
	static const double bad[][4] = {
		{ -1, 0, 5, 5 },
		{ 0, 0, 11, 5 },
		{ 5, 0, 5, 5 },
		{ 0, 0, 5, NAN },
	};
	image im = pattern_image(10, 10), out;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(ims_image_resize(&out, &im, 4, 4, false, bad[i], NULL), IMGSEARCH_EINVAL);
	assert_int_equal(ims_image_resize(&out, &im, 0, 4, false, NULL, NULL), IMGSEARCH_EINVAL);
	ims_image_free(&im);
}

/*
 * Mean difference between the fit of a picture decoded in full and of the same decoded at a scale.
 */
static double scaled_differs(const buf *file, const int32_t *crop, const image_recipe *r)
{
	enum { N = 28 * 28 * 3 };
	float full[N], scaled[N];
	double sum = 0;
	image a, b;
	image_limits limits = { .at_least = r->resize };
	assert_int_equal(ims_image_decode(&a, NULL, file->data, file->len, NULL, crop, NULL), 0);
	assert_int_equal(ims_image_decode(&b, NULL, file->data, file->len, &limits, crop, NULL), 0);
	assert_true(b.width < a.width);
	assert_int_equal(ims_image_fit(&a, r, false, full, NULL), 0);
	assert_int_equal(ims_image_fit(&b, r, false, scaled, NULL), 0);
	for (int i = 0; i < N; i++)
		sum += fabsf(full[i] - scaled[i]);
	ims_image_free(&a);
	ims_image_free(&b);
	return sum / N;
}

/* Odd sizes end within the scaled picture's last pixel, and turned ones begin there. */
static void a_scaled_picture_keeps_its_place(void **state)
{
	(void)state;
	image im = smooth_image(331, 287);
	image_recipe r = recipe_of(32, 28, 0), squashed = recipe_of(0, 28, 1);
	const int32_t crop[4] = { 13, 7, 201, 231 };
	for (jpeg_kind k = { .orientation = 1 }; k.orientation <= 8; k.orientation++) {
		buf file = make_jpeg(&im, &k);
		double whole = scaled_differs(&file, NULL, &r), part = scaled_differs(&file, crop, &r),
			   both = scaled_differs(&file, NULL, &squashed);
		if (!(whole < 0.01 && part < 0.01 && both < 0.01))
			fail_msg("orientation %u: off by %g, cropped %g, squashed %g", (unsigned)k.orientation,
				whole, part, both);
		ims_buf_free(&file);
	}
	ims_image_free(&im);
}

/* A part of a picture as large as the resize, by its own single crop. */
static void expect_crop(const image *im, uint32_t x, uint32_t y, const image_recipe *r,
	const float *got)
{
	float part[12 * 12 * 3];
	image cut = { 0 };
	image_recipe one = *r;
	imgsearch_error err;
	const double box[4] = { x, y, x + 12, y + 12 };
	one.resize = one.crop, one.crops = 0;
	assert_int_equal(ims_image_resize(&cut, im, 12, 12, false, box, &err), 0);
	assert_int_equal(ims_image_fit(&cut, &one, false, part, &err), 0);
	assert_memory_equal(part, got, sizeof part);
	ims_image_free(&cut);
}

static void five_crops(void **state)
{
	(void)state;
	image im = pattern_image(31, 20);
	image_recipe r = recipe_of(20, 12, 0), one = r;
	float out[5 * 12 * 12 * 3], centre[12 * 12 * 3];
	enum { EACH = 12 * 12 * 3 };
	r.crops = 5;
	assert_int_equal(ims_recipe_inputs(&r), 5);
	assert_int_equal(ims_recipe_inputs(&one), 1);
	assert_int_equal(ims_recipe_values(&r), 5 * EACH);
	assert_int_equal(ims_image_fit(&im, &r, false, out, NULL), 0);
	expect_crop(&im, 0, 0, &r, out);
	expect_crop(&im, 19, 0, &r, out + EACH);
	expect_crop(&im, 0, 8, &r, out + 2 * EACH);
	expect_crop(&im, 19, 8, &r, out + 3 * EACH);
	assert_int_equal(ims_image_fit(&im, &one, false, centre, NULL), 0);
	assert_memory_equal(centre, out + 4 * EACH, sizeof centre);
	ims_image_free(&im);
}

/* A part is what the resize makes of its box, in the values of the network. */
static void parts(void **state)
{
	(void)state;
	enum { SIDE = 12 };
	image im = pattern_image(50, 30), want = { 0 };
	image_recipe r = recipe_of(20, SIDE, 1);
	float out[SIDE * SIDE * 3];
	const double box[4] = { 0.5, 0.25, 1, 0.75 }, pixels[4] = { 25, 7.5, 50, 22.5 };
	assert_int_equal(ims_image_fit_part(&im, &r, box, SIDE, out, NULL), 0);
	assert_int_equal(ims_image_resize(&want, &im, SIDE, SIDE, true, pixels, NULL), 0);
	for (size_t i = 0; i < SIDE * SIDE * 3; i++) {
		float v = ((float)want.pixels[i] / 255.0f - r.mean[i % 3]) / r.std[i % 3];
		assert_true(fabsf(out[i] - v) < 1e-6f);
	}
	ims_image_free(&want);
	ims_image_free(&im);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fit_is_torchvisions),
		cmocka_unit_test(five_crops),
		cmocka_unit_test(parts),
		cmocka_unit_test(resize_of_a_box_is_pillows),
		cmocka_unit_test(boxes_outside_are_refused),
		cmocka_unit_test(a_scaled_picture_keeps_its_place),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
