/*
 * JPEG (ITU T.81) by libjpeg. Its errors stop the decoding, and so do those of its warnings that
 * mean lost pixels (is_fatal): libjpeg would go on and paint the rest grey.
 *
 * All calls of libjpeg happen below run_guarded, which libjpeg's error handler jumps back to. What
 * must survive the jump lies in the job, never in a local variable.
 *
 * libjpeg scales by 1/2, 1/4 and 1/8 in the inverse DCT. CMYK is taken as inverted, as Adobe writes
 * it and other programs read it. Limits: 65500 pixels a side (libjpeg's own), the caller's number
 * of pixels, MAX_SCANS.
 */
#include "image/decoder.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

enum {
	MAX_SCANS = 100, /* encoders use about ten; each costs a pass over the picture */
	OUT_CHUNK = 1 << 14,
};

/* The first member of each job, whose address libjpeg knows as that of `manager`. */
typedef struct guard {
	struct jpeg_error_mgr manager;
	jmp_buf jump;
	int code;
	char message[JMSG_LENGTH_MAX + 32];
} guard;

typedef struct read_job {
	guard guard;
	struct jpeg_decompress_struct c;
	struct jpeg_progress_mgr progress;
	const void *data;
	size_t size;
	image_head head;
	unsigned shrink;
	image im;
	uint8_t *row; /* CMYK: one row before conversion */
} read_job;

typedef struct write_job {
	guard guard;
	struct jpeg_compress_struct c;
	struct jpeg_destination_mgr to;
	const image *im;
	int quality;
	buf *out;
	uint8_t chunk[OUT_CHUNK];
	const stop_token *stop; /* or NULL */
} write_job;

static int code_of(int message)
{
	switch (message) {
	case JERR_OUT_OF_MEMORY:
		return IMGSEARCH_ENOMEM;
	case JERR_IMAGE_TOO_BIG:
	case JERR_WIDTH_OVERFLOW:
		return IMGSEARCH_ELIMIT;
	case JERR_ARITH_NOTIMPL:
	case JERR_BAD_PRECISION:
	case JERR_SOF_UNSUPPORTED:
	case JERR_CONVERSION_NOTIMPL:
	case JERR_CCIR601_NOTIMPL:
	case JERR_FRACT_SAMPLE_NOTIMPL:
	case JERR_NOT_COMPILED:
		return IMGSEARCH_EUNSUPPORTED;
	default:
		return IMGSEARCH_EFORMAT;
	}
}

static _Noreturn void stop(guard *w, int code, const char *message)
{
	w->code = code;
	if (message)
		snprintf(w->message, sizeof w->message, "%s", message);
	longjmp(w->jump, 1);
}

static void on_error(j_common_ptr c)
{
	guard *w = (guard *)c->err;
	int first = c->err->msg_parm.i[0];
	char said[JMSG_LENGTH_MAX];
	c->err->format_message(c, said);
	if (c->err->msg_code == JERR_BAD_PRECISION)
		snprintf(w->message, sizeof w->message, "JPEG of %d bits a sample is not supported", first);
	else if (c->err->msg_code == JERR_SOF_UNSUPPORTED)
		snprintf(w->message, sizeof w->message, "%s JPEG (SOF%d) is not supported",
			first == 0xC3 || first == 0xCB ? "lossless" : "hierarchical", first - 0xC0);
	else
		snprintf(w->message, sizeof w->message, "%s: %s",
			code_of(c->err->msg_code) == IMGSEARCH_EFORMAT ? "the JPEG is damaged"
														   : "the JPEG cannot be decoded",
			said);
	stop(w, code_of(c->err->msg_code), NULL);
}

/* Whether pixels are missing or invented after this warning. The other warnings are harmless. */
static bool is_fatal(int message)
{
	switch (message) {
	case JWRN_JPEG_EOF:
	case JWRN_HIT_MARKER:
	case JWRN_HUFF_BAD_CODE:
	case JWRN_ARITH_BAD_CODE:
	case JWRN_MUST_RESYNC:
	case JWRN_BOGUS_PROGRESSION:
		return true;
	default:
		return false;
	}
}

