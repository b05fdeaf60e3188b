/*
 * lib/analysis/detail.h: copies of a picture are one picture, and what differs in a colour, in a
 * line of digits or by a step of the camera is not. Pages of other text are told apart.
 */
#include "analysis/detail.h"
#include "image/image.h"
#include "pages.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static page new_page(int width, int height)
{
	page p = { width, height, calloc((size_t)width * (size_t)height, 3) };
	assert_non_null(p.rgb);
	return p;
}

/* A picture with its signature, as one of `width` x `height` pixels. */
typedef struct sample {
	full_signature signature;
	uint32_t width, height;
} sample;

static sample sample_of(const image *im)
{
	sample s = { .width = im->width, .height = im->height };
	ims_signature_make(&s.signature, im->pixels, im->width, im->height, im->box);
	return s;
}

static sample sample_of_page(const page *p)
{
	image im = { .pixels = p->rgb, .width = (uint32_t)p->width, .height = (uint32_t)p->height };
	return sample_of(&im);
}

/* The least difference in any position. */
static float difference(const sample *a, const sample *b)
{
	float least = INFINITY;
	detail_side one = { &a->signature, a->width, a->height },
				other = { &b->signature, b->width, b->height };
	const signature *x = &a->signature.coarse, *y = &b->signature.coarse;
	for (int turn = ims_signature_turn(x, y, 0); turn >= 0;
		 turn = ims_signature_turn(x, y, turn + 1))
		least = fminf(least, ims_detail_difference(&one, &other, turn));
	return least;
}

static bool same(const sample *a, const sample *b)
{
	bool is_same = difference(a, b) < 1;
	assert_int_equal(is_same, difference(b, a) < 1);
	return is_same;
}

static bool other_text(const sample *a, const sample *b)
{
	detail_side one = { &a->signature, a->width, a->height },
				other = { &b->signature, b->width, b->height };
	return ims_detail_is_drawing(&a->signature) && ims_detail_is_drawing(&b->signature)
		&& ims_detail_other_text(&one, &other);
}

/* A scene with slopes, edges, texture and colours. dx: the camera moves by so many pixels. */
static void draw_scene(page *p, double dx, int object_x)
{
	for (int y = 0; y < p->height; y++)
		for (int x = 0; x < p->width; x++) {
			double u = (x + dx) * 300.0 / p->width, v = y * 300.0 / p->width;
			double light = 110 + 50 * sin(u / 31) * cos(v / 23) + 20 * sin(u / 3.1 + v / 5)
				+ (v > 120 + 30 * sin(u / 40) ? -50 : 20);
			bool object = hypot(u - object_x, v - 150) < 14;
			uint8_t *rgb = p->rgb + 3 * (y * p->width + x);
			rgb[0] = (uint8_t)fmax(0, fmin(255, object ? 230 : light + 30 * sin(u / 50)));
			rgb[1] = (uint8_t)fmax(0, fmin(255, object ? 60 : light));
			rgb[2] = (uint8_t)fmax(0, fmin(255, object ? 40 : light - 30 * sin(v / 40)));
		}
}

static sample jpeg_copy(const image *im, int quality)
{
	buf bytes = { 0 };
	image copy = { 0 };
	assert_int_equal(ims_image_encode_jpeg(&bytes, im, quality, NULL, NULL), 0);
	assert_int_equal(ims_image_decode(&copy, NULL, bytes.data, bytes.len, &(image_limits){ 0 },
						 NULL, NULL),
		0);
	sample s = sample_of(&copy);
	ims_image_free(&copy);
	ims_buf_free(&bytes);
	return s;
}

static sample resized(const image *im, uint32_t width, uint32_t height)
{
	image small = { 0 };
	assert_int_equal(ims_image_resize(&small, im, width, height, false, NULL, NULL), 0);
	sample s = jpeg_copy(&small, 80);
	ims_image_free(&small);
	return s;
}

/* What of red, green and blue makes grey, of 256. */
typedef struct grey_weights {
	int red, green, blue;
} grey_weights;
static const grey_weights bt601 = { 77, 150, 29 }, bt709 = { 54, 184, 18 };

