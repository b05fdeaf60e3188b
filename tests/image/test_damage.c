/*
 * Bytes from strangers: pictures cut off anywhere, headers that promise too much, bombs, flipped
 * bits, memory that runs out, and the collection in ../shared/bad-input (skipped where it is
 * absent).
 */
#include "image/common.h"

static const jpeg_kind jpegs[] = {
	{ .h = 2, .v = 2 },
	{ .h = 2, .v = 2, .progressive = 1 },
	{ .restart = 2 },
	{ .one_by_one = 1 },
	{ .arithmetic = 1 },
};
enum { ARITHMETIC = 4, JPEG_FILES = sizeof jpegs / sizeof *jpegs, FILES = JPEG_FILES + 4 };

/* The files that the tests below break. */
static buf whole_file(int i)
{
	image im = pattern_image(90, 70);
	png_kind png[] = {
		{ PNG_COLOR_TYPE_RGB, 8, 0, 0, 90, 70 },
		{ PNG_COLOR_TYPE_RGB_ALPHA, 16, 1, 0, 90, 70 },
		{ PNG_COLOR_TYPE_PALETTE, 4, 0, 1, 90, 70 },
		{ PNG_COLOR_TYPE_GRAY, 8, 1, 0, 90, 70 },
	};
	buf file = i < JPEG_FILES ? make_jpeg(&im, &jpegs[i]) : make_png(&png[i - JPEG_FILES]);
	ims_image_free(&im);
	return file;
}

/* Decodes a copy of its own, so that reading past the end is noticed. */
static int decode_into(image *im, const buf *file, size_t n, const image_limits *limits,
	imgsearch_error *err)
{
	void *copy = ims_alloc(n, 1);
	assert_non_null(copy);
	memcpy(copy, file->data, n);
	int rc = ims_image_decode(im, NULL, copy, n, limits, NULL, err);
	assert_true(!rc == !!im->pixels);
	ims_free(copy);
	return rc;
}

static int decode_copy(const buf *file, size_t n, uint32_t at_least, imgsearch_error *err)
{
	image im;
	image_limits limits = { .at_least = at_least };
	int rc = decode_into(&im, file, n, &limits, err);
	ims_image_free(&im);
	return rc;
}

static bool is_same(const image *a, const image *b)
{
	return a->width == b->width && a->height == b->height
		&& memcmp(a->pixels, b->pixels, (size_t)a->width * a->height * 3) == 0;
}

/* 0: the picture is the whole one. EFORMAT with a sentence: it is damaged. Nothing else. */
static int check_cut(const buf *file, size_t n, const image_limits *limits, const image *whole)
{
	image im;
	imgsearch_error err = { 0 };
	int rc = decode_into(&im, file, n, limits, &err);
	if (rc ? rc != IMGSEARCH_EFORMAT || !err.message[0] : im.partial || !is_same(&im, whole))
		fail_msg("cut to %zu of %zu bytes: %d %s", n, file->len, rc, err.message);
	ims_image_free(&im);
	return rc;
}

static void cut_off_anywhere_is_damaged_or_whole(void **state)
{
	(void)state;
	for (int i = 0; i < FILES; i++) {
		buf file = whole_file(i);
		for (uint32_t at_least = 0; at_least <= 10; at_least += 10) {
			const image_limits limits = { .at_least = at_least };
			image whole;
			assert_int_equal(decode_into(&whole, &file, file.len, &limits, NULL), 0);
			for (size_t cut = 0; cut < 90; cut++)
				if (check_cut(&file, file.len * cut / 100, &limits, &whole) == 0)
					fail_msg("file %d, cut at %zu %%, is no picture any more", i, cut);
			for (size_t n = file.len - 60; n < file.len; n++)
				check_cut(&file, n, &limits, &whole);
			ims_image_free(&whole);
		}
		ims_buf_free(&file);
	}
}