static void on_message(j_common_ptr c, int level)
{
	if (level < 0 && is_fatal(c->err->msg_code))
		on_error(c);
}

static void on_progress(j_common_ptr c)
{
	if (c->is_decompressor && ((j_decompress_ptr)c)->input_scan_number > MAX_SCANS)
		stop((guard *)c->err, IMGSEARCH_ELIMIT, "JPEG of too many scans");
}

static int run_guarded(guard *w, void (*work)(void *job), void *job, imgsearch_error *err)
{
	jpeg_std_error(&w->manager);
	w->manager.error_exit = on_error;
	w->manager.emit_message = on_message;
	if (setjmp(w->jump))
		return w->code == IMGSEARCH_ENOMEM ? ims_nomem(err)
										   : ims_fail(err, w->code, "%s", w->message);
	work(job);
	return 0;
}

/* --------------------------------------------------------------------------------- reading ---- */

static uint32_t orientation_of(const struct jpeg_decompress_struct *c)
{
	for (jpeg_saved_marker_ptr m = c->marker_list; m; m = m->next)
		if (m->data_length > 6 && memcmp(m->data, "Exif\0", 6) == 0)
			return ims_image_orientation(m->data + 6, m->data_length - 6);
	return 1;
}

static void read_head(void *arg)
{
	read_job *j = arg;
	j->c.err = &j->guard.manager;
	jpeg_create_decompress(&j->c);
	jpeg_mem_src(&j->c, j->data, j->size);
	jpeg_save_markers(&j->c, JPEG_APP0 + 1, 0xFFFF);
	jpeg_read_header(&j->c, TRUE);
	j->head.orientation = orientation_of(&j->c);
	/* libjpeg-turbo 3 reads other precisions only through other functions. */
	if (j->c.data_precision != 8)
		ERREXIT1(&j->c, JERR_BAD_PRECISION, j->c.data_precision);
	if (j->c.jpeg_color_space == JCS_UNKNOWN)
		stop(&j->guard, IMGSEARCH_EUNSUPPORTED,
			"JPEG with this number of colour components is not supported");
}

static int head(image_head *out, const void *data, size_t size, uint64_t max_pixels,
	imgsearch_error *err)
{
	read_job j = { .data = data, .size = size };
	int rc = run_guarded(&j.guard, read_head, &j, err);
	/* A size that was read is reported even if an error followed. */
	int too_big = ims_image_check_size(j.c.image_width, j.c.image_height, max_pixels, err);
	out->width = j.c.image_width;
	out->height = j.c.image_height;
	out->orientation = j.head.orientation ? j.head.orientation : 1;
	jpeg_destroy_decompress(&j.c);
	return too_big ? too_big : rc;
}

/* a * b / 255, rounded */
static inline int mul255(int a, int b)
{
	int t = a * b + 128;
	return (t + (t >> 8)) >> 8;
}

static void cmyk_to_rgb(uint8_t *rgb, const uint8_t *inverted, size_t n)
{
	for (size_t i = 0; i < n; i++, rgb += 3, inverted += 4)
		for (int c = 0; c < 3; c++) {
			int light = inverted[3], v = light - mul255(255 - inverted[c], light);
			rgb[c] = (uint8_t)(v < 0 ? 0 : v);
		}
}

static void read_rows(read_job *j)
{
	enum { ROWS = 16 };
	struct jpeg_decompress_struct *c = &j->c;
	size_t stride = (size_t)j->im.width * 3;
	while (c->output_scanline < c->output_height) {
		JSAMPROW rows[ROWS];
		size_t y = c->output_scanline;
		if (j->row) {
			jpeg_read_scanlines(c, &j->row, 1);
			cmyk_to_rgb(j->im.pixels + y * stride, j->row, j->im.width);
			continue;
		}
		JDIMENSION n = 0;
		for (; n < ROWS && y + n < c->output_height; n++)
			rows[n] = j->im.pixels + (y + n) * stride;
		jpeg_read_scanlines(c, rows, n);
	}
}

