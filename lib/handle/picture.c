/*
 * Pixels for people: a picture of the index or from outside, upright and small enough, and as JPEG or PNG bytes.
 * Thumbnails, contact sheets and map tiles are made of these. JPEGs are decoded at the smallest scale that suffices.
 */
#include "handle/handle.h"

#include <string.h>

typedef struct owned_picture {
	imgsearch_picture picture;
	image image;
} owned_picture;

/* The path of a stored picture; ims_free. */
static char *stored_path(imgsearch *s, int64_t id, imgsearch_error *err)
{
	store_picture p = { 0 };
	char *root = NULL, *path = NULL;
	if (ims_store_picture_get(s->store, id, &p, &root, err) == 0) {
		if (!p.root && p.path[0] != '/')
			ims_fail(err, IMGSEARCH_ENOTFOUND, "picture %lld (%s) has no file", (long long)id, p.path);
		else if (!(path = ims_path_join(p.root ? root : NULL, p.path)))
			ims_nomem(err);
	}
	ims_store_picture_clear(&p);
	ims_free(root);
	return path;
}

/* The scale of a decode whose longer side is at least max_side. */
static uint32_t short_side(const void *data, size_t size, const image_limits *limits, uint32_t max_side)
{
	image_head head;
	if (!max_side || ims_image_head(&head, data, size, limits, NULL) || !head.width || !head.height)
		return 0;
	uint64_t small = head.width < head.height ? head.width : head.height, large = head.width + head.height - small;
	return (uint32_t)((max_side * small + large - 1) / large);
}

static int decode(imgsearch *s, const imgsearch_input *in, const void *data, size_t size, uint32_t max_side, image *out, imgsearch_error *err)
{
	image_head head;
	image_limits limits = ims_engine_limits(s, NULL);
	if (!in->crop[2])
		limits.at_least = short_side(data, size, &limits, max_side);
	ims_engine_decoder_take(s);
	int rc = ims_image_decode(out, &head, data, size, &limits, in->crop[2] ? in->crop : NULL, err);
	ims_engine_decoder_give(s);
	return rc;
}

static int from_file(imgsearch *s, const imgsearch_input *in, uint32_t max_side, image *out, imgsearch_error *err)
{
	buf bytes = { 0 };
	char *stored = in->kind == IMGSEARCH_KIND_STORED ? stored_path(s, in->id, err) : NULL;
	const char *path = in->kind == IMGSEARCH_KIND_STORED ? stored : in->path;
	int rc = path ? ims_read_file(&bytes, path, IMS_IMAGE_MAX_FILE, err) : err->code;
	if (!rc) {
		rc = decode(s, in, bytes.data, bytes.len, max_side, out, err);
		if (rc)
			ims_error_prefix(err, "%s", path);
	}
	ims_buf_free(&bytes);
	ims_free(stored);
	return rc;
}

/* In place. */
static int shrink(image *im, uint32_t max_side, imgsearch_error *err)
{
	uint32_t large = im->width > im->height ? im->width : im->height;
	if (!max_side || large <= max_side)
		return 0;
	image small;
	uint32_t width = (uint32_t)(((uint64_t)im->width * max_side + large / 2) / large);
	uint32_t height = (uint32_t)(((uint64_t)im->height * max_side + large / 2) / large);
	int rc = ims_image_resize(&small, im, width ? width : 1, height ? height : 1, false, NULL, err);
	if (rc)
		return rc;
	ims_image_free(im);
	*im = small;
	return 0;
}

int imgsearch_picture_load(imgsearch *s, const imgsearch_input *in, uint32_t max_side, imgsearch_picture **out, imgsearch_error *err)
{
	imgsearch_error local;
	err = err ? err : &local;
	if (out)
		*out = NULL;
	if (!s || !in || !out)
		return ims_fail(err, IMGSEARCH_EINVAL, "picture: no index or no input, or no place for it");
	owned_picture *p = ims_zalloc(1, sizeof *p);
	int rc;
	if (!p)
		return ims_nomem(err);
	if (in->kind == IMGSEARCH_KIND_PIXELS)
		rc = ims_input_pixels(in, &p->image, err);
	else if (in->kind == IMGSEARCH_KIND_MEMORY && in->data)
		rc = decode(s, in, in->data, in->size, max_side, &p->image, err);
	else if (in->kind == IMGSEARCH_KIND_STORED || (in->kind == IMGSEARCH_KIND_FILE && in->path))
		rc = from_file(s, in, max_side, &p->image, err);
	else
		rc = ims_fail(err, IMGSEARCH_EINVAL, "this input has no pixels to show");
	if (!rc)
		rc = shrink(&p->image, max_side, err);
	p->picture = (imgsearch_picture){ p->image.pixels, p->image.width, p->image.height };
	if (rc)
		imgsearch_picture_free(&p->picture);
	else
		*out = &p->picture;
	return rc;
}

void imgsearch_picture_free(imgsearch_picture *picture)
{
	if (!picture)
		return;
	owned_picture *p = (owned_picture *)picture; /* its first member */
	ims_image_free(&p->image);
	ims_free(p);
}

int imgsearch_picture_encode(const imgsearch_picture *picture, int quality, void **bytes, size_t *size, imgsearch_error *err)
{
	buf b = { 0 };
	if (!bytes || !size)
		return ims_fail(err, IMGSEARCH_EINVAL, "encode: no place for the bytes");
	*bytes = NULL;
	*size = 0;
	if (!picture || !picture->rgb || !picture->width || !picture->height || quality < 0 || quality > 100)
		return ims_fail(err, IMGSEARCH_EINVAL, "encode: no pixels, or a quality that is not 0..100");
	image im = { .pixels = (uint8_t *)(uintptr_t)picture->rgb, .width = picture->width, .height = picture->height };
	int rc = quality ? ims_image_encode_jpeg(&b, &im, quality, err) : ims_image_encode_png(&b, &im, err);
	if (rc) {
		ims_buf_free(&b);
		return rc;
	}
	*bytes = b.data;
	*size = b.len;
	return 0;
}

void imgsearch_bytes_free(void *bytes)
{
	ims_free(bytes);
}
