/* Writes JPEG by libjpeg, into a buffer. */
#include "image/image.h"
#include "image/jpeg_guard.h"

enum { OUT_CHUNK = 1 << 14 };

typedef struct write_job {
	jpeg_guard guard;
	struct jpeg_compress_struct c;
	struct jpeg_destination_mgr to;
	const image *im;
	int quality;
	buf *out;
	uint8_t chunk[OUT_CHUNK];
	const stop_token *stop; /* or NULL */
} write_job;

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
			ims_jpeg_jump(&j->guard, rc, ims_stop_text(rc));
		jpeg_write_scanlines(&j->c, &row, 1);
	}
	jpeg_finish_compress(&j->c);
}

int ims_image_encode_jpeg(buf *out, const image *im, int quality, const stop_token *stop,
	imgsearch_error *err)
{
	if (im->width > JPEG_MAX_DIMENSION || im->height > JPEG_MAX_DIMENSION)
		return ims_fail(err, IMGSEARCH_ELIMIT,
			"%u x %u pixels: no side of a JPEG may have more than %ld", im->width, im->height,
			JPEG_MAX_DIMENSION);
	write_job *j = ims_zalloc(1, sizeof *j);
	if (!j)
		return ims_nomem(err);
	j->im = im;
	j->quality = quality;
	j->stop = stop;
	j->out = out;
	int rc = ims_jpeg_run(&j->guard, write_picture, j, err);
	jpeg_destroy_compress(&j->c);
	ims_free(j);
	return rc ? rc : out->failed ? ims_nomem(err) : 0;
}
