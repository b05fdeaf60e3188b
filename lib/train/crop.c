/*
 * RandomResizedCrop, reflection and colour jitter as in torchvision.transforms, except that the
 * colours vary in one pass with the normalisation.
 */
#include "train/crop.h"

#include "train/seed.h"

#include <math.h>
#include <string.h>

static double between(uint64_t *random, double low, double high)
{
	return low + (high - low) * ims_random_unit(random);
}

void ims_crop_box(double box[4], const image *im, float min_area, uint64_t *random)
{
	double width = im->width, height = im->height;
	for (int i = 0; i < 10; i++) {
		double area = width * height * between(random, (double)min_area, 1),
			   ratio = exp(between(random, log(3.0 / 4), log(4.0 / 3)));
		double w = round(sqrt(area * ratio)), h = round(sqrt(area / ratio));
		if (w < 1 || h < 1 || w > width || h > height)
			continue;
		double x = floor(between(random, 0, width - w + 1)),
			   y = floor(between(random, 0, height - h + 1));
		memcpy(box, (double[4]){ x, y, x + w, y + h }, 4 * sizeof *box);
		return;
	}
	/* No box fitted: uses the largest centred one within the ratios. */
	double w = fmin(width, round(height * 4 / 3)), h = fmin(height, round(width * 4 / 3));
	double x = floor((width - w) / 2), y = floor((height - h) / 2);
	memcpy(box, (double[4]){ x, y, x + w, y + h }, 4 * sizeof *box);
}

void ims_crop_view(double box[4], const image *im, const view_recipe *r, uint64_t key,
	uint32_t view)
{
	uint64_t random = ims_seed_derive(r->seed, key, view);
	double side = (double)r->centre * fmin(im->width, im->height);
	double w = r->squash ? im->width : side, h = r->squash ? im->height : side;
	double x = (im->width - w) / 2, y = (im->height - h) / 2;
	if (view || !(side > 0))
		ims_crop_box(box, im, r->min_area, &random);
	else
		memcpy(box, (double[4]){ x, y, x + w, y + h }, 4 * sizeof *box);
}

typedef struct colours {
	float brightness, contrast, saturation;
	float mean; /* grey of the picture after the change of brightness */
	bool mirrored;
} colours;

static float grey(const float p[3])
{
	return 0.299f * p[0] + 0.587f * p[1] + 0.114f * p[2];
}

static colours draw_colours(const image *im, float jitter, uint64_t *random)
{
	double j = jitter > 0 ? (double)jitter : 0, sum = 0;
	colours c;
	c.mirrored = ims_random(random) >> 63;
	c.brightness = (float)between(random, 1 - j, 1 + j);
	c.contrast = (float)between(random, 1 - j, 1 + j);
	c.saturation = (float)between(random, 1 - j, 1 + j);
	size_t n = (size_t)im->width * im->height;
	for (size_t i = 0; i < n; i++)
		sum += 0.299 * im->pixels[3 * i] + 0.587 * im->pixels[3 * i + 1]
			+ 0.114 * im->pixels[3 * i + 2];
	c.mean = (float)(sum / (double)n) * c.brightness;
	return c;
}

static float clamp(float v)
{
	return v < 0 ? 0 : v > 255 ? 255 : v;
}

static void recolour(float p[3], const colours *c)
{
	for (int k = 0; k < 3; k++)
		p[k] = clamp((p[k] * c->brightness - c->mean) * c->contrast + c->mean);
	float g = grey(p);
	for (int k = 0; k < 3; k++)
		p[k] = clamp((p[k] - g) * c->saturation + g);
}

int ims_crop_make(float *out, const image *im, const double box[4], const crop_recipe *r,
	float jitter, uint64_t *random, imgsearch_error *err)
{
	image cut;
	int rc = ims_image_resize(&cut, im, r->side, r->side, r->bicubic, box, err);
	if (rc)
		return rc;
	colours c = { 1, 1, 1, 0, false };
	if (random)
		c = draw_colours(&cut, jitter, random);
	for (uint32_t y = 0; y < r->side; y++)
		for (uint32_t x = 0; x < r->side; x++) {
			const uint8_t *from = cut.pixels
				+ 3 * ((size_t)y * r->side + (c.mirrored ? r->side - 1 - x : x));
			float p[3] = { from[0], from[1], from[2] };
			if (random)
				recolour(p, &c);
			for (int k = 0; k < 3; k++)
				*out++ = (p[k] / 255 - r->mean[k]) / r->std[k];
		}
	ims_image_free(&cut);
	return 0;
}
