/*
 * PNG (W3C Recommendation, third edition) by libpng. Every colour type and depth becomes 8-bit RGB
 * in sRGB. Only the chunks that make pixels reach libpng's parsers; png_chunks.h reads the others.
 *
 * Only the pixels count: what follows the last row is not read. libpng reads to the end of the
 * compressed data together with that row, and on_row tells that the row was there.
 *
 * Transparent parts are laid over white. A drawing of light colours would vanish on white, so it is
 * decoded once more over black.
 *
 * All calls of libpng happen below run_guarded, which libpng's error handler jumps back to. What
 * must survive the jump lies in the job, never in a local variable.
 */
#include "image/alpha.h"
#include "image/decoder.h"
#include "image/png_chunks.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <png.h>

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
	png_facts facts;
	colour_cache *cache;
	const colour_transform *transform; /* NULL: colours stay as they are */
	bool alpha, partial;
	uint8_t background;
	uint64_t rows, all_rows; /* counted over all passes: decoded so far; in the whole file */
	uint32_t finished;       /* rows of im that have their pixels */
	/* Rows before conversion: one, or the whole picture if it is interlaced; NULL: not needed. */
	uint8_t *raw;
	size_t raw_stride;
	alpha_sums sums;
} read_job;

typedef struct write_job {
	guard guard;
	png_structp png;
	png_infop info;
	const image *im;
	buf *out;
	const stop_token *stop; /* or NULL */
} write_job;

static _Noreturn void jump_out(guard *g, int code, const char *message)
{
	g->code = g->nomem ? IMGSEARCH_ENOMEM : code;
	snprintf(g->message, sizeof g->message, "%s", message);
	longjmp(g->jump, 1);
}

static void on_error(png_structp png, png_const_charp message)
{
	char text[160];
	snprintf(text, sizeof text, "the PNG is damaged: %s", message);
	jump_out(png_get_error_ptr(png), IMGSEARCH_EFORMAT, text);
}

static void on_warning(png_structp png, png_const_charp message)
{
	(void)png, (void)message;
}

static png_voidp on_malloc(png_structp png, png_alloc_size_t size)
{
	guard *g = png_get_mem_ptr(png);
	void *p = ims_alloc(size, 1);
	g->nomem |= !p;
	return p;
}

static void on_free(png_structp png, png_voidp p)
{
	(void)png;
	ims_free(p);
}

static int run_guarded(guard *g, void (*work)(void *job), void *job, imgsearch_error *err)
{
	if (setjmp(g->jump))
		return g->code == IMGSEARCH_ENOMEM ? ims_nomem(err)
										   : ims_fail(err, g->code, "%s", g->message);
	work(job);
	return 0;
}

/* --------------------------------------------------------------------------------- reading ---- */

/*
 * The length of pixels that are cut off becomes that of what is there. libpng reads many bytes of a
 * chunk at once, and would lose all of them. Without `partial` the checksum alone may be missing.
 */
static void shorten(const read_job *j, png_bytep length)
{
	enum { CHECKSUM = 4 };
	size_t left = j->size - j->pos, size = ims_big_endian(length);
	if (size > left && (j->partial || size - left <= CHECKSUM))
		png_save_uint_32(length, (png_uint_32)left);
}

static void on_read(png_structp png, png_bytep to, size_t n)
{
	read_job *j = png_get_io_ptr(png);
	if (n > j->size - j->pos)
		png_error(png, "it is cut off");
	memcpy(to, j->data + j->pos, n);
	j->pos += n;
	if (n == 8 && !memcmp(to + 4, "IDAT", 4))
		shorten(j, to);
}

/* After a row of any pass was decompressed, before libpng looks at what follows it. */
static void on_row(png_structp png, png_row_infop info, png_bytep row)
{
	read_job *j = png_get_user_transform_ptr(png);
	(void)info, (void)row;
	j->rows++;
}