/* The bytes that end a file: EOI of JPEG, the chunk IEND of PNG. */
static size_t end_of(int i)
{
	return i < JPEG_FILES ? 2 : 12;
}

/* The pixels are all there: what comes in place of the end does not matter. */
static void pixels_count_whatever_follows_them(void **state)
{
	static const char *const trailers[] = { "", "SEFH\x6b\0\0\0\x01\0\0\0SEFT",
		"\0\0\0\x18"
		"ftypmp42",
		"\xFF\xD8\xFF\xE0\0\x10JFIF", "\xFF\xC0\0\x0b", "\xFF", "\xFF\xFF\xFF\xFF" };
	static const size_t sizes[] = { 0, 16, 12, 10, 4, 1, 4 };
	(void)state;
	for (int i = 0; i < FILES; i++) {
		buf file = whole_file(i);
		image whole;
		assert_int_equal(decode_into(&whole, &file, file.len, NULL, NULL), 0);
		file.len -= end_of(i);
		size_t end = file.len;
		for (int t = 0; t < 7; t++) {
			file.len = end;
			ims_buf_put(&file, trailers[t], sizes[t]);
			int rc = check_cut(&file, file.len, NULL, &whole);
			if (rc && i != ARITHMETIC)
				fail_msg("file %d with trailer %d is damaged", i, t);
		}
		ims_image_free(&whole);
		ims_buf_free(&file);
	}
}

/* Of a PNG the checksums at the end may be missing: that of zlib, that of the last IDAT, IEND. */
static void checksums_are_no_pixels(void **state)
{
	enum { CHECKSUMS = 4 + 4 + 12 };
	(void)state;
	for (int i = JPEG_FILES; i < FILES; i++) {
		buf file = whole_file(i);
		image whole;
		assert_int_equal(decode_into(&whole, &file, file.len, NULL, NULL), 0);
		for (size_t lost = 0; lost <= CHECKSUMS; lost++)
			if (check_cut(&file, file.len - lost, NULL, &whole))
				fail_msg("file %d without its last %zu bytes is damaged", i, lost);
		ims_image_free(&whole);
		ims_buf_free(&file);
	}
}

/* A scan, or the last bytes of the pixels, are missing: damaged, although an end stands there. */
static void an_end_does_not_replace_pixels(void **state)
{
	(void)state;
	for (int i = 0; i < FILES; i++) {
		buf file = whole_file(i);
		image whole;
		assert_int_equal(decode_into(&whole, &file, file.len, NULL, NULL), 0);
		for (size_t lost = 40; lost < file.len / 2; lost += file.len / 23) {
			buf cut = { 0 };
			ims_buf_put(&cut, file.data, file.len - end_of(i) - lost);
			ims_buf_put(&cut, file.data + file.len - end_of(i), end_of(i));
			if (i != ARITHMETIC && check_cut(&cut, cut.len, NULL, &whole) == 0)
				fail_msg("file %d without %zu bytes is whole", i, lost);
			ims_buf_free(&cut);
		}
		ims_image_free(&whole);
		ims_buf_free(&file);
	}
}

/* Of a picture whose rows are in order, the rows that are there; otherwise the whole area. */
static void what_is_there_of_a_cut_picture(void **state)
{
	const image_limits limits = { .partial = true };
	(void)state;
	for (int i = 0; i < FILES; i++) {
		buf file = whole_file(i);
		image whole, im;
		uint32_t height = 0;
		assert_int_equal(decode_into(&whole, &file, file.len, &limits, NULL), 0);
		assert_false(whole.partial);
		for (int cut = 0; cut < 100; cut += 3) {
			if (decode_into(&im, &file, file.len * (size_t)cut / 100, &limits, NULL))
				continue;
			assert_true(im.partial && im.width == whole.width && im.height >= height);
			height = im.height;
			if (i == 0 || i == 2 || i == 5 || i == 7) /* baseline; PNG without interlace */
				assert_memory_equal(im.pixels, whole.pixels,
					(size_t)im.width * (im.height > 16 ? im.height - 16 : 0) * 3);
			else if (i != ARITHMETIC)
				assert_int_equal(im.height, whole.height);
			ims_image_free(&im);
		}
		if (height <= whole.height / 2)
			fail_msg("of file %d only %u rows came", i, (unsigned)height);
		ims_image_free(&whole);
		ims_buf_free(&file);
	}
}

