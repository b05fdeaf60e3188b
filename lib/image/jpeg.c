/*
 * JPEG (ITU T.81) by libjpeg. Its errors stop the decoding, and so do those of its warnings that
 * mean lost pixels (is_fatal): libjpeg would go on and paint the rest grey.
 *
 * Only the pixels count. Whatever follows the last one is not read where the picture is one scan.
 * A picture of several scans is read up to its end of image. If that is missing, or something else
 * stands in its place, the picture is whole when its scans say so (is_complete).
 *
 * All calls of libjpeg happen below run_guarded, which libjpeg's error handler jumps back to
 * (jpeg_guard.h).
 *
 * libjpeg scales by 1/2, 1/4 and 1/8 in the inverse DCT. CMYK is taken as inverted, as Adobe writes
 * it and other programs read it. Limits: 65500 pixels a side (libjpeg's own), the caller's number
 * of pixels, MAX_SCANS.
 */
#include "image/decoder.h"
#include "image/jpeg_guard.h"
#include "image/metadata.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_SCANS = 100 }; /* encoders use about ten; each costs a pass over the picture */

typedef struct read_job {
	jpeg_guard guard;
	struct jpeg_decompress_struct c;
	struct jpeg_progress_mgr progress;
	struct jpeg_source_mgr source;
	const uint8_t *data;
	size_t size;
	size_t scan_end; /* offset up to which scans were read; 0: not known */
	bool ended;      /* the data ended; libjpeg was given an end of image */
	bool partial;    /* lost pixels are accepted */
	bool lost;       /* pixels were lost */
	colour_cache *cache;
	uint32_t rows; /* read before the first loss */
	image_head head;
	unsigned shrink;
	image im;
	uint8_t *row; /* CMYK: one row before conversion */
	JOCTET *icc;  /* the profile, allocated by libjpeg */
	unsigned icc_size;
	colour_space colours;
	const colour_transform *transform; /* NULL: colours stay as they are */
} read_job;

static const char cut_off[] = "the JPEG is cut off";

