/* Pixels for display: the functions check their arguments and delegate. */
#include "handle/picture.h"

typedef struct owned_picture {
	imgsearch_image picture; /* first: the caller's pointer */
	image image;
} owned_picture;

int imgsearch_image_load(imgsearch *s, const imgsearch_input *in, uint32_t max_side,
	imgsearch_image **out, imgsearch_error *err)
{
	if (out)
		*out = NULL;
	if (!s || !in || !out)
		return ims_fail(err, IMGSEARCH_EINVAL, "picture: no index or input, or the result is NULL");
	owned_picture *p = ims_zalloc(1, sizeof *p);
	if (!p)
		return ims_nomem(err);
	int rc = ims_picture_load(s, in, max_side, &p->image, err);
	p->picture = (imgsearch_image){ p->image.pixels, p->image.width, p->image.height };
	if (rc)
		imgsearch_image_free(&p->picture);
	else
		*out = &p->picture;
	return rc;
}

void imgsearch_image_free(imgsearch_image *picture)
{
	if (!picture)
		return;
	owned_picture *p = (owned_picture *)picture; /* its first member */
	ims_image_free(&p->image);
	ims_free(p);
}

int imgsearch_image_encode(const imgsearch_image *picture, int quality, void **bytes,
	size_t *size, imgsearch_error *err)
{
	buf b = { 0 };
	if (!bytes || !size)
		return ims_fail(err, IMGSEARCH_EINVAL, "encode: the result is NULL");
	*bytes = NULL;
	*size = 0;
	if (!picture || !picture->rgb || !picture->width || !picture->height || quality < 0
		|| quality > 100)
		return ims_fail(err, IMGSEARCH_EINVAL,
			"encode: no pixels, or a quality that is not 0..100");
	image im = { .pixels = (uint8_t *)(uintptr_t)picture->rgb,
		.width = picture->width,
		.height = picture->height };
	int rc = quality ? ims_image_encode_jpeg(&b, &im, quality, err)
					 : ims_image_encode_png(&b, &im, err);
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