static void bytes_after_the_end_do_no_harm(void **state)
{
	(void)state;
	for (int i = 0; i < FILES; i++) {
		buf file = whole_file(i), second = whole_file(0);
		ims_buf_put(&file, second.data, second.len); /* as MPO does */
		assert_int_equal(decode_copy(&file, file.len, 0, NULL), 0);
		ims_buf_free(&file);
		ims_buf_free(&second);
	}
}

static void flipped_bits_never_crash(void **state)
{
	(void)state;
	uint64_t seed = 1;
	for (int i = 0; i < FILES; i++) {
		buf file = whole_file(i);
		for (int round = 0; round < 300; round++) {
			size_t at = ims_random(&seed) % file.len;
			uint8_t was = file.data[at];
			file.data[at] ^= (uint8_t)(1u << ims_random(&seed) % 8);
			int rc = decode_copy(&file, file.len, 0, NULL);
			assert_true(rc == 0 || rc == IMGSEARCH_EFORMAT || rc == IMGSEARCH_EUNSUPPORTED
				|| rc == IMGSEARCH_ELIMIT);
			file.data[at] = was;
		}
		ims_buf_free(&file);
	}
}

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* The frame header of a JPEG made above. */
static uint8_t *frame(buf *file)
{
	for (size_t i = 2; i + 9 < file->len; i++)
		if (file->data[i] == 0xFF && (file->data[i + 1] == 0xC0 || file->data[i + 1] == 0xC2))
			return file->data + i;
	fail_msg("no frame header");
	return NULL;
}

static void expect_refused(const buf *file, size_t n, const image_limits *limits, int code,
	const char *word)
{
	imgsearch_error err = { 0 };
	image_head head;
	image im;
	assert_int_equal(ims_image_head(&head, file->data, n, limits, &err), code);
	assert_non_null(strstr(err.message, word));
	assert_int_equal(ims_image_decode(&im, NULL, file->data, n, limits, NULL, NULL), code);
	assert_null(im.pixels);
}

static void headers_that_promise_too_much_cost_nothing(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		buf file = whole_file(i < 3 ? i : JPEG_FILES);
		if (i < 3) {
			put16(frame(&file) + 5, 60000);
			put16(frame(&file) + 7, 60000);
		} else {
			file.len = 8;
			put_chunk(&file, "IHDR", (const uint8_t *)"\0\0\xEA\x60\0\0\xEA\x60\x08\2\0\0", 13);
		}
		if (i < 3)
			ims_alloc_fail_after(1); /* it is refused before anything is asked for */
		expect_refused(&file, file.len, NULL, IMGSEARCH_ELIMIT, "60000 x 60000");
		assert_true(ims_alloc_fail_after(0) < 20);
		ims_buf_free(&file);
	}
}

static void no_side_is_longer_than_a_million(void **state)
{
	(void)state;
	buf file = whole_file(JPEG_FILES);
	file.len = 8;
	put_chunk(&file, "IHDR", (const uint8_t *)"\0\x0f\x42\x41\0\0\0\1\x08\2\0\0", 13);
	expect_refused(&file, file.len, NULL, IMGSEARCH_ELIMIT, "1000001 x 1");
	ims_buf_free(&file);
}

static void the_limit_is_the_callers(void **state)
{
	(void)state;
	for (int i = 0; i < FILES; i++) {
		buf file = whole_file(i);
		image_head head;
		expect_refused(&file, file.len, &(image_limits){ .max_pixels = 90 * 70 - 1 },
			IMGSEARCH_ELIMIT, "90 x 70");
		assert_int_equal(ims_image_head(&head, file.data, file.len,
							 &(image_limits){ .max_pixels = 90 * 70 }, NULL),
			0);
		ims_buf_free(&file);
	}
}

