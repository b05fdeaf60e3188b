/* Turns an input into bytes and into pixels. */
#include "handle/input.h"

#include "words/prompt.h"

#include <math.h>
#include <string.h>

int ims_input_check(const imgsearch_input *in, imgsearch_error *err)
{
	bool needs_data = in->kind == IMGSEARCH_INPUT_KIND_BYTES
		|| in->kind == IMGSEARCH_INPUT_KIND_PIXELS || in->kind == IMGSEARCH_INPUT_KIND_VECTOR;
	if (in->kind < IMGSEARCH_INPUT_KIND_FILE || in->kind > IMGSEARCH_INPUT_KIND_TEXT)
		return ims_fail(err, IMGSEARCH_EINVAL, "input: kind %u is unknown", in->kind);
	if (in->reserved[0] || in->reserved[1])
		return ims_fail(err, IMGSEARCH_EINVAL, "input: the reserved fields must be 0");
	if ((in->kind == IMGSEARCH_INPUT_KIND_FILE && !in->path) || (needs_data && !in->data))
		return ims_fail(err, IMGSEARCH_EINVAL, "input: the path or data is NULL");
	if (in->kind == IMGSEARCH_INPUT_KIND_BYTES && in->size > IMS_IMAGE_MAX_FILE)
		return ims_fail(err, IMGSEARCH_ELIMIT, "input: %zu bytes are more than the limit of %d",
			in->size, IMS_IMAGE_MAX_FILE);
	if (!isfinite(in->weight))
		return ims_fail(err, IMGSEARCH_EINVAL, "input: the weight is not finite");
	if (in->kind == IMGSEARCH_INPUT_KIND_TEXT && ims_input_is_crop(in))
		return ims_fail(err, IMGSEARCH_EINVAL, "input: a text has no part to be cut out");
	if (in->kind == IMGSEARCH_INPUT_KIND_TEXT)
		return ims_prompt_check(in->text, err);
	return 0;
}

bool ims_input_is_crop(const imgsearch_input *in)
{
	return in->crop[2] != 0;
}

int ims_input_bytes(const imgsearch_input *in, buf *held, const void **data, size_t *size,
	imgsearch_error *err)
{
	*data = in->data;
	*size = in->size;
	if (in->kind != IMGSEARCH_INPUT_KIND_FILE)
		return 0;
	int rc = ims_read_file(held, in->path, IMS_IMAGE_MAX_FILE, err);
	*data = held->data;
	*size = held->len;
	return rc;
}

static int copy_pixels(const imgsearch_input *in, const image_limits *limits, image *out,
	imgsearch_error *err)
{
	size_t row = (size_t)in->width * 3, stride = in->size ? in->size : row;
	if (!in->data || in->width <= 0 || in->height <= 0 || stride < row)
		return ims_fail(err, IMGSEARCH_EINVAL,
			"pixels: no data, or a width, height or row size that cannot be");
	int rc = ims_image_check_size((uint64_t)in->width, (uint64_t)in->height,
		limits ? limits->max_pixels : 0, err);
	if (rc)
		return rc;
	*out = (image){ .width = (uint32_t)in->width, .height = (uint32_t)in->height };
	out->pixels = ims_alloc((size_t)in->height, row);
	if (!out->pixels)
		return ims_nomem(err);
	for (int32_t y = 0; y < in->height; y++)
		memcpy(out->pixels + (size_t)y * row, (const uint8_t *)in->data + (size_t)y * stride, row);
	return ims_input_is_crop(in) ? ims_image_crop(out, in->crop, err) : 0;
}

int ims_input_decode(const imgsearch_input *in, const void *data, size_t size,
	const image_limits *limits, image *out, image_head *head, imgsearch_error *err)
{
	*out = (image){ 0 };
	if (in->kind != IMGSEARCH_INPUT_KIND_PIXELS)
		return ims_image_decode(out, head, data, size, limits,
			ims_input_is_crop(in) ? in->crop : NULL, err);
	int rc = copy_pixels(in, limits, out, err);
	if (rc) {
		ims_image_free(out);
		*out = (image){ 0 };
	} else if (head) {
		*head = (image_head){ .width = out->width, .height = out->height, .orientation = 1 };
	}
	return rc;
}