static void read_head(void *arg)
{
	read_job *j = arg;
	if (j->size >= 16 && memcmp(j->data + 12, "CgBI", 4) == 0)
		jump_out(&j->guard, IMGSEARCH_EUNSUPPORTED, "PNG in Apple's CgBI variant is not supported");
	j->png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, &j->guard, on_error, on_warning,
		&j->guard, on_malloc, on_free);
	if (!j->png || !(j->info = png_create_info_struct(j->png)))
		jump_out(&j->guard, IMGSEARCH_ENOMEM, "");
	png_set_read_fn(j->png, j, on_read);
	/* ims_image_check_size has the limits. */
	png_set_user_limits(j->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
	png_set_keep_unknown_chunks(j->png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
	png_read_info(j->png, j->info);
}

static void close_reader(read_job *j)
{
	png_destroy_read_struct(&j->png, &j->info, NULL);
	ims_colour_release(j->transform);
	ims_png_facts_free(&j->facts);
	ims_free(j->raw);
	j->transform = NULL;
	j->raw = NULL;
}

/* A tRNS before the palette is announced, but libpng leaves it out. */
static bool has_clear_colours(const read_job *j)
{
	int n = 0;
	png_bytep alpha;
	png_color_16p colour;
	return png_get_tRNS(j->png, j->info, &alpha, &n, &colour) && n > 0;
}

static bool has_alpha(const read_job *j)
{
	return png_get_color_type(j->png, j->info) & PNG_COLOR_MASK_ALPHA || has_clear_colours(j);
}

/* Whether samples keep 16 bits: for a conversion of colours alone. */
static bool is_wide(const read_job *j)
{
	return png_get_bit_depth(j->png, j->info) == 16 && j->facts.colours.kind;
}

/* Bytes of the rows that an interlaced picture keeps beside its pixels. */
static uint64_t memory_of(const read_job *j)
{
	uint64_t pixel = (has_alpha(j) ? 4 : 3) * (is_wide(j) ? 2 : 1);
	uint64_t pixels = (uint64_t)png_get_image_width(j->png, j->info)
		* png_get_image_height(j->png, j->info);
	bool interlaced = png_get_interlace_type(j->png, j->info) != PNG_INTERLACE_NONE;
	return interlaced && pixel > 3 ? pixels * pixel : 0;
}

static int head(image_head *out, const void *data, size_t size, uint64_t max_pixels,
	imgsearch_error *err)
{
	read_job j = { .data = data, .size = size };
	int rc = run_guarded(&j.guard, read_head, &j, err), too_big = 0;
	ims_png_facts_read(&j.facts, data, size);
	if (j.info) { /* a size that was read is reported even if an error followed */
		out->width = png_get_image_width(j.png, j.info);
		out->height = png_get_image_height(j.png, j.info);
		out->traits |= has_alpha(&j) ? IMAGE_HAS_ALPHA : 0;
		out->memory = memory_of(&j);
		too_big = ims_image_check_size(out->width, out->height, max_pixels, err);
	}
	if (j.facts.colours.kind)
		out->traits |= IMAGE_HAS_COLOURS;
	out->orientation = ims_image_orientation(&j.facts.meta);
	if (out->orientation != 1 && !j.facts.has_exif_chunk)
		out->traits |= IMAGE_HAS_OTHER_ORIENTATION;
	if (!rc && j.facts.nomem)
		rc = ims_nomem(err);
	close_reader(&j);
	return too_big ? too_big : rc;
}

/* ----------------------------------------------------------------------------------- rows ---- */

/* Row y of the picture. */
static uint8_t *pixel_row(const read_job *j, size_t y)
{
	return j->im.pixels + y * j->im.width * 3;
}

/* Where libpng puts row y. raw_stride is 0 where all rows use one place, one after the other. */
static uint8_t *raw_row(const read_job *j, size_t y)
{
	return j->raw ? j->raw + y * j->raw_stride : pixel_row(j, y);
}

/* Makes row y of the picture from the raw row. */
static void finish_row(read_job *j, size_t y)
{
	size_t n = j->im.width;
	uint8_t *rgb = pixel_row(j, y), *raw = raw_row(j, y);
	if (j->transform)
		ims_colour_apply(j->transform, raw, j->alpha ? raw : rgb, n);
	if (j->alpha)
		ims_alpha_over(rgb, raw, n, j->background, &j->sums);
	j->finished = (uint32_t)y + 1;
}

/* Interlaced rows are complete only in the last pass. */
static void read_rows(read_job *j, int passes)
{
	for (int pass = 1; pass <= passes; pass++)
		for (size_t y = 0; y < j->im.height; y++) {
			uint8_t *row = raw_row(j, y);
			bool blocks = j->partial && passes > 1; /* early passes fill the places of later ones */
			png_read_row(j->png, blocks ? NULL : row, blocks ? row : NULL);
			if (pass == passes)
				finish_row(j, y);
		}
}

/* The rows of all passes of Adam7 that have pixels: those for which on_row is called. */
static uint64_t rows_of_passes(uint32_t width, uint32_t height)
{
	uint64_t n = 0;
	for (int pass = 0; pass < PNG_INTERLACE_ADAM7_PASSES; pass++)
		if (PNG_PASS_COLS(width, pass))
			n += PNG_PASS_ROWS(height, pass);
	return n;
}

static pixel_layout layout_of(bool alpha, bool wide)
{
	return alpha ? wide ? PIXELS_RGBA16 : PIXELS_RGBA8 : wide ? PIXELS_RGB16 : PIXELS_RGB8;
}

/* Sets alpha and transform. Returns the layout of the rows before conversion. */
static pixel_layout choose_layout(read_job *j)
{
	bool grey = !(png_get_color_type(j->png, j->info) & PNG_COLOR_MASK_COLOR);
	j->alpha = has_alpha(j);
	pixel_layout layout = layout_of(j->alpha, is_wide(j));
	j->transform = ims_colour_acquire(j->cache, &j->facts.colours, layout, grey);
	return j->transform ? layout : layout_of(j->alpha, false);
}

/* Tells libpng to give rows of this layout. Returns the number of passes. */
static int set_layout(read_job *j, pixel_layout layout)
{
	bool wide = layout == PIXELS_RGB16 || layout == PIXELS_RGBA16;
	if (!wide)
		png_set_scale_16(j->png);
	else if (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
		png_set_swap(j->png);
	png_set_expand(j->png);
	png_set_gray_to_rgb(j->png);
	png_set_read_user_transform_fn(j->png, on_row);
	png_set_user_transform_info(j->png, j, 0, 0);
	int passes = png_set_interlace_handling(j->png);
	png_read_update_info(j->png, j->info);
	return passes;
}

static size_t pixel_size(pixel_layout layout)
{
	bool wide = layout == PIXELS_RGB16 || layout == PIXELS_RGBA16;
	bool alpha = layout == PIXELS_RGBA8 || layout == PIXELS_RGBA16;
	return (alpha ? 4u : 3u) * (wide ? 2u : 1u);
}

/* Allocates the picture, and the rows before conversion where the layout needs one. */
static void allocate(read_job *j, pixel_layout layout, int passes)
{
	if (ims_image_new(&j->im, j->head.width, j->head.height, NULL))
		jump_out(&j->guard, IMGSEARCH_ENOMEM, "");
	j->im.unconverted = j->facts.colours.kind && !j->transform;
	size_t stride = png_get_rowbytes(j->png, j->info);
	if (stride != (size_t)j->head.width * pixel_size(layout))
		jump_out(&j->guard, IMGSEARCH_EFORMAT, "libpng gives pixels of another kind");
	if (layout != PIXELS_RGB8 && !(j->raw = ims_alloc(stride, passes > 1 ? j->head.height : 1)))
		jump_out(&j->guard, IMGSEARCH_ENOMEM, "");
	j->raw_stride = passes > 1 ? stride : 0;
	if (passes > 1) /* nothing undefined in a picture whose later passes are lost */
		memset(raw_row(j, 0), 0, stride * j->head.height);
}

static void read_pixels(void *arg)
{
	read_job *j = arg;
	read_head(j);
	ims_png_facts_read(&j->facts, j->data, j->size);
	if (j->facts.nomem)
		jump_out(&j->guard, IMGSEARCH_ENOMEM, "");
	uint32_t width = png_get_image_width(j->png, j->info),
			 height = png_get_image_height(j->png, j->info);
	if (width != j->head.width || height != j->head.height)
		jump_out(&j->guard, IMGSEARCH_EFORMAT, "the picture changed while it was read");
	pixel_layout layout = choose_layout(j);
	int passes = set_layout(j, layout);
	j->all_rows = passes > 1 ? rows_of_passes(width, height) : height;
	allocate(j, layout, passes);
	read_rows(j, passes);
}

/*
 * After an error in the pixels. 0: all of them are there, as libpng failed in what follows them; or
 * some are there, and the request accepts that.
 */
static int rescue(read_job *j, int rc)
{
	bool interlaced = j->raw ? j->raw_stride : j->all_rows > j->head.height;
	bool whole = j->all_rows && j->rows == j->all_rows && !strstr(j->guard.message, "CRC error");
	if (rc != IMGSEARCH_EFORMAT || !(whole || (j->partial && j->rows)))
		return rc;
	if (interlaced || whole)
		for (size_t y = j->finished; y < j->head.height; y++)
			finish_row(j, y);
	j->im.partial = !whole;
	if (j->finished < j->im.height)
		j->im.height = j->finished;
	return j->finished ? 0 : rc;
}

/* Decodes over a background; `like` has the data and the request. */
static int read_over(image *out, bool *light, uint8_t background, const read_job *like,
	imgsearch_error *err)
{
	read_job j = *like;
	imgsearch_error why = { 0 };
	j.background = background;
	int rc = run_guarded(&j.guard, read_pixels, &j, &why);
	if (rc)
		rc = rescue(&j, rc);
	*light = ims_alpha_is_light_drawing(&j.sums);
	close_reader(&j);
	if (rc) {
		ims_image_free(&j.im);
		ims_fail(err, rc, "%s", why.message);
	}
	*out = j.im;
	return rc;
}

static int decode(image *out, const image_head *stored, const void *data, size_t size,
	const decode_request *request, imgsearch_error *err)
{
	bool light;
	read_job j = { .data = data, .size = size, .head = *stored, .cache = request->colours };
	int rc = read_over(out, &light, 255, &j, err);
	if (rc == IMGSEARCH_EFORMAT && request->partial) {
		j.partial = true;
		rc = read_over(out, &light, 255, &j, err);
	}
	if (rc || !light)
		return rc;
	ims_image_free(out);
	return read_over(out, &light, 0, &j, err);
}

const decoder ims_image_png = { IMAGE_PNG, false, head, decode };

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
		jump_out(&j->guard, IMGSEARCH_ENOMEM, "");
	png_set_write_fn(j->png, j, on_write, on_flush);
	png_set_user_limits(j->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
	png_set_IHDR(j->png, j->info, j->im->width, j->im->height, 8, PNG_COLOR_TYPE_RGB,
		PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
	png_write_info(j->png, j->info);
	for (size_t y = 0; y < j->im->height; y++) {
		int rc = ims_stopped(j->stop);
		if (rc)
			jump_out(&j->guard, rc, ims_stop_text(rc));
		png_write_row(j->png, j->im->pixels + y * j->im->width * 3);
	}
	png_write_end(j->png, NULL);
}

int ims_image_encode_png(buf *out, const image *im, const stop_token *stop, imgsearch_error *err)
{
	write_job j = { .im = im, .out = out, .stop = stop };
	if (im->width > PNG_UINT_31_MAX || im->height > PNG_UINT_31_MAX)
		return ims_fail(err, IMGSEARCH_ELIMIT,
			"%u x %u pixels: no side of a PNG may have more than %lu", im->width, im->height,
			(unsigned long)PNG_UINT_31_MAX);
	int rc = run_guarded(&j.guard, write_picture, &j, err);
	png_destroy_write_struct(&j.png, &j.info);
	return rc ? rc : out->failed ? ims_nomem(err) : 0;
}