static void on_error(j_common_ptr c)
{
	read_job *j = (read_job *)c->err;
	if (j->ended)
		ims_jpeg_jump(&j->guard, IMGSEARCH_EFORMAT, cut_off);
	ims_jpeg_error(c);
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

/* Notes the first loss of pixels. The rows up to there are whole. */
static void on_loss(read_job *j)
{
	if (!j->lost)
		j->rows = j->c.output_scanline;
	j->lost = true;
}

static void on_message(j_common_ptr c, int level)
{
	read_job *j = (read_job *)c->err;
	if (level >= 0 || !is_fatal(c->err->msg_code))
		return;
	if (!j->partial)
		on_error(c);
	on_loss(j);
}

/* libjpeg calls this before it reads a row of blocks, or the head of the next scan. */
static void on_progress(j_common_ptr c)
{
	j_decompress_ptr d = (j_decompress_ptr)c;
	read_job *j = (read_job *)c->err;
	if (d->input_scan_number > MAX_SCANS)
		ims_jpeg_jump(&j->guard, IMGSEARCH_ELIMIT, "JPEG of too many scans");
	/* A marker that the decoder of a scan met counts as read. */
	j->scan_end = j->size - d->src->bytes_in_buffer - (d->unread_marker ? 2 : 0);
}

static int run_guarded(read_job *j, void (*work)(void *job), imgsearch_error *err)
{
	j->guard.on_error = on_error;
	j->guard.on_message = on_message;
	return ims_jpeg_run(&j->guard, work, j, err);
}

/* ------------------------------------------------------------------------------ the source ---- */

static void source_ignore(j_decompress_ptr c)
{
	(void)c;
}

/* Past the end of the data stands an end of image. */
static boolean source_fill(j_decompress_ptr c)
{
	static const JOCTET end_of_image[] = { 0xFF, JPEG_EOI };
	((read_job *)c->err)->ended = true;
	c->src->next_input_byte = end_of_image;
	c->src->bytes_in_buffer = sizeof end_of_image;
	return TRUE;
}

static void source_skip(j_decompress_ptr c, long n)
{
	if (n <= 0)
		return;
	if ((unsigned long)n > c->src->bytes_in_buffer) {
		source_fill(c);
		return;
	}
	c->src->next_input_byte += n;
	c->src->bytes_in_buffer -= (size_t)n;
}

static void source_open(read_job *j)
{
	j->source = (struct jpeg_source_mgr){
		.next_input_byte = j->data,
		.bytes_in_buffer = j->size,
		.init_source = source_ignore,
		.fill_input_buffer = source_fill,
		.skip_input_data = source_skip,
		.resync_to_restart = jpeg_resync_to_restart,
		.term_source = source_ignore,
	};
	j->c.src = &j->source;
}

/* --------------------------------------------------------------------------------- reading ---- */

/* Whether there are segments of a profile. */
static bool has_profile(const struct jpeg_decompress_struct *c)
{
	static const char name[] = "ICC_PROFILE";
	for (jpeg_saved_marker_ptr p = c->marker_list; p; p = p->next)
		if (p->marker == JPEG_APP0 + 2 && p->data_length >= sizeof name
			&& !memcmp(p->data, name, sizeof name))
			return true;
	return false;
}

static void read_metadata(read_job *j)
{
	metadata m = { 0 };
	for (jpeg_saved_marker_ptr p = j->c.marker_list; p; p = p->next)
		if (p->marker == JPEG_APP0 + 1)
			ims_metadata_app1(&m, p->data, p->data_length);
	j->head.orientation = ims_image_orientation(&m);
	if (j->head.orientation != 1 && !m.exif)
		j->head.traits |= IMAGE_HAS_OTHER_ORIENTATION;
	if (!jpeg_read_icc_profile(&j->c, &j->icc, &j->icc_size) && !has_profile(&j->c))
		return;
	if (!ims_colour_set_profile(&j->colours, j->icc, j->icc_size))
		ims_jpeg_jump(&j->guard, IMGSEARCH_ENOMEM, NULL);
	if (j->colours.kind)
		j->head.traits |= IMAGE_HAS_COLOURS;
}

/* The coefficients of a picture of several scans, which libjpeg keeps. */
static uint64_t memory_of(struct jpeg_decompress_struct *c)
{
	uint64_t blocks = 0;
	for (int i = 0; jpeg_has_multiple_scans(c) && i < c->num_components; i++)
		blocks += (uint64_t)c->comp_info[i].width_in_blocks * c->comp_info[i].height_in_blocks;
	return blocks * sizeof(JBLOCK);
}

static void read_head(void *arg)
{
	read_job *j = arg;
	j->c.err = &j->guard.manager;
	jpeg_create_decompress(&j->c);
	source_open(j);
	jpeg_save_markers(&j->c, JPEG_APP0 + 1, 0xFFFF);
	jpeg_save_markers(&j->c, JPEG_APP0 + 2, 0xFFFF);
	jpeg_read_header(&j->c, TRUE);
	read_metadata(j);
	j->head.memory = memory_of(&j->c);
	/* libjpeg-turbo 3 reads other precisions only through other functions. */
	if (j->c.data_precision != 8)
		ERREXIT1(&j->c, JERR_BAD_PRECISION, j->c.data_precision);
	if (j->c.jpeg_color_space == JCS_UNKNOWN)
		ims_jpeg_jump(&j->guard, IMGSEARCH_EUNSUPPORTED,
			"JPEG with this number of colour components is not supported");
}

static void close_reader(read_job *j)
{
	jpeg_destroy_decompress(&j->c);
	ims_colour_release(j->transform);
	ims_colour_clear(&j->colours);
	ims_free(j->row);
	free(j->icc);
	j->transform = NULL;
	j->row = NULL;
	j->icc = NULL;
}

static int head(image_head *out, const void *data, size_t size, uint64_t max_pixels,
	imgsearch_error *err)
{
	read_job j = { .data = data, .size = size };
	int rc = run_guarded(&j, read_head, err);
	/* A size that was read is reported even if an error followed. */
	int too_big = ims_image_check_size(j.c.image_width, j.c.image_height, max_pixels, err);
	out->width = j.c.image_width;
	out->height = j.c.image_height;
	out->orientation = j.head.orientation ? j.head.orientation : 1;
	out->traits = j.head.traits;
	out->memory = j.head.memory;
	close_reader(&j);
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
		uint8_t *out = j->im.pixels + y * stride;
		if (j->row) {
			jpeg_read_scanlines(c, &j->row, 1);
			if (j->transform)
				ims_colour_apply(j->transform, j->row, out, j->im.width);
			else
				cmyk_to_rgb(out, j->row, j->im.width);
			continue;
		}
		JDIMENSION n = 0;
		for (; n < ROWS && y + n < c->output_height; n++)
			rows[n] = out + n * stride;
		n = jpeg_read_scanlines(c, rows, n);
		if (j->transform)
			ims_colour_apply(j->transform, out, out, (size_t)n * j->im.width);
	}
}

