/*
 * Pictures for the tests of lib/image, made here: nothing is kept but what Pillow and torchvision
 * said.
 */
#ifndef IMS_TEST_IMAGE_H
#define IMS_TEST_IMAGE_H

#include "image/image.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>
#include <png.h>

/* The same pattern as in tests/golden/image.py: edges, slopes and a little of everything. */
static inline uint8_t pattern(uint32_t x, uint32_t y, uint32_t c)
{
	uint32_t slope = x * 3 + y * 2 + c * 40, block = ((x / 7 + y / 5 + c) % 3) * 60,
			 speck = (x * x * 7 + y * y * 11 + x * y * c) % 31;
	return (uint8_t)((slope + block + speck) % 256);
}

static inline image pattern_image(uint32_t width, uint32_t height)
{
	image im = { .pixels = ims_alloc((size_t)width * height, 3), .width = width, .height = height };
	assert_non_null(im.pixels);
	for (uint32_t y = 0; y < height; y++)
		for (uint32_t x = 0; x < width; x++)
			for (uint32_t c = 0; c < 3; c++)
				im.pixels[((size_t)y * width + x) * 3 + c] = pattern(x, y, c);
	return im;
}

/* Something that JPEG keeps almost unchanged. */
static inline image smooth_image(uint32_t width, uint32_t height)
{
	image im = pattern_image(width, height);
	for (uint32_t y = 0; y < height; y++)
		for (uint32_t x = 0; x < width; x++) {
			uint8_t *p = im.pixels + ((size_t)y * width + x) * 3;
			p[0] = (uint8_t)(40 + 170 * x / width);
			p[1] = (uint8_t)(30 + 190 * y / height);
			p[2] = (uint8_t)(200 - 150 * (x + y) / (width + height));
		}
	return im;
}

typedef struct jpeg_kind {
	const char *name;
	J_COLOR_SPACE stored; /* JCS_UNKNOWN: YCbCr */
	int h, v;             /* luma sampling; 0: 1 */
	int progressive, arithmetic, restart, quality;
	int one_by_one;       /* a scan for each component */
	uint32_t orientation; /* 1..8 puts an Exif block; 0: none */
	int motorola;         /* byte order of that block */
} jpeg_kind;

static inline void put_exif(struct jpeg_compress_struct *c, uint32_t orientation, int motorola)
{
	uint8_t little[] = "Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0?\0\0\0\0\0\0\0";
	uint8_t big[] = "Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0?\0\0\0\0\0\0";
	little[24] = big[25] = (uint8_t)orientation;
	jpeg_write_marker(c, JPEG_APP0 + 1, motorola ? big : little, sizeof little - 1);
}

/* RGB to what is stored: grey by its green, CMYK inverted and without black, else as it is. */
static inline void jpeg_row(uint8_t *to, const uint8_t *rgb, uint32_t width, int components)
{
	for (uint32_t x = 0; x < width; x++, rgb += 3, to += components) {
		if (components == 1)
			to[0] = rgb[1];
		else
			memcpy(to, rgb, 3);
		if (components == 4)
			to[3] = 255;
	}
}

static inline buf make_jpeg(const image *im, const jpeg_kind *k)
{
	struct jpeg_compress_struct c;
	struct jpeg_error_mgr manager;
	unsigned char *bytes = NULL;
	unsigned long size = 0;
	buf out = { 0 };
	bool four = k->stored == JCS_CMYK || k->stored == JCS_YCCK;
	c.err = jpeg_std_error(&manager);
	jpeg_create_compress(&c);
	jpeg_mem_dest(&c, &bytes, &size);
	c.image_width = im->width;
	c.image_height = im->height;
	c.input_components = four ? 4 : k->stored == JCS_GRAYSCALE ? 1 : 3;
	c.in_color_space = four ? JCS_CMYK : k->stored == JCS_GRAYSCALE ? JCS_GRAYSCALE : JCS_RGB;
	jpeg_set_defaults(&c);
	if (k->stored != JCS_UNKNOWN)
		jpeg_set_colorspace(&c, k->stored);
	jpeg_set_quality(&c, k->quality ? k->quality : 100, TRUE);
	c.comp_info[0].h_samp_factor = k->h ? k->h : 1;
	c.comp_info[0].v_samp_factor = k->v ? k->v : 1;
	c.restart_interval = (unsigned)k->restart;
	c.arith_code = k->arithmetic;
	static const jpeg_scan_info one_by_one[] = {
		{ 1, { 0 }, 0, 63, 0, 0 },
		{ 1, { 1 }, 0, 63, 0, 0 },
		{ 1, { 2 }, 0, 63, 0, 0 },
	};
	if (k->one_by_one) {
		c.scan_info = one_by_one;
		c.num_scans = 3;
	}
	if (k->progressive)
		jpeg_simple_progression(&c);
	jpeg_start_compress(&c, TRUE);
	if (k->orientation)
		put_exif(&c, k->orientation, k->motorola);
	uint8_t *row = ims_alloc(im->width, 4);
	assert_non_null(row);
	while (c.next_scanline < c.image_height) {
		jpeg_row(row, im->pixels + (size_t)c.next_scanline * im->width * 3, im->width,
			c.input_components);
		jpeg_write_scanlines(&c, &row, 1);
	}
	jpeg_finish_compress(&c);
	jpeg_destroy_compress(&c);
	ims_free(row);
	ims_buf_put(&out, bytes, size);
	assert_false(out.failed);
	free(bytes);
	return out;
}