/* A copy, grey where there are weights. */
static sample turned_copy(const page *p, const grey_weights *grey)
{
	page out = new_page(p->height, p->width);
	for (int y = 0; y < out.height; y++)
		for (int x = 0; x < out.width; x++) {
			const uint8_t *from = p->rgb + 3 * (x * p->width + p->width - 1 - y);
			uint8_t *to = out.rgb + 3 * (y * out.width + x);
			const grey_weights *w = grey ? grey : &bt601;
			int luma = (w->red * from[0] + w->green * from[1] + w->blue * from[2] + 128) / 256;
			for (int c = 0; c < 3; c++)
				to[c] = grey ? (uint8_t)luma : from[c];
		}
	sample s = sample_of_page(&out);
	free(out.rgb);
	return s;
}

static void copies_are_one_picture(void **state)
{
	(void)state;
	page p = new_page(600, 400);
	draw_scene(&p, 0, 90);
	image im = { .pixels = p.rgb, .width = 600, .height = 400 };
	sample original = sample_of(&im);
	sample copies[] = { original, jpeg_copy(&im, 75), jpeg_copy(&im, 25), resized(&im, 300, 200),
		resized(&im, 240, 160), turned_copy(&p, NULL), turned_copy(&p, &bt601) };
	size_t n = sizeof copies / sizeof *copies;
	for (size_t i = 0; i < n; i++)
		for (size_t k = i; k < n; k++)
			if (!same(&copies[i], &copies[k]))
				fail_msg("copies %zu and %zu", i, k);
	assert_true(difference(&original, &copies[0]) == 0);
	assert_true(difference(&original, &copies[1]) < difference(&original, &copies[6]));
	free(p.rgb);
}

static void frames_of_a_burst_are_not(void **state)
{
	(void)state;
	page p = new_page(600, 400);
	draw_scene(&p, 0, 90);
	sample first = sample_of_page(&p);
	draw_scene(&p, 6, 90); /* 1 % */
	sample moved = sample_of_page(&p);
	draw_scene(&p, 0, 110);
	sample walked = sample_of_page(&p);
	draw_scene(&p, 0.3, 90); /* less than a pixel, as resizing may move it */
	sample still = sample_of_page(&p);
	assert_false(same(&first, &moved));
	assert_false(same(&first, &walked));
	assert_true(same(&first, &still));
	free(p.rgb);
}

static void colours_count(void **state)
{
	(void)state;
	static const uint32_t colour[] = { 0xc81e1e, 0x1e1ec8, 0x1e8c1e, 0x141414, 0xc8c8c8, 0xe08080 };
	enum { N = sizeof colour / sizeof *colour };
	page p = new_page(600, 700);
	sample shirt[N], grey[N];
	for (int i = 0; i < N; i++) {
		page_shirt(&p, colour[i]);
		shirt[i] = sample_of_page(&p);
		grey[i] = turned_copy(&p, &bt601);
	}
	for (int i = 0; i < N; i++) {
		assert_true(same(&shirt[i], &grey[i]));
		for (int k = 0; k < i; k++)
			if (same(&shirt[i], &shirt[k]))
				fail_msg("shirts %d and %d", i, k);
	}
	free(p.rgb);
}

/* Grey copies by either luminance, in another position, and what was changed in them. */
static void grey_copies_of_two_luminances(void **state)
{
	(void)state;
	page p = new_page(600, 400);
	draw_scene(&p, 0, 90);
	page_box(&p, 20, 20, 180, 180, 0xd02010);
	page_box(&p, 400, 40, 580, 200, 0x2030d0);
	page_box(&p, 250, 220, 430, 380, 0x20d040);
	sample original = sample_of_page(&p);
	sample by_601 = turned_copy(&p, &bt601), by_709 = turned_copy(&p, &bt709);
	assert_true(same(&original, &by_601));
	assert_true(same(&original, &by_709));
	page_box(&p, 20, 20, 180, 180, 0x20c030); /* lighter by both */
	sample edited = turned_copy(&p, &bt709);
	assert_false(same(&original, &edited));
	free(p.rgb);
}

/* A small thing of another colour in a large picture, as light as before. */
static void small_things_of_another_colour_count(void **state)
{
	(void)state;
	page p = new_page(600, 400);
	draw_scene(&p, 0, 90);
	page_box(&p, 300, 100, 348, 148, 0xb43c3c);
	sample red = sample_of_page(&p);
	page_box(&p, 300, 100, 348, 148, 0x3c5ff0); /* of the same luminance */
	sample blue = sample_of_page(&p);
	page_box(&p, 300, 100, 348, 148, 0xb04040);
	sample almost_red = sample_of_page(&p);
	assert_false(same(&red, &blue));
	assert_true(same(&red, &almost_red));
	free(p.rgb);
}

