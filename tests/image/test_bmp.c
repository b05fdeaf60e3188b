/*
 * BMP: every depth, header and packing against the definition; masks and alpha; what is lost; and
 * the files in ../shared/formats/bmp beside what Pillow says of them (skipped where absent).
 */
#include "image/common.h"

#include <math.h>

enum { WIDTH = 21, HEIGHT = 9 };

typedef struct bmp_kind {
	uint32_t header, bits, compression, masks[4];
	bool top_down;
	uint32_t lost; /* bytes that are missing at the end */
} bmp_kind;

static void put(buf *out, uint32_t v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		ims_buf_put(out, &(uint8_t){ (uint8_t)(v >> 8 * i) }, 1);
}

static unsigned index_of(const bmp_kind *k, uint32_t x, uint32_t y)
{
	return pattern(x, y, 0) & ((1u << k->bits) - 1);
}

/* The bits of a mask, as a number, that stand for the pattern. */
static uint32_t bits_of(uint32_t mask, uint32_t x, uint32_t y, uint32_t c)
{
	unsigned low = mask ? (unsigned)__builtin_ctz(mask) : 0;
	uint64_t max = mask >> low;
	return (uint32_t)((pattern(x, y, c) * max + 127) / 255) << low & mask;
}

static void put_row(buf *out, const bmp_kind *k, uint32_t y)
{
	size_t start = out->len;
	uint8_t byte = 0;
	for (uint32_t x = 0; x < WIDTH; x++)
		if (k->bits < 8) {
			byte = (uint8_t)(byte << k->bits | index_of(k, x, y));
			if ((x + 1) * k->bits % 8 == 0)
				put(out, byte, 1);
			else if (x + 1 == WIDTH)
				put(out, (uint32_t)byte << (8 - (x + 1) * k->bits % 8), 1);
		} else if (k->bits == 8) {
			put(out, index_of(k, x, y), 1);
		} else {
			uint32_t v = 0;
			for (uint32_t c = 0; c < 4; c++)
				v |= bits_of(k->masks[c], x, y, c);
			put(out, v, k->bits / 8);
		}
	while ((out->len - start) % 4)
		put(out, 0, 1);
}

/* Runs, literal parts and both ends of lines, so that every command but the delta is used. */
static void put_packed_row(buf *out, const bmp_kind *k, uint32_t y)
{
	bool four = k->compression == 2;
	for (uint32_t x = 0; x < WIDTH;) {
		uint32_t n = x % 2 || WIDTH - x < 5 ? 1 : 5;
		unsigned first = index_of(k, x, y);
		put(out, n == 1 ? 1 : 0, 1);
		put(out, n == 1 ? (four ? first << 4 : first) : n, 1);
		for (uint32_t i = 0; n > 1 && i < n; i += four ? 2 : 1) {
			unsigned a = index_of(k, x + i, y), b = i + 1 < n ? index_of(k, x + i + 1, y) : 0;
			put(out, four ? a << 4 | b : a, 1);
		}
		if (n > 1)
			put(out, 0, 1); /* both kinds take an odd number of bytes */
		x += n;
	}
	put(out, 0, 2);
}