/* Whether every component stood in some scan. */
static bool has_components(const struct jpeg_decompress_struct *c)
{
	for (int i = 0; i < c->num_components; i++)
		if (!c->comp_info[i].quant_table)
			return false;
	return true;
}

/* Whether the scans that were read hold every coefficient in full precision. */
static bool is_complete(const struct jpeg_decompress_struct *c)
{
	if (c->arith_code || !has_components(c)) /* arithmetic decoding does not tell lost data */
		return false;
	for (int i = 0; c->progressive_mode && i < c->num_components; i++)
		for (int k = 0; k < DCTSIZE2; k++)
			if (c->coef_bits[i][k])
				return false;
	return true;
}

static void check_scans(read_job *j)
{
	if (!j->ended || is_complete(&j->c))
		return;
	if (!j->partial || !has_components(&j->c))
		ims_jpeg_jump(&j->guard, IMGSEARCH_EFORMAT, cut_off);
	j->lost = true;
	j->rows = j->c.output_height;
}

/* Of a single scan that ended early, the rows that are there are the picture. */
static void keep_rows(read_job *j)
{
	if (!j->lost || !j->ended || jpeg_has_multiple_scans(&j->c))
		return;
	if (!j->rows)
		ims_jpeg_jump(&j->guard, IMGSEARCH_EFORMAT, cut_off);
	j->im.height = j->rows;
}

/* libjpeg turns grey into RGB of equal samples. */
static void prepare_colours(read_job *j, bool cmyk)
{
	j->transform = ims_colour_acquire(j->cache, &j->colours, cmyk ? PIXELS_CMYK8 : PIXELS_RGB8,
		j->c.num_components == 1);
	j->im.unconverted = j->colours.kind && !j->transform;
}

static void read_pixels(void *arg)
{
	read_job *j = arg;
	read_head(j);
	if (j->c.image_width != j->head.width || j->c.image_height != j->head.height)
		ims_jpeg_jump(&j->guard, IMGSEARCH_EFORMAT, "the picture changed while it was read");
	j->progress.progress_monitor = on_progress;
	j->c.progress = &j->progress;
	bool cmyk = j->c.num_components == 4;
	j->c.out_color_space = cmyk ? JCS_CMYK : JCS_RGB;
	j->c.scale_denom = j->shrink;
	jpeg_calc_output_dimensions(&j->c);
	if (ims_image_new(&j->im, j->c.output_width, j->c.output_height, NULL))
		ims_jpeg_jump(&j->guard, IMGSEARCH_ENOMEM, NULL);
	if (cmyk && !(j->row = ims_alloc(j->im.width, 4)))
		ims_jpeg_jump(&j->guard, IMGSEARCH_ENOMEM, NULL);
	prepare_colours(j, cmyk);
	jpeg_start_decompress(&j->c);
	read_rows(j);
	check_scans(j);
	keep_rows(j);
}

/* Decodes once more from the scans alone, where what follows them is not JPEG. */
static int read_scans(read_job *j)
{
	read_job again = {
		.data = j->data,
		.size = j->scan_end,
		.ended = true,
		.partial = j->partial,
		.cache = j->cache,
		.head = j->head,
		.shrink = j->shrink,
	};
	int rc = run_guarded(&again, read_pixels, NULL);
	close_reader(&again);
	ims_image_free(&j->im);
	j->im = again.im;
	j->lost = again.lost;
	return rc;
}

static int decode(image *out, const image_head *stored, const void *data, size_t size,
	const decode_request *request, imgsearch_error *err)
{
	read_job j = {
		.data = data,
		.size = size,
		.head = *stored,
		.shrink = request->shrink,
		.partial = request->partial,
		.cache = request->colours,
	};
	imgsearch_error why = { 0 };
	int rc = run_guarded(&j, read_pixels, &why);
	close_reader(&j);
	if (rc == IMGSEARCH_EFORMAT && j.scan_end && j.scan_end < size && read_scans(&j) == 0)
		rc = 0;
	if (rc) {
		ims_image_free(&j.im);
		ims_fail(err, rc, "%s", why.message);
	}
	*out = j.im;
	out->partial = j.lost;
	return rc;
}

const decoder ims_image_jpeg = { IMAGE_JPEG, true, head, decode };
