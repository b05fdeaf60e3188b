/* Pixels for people: the functions check their arguments and delegate. */
#include "engine/arguments.h"
#include "handle/picture.h"
#include "image/image.h"

/* An image whose pixels lie outside the memory of results: they may be large. */
typedef struct owned_image {
	imgsearch_image image; /* first: the caller's pointer */
	image pixels;
} owned_image;

int imgsearch_image_load(imgsearch *s, const imgsearch_input *in, uint32_t max_side,
	const imgsearch_call *call, imgsearch_image **out, imgsearch_error *err)
{
	job j;
	REQUIRE(out, err, "image_load: out is NULL");
	*out = NULL;
	REQUIRE_HANDLE(s, "image_load", err);
	int rc = ims_input_require(in, "image_load", err);
	if (!rc)
		rc = ims_call_begin(s, call, &j, err);
	if (rc)
		return rc;
	owned_image *p = ims_zalloc(1, sizeof *p);
	if (!p)
		return ims_nomem(err);
	rc = ims_picture_load(s, &j, in, max_side, &p->pixels, err);
	p->image = (imgsearch_image){ p->pixels.pixels, p->pixels.width, p->pixels.height };
	if (rc)
		imgsearch_image_free(&p->image);
	else
		*out = &p->image;
	return rc;
}

void imgsearch_image_free(imgsearch_image *image)
{
	if (!image)
		return;
	owned_image *p = (owned_image *)image; /* its first member */
	ims_image_free(&p->pixels);
	ims_free(p);
}

/* A copy of b as a result. */
static int make_bytes(const buf *b, imgsearch_bytes **out, imgsearch_error *err)
{
	imgsearch_bytes *bytes = ims_result_new(sizeof *bytes);
	if (!bytes)
		return ims_nomem(err);
	bytes->items = (const uint8_t *)ims_result_text_n(bytes, (const char *)b->data, b->len);
	bytes->count = b->len;
	if (!bytes->items) {
		ims_result_free(bytes);
		return ims_nomem(err);
	}
	*out = bytes;
	return 0;
}

int imgsearch_image_encode(const imgsearch_image *theirs, int quality,
	const imgsearch_call *call_given, imgsearch_bytes **out, imgsearch_error *err)
{
	imgsearch_call call;
	buf b = { 0 };
	REQUIRE(out, err, "image_encode: out is NULL");
	*out = NULL;
	REQUIRE(theirs && theirs->rgb && theirs->width && theirs->height, err,
		"image_encode: image is NULL or has no pixels");
	REQUIRE(quality >= 0 && quality <= 100, err, "image_encode: quality %d is not within 0..100",
		quality);
	int rc = COPY(call, call_given, err);
	if (rc)
		return rc;
	stop_token stop = ims_stop_token(NULL, &call);
	rc = ims_stop_check(&stop, err);
	if (rc)
		return rc;
	image im = {
		.pixels = (uint8_t *)(uintptr_t)theirs->rgb,
		.width = theirs->width,
		.height = theirs->height,
	};
	rc = quality ? ims_image_encode_jpeg(&b, &im, quality, &stop, err)
				 : ims_image_encode_png(&b, &im, &stop, err);
	rc = rc ? rc : make_bytes(&b, out, err);
	ims_buf_free(&b);
	return rc;
}

int imgsearch_item_bytes(imgsearch *s, int64_t id, const imgsearch_call *call,
	imgsearch_bytes **out, imgsearch_error *err)
{
	job j;
	buf b = { 0 };
	char *path = NULL;
	REQUIRE(out, err, "item_bytes: out is NULL");
	*out = NULL;
	REQUIRE_HANDLE(s, "item_bytes", err);
	int rc = ims_call_begin(s, call, &j, err);
	if (!rc)
		rc = ims_job_check(&j, err);
	if (!rc)
		rc = ims_picture_bytes(s, id, &b, &path, err);
	if (!rc)
		rc = make_bytes(&b, out, err);
	ims_free(path);
	ims_buf_free(&b);
	return rc;
}

void imgsearch_bytes_free(imgsearch_bytes *bytes)
{
	ims_result_free(bytes);
}
