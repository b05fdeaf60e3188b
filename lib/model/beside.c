/*
 * Reads the configurations beside weights. Keys are those of transformers' image processors and
 * models, of timm's pretrained_cfg and of OpenCLIP's model_cfg and preprocess_cfg; they do not
 * contradict each other, so one reader takes them all. Of parts about texts it takes the heads.
 */
#include "model/beside.h"

#include "base/file.h"
#include "model/json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MAX_CONFIG = 1 << 20, MAX_SIDE = IMGSEARCH_RESIZE_MAX };

/* ------------------------------------------------------------------------------ the values ---- */

/* The attention of a tower; 0: not said. */
typedef struct heads {
	double width, count, values; /* values: of each head */
} heads;

/* What the files say; 0 and "": nothing. */
typedef struct said {
	beside *out;
	uint32_t shortest, both, crop; /* sides: of the short one, of both, of the crop */
	uint32_t input;                /* of the network's input */
	double share;                  /* of the crop in the resized picture */
	bool uncropped, squash, openclip, quick;
	heads heads; /* of the tower of pictures */
} said;

static bool side(json *j, uint32_t *out)
{
	double v;
	if (!ims_json_number(j, &v))
		return false;
	if (v >= 1 && v <= MAX_SIDE && v == floor(v))
		*out = (uint32_t)v;
	return true;
}

/* The last of a list: (3, 224, 224) or (224, 224). */
static bool last_side(json *j, uint32_t *out)
{
	if (!ims_json_begin(j, '['))
		return false;
	for (size_t i = 0; ims_json_more(j, ']', i); i++)
		if (!side(j, out))
			return false;
	return !j->why;
}

/* 224, [224, 224], {"shortest_edge": 224} or {"height": 224, "width": 224} */
static bool size(json *j, uint32_t *shortest, uint32_t *both)
{
	char key[24];
	switch (ims_json_peek(j)) {
	case '[':
		return last_side(j, both);
	case '{':
		break;
	case 'n':
		return ims_json_skip(j);
	default:
		return side(j, shortest);
	}
	ims_json_begin(j, '{');
	for (size_t i = 0; ims_json_more(j, '}', i) && ims_json_key(j, key, sizeof key); i++) {
		bool is_short = !strcmp(key, "shortest_edge");
		bool read = is_short || !strcmp(key, "height") ? side(j, is_short ? shortest : both)
													   : ims_json_skip(j);
		if (!read)
			return false;
	}
	return !j->why;
}

static bool three(json *j, float out[3], bool *set)
{
	double v;
	size_t i = 0;
	if (ims_json_peek(j) != '[')
		return ims_json_skip(j);
	ims_json_begin(j, '[');
	for (; ims_json_more(j, ']', i) && ims_json_number(j, &v); i++)
		if (i < 3)
			out[i] = (float)v;
	*set = i == 3 && out[0] >= 0 && out[1] >= 0 && out[2] >= 0;
	return !j->why;
}

static bool text(json *j, char *out, size_t n)
{
	return ims_json_peek(j) == '"' ? ims_json_string(j, out, n) : ims_json_skip(j);
}

/* "bilinear" or "bicubic"; another method is left to the network's own recipe. */
static bool interpolation(json *j, recipe_parts *p)
{
	char name[24] = "";
	if (!text(j, name, sizeof name))
		return false;
	p->recipe.bicubic = !strcmp(name, "bicubic");
	p->interpolation = p->recipe.bicubic || !strcmp(name, "bilinear");
	return true;
}

/* Pillow's numbers: 2 bilinear, 3 bicubic. */
static bool resample(json *j, recipe_parts *p)
{
	double v;
	if (!ims_json_number(j, &v))
		return false;
	p->recipe.bicubic = v == 3;
	p->interpolation = v == 2 || v == 3;
	return true;
}

static bool is(json *j, const char *want, bool *out)
{
	char name[24] = "";
	bool read = text(j, name, sizeof name);
	*out = !strcmp(name, want);
	return read;
}

