/* Reads, merges and compares recipes. */
#include "model/recipe.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* An integer in 1..max. */
static bool whole(json *j, uint32_t max, uint32_t *out)
{
	double v;
	if (!ims_json_number(j, &v) || !(v >= 1 && v <= max) || v != floor(v))
		return false;
	*out = (uint32_t)v;
	return true;
}

static bool three(json *j, float out[3], double least)
{
	size_t i = 0;
	if (!ims_json_begin(j, '['))
		return false;
	for (; ims_json_more(j, ']', i); i++) {
		double v;
		if (i == 3 || !ims_json_number(j, &v) || !(v >= least && v <= 1000))
			return false;
		out[i] = (float)v;
	}
	return i == 3 && !j->why;
}

static bool interpolation(json *j, uint32_t *bicubic)
{
	char text[16];
	if (!ims_json_string(j, text, sizeof text))
		return false;
	*bicubic = !strcmp(text, "bicubic");
	return *bicubic || !strcmp(text, "bilinear");
}

static bool squash(json *j, uint32_t *out)
{
	bool flag = false;
	bool read = ims_json_bool(j, &flag);
	*out = flag;
	return read;
}

bool ims_recipe_has_key(const char *key)
{
	static const char *const keys[] = { "resize", "crop", "squash", "mean", "std", "interpolation",
		"crops" };
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (!strcmp(key, keys[i]))
			return true;
	return false;
}

bool ims_recipe_value(json *j, const char *key, recipe_parts *p)
{
	if (!strcmp(key, "resize"))
		return p->resize = whole(j, IMGSEARCH_RESIZE_MAX, &p->recipe.resize);
	if (!strcmp(key, "crop"))
		return p->crop = whole(j, IMGSEARCH_RESIZE_MAX, &p->recipe.crop);
	if (!strcmp(key, "mean"))
		return p->mean = three(j, p->recipe.mean, -1000);
	if (!strcmp(key, "std"))
		return p->std = three(j, p->recipe.std, 1e-6);
	if (!strcmp(key, "squash"))
		return p->squash = squash(j, &p->recipe.squash);
	if (!strcmp(key, "crops"))
		return p->crops = whole(j, 5, &p->recipe.crops) && p->recipe.crops % 4 == 1;
	return p->interpolation = interpolation(j, &p->recipe.bicubic);
}

int ims_recipe_merge(image_recipe *r, const recipe_parts *p, const char *what, imgsearch_error *err)
{
	if (p->resize)
		r->resize = p->recipe.resize;
	if (p->crop)
		r->crop = p->recipe.crop;
	if (p->mean)
		memcpy(r->mean, p->recipe.mean, sizeof r->mean);
	if (p->std)
		memcpy(r->std, p->recipe.std, sizeof r->std);
	if (p->interpolation)
		r->bicubic = p->recipe.bicubic;
	/* A resize that is more than the crop is one of the short side. */
	bool kept = !p->resize || (p->crop && p->recipe.crop == p->recipe.resize);
	r->squash = p->squash ? p->recipe.squash : r->squash && kept;
	if (r->squash && p->resize != p->crop)
		r->resize = r->crop = p->resize ? r->resize : r->crop;
	if (p->crops)
		r->crops = p->recipe.crops;
	if (r->squash && ims_recipe_inputs(r) > 1)
		return ims_fail(err, IMGSEARCH_EFORMAT, "%s: a squashed picture has one crop, not %u", what,
			r->crops);
	if (r->squash && r->crop != r->resize)
		return ims_fail(err, IMGSEARCH_EFORMAT,
			"%s: a squashed picture is as large as the crop, %u, not the resize, %u", what, r->crop,
			r->resize);
	if (r->crop > r->resize)
		return ims_fail(err, IMGSEARCH_EFORMAT, "%s: crop %u is larger than resize %u", what,
			r->crop, r->resize);
	return 0;
}

