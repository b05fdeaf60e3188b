/* Collects the readings of a file, and narrows them down. */
#include "model/reading.h"

#include "model/beside.h"
#include "model/model.h"
#include "model/published.h"
#include "model/recipe.h"
#include "model/shim_load.h"
#include "model/weights.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct readings {
	reading *item; /* n */
	size_t n;
} readings;

/* ----------------------------------------------------------------------- networks that fit --- */

/* fits[i]: whether the i-th network of the catalogue does. */
static int find_networks(const char *path, const weights *w, uint8_t *fits, imgsearch_error *err)
{
	const shim_table *shim;
	shim_message msg = { "" };
	size_t n;
	const model_network *list = ims_model_list(&n);
	const char **names = ims_alloc(n, sizeof *names);
	int rc = names ? ims_model_check_program(path, NULL, w, err) : ims_nomem(err);
	if (!rc)
		rc = ims_shim_load(&shim, err);
	for (size_t i = 0; !rc && i < n; i++)
		names[i] = list[i].name;
	if (!rc) {
		rc = shim->net_find(names, n, w->tensor, w->n, w->script ? path : NULL, fits, &msg);
		if (rc == IMGSEARCH_EMODEL)
			ims_fail(err, rc,
				"%s has no card (the same name, ending in .json), and its tensors are those of no"
				" network; the nearest is %.300s",
				path, msg.text);
		if (rc == IMGSEARCH_EMODEL && w->script && err)
			err->detail = ENOEXEC;
		else if (rc && rc != IMGSEARCH_EMODEL)
			ims_fail(err, rc, "%s: %s", path, msg.text);
	}
	ims_free(names);
	return rc;
}

/* Of the feature: the last linear layer's, where the file has one. */
static uint32_t feature_dim(const model_network *net, const weights *w)
{
	for (size_t i = 0; i < w->n; i++) {
		const shim_tensor *t = &w->tensor[i];
		if (!strcmp(t->name, "project.weight") && t->ndim == 2 && t->shape[0] > 0
			&& t->shape[0] <= IMGSEARCH_DIM_MAX)
			return (uint32_t)t->shape[0];
	}
	return net->dim;
}

/* ---------------------------------------------------------------------------- the readings ---- */

static void add(readings *r, const char *name, const model_network *net, const image_recipe *recipe,
	uint32_t dim, bool published)
{
	reading *x = &r->item[r->n++];
	*x = (reading){ .network = net, .recipe = *recipe, .dim = dim, .published = published };
	snprintf(x->name, sizeof x->name, "%s", name);
}

/* Each network that fits by its own recipe, then the published models of these networks. */
static int collect(readings *r, const uint8_t *fits, const weights *w, const published_list *models,
	imgsearch_error *err)
{
	size_t n;
	const model_network *list = ims_model_list(&n);
	r->item = ims_alloc(n + models->n, sizeof *r->item);
	if (!r->item)
		return ims_nomem(err);
	for (size_t i = 0; i < n; i++) {
		image_recipe own = ims_network_recipe(&list[i]);
		if (fits[i])
			add(r, list[i].name, &list[i], &own, feature_dim(&list[i], w), false);
	}
	for (size_t i = 0; i < models->n; i++) {
		const published *p = &models->item[i];
		const model_network *net = ims_model_find(p->network);
		if (net && fits[net - list])
			add(r, p->name, net, &p->recipe, feature_dim(net, w), true);
	}
	return 0;
}

typedef bool keep_fn(const reading *r, const void *arg);

/* Keeps those that `keep` accepts, or all where it accepts none. */
static void narrow(readings *r, keep_fn *keep, const void *arg)
{
	size_t n = 0;
	for (size_t i = 0; i < r->n; i++)
		if (keep(&r->item[i], arg)) {
			reading x = r->item[n];
			r->item[n++] = r->item[i];
			r->item[i] = x;
		}
	if (n)
		r->n = n;
}

static bool is_published(const reading *r, const void *arg)
{
	const published *p = arg;
	return r->published && !strcmp(r->name, p->name);
}

static bool has_activation(const reading *r, const void *arg)
{
	return r->network->activation && !strcmp(r->network->activation, arg);
}

static bool starts_with(const char *s, const char *prefix)
{
	return !strncmp(s, prefix, strlen(prefix));
}

/* Only OpenAI publishes CLIP as a TorchScript program. */
static bool is_openai(const reading *r, const void *arg)
{
	(void)arg;
	return starts_with(r->network->name, "clip_");
}

/* Whether the files beside the weights speak of these networks at all. */
static bool is_about(const beside *b, const readings *r)
{
	static const struct {
		const char *type, *network; /* how both begin */
	} kinds[] = {
		{ "clip", "clip_" },
		{ "clip", "openclip_" },
		{ "siglip", "siglip_" },
		{ "dinov2", "dinov2_" },
		{ "dinov3", "dinov3_" },
	};
	if (!b->type[0])
		return true;
	for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
		for (size_t i = 0; starts_with(b->type, kinds[k].type) && i < r->n; i++)
			if (starts_with(r->item[i].network->name, kinds[k].network))
				return true;
	return false;
}