/* A picture that takes more memory than there is is refused, and nothing stays reserved. */
static void memory_has_a_budget(void **state)
{
	(void)state;
	for (int i = 0; i < FILES; i++) {
		buf file = whole_file(i);
		budget b;
		image im;
		imgsearch_error err = { 0 };
		const image_limits limits = { .budget = &b };
		ims_budget_init(&b, 1 << 20);
		assert_int_equal(decode_into(&im, &file, file.len, &limits, &err), 0);
		assert_int_equal(im.reserved, b.used);
		uint64_t need = b.used;
		/* An interlaced picture with alpha keeps four more bytes a pixel, several scans more. */
		assert_true(need >= file.len + 90 * 70 * (i == JPEG_FILES + 1 ? 7 : i == 1 ? 6 : 3));
		ims_image_free(&im);
		assert_int_equal(b.used, 0);
		b.limit = need;
		assert_int_equal(decode_into(&im, &file, file.len / 2, &limits, &err), IMGSEARCH_EFORMAT);
		assert_int_equal(b.used, 0);
		assert_int_equal(decode_into(&im, &file, file.len, &limits, &err), 0);
		ims_image_unreserve(&im);
		assert_int_equal(b.used, 0);
		ims_image_free(&im);
		b.limit = need - 1;
		assert_int_equal(decode_into(&im, &file, file.len, &limits, &err), IMGSEARCH_ELIMIT);
		assert_non_null(strstr(err.message, "memory"));
		ims_budget_destroy(&b);
		ims_buf_free(&file);
	}
}

/* Thousands of megabytes are written as people write them. */
static void much_memory_is_a_plain_number(void **state)
{
	(void)state;
	buf file = whole_file(1); /* progressive: its coefficients are kept */
	budget b;
	image im;
	imgsearch_error err = { 0 };
	const image_limits limits = { .budget = &b };
	static const uint8_t sides[] = { 14000 >> 8, 14000 & 255, 14000 >> 8, 14000 & 255 };
	memcpy(frame(&file) + 5, sides, sizeof sides);
	ims_budget_init(&b, 1999999);
	assert_int_equal(decode_into(&im, &file, file.len, &limits, &err), IMGSEARCH_ELIMIT);
	unsigned need = 0, limit = 0;
	int n = sscanf(err.message, "decoding it takes %u MB of memory, and the limit is %u MB", &need,
		&limit);
	if (n != 2 || need < 1000 || limit != 2)
		fail_msg("%s", err.message);
	ims_budget_destroy(&b);
	ims_buf_free(&file);
}

static void kinds_that_libjpeg_cannot_are_named(void **state)
{
	(void)state;
	buf file = whole_file(0);
	frame(&file)[4] = 12;
	expect_refused(&file, file.len, NULL, IMGSEARCH_EUNSUPPORTED, "12 bits");
	frame(&file)[4] = 8;
	frame(&file)[1] = 0xC3;
	for (size_t i = 2; i < file.len; i++)
		if (file.data[i] == 0xFF && file.data[i + 1] == 0xC3)
			expect_refused(&file, file.len, NULL, IMGSEARCH_EUNSUPPORTED, "lossless");
	ims_buf_free(&file);
}

/*
 * One scan a component, the last of them many times over: each costs a pass over the whole picture.
 */
