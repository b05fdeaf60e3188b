/*
 * Reads and writes cards, which are flat JSON. The reader is strict about the keys that it has and
 * skips others. The writer writes what the reader reads.
 */
#include "model/card.h"

#include "model/catalog.h"
#include "model/json.h"
#include "model/recipe.h"
#include "model/weights_index.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MAX_CARD = 1 << 20 };

static const struct {
	float mean[3], std[3];
} values[] = {
	[VALUES_IMAGENET] = { { 0.485f, 0.456f, 0.406f }, { 0.229f, 0.224f, 0.225f } },
	[VALUES_127] = { { 127 / 255.0f, 127 / 255.0f, 127 / 255.0f },
		{ 128 / 255.0f, 128 / 255.0f, 128 / 255.0f } },
	[VALUES_CLIP] = { { 0.48145466f, 0.4578275f, 0.40821073f },
		{ 0.26862954f, 0.26130258f, 0.27577711f } },
	[VALUES_HALF] = { { 0.5f, 0.5f, 0.5f }, { 0.5f, 0.5f, 0.5f } },
};

image_recipe ims_network_recipe(const model_network *net)
{
	image_recipe r = { .resize = 256, .crop = 224 };
	if (net)
		r = (image_recipe){ .resize = net->resize ? net->resize : net->crop,
			.crop = net->crop,
			.bicubic = net->bicubic,
			.squash = !net->resize };
	value_range range = net ? net->values : VALUES_IMAGENET;
	memcpy(r.mean, values[range].mean, sizeof r.mean);
	memcpy(r.std, values[range].std, sizeof r.std);
	return r;
}

/* An integer in 1..max. */
static bool whole(json *j, uint32_t max, uint32_t *out)
{
	double v;
	if (!ims_json_number(j, &v) || !(v >= 1 && v <= max) || v != floor(v))
		return false;
	*out = (uint32_t)v;
	return true;
}

static bool score(json *j, float *out)
{
	double v;
	if (!ims_json_number(j, &v) || !(v > 0 && v <= 1))
		return false;
	*out = (float)v;
	return *out > 0;
}

static bool value(json *j, const char *key, model_card *card, recipe_parts *p)
{
	bool flag = false;
	char name[16];
	if (!strcmp(key, "name"))
		return ims_json_string(j, card->name, sizeof card->name);
	if (!strcmp(key, "network"))
		return ims_json_string(j, card->network, sizeof card->network);
	if (ims_recipe_has_key(key))
		return ims_recipe_value(j, key, p);
	if (!strcmp(key, "dim"))
		return whole(j, IMGSEARCH_DIM_MAX, &card->dim);
	if (!strcmp(key, "projection"))
		return ims_json_bool(j, &flag) && (card->projection = flag, true);
	if (!strcmp(key, "pooling"))
		return ims_json_string(j, name, sizeof name)
			&& (card->pooling = ims_pooling_find(name)) != 0;
	if (!strcmp(key, "scene_score"))
		return score(j, &card->scene_score);
	if (!strcmp(key, "template"))
		return ims_json_string(j, card->template, sizeof card->template)
			&& strstr(card->template, "{}");
	if (!strcmp(key, "descent"))
		return ims_json_string(j, card->descent, sizeof card->descent);
	if (!strcmp(key, "licence"))
		return ims_json_string(j, card->licence, sizeof card->licence);
	if (!strcmp(key, "note"))
		return ims_json_string(j, card->note, sizeof card->note);
	return ims_json_skip(j);
}

/* Fills in what the card leaves out, and checks that the parts are consistent. */
static int complete(model_card *card, const recipe_parts *p, imgsearch_error *err)
{
	const model_network *net = ims_model_find(card->network);
	if (!net && strcmp(card->network, "script"))
		return ims_fail(err, IMGSEARCH_EFORMAT, "model card: unknown network \"%s\"",
			card->network);
	if (!card->name[0])
		snprintf(card->name, sizeof card->name, "%s", card->network);
	card->recipe = ims_network_recipe(net);
	int rc = ims_recipe_merge(&card->recipe, p, "model card", err);
	if (rc)
		return rc;
	if (!card->dim && (!net || card->projection))
		return ims_fail(err, IMGSEARCH_EFORMAT, "model card: \"dim\" is missing");
	if (!card->dim)
		card->dim = net->dim;
	return 0;
}

