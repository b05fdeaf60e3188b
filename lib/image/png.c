/*
 * PNG (W3C Recommendation, third edition) by libpng. Every colour type and depth becomes 8-bit RGB,
 * with transparent parts over white. Only the chunks that make pixels reach libpng's parsers. All
 * others (profiles, texts: the places of decompression bombs) are skipped unread, except eXIf,
 * whose orientation is read here.
 *
 * All calls of libpng happen below run_guarded, which libpng's error handler jumps back to. What
 * must survive the jump lies in the job, never in a local variable.
 */
#include "image/decoder.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <png.h>

enum { SIGNATURE = 8, CHUNK_OVERHEAD = 12 };

/* The first member of each job. */
typedef struct guard {
	jmp_buf jump;
	int code;
	bool nomem;
	char message[160];
} guard;

typedef struct read_job {
	guard guard;
	png_structp png;
	png_infop info;
	const uint8_t *data;
	size_t size, pos;
	image_head head;
	image im;
	uint8_t *rgba; /* for transparency: one row, or the whole picture if it is interlaced */
} read_job;

typedef struct write_job {
	guard guard;
	png_structp png;
	png_infop info;
	const image *im;
	buf *out;
	const stop_token *stop; /* or NULL */
} write_job;

static _Noreturn void stop(guard *w, int code, const char *message)
{
	w->code = w->nomem ? IMGSEARCH_ENOMEM : code;
	snprintf(w->message, sizeof w->message, "%s", message);
	longjmp(w->jump, 1);
}

static void on_error(png_structp png, png_const_charp message)
{
	char text[160];
	snprintf(text, sizeof text, "the PNG is damaged: %s", message);
	stop(png_get_error_ptr(png), IMGSEARCH_EFORMAT, text);
}

static void on_warning(png_structp png, png_const_charp message)
{
	(void)png, (void)message;
}

static png_voidp on_malloc(png_structp png, png_alloc_size_t size)
{
	guard *w = png_get_mem_ptr(png);
	void *p = ims_alloc(size, 1);
	w->nomem |= !p;
	return p;
}

static void on_free(png_structp png, png_voidp p)
{
	(void)png;
	ims_free(p);
}

static int run_guarded(guard *w, void (*work)(void *job), void *job, imgsearch_error *err)
{
	if (setjmp(w->jump))
		return w->code == IMGSEARCH_ENOMEM ? ims_nomem(err)
										   : ims_fail(err, w->code, "%s", w->message);
	work(job);
	return 0;
}

/* --------------------------------------------------------------------------------- reading ---- */

static void on_read(png_structp png, png_bytep to, size_t n)
{
	read_job *j = png_get_io_ptr(png);
	if (n > j->size - j->pos)
		png_error(png, "premature end of PNG file");
	memcpy(to, j->data + j->pos, n);
	j->pos += n;
}