static buf make_bmp(const bmp_kind *k)
{
	buf out = { 0 };
	bool masks = k->compression == 3 || k->compression == 6;
	uint32_t entry = k->header == 12 ? 3 : 4, colours = k->bits <= 8 ? 1u << k->bits : 0;
	uint32_t extra = masks && k->header == 40 ? (k->compression == 3 ? 12 : 16) : 0;
	ims_buf_put(&out, "BM\0\0\0\0\0\0\0\0", 10);
	put(&out, 14 + k->header + extra + colours * entry, 4);
	put(&out, k->header, 4);
	put(&out, WIDTH, k->header == 12 ? 2 : 4);
	put(&out, k->top_down ? -(uint32_t)HEIGHT : HEIGHT, k->header == 12 ? 2 : 4);
	put(&out, 1 | k->bits << 16, 4);
	if (k->header > 16)
		put(&out, k->compression, 4);
	while (masks && out.len < 54)
		put(&out, 0, 4);
	for (int c = 0; masks && c < (k->header == 52 || extra == 12 ? 3 : 4); c++)
		put(&out, k->masks[c], 4);
	while (out.len < 14 + k->header + extra)
		put(&out, 0, 1);
	for (unsigned i = 0; i < colours; i++) {
		png_color c = palette_color(i);
		put(&out, c.blue | (uint32_t)c.green << 8 | (uint32_t)c.red << 16, entry);
	}
	for (uint32_t i = 0; i < HEIGHT; i++) {
		uint32_t y = k->top_down ? i : HEIGHT - 1 - i;
		if (k->compression == 1 || k->compression == 2)
			put_packed_row(&out, k, y);
		else
			put_row(&out, k, y);
	}
	if (k->compression == 1 || k->compression == 2)
		put(&out, 0x100, 2);
	assert_false(out.failed);
	out.len -= k->lost;
	return out;
}

/* Sample c of pixel (x, y) by the definition, before transparency. */
static double sample_of(const bmp_kind *k, uint32_t x, uint32_t y, uint32_t c)
{
	if (k->bits <= 8 && c < 3) {
		png_color p = palette_color(index_of(k, x, y));
		return c == 0 ? p.red : c == 1 ? p.green : p.blue;
	}
	return k->masks[c] ? bits_of(k->masks[c], x, y, c) * 255.0 / k->masks[c] : c == 3 ? 255 : 0;
}

static void check_pixels(const bmp_kind *k, const image *im)
{
	for (uint32_t y = 0; y < im->height; y++)
		for (uint32_t x = 0; x < WIDTH; x++)
			for (uint32_t c = 0; c < 3; c++) {
				double alpha = sample_of(k, x, y, 3) / 255;
				double v = sample_of(k, x, y, c) * alpha + 255 * (1 - alpha);
				int got = im->pixels[((size_t)y * WIDTH + x) * 3 + c];
				if (fabs(got - v) > 1.5)
					fail_msg("header %u, %u bits, packed %u: (%u, %u)[%u] is %d, not %g",
						(unsigned)k->header, (unsigned)k->bits, (unsigned)k->compression,
						(unsigned)x, (unsigned)y, (unsigned)c, got, v);
			}
}

static void check_kind(const bmp_kind *k)
{
	imgsearch_error err = { 0 };
	image im;
	image_head head;
	buf file = make_bmp(k);
	if (ims_image_decode(&im, &head, file.data, file.len, NULL, NULL, &err))
		fail_msg("header %u, %u bits: %s", (unsigned)k->header, (unsigned)k->bits, err.message);
	assert_int_equal(head.format, IMAGE_BMP);
	assert_int_equal(im.width, WIDTH);
	assert_int_equal(im.height, HEIGHT);
	assert_int_equal(!!(head.traits & IMAGE_HAS_ALPHA), k->masks[3] != 0);
	check_pixels(k, &im);
	ims_image_free(&im);
	ims_buf_free(&file);
}

#define RGB_24 \
	{ \
		0xFF0000, 0xFF00, 0xFF \
	}
static const uint32_t headers[] = { 12, 16, 40, 52, 56, 64, 108, 124 };