int ims_card_parse(model_card *out, const void *text, size_t n, imgsearch_error *err)
{
	json j = ims_json(text, n);
	recipe_parts parts = { 0 };
	char key[64];
	*out = (model_card){ 0 };
	if (ims_json_begin(&j, '{'))
		for (size_t i = 0; ims_json_more(&j, '}', i) && ims_json_key(&j, key, sizeof key); i++)
			if (!value(&j, key, out, &parts))
				return ims_fail(err, IMGSEARCH_EFORMAT, "model card: \"%s\": %s", key,
					j.why ? j.why : "not a value that it may have");
	if (!ims_json_done(&j))
		return ims_fail(err, IMGSEARCH_EFORMAT, "model card: no JSON object: %s", j.why);
	return complete(out, &parts, err);
}

char *ims_card_path(const char *weights_path)
{
	return ims_format("%.*s.json", (int)ims_weights_index_stem(weights_path), weights_path);
}

int ims_card_read(model_card *out, const char *weights_path, imgsearch_error *err)
{
	buf text = { 0 };
	char *path = ims_card_path(weights_path);
	int rc = path ? ims_read_file(&text, path, MAX_CARD, err) : ims_nomem(err);
	if (rc == 0 && (rc = ims_card_parse(out, text.data, text.len, err)))
		ims_error_prefix(err, "%s", path);
	ims_buf_free(&text);
	ims_free(path);
	return rc;
}

static void put_string(buf *out, const char *key, const char *text)
{
	ims_buf_text(out, "\t\"%s\": ", key);
	ims_json_text(out, text);
	ims_buf_text(out, ",\n");
}

/* Prints millionths as integers, since the decimal point of printf depends on the locale. */
static void put_number(buf *out, float v)
{
	long long m = llround((double)v * 1e6), a = m < 0 ? -m : m;
	ims_buf_text(out, "%s%lld.%06lld", m < 0 ? "-" : "", a / 1000000, a % 1000000);
}

static void put_three(buf *out, const char *key, const float v[3])
{
	ims_buf_text(out, "\t\"%s\": [", key);
	for (int i = 0; i < 3; i++) {
		ims_buf_text(out, i ? ", " : "");
		put_number(out, v[i]);
	}
	ims_buf_text(out, "],\n");
}

static void put_score(buf *out, const char *key, float v)
{
	ims_buf_text(out, "\t\"%s\": ", key);
	put_number(out, v);
	ims_buf_text(out, ",\n");
}

int ims_card_text(buf *out, const model_card *card)
{
	ims_buf_text(out, "{\n");
	put_string(out, "name", card->name);
	put_string(out, "network", card->network);
	ims_buf_text(out, "\t\"resize\": %u,\n\t\"crop\": %u,\n", card->recipe.resize,
		card->recipe.crop);
	put_string(out, "interpolation", card->recipe.bicubic ? "bicubic" : "bilinear");
	if (card->recipe.squash)
		ims_buf_text(out, "\t\"squash\": true,\n");
	if (card->recipe.crops > 1)
		ims_buf_text(out, "\t\"crops\": %u,\n", card->recipe.crops);
	if (card->pooling)
		put_string(out, "pooling", ims_pooling_name(card->pooling));
	put_three(out, "mean", card->recipe.mean);
	put_three(out, "std", card->recipe.std);
	if (card->scene_score > 0)
		put_score(out, "scene_score", card->scene_score);
	if (card->template[0])
		put_string(out, "template", card->template);
	if (card->descent[0])
		put_string(out, "descent", card->descent);
	if (card->licence[0])
		put_string(out, "licence", card->licence);
	if (card->note[0])
		put_string(out, "note", card->note);
	ims_buf_text(out, "\t\"projection\": %s,\n\t\"dim\": %u\n}\n",
		card->projection ? "true" : "false", card->dim);
	return out->failed ? IMGSEARCH_ENOMEM : 0;
}
