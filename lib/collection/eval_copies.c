/*
 * Altered copies of pictures of the index, by common edits, as queries. Each copy has its original
 * as the relevant row, and is counted under its edit.
 */
#include "collection/eval_state.h"

#include "image/image.h"

#include <math.h>
#include <string.h>

enum { KINDS = 7, MAX_SIDE = 800 };

typedef int make_copy(image *out, const image *in, uint64_t *random, imgsearch_error *err);

static const uint8_t *pixel(const image *im, int64_t x, int64_t y)
{
	x = x < 0 ? 0 : x >= im->width ? im->width - 1 : x;
	y = y < 0 ? 0 : y >= im->height ? im->height - 1 : y;
	return im->pixels + ((size_t)y * im->width + (size_t)x) * 3;
}

/* Two thirds of the picture, at a random place. */
static int crop(image *out, const image *in, uint64_t *random, imgsearch_error *err)
{
	double w = in->width * 0.82, h = in->height * 0.82;
	double x = ims_random_unit(random) * (in->width - w),
		   y = ims_random_unit(random) * (in->height - h);
	return ims_image_resize(out, in, (uint32_t)w + 1, (uint32_t)h + 1, false,
		(const double[4]){ x, y, x + w, y + h }, err);
}

static int scale(image *out, const image *in, uint64_t *random, imgsearch_error *err)
{
	(void)random;
	return ims_image_resize(out, in, in->width * 2 / 5 + 1, in->height * 2 / 5 + 1, false, NULL,
		err);
}

static int recompress(image *out, const image *in, uint64_t *random, imgsearch_error *err)
{
	buf jpeg = { 0 };
	int rc = ims_image_encode_jpeg(&jpeg, in, 25, NULL, err);
	(void)random;
	if (!rc)
		rc = ims_image_decode(out, NULL, jpeg.data, jpeg.len, &(image_limits){ .full_decode = 1 },
			NULL, err);
	ims_buf_free(&jpeg);
	return rc;
}

/* Scales down and up again. */
static int blur(image *out, const image *in, uint64_t *random, imgsearch_error *err)
{
	image small = { 0 };
	int rc = ims_image_resize(&small, in, in->width / 4 + 1, in->height / 4 + 1, false, NULL, err);
	(void)random;
	if (!rc)
		rc = ims_image_resize(out, &small, in->width, in->height, false, NULL, err);
	ims_image_free(&small);
	return rc;
}

/* Rotates by up to 7 degrees. Pixels from outside repeat the edge. */
static int rotate(image *out, const image *in, uint64_t *random, imgsearch_error *err)
{
	double angle = (ims_random_unit(random) - 0.5) * 14 * 3.14159265358979 / 180, c = cos(angle),
		   s = sin(angle);
	double mx = in->width / 2.0, my = in->height / 2.0;
	int rc = ims_image_new(out, in->width, in->height, err);
	for (uint32_t y = 0; !rc && y < in->height; y++)
		for (uint32_t x = 0; x < in->width; x++) {
			double u = mx + c * (x - mx) + s * (y - my), v = my - s * (x - mx) + c * (y - my),
				   fu = u - floor(u), fv = v - floor(v);
			int64_t iu = (int64_t)floor(u), iv = (int64_t)floor(v);
			const uint8_t *p[4] = {
				pixel(in, iu, iv),
				pixel(in, iu + 1, iv),
				pixel(in, iu, iv + 1),
				pixel(in, iu + 1, iv + 1),
			};
			for (int ch = 0; ch < 3; ch++)
				out->pixels[((size_t)y * in->width + x) * 3 + ch] =
					(uint8_t)((p[0][ch] * (1 - fu) + p[1][ch] * fu) * (1 - fv)
						+ (p[2][ch] * (1 - fu) + p[3][ch] * fu) * fv + 0.5);
		}
	return rc;
}

static int mirror(image *out, const image *in, uint64_t *random, imgsearch_error *err)
{
	int rc = ims_image_new(out, in->width, in->height, err);
	(void)random;
	for (uint32_t y = 0; !rc && y < in->height; y++)
		for (uint32_t x = 0; x < in->width; x++)
			memcpy(out->pixels + ((size_t)y * in->width + x) * 3, pixel(in, in->width - 1 - x, y),
				3);
	return rc;
}

/* Adds a white bar below, with marks like text. */
static int caption(image *out, const image *in, uint64_t *random, imgsearch_error *err)
{
	uint32_t bar = in->height / 6 + 1, stroke = bar / 12 + 1;
	int rc = ims_image_new(out, in->width, in->height + bar, err);
	if (rc)
		return rc;
	memcpy(out->pixels, in->pixels, (size_t)in->width * in->height * 3);
	memset(out->pixels + (size_t)in->width * in->height * 3, 255, (size_t)in->width * bar * 3);
	for (uint32_t x = stroke * 2; x + stroke * 2 < in->width; x += stroke * 2)
		for (uint32_t y = bar / 3; y < bar * 2 / 3; y += stroke)
			for (uint32_t i = 0; i < stroke && ims_random(random) % 3; i++)
				memset(out->pixels + ((size_t)(in->height + y) * in->width + x + i) * 3, 20, 3);
	return 0;
}

