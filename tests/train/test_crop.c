/*
 * The parts of training that need no network: where crops lie, what they become, who is held out.
 */
#include "test.h"
#include "train/crop.h"
#include "train/dataset.h"
#include "train/seed.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static image drawn(uint32_t width, uint32_t height)
{
	image im = { .pixels = ims_alloc((size_t)width * height, 3), .width = width, .height = height };
	for (uint32_t i = 0; i < width * height * 3; i++)
		im.pixels[i] = (uint8_t)(i * 7 + i / (3 * width));
	return im;
}

static void views(void **state)
{
	image im = { .width = 200, .height = 160 };
	view_recipe r = { .seed = 3, .min_area = 0.25f, .centre = 0.875f };
	double box[4], again[4], other[4];
	(void)state;
	ims_crop_view(box, &im, &r, 77, 0);
	assert_memory_equal(box, ((double[4]){ 30, 10, 170, 150 }), sizeof box);
	ims_crop_view(other, &im, &r, 77, 1);
	ims_crop_view(again, &im, &r, 77, 1);
	assert_memory_equal(other, again, sizeof other);
	ims_crop_view(again, &im, &r, 77, 2);
	assert_memory_not_equal(other, again, sizeof other);
	ims_crop_view(again, &im, &r, 78, 1);
	assert_memory_not_equal(other, again, sizeof other);
	r.squash = true;
	ims_crop_view(again, &im, &r, 77, 0);
	assert_memory_equal(again, ((double[4]){ 0, 0, 200, 160 }), sizeof box);
	r.centre = 0; /* then the first view is a crop like any */
	ims_crop_view(again, &im, &r, 77, 0);
	assert_memory_not_equal(box, again, sizeof box);
}

static void boxes(void **state)
{
	static const uint32_t sizes[][2] = { { 160, 200 }, { 1, 1 }, { 1000, 10 }, { 33, 32 } };
	(void)state;
	for (size_t s = 0; s < 4; s++) {
		image im = { .width = sizes[s][0], .height = sizes[s][1] };
		for (uint64_t i = 0; i < 500; i++) {
			double box[4], again[4];
			uint64_t random = ims_seed_derive(1, i, s), same = ims_seed_derive(1, i, s);
			ims_crop_box(box, &im, 0.5f, &random);
			ims_crop_box(again, &im, 0.5f, &same);
			assert_memory_equal(box, again, sizeof box);
			assert_true(box[0] >= 0 && box[1] >= 0 && box[2] <= im.width && box[3] <= im.height);
			assert_true(box[2] - box[0] >= 1 && box[3] - box[1] >= 1);
			if (s == 0) {
				double share = (box[2] - box[0]) * (box[3] - box[1]) / (im.width * im.height),
					   ratio = (box[2] - box[0]) / (box[3] - box[1]);
				assert_true(share > 0.49 && ratio > 0.74 && ratio < 1.35);
			}
		}
	}
}

static void values(void **state)
{
	enum { SIDE = 16 };
	static float plain[SIDE * SIDE * 3], turned[SIDE * SIDE * 3];
	const crop_recipe r = { .side = SIDE, .mean = { 0.5f, 0.25f, 0 }, .std = { 0.5f, 0.25f, 1 } };
	const double whole[4] = { 0, 0, SIDE, SIDE };
	image im = drawn(SIDE, SIDE);
	int mirrored = 0;
	(void)state;
	assert_int_equal(ims_crop_make(plain, &im, whole, &r, 0.3f, NULL, NULL), 0);
	for (int i = 0; i < SIDE * SIDE * 3; i++)
		assert_float_equal(plain[i], (im.pixels[i] / 255.0f - r.mean[i % 3]) / r.std[i % 3], 1e-6);
	for (uint64_t n = 0; n < 64; n++) {
		uint64_t random = ims_seed_derive(2, n, 0);
		assert_int_equal(ims_crop_make(turned, &im, whole, &r, 0, &random, NULL), 0);
		bool same = true, mirror = true;
		for (int y = 0; y < SIDE; y++)
			for (int x = 0; x < SIDE; x++)
				for (int c = 0; c < 3; c++) {
					float v = turned[(y * SIDE + x) * 3 + c];
					same &= fabsf(v - plain[(y * SIDE + x) * 3 + c]) < 1e-4f;
					mirror &= fabsf(v - plain[(y * SIDE + SIDE - 1 - x) * 3 + c]) < 1e-4f;
				}
		assert_true(same || mirror);
		mirrored += mirror;
	}
	assert_in_range(mirrored, 16, 48);
	ims_image_free(&im);
}

static void held_out(void **state)
{
	enum { CLASSES = 3, EACH = 10, N = CLASSES * EACH + 1 };
	static const char *const names[CLASSES + 1] = { "a", "b", "c", "single" };
	train_file file[N + 1];
	dataset set;
	job j = { 0 };
	imgsearch_error err;
	char dir[] = "/tmp/imgsearch-train-XXXXXX";
	int held[CLASSES + 1] = { 0 };
	(void)state;
	assert_non_null(mkdtemp(dir));
	for (int i = 0; i <= N; i++) {
		image im = drawn(8 + (uint32_t)i, 9);
		buf png = { 0 };
		file[i] = (train_file){ ims_format("%s/%02d.png", dir, i), i < N ? names[i / EACH] : NULL,
			1 };
		assert_int_equal(ims_image_encode_png(&png, &im, NULL, NULL), 0);
		FILE *f = fopen(file[i].path, "wb");
		assert_non_null(f);
		fwrite(png.data, 1, i < N ? png.len : 3, f); /* the last one is broken */
		fclose(f);
		ims_buf_free(&png);
		ims_image_free(&im);
	}
	assert_int_equal(ims_dataset_open(&set, file, N + 1, 0.2f, 7, &j, &err), 0);
	assert_int_equal(set.n, N);
	assert_int_equal(set.n_classes, CLASSES + 1);
	assert_int_equal(set.n - set.n_train, CLASSES * EACH / 5);
	set.side = 8;
	for (size_t i = set.n_train; i < set.n; i++)
		held[set.item[i].label]++;
	for (int c = 0; c < CLASSES; c++)
		assert_int_equal(held[c], EACH / 5);
	assert_int_equal(held[CLASSES], 0);
	for (size_t i = 0; i < set.n; i++)
		assert_non_null(ims_dataset_image(&set, i));
	ims_dataset_free(&set);
	for (int i = 0; i <= N; i++) {
		unlink(file[i].path);
		ims_free(file[i].path);
	}
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(views),
		cmocka_unit_test(boxes),
		cmocka_unit_test(values),
		cmocka_unit_test(held_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