/* The tensors of CLIP do not tell the heads; all published ones have 64 values each. */
static bool has_such_heads(const readings *r)
{
	const char *name = r->n ? r->item[0].network->name : "";
	return starts_with(name, "clip_") || starts_with(name, "openclip_");
}

static int use_beside(readings *r, const char *path, imgsearch_error *err)
{
	beside b;
	int rc = ims_beside_read(&b, path, err);
	if (rc || !is_about(&b, r))
		return rc;
	if (b.odd_heads && has_such_heads(r))
		return ims_fail(err, IMGSEARCH_EMODEL,
			"%s: the configuration beside it says %u attention heads over %u values; only heads of"
			" 64 values each can be run",
			path, b.odd_heads, b.odd_width);
	if (b.activation[0])
		narrow(r, has_activation, b.activation);
	for (size_t i = 0; !rc && i < r->n; i++)
		rc = ims_recipe_merge(&r->item[i].recipe, &b.parts, path, err);
	return rc;
}

/* ---------------------------------------------------------------------------- the decision ---- */

/* The first reading that leads to other features than the first of all; NULL: there is none. */
static const reading *other_reading(const readings *r, const imgsearch_recipe *asked,
	imgsearch_error *err)
{
	image_recipe first = r->item[0].recipe;
	if (ims_recipe_ask(&first, asked, err))
		return NULL;
	for (size_t i = 1; i < r->n; i++) {
		image_recipe x = r->item[i].recipe;
		if (r->item[i].network != r->item[0].network || ims_recipe_ask(&x, asked, err)
			|| !ims_recipe_same(&first, &x))
			return &r->item[i];
	}
	return NULL;
}

static int refuse(const char *path, const reading *a, const reading *b, imgsearch_error *err)
{
	char why[160];
	if (a->network != b->network)
		ims_fail(err, IMGSEARCH_EMODEL,
			"%s may be %s or %s: its tensors are the same, and neither a card nor a file beside it"
			" says which",
			path, a->name, b->name);
	else {
		ims_recipe_difference(why, sizeof why, &a->recipe, &b->recipe);
		ims_fail(err, IMGSEARCH_EMODEL,
			"%s may be %s or %s, whose pictures are prepared in two ways (%s): neither a card nor a"
			" file beside it says which",
			path, a->name, b->name, why);
	}
	if (err)
		err->detail = ENOTUNIQ;
	return IMGSEARCH_EMODEL;
}

/* is_named: by the name of a published model, which says all. */
static int choose(reading *out, readings *r, const char *path, const weights *w,
	const published *known, bool is_named, const imgsearch_recipe *asked, imgsearch_error *err)
{
	int rc = 0;
	if (known) {
		narrow(r, is_published, known);
	} else if (!is_named) {
		rc = use_beside(r, path, err);
		if (!rc && w->script)
			narrow(r, is_openai, NULL);
	}
	if (rc)
		return rc;
	const reading *other = other_reading(r, asked, err);
	if (other)
		return refuse(path, &r->item[0], other, err);
	*out = r->item[0];
	return 0;
}

/*
 * The readings of that name. Where it is a network's, the published model that the file is comes
 * beside it.
 */
static int keep_named(readings *r, const char *path, const char *name, const published *known,
	imgsearch_error *err)
{
	size_t n = 0;
	const model_network *network = ims_model_find(name);
	for (size_t i = 0; i < r->n; i++) {
		const reading *x = &r->item[i];
		bool named = network ? !x->published && x->network == network : !strcmp(x->name, name);
		if (named || (network == x->network && known && is_published(x, known)))
			r->item[n++] = *x;
	}
	r->n = n;
	return n ? 0
			 : ims_fail(err, IMGSEARCH_EMODEL,
				 "unknown network \"%s\": %s has no card of that name (the same name, ending in"
				 " .json)",
				 name, path);
}

static bool is_complete(const imgsearch_recipe *r)
{
	return (r->resize || r->squash) && r->crop && r->interpolation && r->std[0] > 0;
}

int ims_reading_decide(reading *out, const char *path, const char *name,
	const imgsearch_recipe *asked, imgsearch_error *err)
{
	size_t n;
	ims_model_list(&n);
	weights w = { 0 };
	published_list models = { 0 };
	readings r = { 0 };
	const published *known = NULL;
	bool only_network = name && ims_model_find(name) && is_complete(asked);
	uint8_t *fits = ims_alloc(n, 1);
	int rc = fits ? ims_weights_open(&w, path, err) : ims_nomem(err);
	if (!rc && !only_network)
		rc = ims_published_read(&models, err);
	if (!rc && name)
		memset(fits, 1, n);
	else if (!rc)
		rc = find_networks(path, &w, fits, err);
	if (!rc)
		rc = ims_published_of_file(&models, path, &known, err);
	if (!rc)
		rc = collect(&r, fits, &w, &models, err);
	if (!rc && name)
		rc = keep_named(&r, path, name, known, err);
	if (!rc)
		rc = choose(out, &r, path, &w, known, name && !ims_model_find(name), asked, err);
	ims_free(r.item);
	ims_free(fits);
	ims_published_free(&models);
	ims_weights_free(&w);
	return rc;
}