static const struct {
	const char *name;
	make_copy *make;
} kinds[KINDS] = {
	{ "crop", crop },
	{ "scale", scale },
	{ "recompress", recompress },
	{ "blur", blur },
	{ "rotate", rotate },
	{ "mirror", mirror },
	{ "caption", caption },
};

/* Decodes the original and scales it to MAX_SIDE. */
static int load_original(const evaluation *e, const char *path, image *out, imgsearch_error *err)
{
	buf bytes = { 0 };
	image whole = { 0 };
	image_limits limits = ims_handle_limits(e->s, NULL);
	limits.full_decode = 1;
	*out = (image){ 0 };
	int rc = ims_read_file(&bytes, path, IMS_IMAGE_MAX_FILE, err);
	if (!rc)
		rc = ims_image_decode(&whole, NULL, bytes.data, bytes.len, &limits, NULL, err);
	double shrink = rc
		? 1
		: (double)MAX_SIDE / (whole.width > whole.height ? whole.width : whole.height);
	if (!rc && shrink < 1)
		rc = ims_image_resize(out, &whole, (uint32_t)(whole.width * shrink) + 1,
			(uint32_t)(whole.height * shrink) + 1, false, NULL, err);
	else if (!rc) {
		*out = whole;
		whole = (image){ 0 };
	}
	ims_image_free(&whole);
	ims_buf_free(&bytes);
	return rc;
}

/* Adds a query for each kind of copy of the row's picture. */
static int add_copies(evaluation *e, size_t row, imgsearch_error *err)
{
	image original, copy[KINDS] = { { 0 } };
	imgsearch_input in[KINDS];
	uint8_t bad[KINDS] = { 0 };
	imgsearch_error why = { 0 };
	uint64_t random = e->options->seed + row;
	float *out = e->query_rows + e->n_queries * e->dim;
	int rc = load_original(e, e->path[row], &original, &why);
	if (rc) { /* the file is missing or changed: another picture is used */
		e->failed++;
		return rc == IMGSEARCH_ENOMEM ? ims_nomem(err) : 0;
	}
	for (int k = 0; !rc && k < KINDS; k++) {
		rc = kinds[k].make(&copy[k], &original, &random, err);
		in[k] = imgsearch_input_pixels(copy[k].pixels, (int32_t)copy[k].width,
			(int32_t)copy[k].height, 0);
	}
	if (!rc)
		rc = ims_eval_features(e, in, KINDS, out, bad, err);
	size_t first = e->n_relevant;
	if (!rc)
		rc = ims_eval_add_relevant(e, row, err);
	for (uint32_t k = 0; !rc && k < KINDS; k++)
		rc = ims_eval_add_query(e,
			&(eval_query){ .row = NO_ROW,
				.label = NO_LABEL,
				.group = k,
				.first = first,
				.n = !bad[k] },
			err);
	for (int k = 0; k < KINDS; k++)
		ims_image_free(&copy[k]);
	ims_image_free(&original);
	return rc;
}

static int name_kinds(evaluation *e, imgsearch_error *err)
{
	for (size_t i = 0; i < e->classes; i++)
		ims_free(e->class_name[i]);
	ims_free(e->class_name);
	e->classes = 0;
	e->class_name = ims_zalloc(KINDS, sizeof *e->class_name);
	for (; e->class_name && e->classes < KINDS; e->classes++)
		if (!(e->class_name[e->classes] = ims_strdup(kinds[e->classes].name)))
			return ims_nomem(err);
	return e->class_name ? 0 : ims_nomem(err);
}

int ims_eval_fill_from_copies(evaluation *e, imgsearch_error *err)
{
	size_t pictures = 0, used = 0, wanted = e->options->duplicates;
	int rc = name_kinds(e, err);
	for (size_t i = 0; i < e->n; i++)
		pictures += e->path[i] != NULL;
	wanted = wanted < pictures ? wanted : pictures;
	if (!rc && !(e->query_rows = ims_alloc_aligned(wanted * KINDS + 1, e->dim * sizeof(float))))
		rc = ims_nomem(err);
	for (size_t i = 0, seen = 0; !rc && i < e->n && used < wanted; i++) {
		if (!e->path[i] || seen++ * wanted / pictures < used)
			continue;
		used++;
		rc = add_copies(e, i, err);
		if (!rc)
			rc = ims_job_step(e->job, "copies", used, wanted, err);
	}
	return rc;
}