static uint32_t big_endian(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* The chunk eXIf may stand before or after the pixels. */
static uint32_t orientation_of(const uint8_t *data, size_t size)
{
	size_t pos = SIGNATURE;
	while (size - pos >= CHUNK_OVERHEAD) {
		size_t length = big_endian(data + pos), rest = size - pos - CHUNK_OVERHEAD;
		if (length > rest)
			break;
		if (memcmp(data + pos + 4, "eXIf", 4) == 0)
			return ims_image_orientation(data + pos + 8, length);
		pos += length + CHUNK_OVERHEAD;
	}
	return 1;
}

static void read_head(void *arg)
{
	read_job *j = arg;
	if (j->size >= 16 && memcmp(j->data + 12, "CgBI", 4) == 0)
		stop(&j->guard, IMGSEARCH_EUNSUPPORTED, "PNG in Apple's CgBI variant is not supported");
	j->png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, &j->guard, on_error, on_warning,
		&j->guard, on_malloc, on_free);
	if (!j->png || !(j->info = png_create_info_struct(j->png)))
		stop(&j->guard, IMGSEARCH_ENOMEM, "");
	png_set_read_fn(j->png, j, on_read);
	png_set_user_limits(j->png, PNG_UINT_31_MAX,
		PNG_UINT_31_MAX); /* ims_image_check_size has the limits */
	png_set_keep_unknown_chunks(j->png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
	png_read_info(j->png, j->info);
}

static void close_reader(read_job *j)
{
	png_destroy_read_struct(&j->png, &j->info, NULL);
	ims_free(j->rgba);
}

static int head(image_head *out, const void *data, size_t size, uint64_t max_pixels,
	imgsearch_error *err)
{
	read_job j = { .data = data, .size = size };
	int rc = run_guarded(&j.guard, read_head, &j, err), too_big = 0;
	if (j.info) { /* a size that was read is reported even if an error followed */
		out->width = png_get_image_width(j.png, j.info);
		out->height = png_get_image_height(j.png, j.info);
		too_big = ims_image_check_size(out->width, out->height, max_pixels, err);
	}
	out->orientation = size > SIGNATURE ? orientation_of(data, size) : 1;
	close_reader(&j);
	return too_big ? too_big : rc;
}

static void over_white(uint8_t *rgb, const uint8_t *rgba, size_t n)
{
	for (size_t i = 0; i < n; i++, rgb += 3, rgba += 4)
		for (int c = 0; c < 3; c++) {
			unsigned t = rgba[c] * (unsigned)rgba[3] + 255u * (255u - rgba[3]) + 128;
			rgb[c] = (uint8_t)((t + (t >> 8)) >> 8);
		}
}

/* Interlaced rows are complete only in the last pass. */
static void read_rows(read_job *j, int passes)
{
	size_t width = j->im.width;
	for (int pass = 1; pass <= passes; pass++)
		for (size_t y = 0; y < j->im.height; y++) {
			uint8_t *rgb = j->im.pixels + y * width * 3,
					*rgba = j->rgba ? j->rgba + (passes > 1 ? y : 0) * width * 4 : NULL;
			png_read_row(j->png, rgba ? rgba : rgb, NULL);
			if (rgba && pass == passes)
				over_white(rgb, rgba, width);
		}
	png_read_end(j->png, NULL);
}

static void read_pixels(void *arg)
{
	read_job *j = arg;
	read_head(j);
	uint32_t width = png_get_image_width(j->png, j->info),
			 height = png_get_image_height(j->png, j->info);
	if (width != j->head.width || height != j->head.height)
		stop(&j->guard, IMGSEARCH_EFORMAT, "the picture changed while it was read");
	png_set_scale_16(j->png);
	png_set_expand(j->png);
	png_set_gray_to_rgb(j->png);
	int passes = png_set_interlace_handling(j->png);
	png_read_update_info(j->png, j->info);
	if (ims_image_new(&j->im, width, height, NULL))
		stop(&j->guard, IMGSEARCH_ENOMEM, "");
	if (png_get_channels(j->png, j->info) == 4
		&& !(j->rgba = ims_alloc((size_t)width * (passes > 1 ? height : 1), 4)))
		stop(&j->guard, IMGSEARCH_ENOMEM, "");
	read_rows(j, passes);
}

static int decode(image *out, const image_head *stored, const void *data, size_t size,
	unsigned shrink, imgsearch_error *err)
{
	(void)shrink;
	read_job j = { .data = data, .size = size, .head = *stored };
	int rc = run_guarded(&j.guard, read_pixels, &j, err);
	close_reader(&j);
	if (rc)
		ims_image_free(&j.im);
	*out = j.im;
	return rc;
}

const decoder ims_image_png = { IMAGE_PNG, head, decode };

/* --------------------------------------------------------------------------------- writing ---- */

static void on_write(png_structp png, png_bytep data, size_t n)
{
	write_job *j = png_get_io_ptr(png);
	ims_buf_put(j->out, data, n);
}

static void on_flush(png_structp png)
{
	(void)png;
}

static void write_picture(void *arg)
{
	write_job *j = arg;
	j->png = png_create_write_struct_2(PNG_LIBPNG_VER_STRING, &j->guard, on_error, on_warning,
		&j->guard, on_malloc, on_free);
	if (!j->png || !(j->info = png_create_info_struct(j->png)))
		stop(&j->guard, IMGSEARCH_ENOMEM, "");
	png_set_write_fn(j->png, j, on_write, on_flush);
	png_set_user_limits(j->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
	png_set_IHDR(j->png, j->info, j->im->width, j->im->height, 8, PNG_COLOR_TYPE_RGB,
		PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
	png_write_info(j->png, j->info);
	for (size_t y = 0; y < j->im->height; y++) {
		int rc = ims_stopped(j->stop);
		if (rc)
			stop(&j->guard, rc, ims_stop_text(rc));
		png_write_row(j->png, j->im->pixels + y * j->im->width * 3);
	}
	png_write_end(j->png, NULL);
}

int ims_image_encode_png(buf *out, const image *im, const stop_token *stop_on, imgsearch_error *err)
{
	write_job j = { .im = im, .out = out, .stop = stop_on };
	int rc = run_guarded(&j.guard, write_picture, &j, err);
	png_destroy_write_struct(&j.png, &j.info);
	return rc ? rc : out->failed ? ims_nomem(err) : 0;
}