static inline void png_to_buf(png_structp png, png_bytep data, size_t n)
{
	ims_buf_put(png_get_io_ptr(png), data, n);
}

static inline void png_no_flush(png_structp png)
{
	(void)png;
}

typedef struct png_kind {
	int type, depth, interlaced,
		transparent; /* transparent: with a tRNS chunk (types without alpha) */
	uint32_t width, height;
} png_kind;

static inline unsigned png_samples(int type)
{
	return type == PNG_COLOR_TYPE_RGB       ? 3
		: type == PNG_COLOR_TYPE_RGB_ALPHA  ? 4
		: type == PNG_COLOR_TYPE_GRAY_ALPHA ? 2
											: 1;
}

/* The sample s of pixel (x, y), of `depth` bits. */
static inline unsigned png_sample(uint32_t x, uint32_t y, unsigned s, int depth)
{
	unsigned v = pattern(x, y, s) * 257u ^ pattern(y, x, s) * (depth == 16 ? 3u : 0u);
	return (v & 0xFFFF) >> (16 - depth);
}

static inline png_color palette_color(unsigned i)
{
	return (png_color){ (png_byte)(i * 37), (png_byte)(i * 91 + 13), (png_byte)(255 - i * 5) };
}

/* Alpha of palette entry i where there is a tRNS chunk. */
static inline png_byte palette_alpha(unsigned i)
{
	return i < 3 ? (png_byte)(i * 100) : 255;
}

static inline void png_describe(png_structp png, png_infop info, const png_kind *k)
{
	png_set_IHDR(png, info, k->width, k->height, k->depth, k->type,
		k->interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
		PNG_FILTER_TYPE_DEFAULT);
	if (k->type == PNG_COLOR_TYPE_PALETTE) {
		png_color palette[256];
		png_byte alpha[3] = { palette_alpha(0), palette_alpha(1), palette_alpha(2) };
		for (unsigned i = 0; i < 1u << k->depth; i++)
			palette[i] = palette_color(i);
		png_set_PLTE(png, info, palette, 1 << k->depth);
		if (k->transparent)
			png_set_tRNS(png, info, alpha, k->depth == 1 ? 2 : 3, NULL);
	} else if (k->transparent) { /* the first pixel's value is transparent */
		png_color_16 t = {
			0,
			(png_uint_16)png_sample(0, 0, 0, k->depth),
			(png_uint_16)png_sample(0, 0, 1, k->depth),
			(png_uint_16)png_sample(0, 0, 2, k->depth),
			(png_uint_16)png_sample(0, 0, 0, k->depth),
		};
		png_set_tRNS(png, info, NULL, 0, &t);
	}
}

static inline buf make_png(const png_kind *k)
{
	buf out = { 0 };
	png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
	png_infop info = png_create_info_struct(png);
	unsigned samples = png_samples(k->type);
	size_t stride = (size_t)k->width * samples * 2;
	uint8_t *row = ims_zalloc(stride, 1);
	assert_non_null(row);
	png_set_write_fn(png, &out, png_to_buf, png_no_flush);
	png_describe(png, info, k);
	png_write_info(png, info);
	for (int pass = png_set_interlace_handling(png); pass > 0; pass--)
		for (uint32_t y = 0; y < k->height; y++) {
			memset(row, 0, stride);
			for (size_t i = 0; i < (size_t)k->width * samples; i++) {
				unsigned v = png_sample((uint32_t)(i / samples), y, i % samples, k->depth);
				if (k->depth == 16)
					row[i * 2] = (uint8_t)(v >> 8), row[i * 2 + 1] = (uint8_t)v;
				else
					row[i * (unsigned)k->depth / 8] |= (uint8_t)(v
						<< (8 - (unsigned)k->depth - i * (unsigned)k->depth % 8));
			}
			png_write_row(png, row);
		}
	png_write_end(png, info);
	png_destroy_write_struct(&png, &info);
	ims_free(row);
	assert_false(out.failed);
	return out;
}

static inline void put_chunk(buf *out, const char *type, const uint8_t *data, size_t n)
{
	uint8_t head[8] = { (uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n };
	memcpy(head + 4, type, 4);
	uint32_t crc = ~0u;
	for (size_t i = 0; i < n + 4; i++) {
		crc ^= i < 4 ? head[4 + i] : data[i - 4];
		for (int b = 0; b < 8; b++)
			crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
	}
	crc = ~crc;
	uint8_t tail[4] = {
		(uint8_t)(crc >> 24),
		(uint8_t)(crc >> 16),
		(uint8_t)(crc >> 8),
		(uint8_t)crc,
	};
	ims_buf_put(out, head, 8);
	ims_buf_put(out, data, n);
	ims_buf_put(out, tail, 4);
}

#endif