static bool negated(json *j, bool *out)
{
	bool v = true;
	bool read = ims_json_peek(j) == 'n' ? ims_json_skip(j) : ims_json_bool(j, &v);
	*out = !v;
	return read;
}

/* ----------------------------------------------------------------------- attention heads ---- */

/* Where it is a key of the attention, *out takes its value; NULL: it is none. */
static double *heads_key(heads *h, const char *key)
{
	if (!strcmp(key, "width") || !strcmp(key, "hidden_size"))
		return &h->width;
	if (!strcmp(key, "heads") || !strcmp(key, "num_attention_heads"))
		return &h->count;
	return strcmp(key, "head_width") ? NULL : &h->values;
}

/* A number goes to `to` (NULL: none is wanted); any other value is skipped. */
static bool number(json *j, double *to)
{
	char c = ims_json_peek(j);
	return to && (c == '-' || (c >= '0' && c <= '9')) ? ims_json_number(j, to) : ims_json_skip(j);
}

static bool fits(double v)
{
	return v >= 1 && v <= 1 << 20;
}

static void note_heads(const heads *h, beside *out)
{
	double count = fits(h->values) ? h->width / h->values : h->count;
	if (!fits(h->width) || !fits(count) || h->width == 64 * count)
		return;
	out->odd_heads = (uint32_t)count;
	out->odd_width = (uint32_t)h->width;
}

/* The part about texts: nothing but its heads, of which OpenCLIP has 8 where none are named. */
static bool text_part(json *j, const char *name, beside *out)
{
	heads h = { .count = strcmp(name, "text_cfg") ? 0 : 8 };
	char key[64];
	if (!ims_json_begin(j, '{'))
		return false;
	for (size_t i = 0; ims_json_more(j, '}', i) && ims_json_key(j, key, sizeof key); i++)
		if (!number(j, heads_key(&h, key)))
			return false;
	note_heads(&h, out);
	return !j->why;
}

/* -------------------------------------------------------------------------------- the keys ---- */

static bool object(json *j, said *f);

static bool value(json *j, const char *key, said *f)
{
	recipe_parts *p = &f->out->parts;
	static const char *const inner[] = { "vision_config", "model_cfg", "vision_cfg",
		"preprocess_cfg", "pretrained_cfg" };
	f->openclip |= !strcmp(key, "model_cfg");
	for (size_t i = 0; i < sizeof inner / sizeof *inner; i++)
		if (!strcmp(key, inner[i]) && ims_json_peek(j) == '{')
			return object(j, f);
	if ((!strcmp(key, "text_cfg") || !strcmp(key, "text_config")) && ims_json_peek(j) == '{')
		return text_part(j, key, f->out);
	if (!strcmp(key, "model_type"))
		return f->out->type[0] ? ims_json_skip(j) : text(j, f->out->type, sizeof f->out->type);
	if (!strcmp(key, "hidden_act"))
		return text(j, f->out->activation, sizeof f->out->activation);
	if (!strcmp(key, "quick_gelu"))
		return ims_json_bool(j, &f->quick);
	if (!strcmp(key, "size"))
		return size(j, &f->shortest, &f->both);
	if (!strcmp(key, "crop_size"))
		return size(j, &f->crop, &f->crop);
	if (!strcmp(key, "do_center_crop"))
		return negated(j, &f->uncropped);
	if (!strcmp(key, "image_size") || !strcmp(key, "input_size"))
		return size(j, &f->input, &f->input);
	if (!strcmp(key, "crop_pct"))
		return ims_json_number(j, &f->share);
	if (!strcmp(key, "resize_mode") || !strcmp(key, "crop_mode"))
		return is(j, "squash", &f->squash);
	if (!strcmp(key, "image_mean") || !strcmp(key, "mean"))
		return three(j, p->recipe.mean, &p->mean);
	if (!strcmp(key, "image_std") || !strcmp(key, "std"))
		return three(j, p->recipe.std, &p->std);
	if (!strcmp(key, "resample"))
		return resample(j, p);
	if (!strcmp(key, "interpolation"))
		return interpolation(j, p);
	return number(j, heads_key(&f->heads, key));
}

