/*
 * torchvision's reference transforms (torchvision/transforms/functional.py): Resize(short side) and
 * CenterCrop, or Resize of both sides, then ToTensor, Normalize, with its rounding of sizes and
 * offsets and its float arithmetic. Only the part that the crop shows is resized.
 */
#include "image/resample.h"

#include <string.h>

/* Where the crop meets the resized picture in one direction. */
typedef struct span {
	uint64_t start; /* first pixel of the resized picture */
	uint32_t pad;   /* black pixels before it */
	uint32_t n;     /* pixels taken */
} span;

static span center(uint64_t size, uint32_t crop)
{
	if (size < crop)
		return (span){ 0, (uint32_t)((crop - size) / 2), (uint32_t)size };
	uint64_t spare = size - crop;
	return (span){ spare / 2 + (spare % 4 == 3), 0, crop }; /* round half to even, as Python does */
}

/* (v / 255 - mean) / std of each byte in each channel, in f32. */
static void value_table(float table[3][256], const image_recipe *r)
{
	for (int c = 0; c < 3; c++)
		for (int v = 0; v < 256; v++)
			table[c][v] = ((float)v / 255.0f - r->mean[c]) / r->std[c];
}

static void to_floats(float *out, const uint8_t *rgb, size_t n, float table[3][256], bool planar)
{
	if (planar)
		for (int c = 0; c < 3; c++)
			for (size_t i = 0; i < n; i++)
				out[(size_t)c * n + i] = table[c][rgb[i * 3 + (size_t)c]];
	else
		for (size_t i = 0; i < n; i++)
			for (size_t c = 0; c < 3; c++)
				out[i * 3 + c] = table[c][rgb[i * 3 + c]];
}

/* The size that a picture is resized to. */
static resample_part resized(double width, double height, const image_recipe *r)
{
	bool wide = width > height;
	uint64_t stretched = (uint64_t)(wide ? r->resize * width / height : r->resize * height / width);
	if (r->squash)
		stretched = r->resize;
	return (resample_part){
		.width = wide ? stretched : r->resize,
		.height = wide ? r->resize : stretched,
	};
}

int ims_image_fit(const image *im, const image_recipe *recipe, bool planar, float *out,
	imgsearch_error *err)
{
	size_t crop = recipe->crop;
	double box[4];
	ims_image_extent(im, box);
	resample_part part = resized(box[2] - box[0], box[3] - box[1], recipe);
	span across = center(part.width, recipe->crop), down = center(part.height, recipe->crop);
	part.x = across.start, part.w = across.n;
	part.y = down.start, part.h = down.n;
	uint8_t *rgb = ims_zalloc(crop * crop, 3);
	if (!rgb)
		return ims_nomem(err);
	int rc = ims_resample(rgb + (down.pad * crop + across.pad) * 3, crop * 3, im, box, &part,
		recipe->bicubic, err);
	if (!rc) {
		float table[3][256];
		value_table(table, recipe);
		to_floats(out, rgb, crop * crop, table, planar);
	}
	ims_free(rgb);
	return rc;
}
