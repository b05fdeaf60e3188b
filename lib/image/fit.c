/*
 * torchvision's reference transforms (torchvision/transforms/functional.py): Resize(short side) and
 * CenterCrop or FiveCrop, or Resize of both sides, then ToTensor, Normalize, with its rounding of
 * sizes and offsets and its float arithmetic. Only the part that a crop shows is resized.
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

size_t ims_recipe_inputs(const image_recipe *r)
{
	return r->crops ? r->crops : 1;
}

size_t ims_recipe_values(const image_recipe *r)
{
	return ims_recipe_inputs(r) * r->crop * r->crop * 3;
}

/* FiveCrop's order: the four corners in rows, then the centre, which a single crop is. */
static span place(uint64_t size, uint32_t crop, bool centre, bool last)
{
	return centre || size < crop ? center(size, crop) : (span){ last ? size - crop : 0, 0, crop };
}

/* One crop of the resized picture. rgb (crop, crop, 3) is black. */
static int fit_crop(const image *im, const image_recipe *r, size_t number, uint8_t *rgb,
	imgsearch_error *err)
{
	size_t crop = r->crop;
	double box[4];
	ims_image_extent(im, box);
	resample_part part = resized(box[2] - box[0], box[3] - box[1], r);
	bool centre = number + 1 == ims_recipe_inputs(r);
	span across = place(part.width, r->crop, centre, number & 1),
		 down = place(part.height, r->crop, centre, number & 2);
	part.x = across.start, part.w = across.n;
	part.y = down.start, part.h = down.n;
	return ims_resample(rgb + (down.pad * crop + across.pad) * 3, crop * 3, im, box, &part,
		r->bicubic, err);
}

int ims_image_fit(const image *im, const image_recipe *recipe, bool planar, float *out,
	imgsearch_error *err)
{
	size_t pixels = (size_t)recipe->crop * recipe->crop;
	float table[3][256];
	uint8_t *rgb = ims_alloc(pixels, 3);
	int rc = rgb ? 0 : ims_nomem(err);
	value_table(table, recipe);
	for (size_t i = 0; !rc && i < ims_recipe_inputs(recipe); i++) {
		memset(rgb, 0, pixels * 3);
		rc = fit_crop(im, recipe, i, rgb, err);
		if (!rc)
			to_floats(out + i * pixels * 3, rgb, pixels, table, planar);
	}
	ims_free(rgb);
	return rc;
}

int ims_image_fit_part(const image *im, const image_recipe *recipe, const double box[4],
	uint32_t side, float *out, imgsearch_error *err)
{
	const resample_part all = { .width = side, .height = side, .w = side, .h = side };
	const size_t pixels = (size_t)side * side;
	double extent[4], part[4];
	float table[3][256];
	uint8_t *rgb = ims_alloc(pixels, 3);
	ims_image_extent(im, extent);
	for (int i = 0; i < 4; i++)
		part[i] = extent[i % 2] + box[i] * (extent[i % 2 + 2] - extent[i % 2]);
	int rc = rgb ? ims_resample(rgb, 3 * (size_t)side, im, part, &all, recipe->bicubic, err)
				 : ims_nomem(err);
	value_table(table, recipe);
	if (!rc)
		to_floats(out, rgb, pixels, table, false);
	ims_free(rgb);
	return rc;
}
