/*
 * RAW files, which these tests write: the largest preview is what is decoded, turned by its own
 * Exif or else as the file says. No file of a real camera is among them.
 */
#include "image/image.h"
#include "image/raw.h"
#include "test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --------------------------------------------------------------------------------- writing ---- */

/* A JPEG of one grey level, darker on the left; `turned`: orientation in its Exif, 0: none. */
static buf jpeg_of(uint32_t width, uint32_t height, uint8_t level, uint8_t turned)
{
	image im;
	buf out = { 0 }, plain = { 0 };
	assert_int_equal(ims_image_new(&im, width, height, NULL), 0);
	for (size_t y = 0; y < height; y++)
		for (size_t x = 0; x < width; x++)
			memset(im.pixels + (y * width + x) * 3, x < width / 2 ? level / 2 : level, 3);
	assert_int_equal(ims_image_encode_jpeg(turned ? &plain : &out, &im, 95, NULL, NULL), 0);
	ims_image_free(&im);
	if (!turned)
		return out;
	static const uint8_t exif[] = { 0xFF, 0xE1, 0, 34, 'E', 'x', 'i', 'f', 0, 0, 'I', 'I', 42, 0, 8,
		0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0 };
	ims_buf_put(&out, plain.data, 2);
	ims_buf_put(&out, exif, sizeof exif);
	ims_buf_u32(&out, turned);
	ims_buf_u32(&out, 0);
	ims_buf_put(&out, plain.data + 2, plain.len - 2);
	ims_buf_free(&plain);
	return out;
}

static void u16(buf *b, unsigned v)
{
	ims_buf_u8(b, (uint8_t)v);
	ims_buf_u8(b, (uint8_t)(v >> 8));
}

/* An entry of a directory: a LONG, or the place of several. */
static void entry(buf *b, unsigned tag, uint32_t count, uint32_t value)
{
	u16(b, tag);
	u16(b, 4);
	ims_buf_u32(b, count);
	ims_buf_u32(b, value);
}

typedef struct preview {
	uint32_t width, height;
	uint8_t level, turned;
} preview;

enum { BY_STRIP, BY_JPEG_TAGS };

/* A DNG: a first directory, one of a sensor, and one of each preview. */
static buf dng(const preview *previews, unsigned n, uint32_t orientation, int kind, bool version)
{
	enum { MOST = 8, FIRST = 8, ENTRIES = 4 };
	buf out = { 0 }, jpegs[MOST] = { 0 };
	uint32_t first_size = 2 + 12 * ENTRIES + 4, list = FIRST + first_size;
	uint32_t sensor = list + 4 * (n + 1), directory = 2 + 12 * 4 + 4;
	uint32_t at = sensor + directory * (n + 1);
	ims_buf_put(&out, "II*\0\10\0\0\0", 8);
	u16(&out, ENTRIES);
	entry(&out, 254, 1, 1);
	entry(&out, 274, 1, orientation);
	entry(&out, 330, n + 1, n ? list : sensor);
	entry(&out, version ? 0xC612 : 0xC613, 1, 0x0401);
	ims_buf_u32(&out, 0);
	for (unsigned i = 0; i <= n; i++)
		ims_buf_u32(&out, sensor + directory * i);
	u16(&out, 4);
	entry(&out, 259, 1, 1);
	entry(&out, 262, 1, 32803);
	entry(&out, 273, 1, 0);
	entry(&out, 279, 1, 0);
	ims_buf_u32(&out, 0);
	for (unsigned i = 0; i < n; i++) {
		const preview *p = &previews[i];
		jpegs[i] = jpeg_of(p->width, p->height, p->level, p->turned);
		u16(&out, 4);
		entry(&out, 259, 1, kind == BY_STRIP ? 7 : 1);
		entry(&out, 262, 1, 6);
		entry(&out, kind == BY_STRIP ? 273 : 513, 1, at);
		entry(&out, kind == BY_STRIP ? 279 : 514, 1, (uint32_t)jpegs[i].len);
		ims_buf_u32(&out, 0);
		at += (uint32_t)jpegs[i].len;
	}
	for (unsigned i = 0; i < n; i++) {
		ims_buf_put(&out, jpegs[i].data, jpegs[i].len);
		ims_buf_free(&jpegs[i]);
	}
	assert_false(out.failed);
	return out;
}

/* --------------------------------------------------------------------------------- reading ---- */