typedef void draw_page(page *p, uint64_t layout, uint64_t content);

/* Of one layout, other content: not one picture, and no scene. A copy is one picture. */
static void judge_pages(draw_page *draw, int width, int height)
{
	page p = new_page(width, height);
	image im = { .pixels = p.rgb, .width = (uint32_t)width, .height = (uint32_t)height };
	for (uint64_t layout = 1; layout <= 4; layout++) {
		draw(&p, layout, 100);
		sample first = sample_of(&im), again = jpeg_copy(&im, 75),
			   half = resized(&im, im.width / 2, im.height / 2);
		assert_true(same(&first, &again));
		assert_true(same(&first, &half));
		assert_false(other_text(&first, &again));
		for (uint64_t content = 101; content < 104; content++) {
			draw(&p, layout, content);
			sample other = jpeg_copy(&im, 75);
			if (same(&first, &other) || !other_text(&first, &other))
				fail_msg("%d x %d, layout %d, content %d: %g", width, height, (int)layout,
					(int)content, (double)difference(&first, &other));
		}
	}
	free(p.rgb);
}

static void pages_differ_by_what_they_say(void **state)
{
	(void)state;
	draw_page *const pages[] = { page_transfer, page_receipt, page_calculator, page_form,
		page_of_text };
	for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
		judge_pages(pages[i], 640, 480);
		judge_pages(pages[i], 1080, 2340);
	}
}

/* One digit in a copy without loss, too small to be told from what JPEG does. */
static void an_edited_copy_is_another_picture(void **state)
{
	(void)state;
	page p = new_page(1080, 2340);
	image im = { .pixels = p.rgb, .width = 1080, .height = 2340 };
	page_receipt(&p, 3, 100);
	page_text(&p, 700, 2290, 18, "NO. 443901", PAGE_INK);
	sample first = sample_of(&im), lossy = jpeg_copy(&im, 75), again = sample_of(&im);
	page_receipt(&p, 3, 100);
	page_text(&p, 700, 2290, 18, "NO. 443907", PAGE_INK);
	sample other = sample_of(&im);
	assert_true(same(&first, &again));
	assert_true(same(&first, &lossy));
	assert_false(same(&first, &other));
	free(p.rgb);
}

/* Photographs of one thing are no drawings, however much they differ. */
static void scenes_are_no_pages(void **state)
{
	(void)state;
	page p = new_page(600, 400);
	draw_scene(&p, 0, 90);
	sample first = sample_of_page(&p);
	draw_scene(&p, 20, 140);
	sample other = sample_of_page(&p);
	assert_false(same(&first, &other));
	assert_false(other_text(&first, &other));
	free(p.rgb);
}

/* The part of the pixels that is the picture, at any border. */
static void only_the_box_counts(void **state)
{
	(void)state;
	page p = new_page(120, 90);
	page_clear(&p, 0x00ff00);
	page_box(&p, 10, 10, 110, 80, 0x404040);
	page_box(&p, 40, 30, 70, 60, 0xc0c0c0);
	full_signature part, whole;
	ims_signature_make(&part, p.rgb, 120, 90, (const float[]){ 10, 10, 110, 80 });
	assert_int_equal(part.coarse.luma[0], 0x40);
	assert_int_equal(part.coarse.luma[IMS_SIGNATURE_SIDE * IMS_SIGNATURE_SIDE - 1], 0x40);
	for (int i = 0; i < IMS_CHROMA_SIDE * IMS_CHROMA_SIDE; i++)
		assert_int_equal(part.detail.chroma[0][i], 128);
	ims_signature_make(&whole, p.rgb, 120, 90, NULL);
	assert_int_not_equal(whole.detail.chroma[0][0], 128);
	/* half a pixel of each side */
	ims_signature_make(&part, p.rgb, 120, 90, (const float[]){ 0.5f, 0.5f, 119.5f, 89.5f });
	assert_int_equal(part.coarse.luma[0], 150 * 255 / 256);
	free(p.rgb);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(copies_are_one_picture),
		cmocka_unit_test(frames_of_a_burst_are_not),
		cmocka_unit_test(colours_count),
		cmocka_unit_test(grey_copies_of_two_luminances),
		cmocka_unit_test(small_things_of_another_colour_count),
		cmocka_unit_test(pages_differ_by_what_they_say),
		cmocka_unit_test(an_edited_copy_is_another_picture),
		cmocka_unit_test(scenes_are_no_pages),
		cmocka_unit_test(only_the_box_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