static buf many_scans(unsigned times)
{
	image im = pattern_image(90, 70);
	jpeg_kind k = { .one_by_one = 1 };
	buf file = make_jpeg(&im, &k), bomb = { 0 };
	size_t last = 0;
	for (size_t i = 2; i + 1 < file.len; i++)
		if (file.data[i] == 0xFF && file.data[i + 1] == 0xDA)
			last = i;
	ims_buf_put(&bomb, file.data, last);
	for (unsigned i = 0; i < times; i++)
		ims_buf_put(&bomb, file.data + last, file.len - 2 - last);
	ims_buf_put(&bomb, "\xFF\xD9", 2);
	ims_image_free(&im);
	ims_buf_free(&file);
	return bomb;
}

static void too_many_scans_are_refused(void **state)
{
	(void)state;
	buf many = many_scans(95), too_many = many_scans(1000);
	imgsearch_error err = { 0 };
	assert_int_equal(decode_copy(&many, many.len, 0, NULL), 0);
	assert_int_equal(decode_copy(&too_many, too_many.len, 0, &err), IMGSEARCH_ELIMIT);
	assert_non_null(strstr(err.message, "scans"));
	ims_buf_free(&many);
	ims_buf_free(&too_many);
}

static void memory_may_run_out_anywhere(void **state)
{
	(void)state;
	image_recipe recipe = { 32, 28, { 0.5f, 0.5f, 0.5f }, { 0.5f, 0.5f, 0.5f }, 0, 0, 0 };
	float out[28 * 28 * 3];
	for (int i = 0; i < FILES; i++) {
		buf file = whole_file(i);
		int rc = IMGSEARCH_ENOMEM;
		for (uint64_t n = 1; rc && n < 1000; n++) {
			imgsearch_error err = { 0 };
			image im;
			buf jpeg = { 0 }, png = { 0 };
			ims_alloc_fail_after(n);
			rc = ims_image_decode(&im, NULL, file.data, file.len, NULL, NULL, &err);
			if (!rc)
				rc = ims_image_fit(&im, &recipe, true, out, &err);
			if (!rc)
				rc = ims_image_encode_jpeg(&jpeg, &im, 80, NULL, &err);
			if (!rc)
				rc = ims_image_encode_png(&png, &im, NULL, &err);
			ims_alloc_fail_after(0);
			if (rc != 0 && rc != IMGSEARCH_ENOMEM)
				fail_msg("file %d, allocation %d: %d %s", i, (int)n, rc, err.message);
			ims_image_free(&im);
			ims_buf_free(&jpeg);
			ims_buf_free(&png);
		}
		assert_int_equal(rc, 0);
		ims_buf_free(&file);
	}
}

/*
 * What must become of a file of ../shared/bad-input, by a word of its name or of its kind; the
 * first that fits counts.
 */
static const struct {
	const char *word;
	int code;
} verdicts[] = {
	{ "truncated_app14", 0 }, { "truncated_exif_dpi", 0 }, { "sharp/truncated", IMGSEARCH_EFORMAT },
	{ "vips/truncated", IMGSEARCH_EFORMAT }, { "truncated_jpeg", 0 }, /* only its end is missing */
	{ "truncated_image", IMGSEARCH_EFORMAT }, { "truncated_end_chunk", 0 },
	{ "broken_data_stream", IMGSEARCH_EFORMAT }, { "corrupt-header", IMGSEARCH_EFORMAT },
	{ "max_size.jpg", IMGSEARCH_ELIMIT }, { "small.bmp", 0 },
	{ "wrong-format/animated-loop-3.gif", 0 }, { "grey-plus-alpha.gif", 0 },
	{ "truncated.gif", IMGSEARCH_EFORMAT }, { "heap-buffer-overflow-796.gif", 1 },
	{ "monkey12", IMGSEARCH_EUNSUPPORTED },
	{ "ultrahdr", IMGSEARCH_EFORMAT },       /* ends at the first scan */
	{ "8x8_420_tables", IMGSEARCH_EFORMAT }, /* tables without a picture */
	{ "partial_progressive", IMGSEARCH_EFORMAT }, { "progressive-missing-dc", IMGSEARCH_EFORMAT },
	{ "PngSuite valid", 0 }, { "not JPEG or PNG", IMGSEARCH_EUNSUPPORTED },
	{ "12-bit JPEG", IMGSEARCH_EUNSUPPORTED }, { "lossless (SOF3)", IMGSEARCH_EUNSUPPORTED },
	{ "Apple CgBI", IMGSEARCH_EUNSUPPORTED }, { "EXIF orientation 2", 0 },
	{ "reference picture", 0 }, { "MPO:", 0 }, { "Mozilla reftest", 0 },
	{ "ICC profile chunks", 0 }, { "index past the palette", 0 }, { "sharp fixture: 16-bit", 0 },
	{ "libjpeg-turbo seed", 0 }, { "libjpeg-turbo test image", 0 }, { "JPEG: RGB", 0 },
	{ "Pillow JPEG", 0 }, { "text-chunk decompression bomb", 1 }, /* 1: anything but a crash */
	{ "must fail cleanly", 2 },                                   /* 2: anything but a picture */
};