static void expect(const buf *file, uint32_t width, uint32_t height, uint8_t level)
{
	image im;
	image_head head;
	imgsearch_error err = { 0 };
	assert_int_equal(ims_image_sniff(file->data, file->len), IMAGE_RAW);
	if (ims_image_decode(&im, &head, file->data, file->len, NULL, NULL, &err))
		fail_msg("%s", err.message);
	assert_int_equal(head.width, width);
	assert_int_equal(head.height, height);
	assert_int_equal(im.width, width);
	assert_int_equal(im.height, height);
	uint8_t most = 0;
	for (size_t i = 0; i < (size_t)width * height; i++)
		most = im.pixels[i * 3] > most ? im.pixels[i * 3] : most;
	assert_true(abs(most - level) < 4);
	ims_image_free(&im);
}

static void expect_refusal(const buf *file, const char *text)
{
	image im;
	imgsearch_error err = { 0 };
	assert_int_equal(ims_image_decode(&im, NULL, file->data, file->len, NULL, NULL, &err),
		IMGSEARCH_EFORMAT);
	assert_non_null(strstr(err.message, text));
}

static void the_largest_preview_is_shown(void **state)
{
	static const preview several[] = { { 160, 120, 60, 0 }, { 640, 480, 120, 0 },
		{ 320, 240, 200, 0 } };
	(void)state;
	for (int kind = BY_STRIP; kind <= BY_JPEG_TAGS; kind++)
		for (unsigned n = 1; n <= 3; n++) {
			buf file = dng(several, n, 1, kind, kind == BY_STRIP);
			expect(&file, n > 1 ? 640 : 160, n > 1 ? 480 : 120, n > 1 ? 120 : 60);
			ims_buf_free(&file);
		}
}

static void a_small_preview_is_better_than_none(void **state)
{
	static const preview small = { 120, 80, 90, 0 };
	(void)state;
	buf file = dng(&small, 1, 1, BY_STRIP, true);
	expect(&file, 120, 80, 90);
	ims_buf_free(&file);
}

static void none_is_said(void **state)
{
	(void)state;
	buf file = dng(NULL, 0, 1, BY_STRIP, true);
	assert_int_equal(ims_image_sniff(file.data, file.len), IMAGE_RAW);
	expect_refusal(&file, "has no preview");
	ims_buf_free(&file);
}

/* Where the dark half lies: left, right, top or bottom. */
static char dark_side(const image *im)
{
	size_t w = im->width, h = im->height, row = w * 3;
	int left = im->pixels[h / 2 * row], right = im->pixels[h / 2 * row + row - 3];
	int top = im->pixels[w / 2 * 3], bottom = im->pixels[(h - 1) * row + w / 2 * 3];
	return left + 20 < right ? 'l' : right + 20 < left ? 'r' : top + 20 < bottom ? 't' : 'b';
}

/* The file says `file`, the preview `own` (0: nothing), which then counts. */
static void expect_turned(unsigned file, unsigned own)
{
	static const char sides[] = " lrrlttbb"; /* by orientation */
	const preview p = { 320, 240, 200, (uint8_t)own };
	unsigned counts = own ? own : file;
	buf bytes = dng(&p, 1, file, BY_STRIP, true);
	image im;
	assert_int_equal(ims_image_decode(&im, NULL, bytes.data, bytes.len, NULL, NULL, NULL), 0);
	assert_int_equal(im.width, counts >= 5 ? 240 : 320);
	if (dark_side(&im) != sides[counts])
		fail_msg("file %u, preview %u: dark is %c", file, own, dark_side(&im));
	ims_image_free(&im);
	ims_buf_free(&bytes);
}

static void the_preview_says_how_it_is_turned_or_else_the_file(void **state)
{
	(void)state;
	for (unsigned turned = 1; turned <= 8; turned++) {
		expect_turned(turned, 0);
		expect_turned(1, turned);
		expect_turned(turned, 1);
		expect_turned(9 - turned, turned);
	}
}

/* A header, then a JPEG that no directory names. */
static void expect_scanned(const void *header, size_t n, uint32_t width)
{
	buf file = { 0 }, jpeg = jpeg_of(width, 200, 100, 0), small = jpeg_of(40, 30, 200, 0);
	ims_buf_put(&file, header, n);
	ims_buf_put(&file, "\xFF\xD8\xFF\xC0 no JPEG", 12);
	ims_buf_put(&file, small.data, small.len);
	ims_buf_put(&file, jpeg.data, jpeg.len);
	expect(&file, width, 200, 100);
	ims_buf_free(&file);
	ims_buf_free(&jpeg);
	ims_buf_free(&small);
}