static bool object(json *j, said *f)
{
	char key[64];
	if (!ims_json_begin(j, '{'))
		return false;
	for (size_t i = 0; ims_json_more(j, '}', i) && ims_json_key(j, key, sizeof key); i++)
		if (!value(j, key, f))
			return false;
	return !j->why;
}

/* transformers leaves out what is usual for a kind of network. */
static const char *usual_activation(const said *f)
{
	static const struct {
		const char *type, *activation;
	} usual[] = { { "clip", "quick_gelu" }, { "siglip", "gelu_pytorch_tanh" } };
	if (f->openclip)
		return f->quick ? "quick_gelu" : "gelu";
	for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
		if (!strncmp(f->out->type, usual[i].type, strlen(usual[i].type)))
			return usual[i].activation;
	return "";
}

/* The sides that the recipe needs, from those that the files name. */
static void conclude(const said *f)
{
	recipe_parts *p = &f->out->parts;
	uint32_t crop = f->crop && !f->uncropped ? f->crop : f->input, resize = f->shortest;
	/* A size of both sides, of which nothing is cropped. */
	bool both = f->both && !f->shortest && (!f->crop || f->uncropped);
	if (both)
		crop = f->both;
	if (!crop)
		crop = f->shortest;
	if (!resize && f->share > 0 && f->share <= 1)
		resize = (uint32_t)floor(crop / f->share);
	p->recipe.squash = both || f->squash;
	if (!resize || resize < crop || p->recipe.squash)
		resize = crop;
	p->crop = p->resize = crop > 0;
	/* The input's side alone says nothing of the resize. */
	p->squash = p->crop && (p->recipe.squash || f->shortest || f->share > 0 || f->crop);
	p->recipe.crop = crop;
	p->recipe.resize = resize;
	note_heads(&f->heads, f->out);
	if (!f->out->activation[0])
		snprintf(f->out->activation, sizeof f->out->activation, "%s", usual_activation(f));
}

static int parse(said *f, const void *json_text, size_t n, imgsearch_error *err)
{
	json j = ims_json(json_text, n);
	if (!object(&j, f) || !ims_json_done(&j))
		return ims_fail(err, IMGSEARCH_EFORMAT, "not a configuration of a network: %s",
			j.why ? j.why : "a value is not of its kind");
	return 0;
}

int ims_beside_parse(beside *out, const void *json_text, size_t n, imgsearch_error *err)
{
	said f = { .out = out };
	*out = (beside){ 0 };
	int rc = parse(&f, json_text, n, err);
	if (!rc)
		conclude(&f);
	return rc;
}

int ims_beside_read(beside *out, const char *weights_path, imgsearch_error *err)
{
	static const char *const files[] = { "config.json", "preprocessor_config.json",
		"open_clip_config.json" };
	said f = { .out = out };
	const char *slash = strrchr(weights_path, '/');
	int rc = 0;
	*out = (beside){ 0 };
	for (size_t i = 0; !rc && i < sizeof files / sizeof *files; i++) {
		buf content = { 0 };
		char *path = ims_format("%.*s%s", slash ? (int)(slash + 1 - weights_path) : 0, weights_path,
			files[i]);
		rc = path ? ims_read_file(&content, path, MAX_CONFIG, err) : ims_nomem(err);
		if (!rc && (rc = parse(&f, content.data, content.len, err)))
			ims_error_prefix(err, "%s", path);
		if (rc == IMGSEARCH_ENOTFOUND)
			rc = 0;
		ims_buf_free(&content);
		ims_free(path);
	}
	if (!rc)
		conclude(&f);
	return rc;
}
