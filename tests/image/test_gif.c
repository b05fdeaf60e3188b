/*
 * GIF: the first frame on its canvas, interlaced or not, of every number of colours, against a
 * formula; what is lost; and the files in ../shared/formats/gif beside what Pillow says of them
 * (skipped where absent).
 */
#include "image/common.h"

#include <math.h>

typedef struct gif_kind {
	uint32_t width, height; /* of the canvas */
	uint32_t x, y, frame_width, frame_height;
	unsigned bits;   /* of an index */
	int transparent; /* index; -1: none */
	bool interlaced, local, clears_often;
} gif_kind;

static void put16(buf *out, uint32_t v)
{
	ims_buf_put(out, (uint8_t[]){ (uint8_t)v, (uint8_t)(v >> 8) }, 2);
}

static void put8(buf *out, unsigned v)
{
	ims_buf_put(out, &(uint8_t){ (uint8_t)v }, 1);
}

static unsigned index_of(const gif_kind *k, uint32_t x, uint32_t y)
{
	return pattern(x / 3, y / 2, 0) & ((1u << k->bits) - 1);
}

/* Bits into blocks of at most 255 bytes. */
typedef struct bits {
	buf bytes;
	uint32_t held, n;
} bits;

static void put_code(bits *b, unsigned code, unsigned width)
{
	b->held |= code << b->n;
	for (b->n += width; b->n >= 8; b->n -= 8, b->held >>= 8)
		put8(&b->bytes, b->held & 255);
}

/* A plain LZW encoder: the longest string of the table, looked for from its end. */
static void put_pixels(buf *out, const gif_kind *k, const uint8_t *index, size_t n)
{
	unsigned min = k->bits < 2 ? 2 : k->bits, clear = 1u << min, next = clear + 2;
	unsigned width = min + 1;
	static unsigned prefix[4096];
	static uint8_t suffix[4096];
	bits b = { 0 };
	put_code(&b, clear, width);
	for (size_t i = 0; i < n;) {
		unsigned code = index[i++], longer = 1;
		while (longer && i < n) {
			longer = 0;
			for (unsigned c = next; !longer && c-- > clear + 2;)
				longer = prefix[c] == code && suffix[c] == index[i] ? c : 0;
			code = longer ? longer : code;
			i += longer != 0;
		}
		put_code(&b, code, width);
		if (i == n)
			break;
		if (next < 4096) {
			prefix[next] = code;
			suffix[next] = index[i];
			if (next++ == 1u << width && width < 12)
				width++;
		}
		if (k->clears_often && next > clear + 40) {
			put_code(&b, clear, width);
			next = clear + 2;
			width = min + 1;
		}
	}
	put_code(&b, clear + 1, width);
	put_code(&b, 0, 7);
	put8(out, min);
	for (size_t at = 0; at < b.bytes.len; at += 255) {
		size_t part = b.bytes.len - at < 255 ? b.bytes.len - at : 255;
		put8(out, (unsigned)part);
		ims_buf_put(out, (const uint8_t *)b.bytes.data + at, part);
	}
	put8(out, 0);
	ims_buf_free(&b.bytes);
}

static void put_palette(buf *out, const gif_kind *k)
{
	for (unsigned i = 0; i < 1u << k->bits; i++) {
		png_color c = palette_color(i);
		ims_buf_put(out, (uint8_t[]){ c.red, c.green, c.blue }, 3);
	}
}

static buf make_gif(const gif_kind *k)
{
	static const uint32_t first[] = { 0, 4, 2, 1 }, step[] = { 8, 8, 4, 2 };
	buf out = { 0 };
	uint8_t *index = ims_alloc(k->frame_width, k->frame_height);
	size_t n = 0;
	assert_non_null(index);
	for (int pass = 0; pass < (k->interlaced ? 4 : 1); pass++)
		for (uint32_t y = first[pass]; y < k->frame_height; y += k->interlaced ? step[pass] : 1)
			for (uint32_t x = 0; x < k->frame_width; x++)
				index[n++] = (uint8_t)index_of(k, x, y);
	ims_buf_put(&out, "GIF89a", 6);
	put16(&out, k->width);
	put16(&out, k->height);
	put8(&out, k->local ? 0 : 0x80 | (k->bits - 1));
	put16(&out, 0);
	if (!k->local)
		put_palette(&out, k);
	ims_buf_put(&out, "\x21\xFE\x05hello\0", 9); /* a comment */
	if (k->transparent >= 0) {
		ims_buf_put(&out, "\x21\xF9\x04\x0D\0\0", 6); /* disposal: previous */
		put8(&out, (unsigned)k->transparent);
		put8(&out, 0);
	}
	put8(&out, 0x2C);
	put16(&out, k->x);
	put16(&out, k->y);
	put16(&out, k->frame_width);
	put16(&out, k->frame_height);
	put8(&out, (k->interlaced ? 0x40 : 0) | (k->local ? 0x80 | (k->bits - 1) : 0));
	if (k->local)
		put_palette(&out, k);
	put_pixels(&out, k, index, n);
	put8(&out, 0x3B);
	ims_free(index);
	assert_false(out.failed);
	return out;
}