static void check_bad_input(const char *folder, char *line)
{
	char path[512];
	char *tab = strchr(line, '\t');
	imgsearch_error err = { 0 };
	buf file = { 0 };
	assert_non_null(tab);
	*tab = 0;
	snprintf(path, sizeof path, "%s/%s", folder, line);
	assert_int_equal(ims_read_file(&file, path, 1 << 24, &err), 0);
	int rc = decode_copy(&file, file.len, 0, &err), want = 1;
	for (size_t i = 0; i < sizeof verdicts / sizeof verdicts[0] && want == 1; i++)
		if (strstr(line, verdicts[i].word) || strstr(tab + 1, verdicts[i].word))
			want = verdicts[i].code;
	bool fits = want == 1 ? rc == 0 || rc == IMGSEARCH_EFORMAT || rc == IMGSEARCH_EUNSUPPORTED
			|| rc == IMGSEARCH_ELIMIT
		: want == 2 ? rc != 0
					: rc == want;
	if (!fits)
		fail_msg("%s: %d (%s), not %d", line, rc, err.message, want);
	decode_copy(&file, file.len, 4, NULL); /* scaled: must not crash either */
	ims_buf_free(&file);
}

static void the_collection_of_bad_input(void **state)
{
	(void)state;
	const char *folder = "../shared/bad-input";
	buf list = { 0 };
	char path[512];
	int n = 0;
	snprintf(path, sizeof path, "%s/SOURCES.tsv", folder);
	if (ims_read_file(&list, path, 1 << 24, NULL)) {
		print_message("# %s is absent\n", folder);
		skip();
	}
	ims_buf_u8(&list, 0);
	assert_false(list.failed);
	char *save = NULL, *line = strtok_r((char *)list.data, "\n", &save);
	while ((line = strtok_r(NULL, "\n", &save))) {
		check_bad_input(folder, line);
		n++;
	}
	assert_true(n > 400);
	ims_buf_free(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cut_off_anywhere_is_damaged_or_whole),
		cmocka_unit_test(checksums_are_no_pixels),
		cmocka_unit_test(pixels_count_whatever_follows_them),
		cmocka_unit_test(an_end_does_not_replace_pixels),
		cmocka_unit_test(what_is_there_of_a_cut_picture),
		cmocka_unit_test(memory_has_a_budget),
		cmocka_unit_test(bytes_after_the_end_do_no_harm),
		cmocka_unit_test(flipped_bits_never_crash),
		cmocka_unit_test(headers_that_promise_too_much_cost_nothing),
		cmocka_unit_test(no_side_is_longer_than_a_million),
		cmocka_unit_test(the_limit_is_the_callers),
		cmocka_unit_test(much_memory_is_a_plain_number),
		cmocka_unit_test(kinds_that_libjpeg_cannot_are_named),
		cmocka_unit_test(too_many_scans_are_refused),
		cmocka_unit_test(memory_may_run_out_anywhere),
		cmocka_unit_test(the_collection_of_bad_input),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