/* The sizes that the caller sets; who sets a resize without a squash wants the aspect kept. */
static void ask_sizes(image_recipe *r, const imgsearch_recipe *asked)
{
	r->squash = asked->squash || (r->squash && !asked->resize);
	if (asked->resize)
		r->resize = asked->resize;
	if (asked->crop)
		r->crop = asked->crop;
	if (r->squash)
		r->resize = r->crop = asked->resize && !asked->crop ? r->resize : r->crop;
	if (asked->resize && !asked->crop && r->crop > r->resize)
		r->crop = r->resize;
	if (asked->crop && !asked->resize && r->resize < r->crop)
		r->resize = r->crop;
}

int ims_recipe_ask(image_recipe *r, const imgsearch_recipe *asked, imgsearch_error *err)
{
	ask_sizes(r, asked);
	if (asked->std[0] != 0 || asked->std[1] != 0 || asked->std[2] != 0) {
		memcpy(r->mean, asked->mean, sizeof r->mean);
		memcpy(r->std, asked->std, sizeof r->std);
	}
	if (asked->interpolation)
		r->bicubic = asked->interpolation == IMGSEARCH_INTERPOLATION_BICUBIC;
	if (r->crop > r->resize || r->resize > IMGSEARCH_RESIZE_MAX || r->crop < IMGSEARCH_CROP_MIN)
		return ims_fail(err, IMGSEARCH_EINVAL,
			"recipe: crop %u of resize %u: a crop is at least %d, not larger than the resize,"
			" which is at most %d",
			r->crop, r->resize, IMGSEARCH_CROP_MIN, IMGSEARCH_RESIZE_MAX);
	if (asked->crops)
		r->crops = asked->crops;
	if (r->squash && ims_recipe_inputs(r) > 1)
		return ims_fail(err, IMGSEARCH_EINVAL, "recipe: a squashed picture has one crop, not %u",
			r->crops);
	for (int i = 0; i < 3; i++)
		if (!(r->std[i] > 0))
			return ims_fail(err, IMGSEARCH_EINVAL, "recipe: a standard deviation must be above 0");
	return 0;
}

static bool same_geometry(const image_recipe *a, const image_recipe *b)
{
	return a->resize == b->resize && a->crop == b->crop && a->bicubic == b->bicubic
		&& a->squash == b->squash && ims_recipe_inputs(a) == ims_recipe_inputs(b);
}

bool ims_recipe_same(const image_recipe *a, const image_recipe *b)
{
	return same_geometry(a, b) && !memcmp(a->mean, b->mean, sizeof a->mean)
		&& !memcmp(a->std, b->std, sizeof a->std);
}

void ims_recipe_difference(char *text, size_t size, const image_recipe *a, const image_recipe *b)
{
	if (ims_recipe_inputs(a) != ims_recipe_inputs(b))
		snprintf(text, size, "crops %zu, not %zu", ims_recipe_inputs(a), ims_recipe_inputs(b));
	else if (same_geometry(a, b))
		snprintf(text, size, "another mean or standard deviation");
	else
		snprintf(text, size, "recipe %u/%u %s%s, not %u/%u %s%s", a->resize, a->crop,
			a->bicubic ? "bicubic" : "bilinear", a->squash ? " squashed" : "", b->resize, b->crop,
			b->bicubic ? "bicubic" : "bilinear", b->squash ? " squashed" : "");
}

static const char *const poolings[] = { "default", "mean", "max", "gem", "class" };
enum { POOLINGS = sizeof poolings / sizeof *poolings };

const char *ims_pooling_name(uint32_t pooling)
{
	return pooling < POOLINGS ? poolings[pooling] : "unknown";
}

uint32_t ims_pooling_find(const char *name)
{
	for (uint32_t i = 1; i < POOLINGS; i++)
		if (!strcmp(name, poolings[i]))
			return i;
	return 0;
}