static void read_pixels(void *arg)
{
	read_job *j = arg;
	read_head(j);
	if (j->c.image_width != j->head.width || j->c.image_height != j->head.height)
		stop(&j->guard, IMGSEARCH_EFORMAT, "the picture changed while it was read");
	j->progress.progress_monitor = on_progress;
	j->c.progress = &j->progress;
	bool cmyk = j->c.num_components == 4;
	j->c.out_color_space = cmyk ? JCS_CMYK : JCS_RGB;
	j->c.scale_denom = j->shrink;
	jpeg_calc_output_dimensions(&j->c);
	if (ims_image_new(&j->im, j->c.output_width, j->c.output_height, NULL))
		stop(&j->guard, IMGSEARCH_ENOMEM, NULL);
	if (cmyk && !(j->row = ims_alloc(j->im.width, 4)))
		stop(&j->guard, IMGSEARCH_ENOMEM, NULL);
	jpeg_start_decompress(&j->c);
	read_rows(j);
	jpeg_finish_decompress(&j->c);
}

static int decode(image *out, const image_head *stored, const void *data, size_t size,
	unsigned shrink, imgsearch_error *err)
{
	read_job j = { .data = data, .size = size, .head = *stored, .shrink = shrink };
	int rc = run_guarded(&j.guard, read_pixels, &j, err);
	jpeg_destroy_decompress(&j.c);
	ims_free(j.row);
	if (rc)
		ims_image_free(&j.im);
	*out = j.im;
	return rc;
}

const decoder ims_image_jpeg = { IMAGE_JPEG, head, decode };

/* --------------------------------------------------------------------------------- writing ---- */

static void rewind_chunk(j_compress_ptr c)
{
	write_job *j = (write_job *)c->client_data;
	j->to.next_output_byte = j->chunk;
	j->to.free_in_buffer = OUT_CHUNK;
}

static boolean flush_chunk(j_compress_ptr c)
{
	write_job *j = (write_job *)c->client_data;
	ims_buf_put(j->out, j->chunk, OUT_CHUNK);
	rewind_chunk(c);
	return TRUE;
}

static void flush_rest(j_compress_ptr c)
{
	write_job *j = (write_job *)c->client_data;
	ims_buf_put(j->out, j->chunk, OUT_CHUNK - j->to.free_in_buffer);
}

static void write_picture(void *arg)
{
	write_job *j = arg;
	j->c.err = &j->guard.manager;
	jpeg_create_compress(&j->c);
	j->c.client_data = j;
	j->to.init_destination = rewind_chunk;
	j->to.empty_output_buffer = flush_chunk;
	j->to.term_destination = flush_rest;
	j->c.dest = &j->to;
	j->c.image_width = j->im->width;
	j->c.image_height = j->im->height;
	j->c.input_components = 3;
	j->c.in_color_space = JCS_RGB;
	jpeg_set_defaults(&j->c);
	jpeg_set_quality(&j->c, j->quality, TRUE);
	jpeg_start_compress(&j->c, TRUE);
	while (j->c.next_scanline < j->c.image_height) {
		JSAMPROW row = j->im->pixels + (size_t)j->c.next_scanline * j->im->width * 3;
		int rc = ims_stopped(j->stop);
		if (rc)
			stop(&j->guard, rc, ims_stop_text(rc));
		jpeg_write_scanlines(&j->c, &row, 1);
	}
	jpeg_finish_compress(&j->c);
}

int ims_image_encode_jpeg(buf *out, const image *im, int quality, const stop_token *stop_on,
	imgsearch_error *err)
{
	write_job *j = ims_zalloc(1, sizeof *j);
	if (!j)
		return ims_nomem(err);
	j->im = im;
	j->quality = quality;
	j->stop = stop_on;
	j->out = out;
	int rc = run_guarded(&j->guard, write_picture, j, err);
	jpeg_destroy_compress(&j->c);
	ims_free(j);
	return rc ? rc : out->failed ? ims_nomem(err) : 0;
}