/* Whether the pixel of the canvas has a colour, which *c receives. */
static bool colour_at(const gif_kind *k, uint32_t x, uint32_t y, png_color *c)
{
	if (x < k->x || y < k->y || x - k->x >= k->frame_width || y - k->y >= k->frame_height)
		return false;
	unsigned index = index_of(k, x - k->x, y - k->y);
	*c = palette_color(index);
	return (int)index != k->transparent;
}

static void check_kind(const gif_kind *k)
{
	imgsearch_error err = { 0 };
	image im;
	image_head head;
	buf file = make_gif(k);
	if (ims_image_decode(&im, &head, file.data, file.len, NULL, NULL, &err))
		fail_msg("%u bits: %s", k->bits, err.message);
	assert_int_equal(head.format, IMAGE_GIF);
	assert_int_equal(im.width, k->width);
	assert_int_equal(im.height, k->height);
	for (uint32_t y = 0; y < k->height; y++)
		for (uint32_t x = 0; x < k->width; x++) {
			png_color c = { 255, 255, 255 };
			if (!colour_at(k, x, y, &c))
				c = (png_color){ 255, 255, 255 };
			const uint8_t *p = im.pixels + ((size_t)y * im.width + x) * 3;
			if (p[0] != c.red || p[1] != c.green || p[2] != c.blue)
				fail_msg("%u bits, interlaced %d: (%u, %u) is %d, not %d", k->bits, k->interlaced,
					(unsigned)x, (unsigned)y, p[0], c.red);
		}
	ims_image_free(&im);
	ims_buf_free(&file);
}

static void every_number_of_colours_is_read(void **state)
{
	(void)state;
	for (unsigned bits = 1; bits <= 8; bits++)
		for (int how = 0; how < 16; how++) {
			gif_kind k = { 70, 61, 0, 0, 70, 61, bits, how & 1 ? 1 : -1, how & 2, how & 4,
				how & 8 };
			check_kind(&k);
		}
}

static void the_frame_lies_on_a_clear_canvas(void **state)
{
	(void)state;
	check_kind(&(gif_kind){ 50, 40, 7, 5, 20, 15, 4, -1, false, false, false });
	check_kind(&(gif_kind){ 50, 40, 7, 5, 20, 15, 4, 2, true, true, false });
	check_kind(&(gif_kind){ 50, 40, 40, 30, 20, 15, 4, -1, false, false, false });
	check_kind(&(gif_kind){ 500, 300, 0, 0, 500, 300, 8, -1, false, false, false });
	gif_kind none = { 0, 0, 3, 4, 20, 15, 4, -1, false, false, false };
	buf file = make_gif(&none);
	image_head head;
	assert_int_equal(ims_image_head(&head, file.data, file.len, NULL, NULL), 0);
	assert_true(head.width == 23 && head.height == 19 && head.traits & IMAGE_HAS_ALPHA);
	ims_buf_free(&file);
}

static void what_is_lost_is_damaged(void **state)
{
	const image_limits partial = { .partial = true };
	(void)state;
	for (int interlaced = 0; interlaced < 2; interlaced++) {
		gif_kind k = { 70, 61, 0, 0, 70, 61, 5, -1, interlaced, false, false };
		buf file = make_gif(&k);
		image im, whole;
		uint32_t rows = 0;
		assert_int_equal(ims_image_decode(&whole, NULL, file.data, file.len, NULL, NULL, NULL), 0);
		for (size_t n = 6; n < file.len - 6; n++) {
			int rc = ims_image_decode(&im, NULL, file.data, n, NULL, NULL, NULL);
			assert_int_equal(rc, IMGSEARCH_EFORMAT);
			if (ims_image_decode(&im, NULL, file.data, n, &partial, NULL, NULL))
				continue;
			assert_true(im.partial && im.height >= rows && im.height <= 61);
			rows = im.height;
			if (!interlaced && rows > 1)
				assert_memory_equal(im.pixels, whole.pixels, (rows - 1) * 70 * 3);
			ims_image_free(&im);
		}
		assert_true(rows >= 60);
		ims_image_free(&whole);
		ims_buf_free(&file);
	}
}