static void previews_without_a_directory_are_looked_for(void **state)
{
	(void)state;
	expect_scanned("FUJIFILMCCD-RAW 0201", 20, 300);
	expect_scanned("\0\0\0\030ftypcrx \0\0\0\1crx isom", 24, 301);
	expect_scanned("IIRO\10\0\0\0\0\0\0\0\0\0", 14, 302);
	expect_scanned("MMOR\0\0\0\10\0\0\0\0\0\0", 14, 303);
	expect_scanned("IIU\0\10\0\0\0\0\0\0\0\0\0", 14, 304);
}

/* CR3: the box CMT1 holds the directory with the orientation. */
static void cr3_is_turned_by_its_box(void **state)
{
	static const uint8_t header[] = "\0\0\0\030ftypcrx \0\0\0\1crx isom\0\0\0\042CMT1"
									"II*\0\10\0\0\0\1\0\22\1\3\0\1\0\0\0\6\0\0\0\0\0\0\0";
	(void)state;
	buf file = { 0 }, jpeg = jpeg_of(320, 240, 200, 0);
	ims_buf_put(&file, header, sizeof header - 1);
	ims_buf_put(&file, jpeg.data, jpeg.len);
	expect(&file, 240, 320, 200);
	ims_buf_free(&file);
	ims_buf_free(&jpeg);
}

static void a_tiff_of_a_scanner_stays_tiff(void **state)
{
	(void)state;
	buf file = { 0 };
	ims_buf_put(&file, "II*\0\10\0\0\0", 8);
	u16(&file, 3);
	entry(&file, 259, 1, 1);
	entry(&file, 262, 1, 2);
	entry(&file, 271, 1, 0); /* Make */
	ims_buf_u32(&file, 0);
	assert_int_equal(ims_image_sniff(file.data, file.len), IMAGE_TIFF);
	ims_buf_free(&file);
}

static void a_descriptor_tells_the_same(void **state)
{
	static const preview p = { 160, 120, 60, 0 };
	char name[] = "/tmp/imgsearch-raw-XXXXXX";
	(void)state;
	int fd = mkstemp(name);
	assert_true(fd >= 0);
	buf file = dng(&p, 1, 1, BY_STRIP, true);
	for (size_t cut = 0; cut < 200; cut++) {
		image_format f = IMAGE_UNKNOWN;
		size_t n = cut ? cut : file.len;
		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(pwrite(fd, file.data, n, 0), (ssize_t)n);
		assert_int_equal(ims_image_sniff_file(fd, &f), 0);
		assert_int_equal(f, ims_image_sniff(file.data, n));
	}
	close(fd);
	unlink(name);
	image_format f;
	assert_int_equal(ims_image_sniff_file(-1, &f), -1);
	ims_buf_free(&file);
}

/* Directories that name each other, and places outside of the file. */
static void loops_and_far_places_end(void **state)
{
	static const preview p[] = { { 160, 120, 60, 0 }, { 80, 60, 60, 0 } };
	(void)state;
	buf file = dng(p, 2, 1, BY_STRIP, true);
	for (size_t at = 4; at + 4 <= file.len && at < 400; at++) {
		static const uint32_t values[] = { 8, 0xFFFFFFFF, 0x7FFFFFFF, 1, 62 };
		uint8_t old[4];
		memcpy(old, file.data + at, 4);
		for (size_t v = 0; v < sizeof values / sizeof values[0]; v++) {
			image im;
			memcpy(file.data + at, &values[v], 4);
			ims_image_decode(&im, NULL, file.data, file.len, NULL, NULL, NULL);
			ims_image_free(&im);
		}
		memcpy(file.data + at, old, 4);
	}
	for (size_t n = 0; n < file.len; n += 1 + n / 50) {
		image im;
		ims_image_decode(&im, NULL, file.data, n, NULL, NULL, NULL);
		ims_image_free(&im);
	}
	ims_buf_free(&file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_largest_preview_is_shown),
		cmocka_unit_test(a_small_preview_is_better_than_none),
		cmocka_unit_test(none_is_said),
		cmocka_unit_test(the_preview_says_how_it_is_turned_or_else_the_file),
		cmocka_unit_test(previews_without_a_directory_are_looked_for),
		cmocka_unit_test(cr3_is_turned_by_its_box),
		cmocka_unit_test(a_tiff_of_a_scanner_stays_tiff),
		cmocka_unit_test(a_descriptor_tells_the_same),
		cmocka_unit_test(loops_and_far_places_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