static void every_depth_and_header_is_read(void **state)
{
	static const bmp_kind kinds[] = {
		{ .bits = 1 },
		{ .bits = 2 },
		{ .bits = 4 },
		{ .bits = 8 },
		{ .bits = 16, .masks = { 0x7C00, 0x3E0, 0x1F } },
		{ .bits = 24, .masks = RGB_24 },
		{ .bits = 32, .masks = RGB_24 },
		{ .bits = 8, .compression = 1 },
		{ .bits = 4, .compression = 2 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		for (size_t h = 0; h < sizeof headers / sizeof headers[0]; h++)
			for (int top_down = 0; top_down < 2; top_down++) {
				bmp_kind k = kinds[i];
				k.header = headers[h];
				k.top_down = top_down;
				if (!(k.header == 12 && top_down) && !(k.header <= 16 && k.compression))
					check_kind(&k);
			}
}

static void masks_name_the_channels(void **state)
{
	static const bmp_kind kinds[] = {
		{ 40, 16, 3, { 0xF800, 0x7E0, 0x1F }, 0, 0 },
		{ 40, 32, 3, { 0xFF, 0xFF00, 0xFF0000 }, 0, 0 },
		{ 40, 32, 6, { 0xFF000000, 0xFF0000, 0xFF00, 0xFF }, 1, 0 },
		{ 52, 16, 3, { 0xE0, 0x1C, 0x3 }, 0, 0 },
		{ 56, 32, 3, { 0xFF0000, 0xFF00, 0xFF, 0xFF000000 }, 0, 0 },
		{ 108, 32, 3, { 0x3FF00000, 0xFFC00, 0x3FF, 0xC0000000 }, 0, 0 },
		{ 124, 16, 3, { 0xF00, 0xF0, 0xF, 0xF000 }, 0, 0 },
		{ 124, 16, 3, { 0x7C00, 0x3E0, 0x1F, 0x8000 }, 1, 0 },
		{ 124, 16, 3, { 0xFF00, 0xFF, 0 }, 0, 0 },
		{ 124, 32, 3, { 0x7FFFF, 0x1F80000, 0xFE000000 }, 0, 0 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		check_kind(&kinds[i]);
	static const uint32_t bad[][4] = { { 0 }, { 0xF0F0, 0xF00, 0xF }, { 1, 2, 4, 0xA000 } };
	for (size_t i = 0; i < 3; i++) {
		bmp_kind k = { 124, 16, 3, { bad[i][0], bad[i][1], bad[i][2], bad[i][3] }, 0, 0 };
		image_head head;
		buf file = make_bmp(&k);
		assert_int_equal(ims_image_head(&head, file.data, file.len, NULL, NULL), IMGSEARCH_EFORMAT);
		ims_buf_free(&file);
	}
}

/* 2 x 1 pixels of 32 bits with alpha. */
static buf two_pixels(uint32_t a, uint32_t b)
{
	bmp_kind k = { 124, 32, 3, { 0xFF0000, 0xFF00, 0xFF, 0xFF000000 }, 1, 0 };
	buf file = make_bmp(&k);
	((uint8_t *)file.data)[18] = 2;
	memset((uint8_t *)file.data + 22, 0, 4);
	((uint8_t *)file.data)[22] = 1;
	file.len = 14 + 124;
	put(&file, a, 4);
	put(&file, b, 4);
	return file;
}

static void check_two(uint32_t a, uint32_t b, uint32_t left, uint32_t right)
{
	image im;
	buf file = two_pixels(a, b);
	assert_int_equal(ims_image_decode(&im, NULL, file.data, file.len, NULL, NULL, NULL), 0);
	const uint8_t *p = im.pixels;
	assert_int_equal((uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2], left);
	assert_int_equal((uint32_t)p[3] << 16 | (uint32_t)p[4] << 8 | p[5], right);
	ims_image_free(&im);
	ims_buf_free(&file);
}

static void what_is_clear_has_a_background(void **state)
{
	(void)state;
	check_two(0xFF102030, 0x00FF0000, 0x102030, 0xFFFFFF);
	check_two(0xFFFFFFFE, 0x00FF0000, 0xFFFFFE, 0x000000); /* a light drawing lies on black */
	check_two(0x00102030, 0x00FFFFFF, 0x102030, 0xFFFFFF); /* writers that leave alpha 0 */
}

/* A picture of one row of RLE8 below a header for 4 x 2. */
static int decode_packed(const char *bytes, size_t n, bool partial, image *im)
{
	bmp_kind k = { .header = 40, .bits = 8, .compression = 1 };
	buf file = make_bmp(&k);
	((uint8_t *)file.data)[18] = 4;
	((uint8_t *)file.data)[22] = 2;
	file.len = 54 + 1024;
	ims_buf_put(&file, bytes, n);
	const image_limits limits = { .partial = partial };
	int rc = ims_image_decode(im, NULL, file.data, file.len, &limits, NULL, NULL);
	ims_buf_free(&file);
	return rc;
}

static void check_packed(const char *bytes, size_t n, const char indices[8])
{
	image im;
	assert_int_equal(decode_packed(bytes, n, false, &im), 0);
	for (int i = 0; i < 8; i++) {
		png_color c = palette_color((unsigned)indices[i]);
		assert_int_equal(im.pixels[i * 3], c.red);
		assert_int_equal(im.pixels[i * 3 + 2], c.blue);
	}
	ims_image_free(&im);
}

static void packed_pictures_may_leave_pixels_out(void **state)
{
	(void)state;
	check_packed("\4\1\0\0\4\2\0\1", 8, "\2\2\2\2\1\1\1\1");
	check_packed("\4\1\0\0\4\2", 6, "\2\2\2\2\1\1\1\1"); /* without its end */
	check_packed("\1\3\0\1", 4, "\0\0\0\0\3\0\0\0");
	check_packed("\0\2\1\1\2\5\0\1", 8, "\0\5\5\0\0\0\0\0");
	check_packed("\xFF\6\0\0\1\7\0\1", 8, "\7\0\0\0\6\6\6\6"); /* a run past the row */
	check_packed("\0\2\xFF\xFF\4\1\0\1", 8, "\0\0\0\0\0\0\0\0");
	check_packed("\0\4\1\2\3\4\0\1", 8, "\0\0\0\0\1\2\3\4");
}

static void what_is_lost_is_damaged(void **state)
{
	image im;
	(void)state;
	for (size_t n = 0; n < 6; n++) /* "\4\1\0\0\4\2" cut anywhere */
		assert_int_equal(decode_packed("\4\1\0\0\4\2", n, false, &im), IMGSEARCH_EFORMAT);
	assert_int_equal(decode_packed("\4\1\0\0", 4, true, &im), 0);
	assert_true(im.partial);
	assert_int_equal(im.height, 1);
	assert_int_equal(im.pixels[0], palette_color(1).red);
	ims_image_free(&im);
	for (int top_down = 0; top_down < 2; top_down++) {
		/* rows of 64 bytes, of which the last has 63 of pixels */
		bmp_kind k = { 40, 24, 0, RGB_24, top_down, 1 };
		check_kind(&k);
		k.lost = 2;
		buf file = make_bmp(&k), whole = make_bmp(&(bmp_kind){ 40, 24, 0, RGB_24, top_down, 0 });
		image all;
		const image_limits limits = { .partial = true };
		assert_int_equal(ims_image_decode(&im, NULL, file.data, file.len, NULL, NULL, NULL),
			IMGSEARCH_EFORMAT);
		assert_int_equal(ims_image_decode(&im, NULL, file.data, file.len, &limits, NULL, NULL), 0);
		assert_int_equal(ims_image_decode(&all, NULL, whole.data, whole.len, NULL, NULL, NULL), 0);
		assert_true(im.partial && im.height == HEIGHT - 1);
		assert_memory_equal(im.pixels, all.pixels + (top_down ? 0 : WIDTH * 3),
			(HEIGHT - 1) * WIDTH * 3);
		ims_image_free(&im);
		ims_image_free(&all);
		ims_buf_free(&file);
		ims_buf_free(&whole);
	}
}

static void headers_are_checked(void **state)
{
	static const struct {
		size_t at;
		uint32_t value;
		int rc;
	} cases[] = {
		{ 18, 0, IMGSEARCH_EFORMAT },
		{ 22, 0, IMGSEARCH_EFORMAT },
		{ 18, 0x80000000, IMGSEARCH_EFORMAT },
		{ 22, 0x80000000, IMGSEARCH_ELIMIT },
		{ 18, 1000001, IMGSEARCH_ELIMIT },
		{ 18, 0x7FFFFFFF, IMGSEARCH_ELIMIT },
		{ 14, 15, IMGSEARCH_EFORMAT },
		{ 14, 125, IMGSEARCH_EFORMAT },
		{ 28, 3, IMGSEARCH_EFORMAT },
		{ 28, 0, IMGSEARCH_EFORMAT },
		{ 30, 1, IMGSEARCH_EFORMAT },
		{ 30, 3, IMGSEARCH_EFORMAT },
		{ 30, 4, IMGSEARCH_EUNSUPPORTED },
		{ 30, 5, IMGSEARCH_EUNSUPPORTED },
		{ 30, 7, IMGSEARCH_EUNSUPPORTED },
		{ 10, 0xFFFFFFFF, IMGSEARCH_EFORMAT },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		bmp_kind k = { 40, 24, 0, RGB_24, 0, 0 };
		image im;
		imgsearch_error err = { 0 };
		buf file = make_bmp(&k);
		memcpy((uint8_t *)file.data + cases[i].at, &cases[i].value, 4);
		int rc = ims_image_decode(&im, NULL, file.data, file.len, NULL, NULL, &err);
		if (rc != cases[i].rc || !err.message[0])
			fail_msg("%u at %zu: %d %s", (unsigned)cases[i].value, cases[i].at, rc, err.message);
		ims_buf_free(&file);
	}
}

/* What Pillow cannot read, or reads otherwise: alpha, profiles, and damage in RLE. */
static bool differs_from_pillow(const char *name)
{
	return strstr(name, "rgba32") || strstr(name, "prof") || strstr(name, "b-badrle");
}

static void check_shared(const char *name, unsigned width, unsigned height, const int mean[3])
{
	char path[300];
	buf file = { 0 };
	image im;
	imgsearch_error err = { 0 };
	snprintf(path, sizeof path, "../shared/formats/%s", name);
	assert_int_equal(ims_read_file(&file, path, 1 << 24, NULL), 0);
	if (ims_image_decode(&im, NULL, file.data, file.len, NULL, NULL, &err))
		fail_msg("%s: %s", name, err.message);
	double sum[3] = { 0 }, n = (double)im.width * im.height;
	for (size_t i = 0; i < (size_t)im.width * im.height * 3; i++)
		sum[i % 3] += im.pixels[i];
	assert_true(im.width == width && im.height == height);
	for (int c = 0; c < 3; c++)
		if (!differs_from_pillow(name) && fabs(sum[c] / n - mean[c]) > 1)
			fail_msg("%s: the mean is %g, Pillow's %d", name, sum[c] / n, mean[c]);
	ims_image_free(&im);
	ims_buf_free(&file);
}

static void shared_files_are_as_pillow_says(void **state)
{
	char line[400], name[200];
	unsigned width, height;
	int mean[3], checked = 0;
	FILE *table = fopen("../shared/formats/pillow.tsv", "r");
	(void)state;
	if (!table) {
		print_message("# ../shared/formats is missing\n");
		skip();
	}
	while (fgets(line, sizeof line, table))
		if (sscanf(line, "%199[^\t]\t%u\t%u\t%d,%d,%d", name, &width, &height, &mean[0], &mean[1],
				&mean[2])
				== 6
			&& strncmp(name, "bmp/", 4) == 0) {
			check_shared(name, width, height, mean);
			checked++;
		}
	fclose(table);
	assert_true(checked > 30);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_depth_and_header_is_read),
		cmocka_unit_test(masks_name_the_channels),
		cmocka_unit_test(what_is_clear_has_a_background),
		cmocka_unit_test(packed_pictures_may_leave_pixels_out),
		cmocka_unit_test(what_is_lost_is_damaged),
		cmocka_unit_test(headers_are_checked),
		cmocka_unit_test(shared_files_are_as_pillow_says),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