static void headers_are_checked(void **state)
{
	static const struct {
		size_t at;
		uint8_t value[2];
		int rc;
	} cases[] = {
		{ 10, { 0, 0 }, IMGSEARCH_EFORMAT },             /* no palette */
		{ 13 + 48 + 9, { 0x3B, 0 }, IMGSEARCH_EFORMAT }, /* no picture */
		{ 13 + 48 + 9, { 7, 0 }, IMGSEARCH_EFORMAT },
		{ 13 + 48 + 14, { 0, 0 }, IMGSEARCH_EFORMAT }, /* a frame of no width */
		{ 13 + 48 + 19, { 0, 0 }, IMGSEARCH_EFORMAT }, /* codes of no bits */
	};
	(void)state;
	gif_kind k = { 20, 15, 0, 0, 20, 15, 4, -1, false, false, false };
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		imgsearch_error err = { 0 };
		image im;
		buf file = make_gif(&k);
		memcpy((uint8_t *)file.data + cases[i].at, cases[i].value,
			cases[i].at == 13 + 48 + 14 ? 2 : 1);
		int rc = ims_image_decode(&im, NULL, file.data, file.len, NULL, NULL, &err);
		if (rc != cases[i].rc || !err.message[0])
			fail_msg("case %zu: %d %s", i, rc, err.message);
		ims_buf_free(&file);
	}
	buf file = make_gif(&k);
	image_head head;
	const image_limits small = { .max_pixels = 299 }, enough = { .max_pixels = 300 };
	assert_int_equal(ims_image_head(&head, file.data, file.len, &small, NULL), IMGSEARCH_ELIMIT);
	assert_int_equal(ims_image_head(&head, file.data, file.len, &enough, NULL), 0);
	memset((uint8_t *)file.data + 13 + 48 + 14, 0xFF, 4); /* a frame of 65535 x 65535 */
	assert_int_equal(ims_image_head(&head, file.data, file.len, NULL, NULL), IMGSEARCH_ELIMIT);
	ims_buf_free(&file);
}

/* Opaque files of which Pillow reads every pixel. */
static void shared_files_are_as_pillow_says(void **state)
{
	char line[400], name[200], path[300];
	unsigned width, height;
	int mean[3], checked = 0;
	FILE *table = fopen("../shared/formats/pillow.tsv", "r");
	(void)state;
	if (!table) {
		print_message("# ../shared/formats is missing\n");
		skip();
	}
	while (fgets(line, sizeof line, table)) {
		buf file = { 0 };
		image im;
		image_head head;
		if (sscanf(line, "%199[^\t]\t%u\t%u\t%d,%d,%d", name, &width, &height, &mean[0], &mean[1],
				&mean[2])
				!= 6
			|| strncmp(name, "gif/", 4))
			continue;
		snprintf(path, sizeof path, "../shared/formats/%s", name);
		assert_int_equal(ims_read_file(&file, path, 1 << 24, NULL), 0);
		int rc = ims_image_decode(&im, &head, file.data, file.len, NULL, NULL, NULL);
		double sum[3] = { 0 }, n = (double)im.width * im.height;
		for (size_t i = 0; !rc && i < (size_t)im.width * im.height * 3; i++)
			sum[i % 3] += im.pixels[i];
		for (int c = 0; c < 3 && !rc && !(head.traits & IMAGE_HAS_ALPHA); c++, checked++)
			if (im.width != width || im.height != height || fabs(sum[c] / n - mean[c]) > 1)
				fail_msg("%s: the mean is %g, Pillow's %d", name, sum[c] / n, mean[c]);
		ims_image_free(&im);
		ims_buf_free(&file);
	}
	fclose(table);
	assert_true(checked > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_number_of_colours_is_read),
		cmocka_unit_test(the_frame_lies_on_a_clear_canvas),
		cmocka_unit_test(what_is_lost_is_damaged),
		cmocka_unit_test(headers_are_checked),
		cmocka_unit_test(shared_files_are_as_pillow_says),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
