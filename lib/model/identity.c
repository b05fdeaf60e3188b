/* Resolves the request of the caller: name, weights, card and recipe; hashes the weights. */
#include "model/identity.h"

#include "model/card.h"
#include "model/catalog.h"
#include "model/model.h"
#include "model/published.h"
#include "model/reading.h"
#include "model/recipe.h"
#include "model/weights_index.h"
#include "model/weights.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* bfloat16 is faster only on CPUs that multiply it. */
static bool cpu_has_bf16(void)
{
#if defined(__x86_64__)
	return __builtin_cpu_supports("avx512bf16");
#else
	return false;
#endif
}

static bool looks_like_path(const char *name)
{
	const char *dot = strrchr(name, '.');
	return strchr(name, '/') || ims_weights_index_named(name)
		|| (dot && (!strcmp(dot, ".pth") || !strcmp(dot, ".pt") || !strcmp(dot, ".safetensors")));
}

/* lost: where they were; NULL: not known. */
static int no_weights(const char *name, const char *lost, imgsearch_error *err)
{
	char places[400];
	ims_model_places(places, sizeof places, true);
	if (lost && strcmp(name, "default") != 0)
		return ims_fail(err, IMGSEARCH_EMODEL,
			"no weights for %s: %s cannot be read, and no %s.safetensors, .pth or .pt is in %s",
			name, lost, name, places);
	if (!strcmp(name, "default"))
		return ims_fail(err, IMGSEARCH_EMODEL,
			"the default model is not installed: no default.safetensors, .pth or .pt in %s",
			places);
	if (!ims_model_find(name) && !ims_published_has(name))
		return ims_fail(err, IMGSEARCH_EMODEL,
			"unknown network \"%s\" and no weights file of that name", name);
	return ims_fail(err, IMGSEARCH_EMODEL,
		"no weights for %s: none are given, and no %s.safetensors, .pth or .pt is in %s", name,
		name, places);
}

/*
 * Reads the card of the weights, if it is the one wanted: no name was given, or its own. 0; 1:
 * there is none; or an error.
 */
static int card_for(model_card *card, const char *weights, const char *name, imgsearch_error *err)
{
	imgsearch_error local;
	int rc = ims_card_read(card, weights, &local);
	if (rc == IMGSEARCH_ENOTFOUND)
		return 1;
	if (rc) {
		if (err)
			*err = local;
		return rc;
	}
	return !name || !strcmp(name, card->name) || !strcmp(name, card->network) ? 0 : 1;
}

/*
 * Name, network, dimension and recipe for weights without a card. Of a stored model the network is
 * known, whatever the catalogue says of its name now.
 */
static int by_reading(model_identity *id, const model_spec *spec, const char *name,
	imgsearch_error *err)
{
	reading r;
	if (name && !strcmp(name, "script")) {
		memcpy(id->name, "script", sizeof "script");
		memcpy(id->network, "script", sizeof "script");
		id->recipe = ims_network_recipe(NULL);
		return 0;
	}
	const char *stored = name ? spec->network : NULL;
	int rc = ims_reading_decide(&r, id->weights, stored ? stored : name, &spec->recipe, err);
	if (rc)
		return rc;
	snprintf(id->name, sizeof id->name, "%s", stored ? name : r.name);
	snprintf(id->network, sizeof id->network, "%s", r.network->name);
	id->dim = r.dim;
	id->recipe = r.recipe;
	return 0;
}

/* A copy of the path, or else the file of that name. lost: for the message. EMODEL, ENOMEM. */
static int find_weights(char **out, const char *path, const char *name, const char *lost,
	imgsearch_error *err)
{
	if (path)
		return (*out = ims_strdup(path)) ? 0 : ims_nomem(err);
	int rc = ims_model_find_weights(out, name, err);
	return rc == IMGSEARCH_ENOTFOUND ? no_weights(name, lost, err) : rc;
}

static int resolve(model_identity *id, const model_spec *spec, imgsearch_error *err)
{
	const char *name = spec->name, *weights = spec->weights;
	model_card card;
	if (!weights && name && looks_like_path(name))
		weights = name, name = NULL;
	if (!weights && !name)
		name = "default";
	int rc = find_weights(&id->weights, weights, name, spec->lost, err);
	if (!rc)
		rc = card_for(&card, id->weights, name, err);
	if (rc)
		return rc < 0 ? rc : by_reading(id, spec, name, err);
	memcpy(id->name, card.name, sizeof id->name);
	memcpy(id->network, card.network, sizeof card.network);
	id->dim = card.dim;
	id->recipe = card.recipe;
	id->pooling = card.pooling;
	if (card.scene_score > 0)
		id->scene_score = card.scene_score;
	return 0;
}

/* The dimension of a TorchScript program is known only when it runs. */
static int ask_dim(model_identity *id, const model_spec *spec, imgsearch_error *err)
{
	model *m = NULL;
	int rc = ims_model_load(&m, id, spec, err);
	if (rc == 0)
		id->dim = ims_model_dim(m);
	ims_model_free(m);
	return rc;
}

int ims_model_identify(model_identity *out, const model_spec *spec, imgsearch_error *err)
{
	*out = (model_identity){ .scene_score = (float)IMGSEARCH_SCENE_SCORE_DEFAULT };
	hash256 hash;
	int rc = resolve(out, spec, err);
	if (rc == 0)
		rc = ims_recipe_ask(&out->recipe, &spec->recipe, err);
	bool known = spec->weights && spec->known_hash;
	if (rc == 0 && known)
		snprintf(out->weights_hash, sizeof out->weights_hash, "%s", spec->known_hash);
	else if (rc == 0 && (rc = ims_weights_hash(&hash, out->weights, err)) == 0)
		ims_hash_hex(&hash, out->weights_hash);
	if (rc == 0) {
		out->flip = spec->recipe.flip;
		if (spec->recipe.pooling)
			out->pooling = spec->recipe.pooling;
		out->precision = spec->precision ? spec->precision
			: cpu_has_bf16()             ? IMGSEARCH_PRECISION_BF16
										 : IMGSEARCH_PRECISION_F32;
		if (!out->dim)
			rc = ask_dim(out, spec, err);
	}
	if (rc)
		ims_model_identity_free(out);
	return rc;
}

void ims_model_identity_free(model_identity *id)
{
	if (!id)
		return;
	ims_free(id->weights);
	id->weights = NULL;
}

bool ims_model_same(const model_identity *a, const model_identity *b, char *why, size_t why_size)
{
	if (strcmp(a->name, b->name))
		snprintf(why, why_size, "network %s, not %s", a->name, b->name);
	else if (strcmp(a->weights_hash, b->weights_hash))
		snprintf(why, why_size, "weights %.12s, not %.12s", a->weights_hash, b->weights_hash);
	else if (a->dim != b->dim)
		snprintf(why, why_size, "%u values, not %u", a->dim, b->dim);
	else if (a->precision != b->precision)
		snprintf(why, why_size, "precision %s, not %s",
			a->precision == IMGSEARCH_PRECISION_BF16 ? "bf16" : "f32",
			b->precision == IMGSEARCH_PRECISION_BF16 ? "bf16" : "f32");
	else if (!ims_recipe_same(&a->recipe, &b->recipe))
		ims_recipe_difference(why, why_size, &a->recipe, &b->recipe);
	else if (a->flip != b->flip)
		snprintf(why, why_size, "%s mirror images, not %s", a->flip ? "with" : "without",
			b->flip ? "with" : "without");
	else if (a->pooling != b->pooling)
		snprintf(why, why_size, "pooling %s, not %s", ims_pooling_name(a->pooling),
			ims_pooling_name(b->pooling));
	else
		return true;
	return false;
}
